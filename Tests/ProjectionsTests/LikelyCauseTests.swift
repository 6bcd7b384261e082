// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents
import Testing

@testable import Projections

@Suite("A likely cause")
struct LikelyCauseTests {
    private typealias Told = FailureStory

    /// A sign with events that show it, and events that deny it where any can.
    struct Case: Sendable, CustomStringConvertible {
        let sign: Sign
        let position: UInt64
        let text: String
        let shown: @Sendable () throws -> FailureStory
        let denied: (@Sendable () throws -> FailureStory)?

        var description: String { "\(sign)" }

        init(
            _ sign: Sign, at position: UInt64, _ text: String,
            shown: @escaping @Sendable () throws -> FailureStory,
            denied: (@Sendable () throws -> FailureStory)? = nil
        ) {
            self.sign = sign
            self.position = position
            self.text = text
            self.shown = shown
            self.denied = denied
        }
    }

    private static func story(_ code: String) throws -> FailureStory {
        try #require(try FailureStory.of(code))
    }

    private static func showing(_ sign: Sign, _ story: FailureStory) throws -> Showing {
        try SessionStory(try story.stream().events).showing(sign)
    }

    private static let ofRequests: [Case] = [
        Case(
            .acrNotAsked, at: 0, "no acr was asked for", shown: { .begin() },
            denied: { .begin(acr: "urn:x") }),
        Case(
            .scopeWithoutOpenID, at: 0, "the scope asked for was profile",
            shown: { .begin(scope: "profile") }, denied: { .begin() }),
    ]

    private static let ofCallbacks: [Case] = [
        Case(
            .boundState, at: 2, "the caller named the session that its own user agent holds",
            shown: { .begin().sent().back() },
            denied: { .begin().sent().back(binding: StateBinding.none) }),
        Case(
            .unboundState, at: 2, "nothing tied the callback to the user's own session",
            shown: { .begin().sent().back(binding: StateBinding.none) },
            denied: { .begin().sent().back() }),
        Case(
            .choosingAccount, at: 1, "the user was sent to choose an account",
            shown: {
                .begin().then(
                    .redirected(
                        Redirected(to: .accountSelector, endpoint: FailureStory.issuer)), after: 9)
            }, denied: { .begin().sent() }),
        Case(
            .otherResponseMode, at: 2, "the mode jwt was asked for, and query came",
            shown: { .begin(mode: "jwt").sent().back(mode: "query") },
            denied: { .begin(mode: "jwt").sent().back(mode: "jwt") }),
        Case(
            .quickReturn, at: 2, "the callback came 2.9 s after the user was sent away",
            shown: { .begin().sent().back(after: 2999) },
            denied: { .begin().sent().back(after: 3000) }),
        Case(
            .slowReturn, at: 2, "the callback came 5 min after the user was sent away",
            shown: { .begin().sent().back(after: 300_000) },
            denied: { .begin().sent().back(after: 299_999) }),
    ]

    private static let ofPolls: [Case] = [
        Case(
            .gap, at: 1, "an earlier attempt may have left unrecorded",
            shown: {
                .begin(.ciba).then(
                    .polled(Polled(status: .pending, attempt: 1, hasGap: true)), after: 5000)
            }),
        Case(
            .gap, at: 1, "an earlier attempt may have left unrecorded",
            shown: { .begin().then(.tokenIssued(TokenIssued(hasGap: true)), after: 1) }),
        Case(
            .neverAnswered, at: 3, "2 polls found no answer",
            shown: { .begin(.ciba).accepted().pending(1...2).poll(.error, 3, "expired_token") }),
        Case(
            .neverAnswered, at: 2, "1 poll found no answer",
            shown: { .begin(.ciba).accepted().pending(1...1) }),
        Case(
            .hurriedPolls, at: 3,
            "poll 2 came 2.9 s after the one before, and the interval is 3 s",
            shown: {
                .begin(.ciba).accepted(interval: 3).pending(1...1).pending(2...2, every: 2999)
            },
            denied: {
                .begin(.ciba).accepted(interval: 3).pending(1...2, every: 3000)
            }),
        Case(
            .hurriedPolls, at: 2,
            "poll 1 came 4.9 s after the one before, and the interval is 5 s",
            shown: { .begin(.ciba).accepted(interval: nil).pending(1...1, every: 4999) },
            denied: { .begin(.ciba).accepted(interval: nil).pending(1...1) }),
    ]

