// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Projections
import SessionEvents
import TestSupport
import Testing

@Suite("A timeline")
struct TimelineTests {
    private static func failed(_ code: String, error: String? = nil) throws -> SessionEvent {
        .failed(
            Failed(stage: .callback, reason: try #require(FailureReason(code)), error: error))
    }

    /// One event of every kind that is told differently.
    private static var all: [SessionEvent] {
        get throws {
            [
                Stream.initiated,
                .initiated(Initiated(provider: "bank", clientID: "urn:rp", flow: .headless)),
                Stream.redirected,
                .redirected(Redirected(to: .accountSelector, endpoint: "https://op.example/s")),
                Stream.callback, .callback(CallbackReceived()),
                .callback(CallbackReceived(stateMatched: false)),
                .callback(CallbackReceived(error: "access_denied", stateMatched: false)),
                .callback(CallbackReceived(from: .accountSelector)),
                .callback(CallbackReceived(from: .accountSelector, error: "other")),
                .callback(CallbackReceived(from: .accountSelector, stateMatched: false)),
                .polled(Polled(status: .accepted, attempt: 0)),
                .polled(Polled(status: .pending, attempt: 1)),
                .polled(Polled(status: .slowDown, attempt: 2)),
                .polled(Polled(status: .error, attempt: 3)),
                .polled(Polled(status: .error, attempt: 4, error: "expired_token")),
                Stream.issued, .tokenIssued(TokenIssued()), Stream.verified,
                .verified(Verified(algorithm: "RS256", checks: [])),
                try failed("access-denied", error: "access_denied"), try failed("state-mismatch"),
                .initiated(
                    Initiated(
                        provider: "bank", clientID: "rp", flow: .implicit, isLegacy: true)),
                .redirected(Redirected(endpoint: "https://op.example/a", usedPAR: true)),
                .callback(CallbackReceived(stateMatched: true, algorithm: "PS256")),
                .tokenIssued(
                    TokenIssued(
                        algorithm: "PS256",
                        encryption: Encryption(
                            algorithm: "RSA-OAEP", contentEncryption: "A256CBC-HS512"))),
                .verified(
                    Verified(
                        algorithm: "PS256", acr: "urn:x;LOA=3", levelOfAssurance: 3, checks: [])),
            ]
        }
    }

    @Test("tells every event in one sentence, as the golden file has it")
    func words() throws {
        var stream = Stream()
        for event in try Self.all { try stream.add(event) }
        let entries = try stream.events.map { try TimelineEntry($0) }
        let text = entries.map { "\($0.type): \($0.text)\n" }.joined()
        let path = "Tests/ProjectionsTests/Golden/timeline.txt"
        let expected = try Golden.expected(at: path, now: Array(text.utf8))
        #expect(text == String(decoding: expected, as: UTF8.self))
        #expect(Set(entries.map(\.type)).count == SessionEventType.allCases.count)
        for entry in entries {
            #expect(entry.text.hasSuffix("."))
        }
    }

    @Test("shows the clear members, and of the sealed ones only that there are some")
    func data() throws {
        var stream = Stream()
        try stream.add(Stream.redirected)
        try stream.add(Stream.callback, isSealed: true)
        var large = Stream.issued.clearMembers
        large["sealedBlob"] = .string("digest")
        try stream.add("authledger.session.token-issued", large)
        let entries = try stream.events.map { try TimelineEntry($0) }
        #expect(entries[0].data == ["endpoint": .string("https://op.example/a")])
        #expect(
            entries[1].data == [
                "stateMatched": .bool(true), "stateBinding": .string("session"),
                "sealed": .bool(true),
            ])
        #expect(entries[2].data == ["algorithm": .string("ES256"), "sealed": .bool(true)])
        #expect(entries.map(\.revision) == [1, 2, 3])
        #expect(entries.map(\.position) == [0, 1, 2])
        #expect(entries.map(\.time) == (0...2).map { Stream.time($0) })
    }

    @Test("does not tell what it cannot read")
    func unreadable() throws {
        var stream = Stream()
        try stream.add("authledger.session.verified", ["algorithm": .string("RS256")])
        #expect(throws: EventDecodingError.member(MemberError("checks", .missing))) {
            try TimelineEntry(stream.events[0])
        }
    }
}
