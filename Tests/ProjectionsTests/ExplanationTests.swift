// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenIDConnect
import SessionEvents
import TestSupport
import Testing

@testable import Projections

@Suite("An explanation")
struct ExplanationTests {
    /// Every code that a login, or a callback outside of one, can end with today.
    static let reachable: [String] = {
        let codes =
            FlowFailureReason.allCases.map(\.rawValue)
            + TokenFailureReason.allCases.map(\.rawValue) + ["callback-replayed"]
        return Set(codes).sorted()
    }()

    private static func explain(_ events: [SessionEvent]) throws -> Explanation {
        var stream = Stream()
        for event in events { try stream.add(event) }
        return try #require(try Explanation(session: Stream.session, events: stream.events))
    }

    private static func failed(_ code: String) throws -> Explanation {
        let reason = try #require(FailureReason(code))
        let isOfToken = TokenFailureReason(rawValue: code) != nil
        let failed = Failed(
            stage: isOfToken ? .verification : .token, reason: reason,
            checks: isOfToken ? [Check("iss", .failed), Check("aud", .passed)] : nil)
        return try explain([
            Stream.initiated, Stream.redirected, Stream.callback, .failed(failed),
        ])
    }

    @Test("has an entry of its own for every code that can be reached", arguments: reachable)
    func ownEntry(code: String) throws {
        let entry = try #require(FailureCatalogue.entries[code], "\(code) has no entry")
        let reason = try #require(FailureReason(code))
        #expect(FailureCatalogue.entry(reason) == entry)
        for sentence in [entry.title, entry.hint] {
            #expect(sentence.hasSuffix("."))
            #expect(sentence.utf8.count <= 160)
        }
    }

    @Test("has no entry for a code that is not in the catalogue")
    func noStrangers() {
        #expect(Set(FailureCatalogue.entries.keys).isSubset(of: FailureReason.catalogue))
    }

    @Test("of a code without entry names the code, and does not call it safe")
    func fallback() throws {
        let code = try #require(
            FailureReason.catalogue.first { FailureCatalogue.entries[$0] == nil })
        let entry = FailureCatalogue.entry(try #require(FailureReason(code)))
        #expect(entry.title.contains(code))
        #expect(!entry.retrySafe)
    }

    @Test("says of every code what the golden file has")
    func golden() throws {
        var text = ""
        for code in Self.reachable {
            let explanation = try Self.failed(code)
            text += "\(code)\n  \(explanation.title)\n  \(explanation.hint)\n"
            text += "  retry: \(explanation.retrySafe ? "safe" : "not safe")\n"
        }
        let path = "Tests/ProjectionsTests/Golden/explanations.txt"
        let expected = try Golden.expected(at: path, now: Array(text.utf8))
        #expect(text == String(decoding: expected, as: UTF8.self))
    }

    @Test(
        "of an attack never calls it safe to try again",
        arguments: [
            "iss-mismatch", "iss-missing", "state-missing", "state-mismatch", "nonce-mismatch",
            "sig-invalid", "header-refused", "at-hash-mismatch", "azp-mismatch", "aud-mismatch",
            "alg-not-allowed", "callback-replayed",
        ])
    func attacks(code: String) throws {
        #expect(try !Self.failed(code).retrySafe)
    }

    @Test("shows what was recorded, each with its position")
    func evidence() throws {
        let explanation = try Self.failed("iss-mismatch")
        #expect(explanation.reason?.code == "iss-mismatch")
        #expect(
            explanation.evidence == [
                .init(position: 0, text: "the login began with bank, flow pkce"),
                .init(position: 1, text: "the user was sent to https://op.example/a"),
                .init(position: 2, text: "the callback's state is the one that was sent"),
                .init(position: 3, text: "the login ended at the stage verification"),
                .init(position: 3, text: "failed checks of the ID token: iss"),
            ])
        let callback = try Self.explain([
            Stream.initiated,
            .callback(
                CallbackReceived(
                    error: "access_denied", stateMatched: false, stateBinding: StateBinding.none)),
            .polled(Polled(status: .error, attempt: 1, error: "expired_token")),
            .polled(Polled(status: .error, attempt: 2)),
            .polled(Polled(status: .pending, attempt: 3)), Stream.issued,
            .tokenIssued(TokenIssued()),
        ])
        #expect(
            callback.evidence.map(\.text) == [
                "the login began with bank, flow pkce",
                "the callback carried the error access_denied",
                "the callback's state is not the one that was sent",
                "nothing tied the callback to the user's own session",
                "the provider answered the poll with expired_token",
                "the provider answered the poll with an error",
                "an ID token signed with ES256 came", "an ID token came",
            ])
    }

    @Test("of a session that did not fail says so")
    func withoutFailure() throws {
        let good = try Self.explain([Stream.initiated, Stream.redirected, Stream.verified])
        #expect(good.reason == nil)
        #expect(good.title == "The login succeeded.")
        #expect(good.evidence.last?.text == "every check passed")
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
