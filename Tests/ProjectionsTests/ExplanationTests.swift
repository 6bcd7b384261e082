// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenIDConnect
import Projections
import SessionEvents
import Sessions
import TestSupport
import Testing

@Suite("An explanation")
struct ExplanationTests {
    private static func explain(_ stream: Stream) throws -> Explanation {
        try #require(try Explanation(session: Stream.session, events: stream.events))
    }

    private static func explain(_ events: [SessionEvent]) throws -> Explanation {
        var stream = Stream()
        for event in events { try stream.add(event) }
        return try explain(stream)
    }

    private static func lines(_ explanation: Explanation) -> [String] {
        explanation.evidence.map { "\($0.position) \($0.text)" }
    }

    // MARK: - Golden files

    @Test(
        "of every code reads as its golden file has it, with the document for programs",
        arguments: FailureReason.catalogue.sorted())
    func golden(code: String) throws {
        let entry = FailureCatalogue.entry(try #require(FailureReason(code)))
        let explanation = try FailureStory.of(code).map { try Self.explain($0.stream()) }
        let text = explanation?.text ?? entry.text
        let object = explanation?.object ?? entry.object
        let json = PrettyJSON.encode(.object(object))
        let whole = Array("\(text)\n\n".utf8) + json
        let path = "Tests/ProjectionsTests/Golden/explain/\(code).txt"
        let expected = try Golden.expected(at: path, now: whole)
        #expect(String(decoding: whole, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
    }

    @Test("has no golden file for a code that there is not")
    func strangers() throws {
        let names = try Repository.names(in: "Tests/ProjectionsTests/Golden/explain")
        #expect(names == FailureReason.catalogue.map { "\($0).txt" }.sorted())
    }

    @Test("is shown with a login for every code that a login can end with")
    func reachable() throws {
        let codes =
            FlowFailureReason.allCases.map(\.rawValue)
            + TokenFailureReason.allCases.map(\.rawValue)
        for code in codes { #expect(try FailureStory.of(code) != nil, "\(code)") }
        for code in FailureReason.catalogue where try FailureStory.of(code) == nil {
            let entry = FailureCatalogue.entry(try #require(FailureReason(code)))
            #expect(entry.failureClass == .ledger, "\(code)")
        }
    }

    @Test(
        "is shown with events in an order that a session may have",
        arguments: FailureReason.catalogue.sorted())
    func order(code: String) throws {
        guard let story = try FailureStory.of(code) else { return }
        var state = SessionState()
        for (event, _) in story.events {
            let steps = try Session.decide(.recordReported(event), in: state)
            #expect(steps.map(\.event) == [event])
            state = Session.evolve(state, by: event, at: nil)
        }
        #expect(state.phase == .failed)
    }

    /// Evidence is recorded, and so has the position of an event.
    @Test(
        "has a position of its session at every line, and says what the entry says",
        arguments: FailureReason.catalogue.sorted())
    func positions(code: String) throws {
        guard let story = try FailureStory.of(code) else { return }
        let explanation = try Self.explain(story.stream())
        let entry = FailureCatalogue.entry(try #require(FailureReason(code)))
        let positions = explanation.evidence.map(\.position)
        #expect(positions == positions.sorted())
        #expect(positions.first == 0)
        #expect(positions.last == UInt64(story.events.count - 1))
        #expect(explanation.title == entry.title)
        #expect(explanation.hint == entry.hint)
        #expect(explanation.retrySafe == entry.retrySafe)
        #expect(explanation.failureClass == entry.failureClass)
        #expect(explanation.severity == entry.severity)
        #expect(!explanation.likelyCauses.isEmpty)
        for cause in explanation.likelyCauses {
            #expect(entry.likelyCauses.contains { $0.text == cause.text }, "\(cause)")
            #expect(cause.evidence.map { positions.contains($0.position) } ?? true, "\(cause)")
        }
    }

    // MARK: - Evidence

    @Test("shows what was recorded, each with its position")
    func evidence() throws {
        let story = try FailureStory.upToTokens().judged("iss-mismatch", "iss", "aud")
        let explanation = try Self.explain(story.stream())
        #expect(explanation.reason?.code == "iss-mismatch")
        #expect(
            Self.lines(explanation) == [
                "0 the login began with bank, flow pkce",
                "1 the user was sent to https://op.example/authorize",
                "2 the callback came after 9.4 s",
                "2 the callback's state is the one that was sent",
                "3 the exchange of the code ended after 210 ms",
                "3 an ID token signed with ES256 came",
                "3 the ID token names the key 2026-a",
                "3 the provider's trace id is 5c1f0a77",
                "4 the login ended at the stage verification",
                "4 failed checks of the ID token: iss, aud",
            ])
    }

    @Test("shows of a callback and of polls what they carried")
    func evidenceOfAnswers() throws {
        let explanation = try Self.explain([
            Stream.initiated,
            .callback(
                CallbackReceived(
                    error: "access_denied", stateMatched: false, stateBinding: StateBinding.none)),
            .callback(CallbackReceived(error: "other")),
            .callback(CallbackReceived(from: .accountSelector)),
            .polled(Polled(status: .accepted, attempt: 0)),
            .polled(Polled(status: .error, attempt: 0, error: "unknown_user_id")),
            .polled(Polled(status: .error, attempt: 1, error: "expired_token", hasGap: true)),
            .polled(Polled(status: .error, attempt: 2)),
            .polled(Polled(status: .error, attempt: 2, error: "other")),
            .polled(Polled(status: .pending, attempt: 3)),
            .polled(Polled(status: .slowDown, attempt: 4)),
            .polled(Polled(status: .pending, attempt: 5)),
            .polled(Polled(status: .pending, attempt: 6)),
            Stream.issued, .tokenIssued(TokenIssued(keyID: "other", hasGap: true)),
        ])
        #expect(
            Self.lines(explanation).dropFirst() == [
                "1 the callback carried the error access_denied",
                "1 the callback's state is not the one that was sent",
                "1 nothing tied the callback to the user's own session",
                "2 the callback carried an error that is not registered; its text is sealed",
                "2 the callback had no state that could be compared",
                "4 the provider accepted the request",
                "5 the provider answered the request with unknown_user_id",
                "6 an earlier attempt may have left unrecorded",
                "6 the provider answered the poll with expired_token",
                "7 the provider answered the poll with an error",
                "8 the provider answered the poll with an error that is not registered; its text "
                    + "is sealed",
                "9 poll 3 found no answer of the user",
                "10 the provider asked for longer pauses at poll 4",
                "12 polls 5 to 6 found no answer of the user",
                "13 an ID token signed with ES256 came",
                "14 an earlier attempt may have left unrecorded", "14 an ID token came",
                "14 the ID token names a key that was in no archived key set",
            ])
    }

    @Test("says what was asked for only where the code is about it")
    func asked() throws {
        func texts(_ code: String) throws -> [String] {
            let story = FailureStory.begin(acr: "urn:x;LOA=4").sent().back().tokens()
            return try Self.explain(story.judged(code, "acr").stream()).evidence.map(\.text)
        }
        #expect(try texts("acr-too-low").contains("the acr asked for was urn:x;LOA=4"))
        #expect(try !texts("sig-invalid").contains { $0.contains("urn:x") })
        #expect(try texts("claim-missing").contains("the scope asked for was openid profile"))
    }

    @Test("puts first what its events bear out, and says for programs in one text what it is")
    func causes() throws {
        let story = try #require(try FailureStory.of("code-expired"))
        let explanation = try Self.explain(story.stream())
        let first = try #require(explanation.likelyCauses.first)
        #expect(first.evidence?.text == "the exchange ended 47.3 s after the callback")
        #expect(explanation.likelyCauses.dropFirst().allSatisfy { $0.evidence == nil })
        let texts = explanation.object["likelyCauses"]?.arrayValue?.compactMap(\.stringValue)
        #expect(
            texts?.first
                == "\(first.text) At 3: the exchange ended 47.3 s after the callback.")
        #expect(texts?.dropFirst().first == explanation.likelyCauses[1].text)
    }

    // MARK: - Sessions that did not fail

    @Test("of a session that did not fail says so")
    func withoutFailure() throws {
        let good = try Self.explain([Stream.initiated, Stream.redirected, Stream.verified])
        #expect(good.reason == nil)
        #expect(good.title == "The login succeeded.")
        #expect(good.evidence.last?.text == "every check passed")
        #expect(good.likelyCauses.isEmpty)
        #expect(good.object["class"] == .null)
        #expect(good.object["likelyCauses"] == .array([]))
        #expect(!good.text.contains("Likely causes"))
        for event in [Stream.initiated, Stream.redirected, Stream.callback, Stream.issued] {
            let open = try Self.explain([Stream.initiated, event])
            #expect(open.reason == nil)
            #expect(
                open.title == "The login is not over: its last event is `\(event.type.word)`.")
            #expect(open.retrySafe)
        }
    }

    @Test("is not given of nothing, nor of what cannot be read")
    func nothing() throws {
        #expect(try Explanation(session: Stream.session, events: []) == nil)
        var stream = Stream()
        try stream.add("authledger.session.failed", ["stage": .string("token")])
        #expect(throws: EventDecodingError.member(MemberError("reason", .missing))) {
            try Explanation(session: Stream.session, events: stream.events)
        }
    }
}