    private static let ofAnswers: [Case] = [
        Case(
            .error(["server_error"]), at: 2, "the provider gave the error server_error",
            shown: { .begin().sent().back(error: "server_error") },
            denied: { .begin().sent().back(error: "invalid_scope") }),
        Case(
            .unregisteredError, at: 2,
            "the provider gave an error that is not registered; its text is sealed",
            shown: { .begin().sent().back(error: "other") },
            denied: { .begin().sent().back(error: "invalid_scope") }),
        Case(
            .serverError, at: 3, "an answer had the status 503",
            shown: { try story("provider-outage") }, denied: { try story("client-auth-failed") }),
        Case(
            .status(400), at: 1, "an answer had the status 400",
            shown: { try story("par-refused") }, denied: { try story("provider-outage") }),
        Case(
            .unanswered, at: 1, "the request for discovery got no answer",
            shown: { try story("metadata-unavailable") },
            denied: { try story("provider-outage") }),
        Case(
            .slowAnswer, at: 3, "an answer took 5 s",
            shown: { .begin().sent().back().tokens(took: 5000) },
            denied: { .begin().sent().back().tokens(took: 4999) }),
    ]

    private static let ofTokens: [Case] = [
        Case(
            .reportedKeySet, at: 3, "the key set was reported together with the token",
            shown: { .begin().sent().back().tokens(keys: .reported) },
            denied: { .upToTokens() }),
        Case(
            .severalFailedChecks, at: 4, "failed checks: iss, nonce",
            shown: { try FailureStory.upToTokens().judged("nonce-mismatch", "iss", "nonce") },
            denied: { try story("nonce-mismatch") }),
        Case(
            .slowExchange, at: 3, "the exchange ended 30 s after the callback",
            shown: { .begin().sent().back().tokens(after: 30_000) },
            denied: { .begin().sent().back().tokens(after: 9999) }),
        Case(
            .slowExchange, at: 3, "the exchange ended 47.3 s after the callback",
            shown: { try story("code-expired") }, denied: { try story("code-reused") }),
        Case(
            .unsignedToken, at: 3, "the token's algorithm is none",
            shown: { .begin().sent().back().tokens("none") }, denied: { .upToTokens() }),
    ]

    private static let ofEnds: [Case] = [
        Case(
            .lateEnd, at: 3, "the session ended 1 min after the event before",
            shown: {
                try .begin().sent().back().end(.token, "exchange-interrupted", after: 60_000)
            },
            denied: {
                try .begin().sent().back().end(.token, "exchange-interrupted", after: 59_999)
            }),
        Case(
            .stage(.callback), at: 3, "the login ended at the stage callback",
            shown: { try story("iss-mismatch") }, denied: { try story("nonce-mismatch") }),
        Case(
            .reported, at: 0, "another program ran the login and reported its steps",
            shown: { .begin().reported() }, denied: { .begin() }),
        Case(
            .timeWentBack, at: 3, "the clock was put back by 46.8 s before this event",
            shown: { try story("clock-skew") }),
    ]

    static let cases = ofRequests + ofCallbacks + ofPolls + ofAnswers + ofTokens + ofEnds

    @Test("is borne out by an event that shows its sign", arguments: cases)
    func shown(example: Case) throws {
        let expected = Explanation.Evidence(position: example.position, text: example.text)
        #expect(try Self.showing(example.sign, example.shown()) == .shown(expected))
    }

    @Test("is ruled out by an event that denies its sign", arguments: cases)
    func denied(example: Case) throws {
        guard let story = example.denied else { return }
        #expect(try Self.showing(example.sign, story()) == .denied)
    }

    @Test(
        "stays open while no event speaks of its sign",
        arguments: cases.map(\.sign).filter { $0 != .acrNotAsked && $0 != .reported })
    func open(sign: Sign) throws {
        let story = FailureStory().then(
            .initiated(Initiated(provider: "bank", clientID: "rp", flow: .jarm)), after: 0)
        // A session that has just begun is not choosing an account.
        let expected: Showing = sign == .choosingAccount ? .denied : .open
        #expect(try Self.showing(sign, story) == expected)
    }

    @Test("of which a report leaves out what it needs stays open")
    func reported() throws {
        #expect(try Self.showing(.acrNotAsked, FailureStory.begin().reported()) == .open)
    }

    @Test("about verifier or pushed request is ruled out where there was none, and never borne out")
    func prerequisites() throws {
        #expect(try Self.showing(.proofKey, .begin(.code)) == .denied)
        #expect(try Self.showing(.proofKey, .begin(.pkce)) == .open)
        #expect(try Self.showing(.pushedRequest, .begin().sent()) == .denied)
        #expect(try Self.showing(.pushedRequest, .begin().sent(par: true)) == .open)
        #expect(try Self.showing(.pushedRequest, .begin()) == .open)
    }

    @Test("that an exchange took long is open between prompt and slow")
    func betweenPromptAndSlow() throws {
        for milliseconds: Int64 in [10_000, 29_999] {
            let story = FailureStory.begin().sent().back().tokens(after: milliseconds)
            #expect(try Self.showing(.slowExchange, story) == .open)
        }
    }

    @Test(
        "comes first when events bear it out, is gone when they rule it out, else keeps its place")
    func ranking() throws {
        let causes: [LikelyCause] = [
            "One.", .when(.slowReturn, "Two."), .when(.unboundState, "Three."),
            .when(.lateEnd, "Four."), .when(.quickReturn, "Five."), "Six.",
        ]
        let story = FailureStory.begin().sent().back(after: 400_000)
        let ranked = try SessionStory(try story.stream().events).ranked(causes)
        #expect(ranked.map(\.text) == ["Two.", "One.", "Four.", "Six."])
        #expect(
            ranked.map { $0.evidence?.text } == [
                "the callback came 6 min 40 s after the user was sent away", nil, nil, nil,
            ])
    }

    @Test("is always left, whatever the events are", arguments: FailureCatalogue.entries)
    func someAreLeft(entry: FailureCatalogue.Entry) {
        #expect(entry.likelyCauses.contains { $0.sign == nil }, "\(entry.code)")
    }
}

@Suite("A length of time")
struct DurationWordsTests {
    @Test(
        "is told in at most two units",
        arguments: [
            (0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (1099, "1 s"), (12_300, "12.3 s"),
            (59_999, "59.9 s"), (60_000, "1 min"), (252_999, "4 min 12 s"),
            (3_599_999, "59 min 59 s"), (3_600_000, "1 h"), (7_500_000, "2 h 5 min"),
            (86_399_999, "23 h 59 min"), (86_400_000, "1 d"), (273_600_000, "3 d 4 h"),
        ] as [(Int64, String)])
    func words(milliseconds: Int64, text: String) {
        #expect(DurationWords.text(milliseconds: milliseconds) == text)
    }
}

@Suite("A page of text")
struct TextPageTests {
    @Test("breaks between words, and lets the lines of an item stand below each other")
    func wrapping() {
        var page = TextPage()
        let words = Array(repeating: "four", count: 17).joined(separator: " ")
        page.add(words)
        page.add(list: [("at 9", [words, "more"]), ("at 10", ["short"])], under: "Heading:")
        page.add(list: [], under: "Nothing:")
        let sixteen = Array(repeating: "four", count: 16).joined(separator: " ")
        let fourteen = Array(repeating: "four", count: 14).joined(separator: " ")
        #expect(
            page.text == """
                \(sixteen)
                four

                Heading:
                  at 9   \(fourteen)
                         four four four
                         more
                  at 10  short
                """)
    }

    @Test("keeps a number and its unit together")
    func units() {
        var page = TextPage()
        let words = Array(repeating: "four", count: 15).joined(separator: " ")
        page.add("\(words) 12 s, and")
        page.add("\(words) x12 s, and")
        page.add("\(words) four and")
        #expect(page.text == "\(words) 12 s,\nand\n\(words)\nx12 s, and\n\(words) four\nand")
    }

    @Test("gives a word that is longer than a line a line of its own")
    func longWord() {
        var page = TextPage()
        let url = "https://op.example/" + String(repeating: "x", count: 90)
        page.add("sent to \(url) at once")
        #expect(page.text == "sent to\n\(url)\nat once")
    }
}
