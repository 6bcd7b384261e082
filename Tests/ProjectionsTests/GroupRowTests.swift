// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents
import Testing

@testable import Projections

@Suite("A row that gathers sessions")
struct GroupRowTests {
    /// Rows in memory.
    private struct Rows: ProjectionRows {
        let firsts: [String: UInt64]

        func session(at first: UInt64) -> SessionSummary? { nil }
        func group<Row: GroupRow>(_ type: Row.Type, _ key: [UInt8]) -> Row? { nil }
        func block(_ number: UInt64) -> LogBlock? { nil }
        func firstPosition(of session: UUIDv7) -> UInt64? { firsts[session.description] }
    }

    private static func fold(_ stream: Stream) throws -> ProjectionFold<some ProjectionRows> {
        var firsts: [String: UInt64] = [:]
        for event in stream.events where firsts[event.envelope.subject] == nil {
            firsts[event.envelope.subject] = event.position
        }
        var fold = ProjectionFold(Rows(firsts: firsts), recordedMax: nil)
        for event in stream.events {
            try fold.fold(ProjectedEvent(event), first: firsts[event.envelope.subject] ?? 0)
        }
        return fold
    }

    private static func failed(_ code: String) throws -> SessionEvent {
        .failed(Failed(stage: .callback, reason: try #require(FailureReason(code))))
    }

    private static func erased(_ sessions: [String]) throws -> JSONObject {
        let ids = sessions.compactMap { UUIDv7($0) }
        return LedgerEvent.erased(
            Erased(
                erasure: try #require(ids.first), sessions: ids, keysDestroyed: ids.count,
                rootKey: .replaced)
        ).clearMembers
    }

    private static func session(_ number: Int) -> String {
        "018f0000-0000-7000-8000-00000000000\(number)"
    }

    /// Three sessions: one goes well, two fail; one of each is erased.
    private static func story() throws -> Stream {
        var stream = Stream()
        for number in 1...3 { try stream.add(Stream.initiated, to: session(number)) }
        try stream.add(Stream.issued, to: session(1))
        try stream.add(Stream.verified, to: session(1))
        try stream.add(failed("access-denied"), to: session(2))
        try stream.add(failed("access-denied"), to: session(3), after: 3_600_000)
        try stream.add(
            LedgerEventType.erased.rawValue, erased([session(1), session(3)]), to: "ledger")
        try stream.add(
            LedgerEventType.erased.rawValue, erased([session(3), session(9)]), to: "ledger")
        return stream
    }

    @Test("counts an hour's logins with a provider, and how long they took")
    func health() throws {
        let fold = try Self.fold(try Self.story())
        let rows = fold.health.values.sorted { $0.hour < $1.hour }
        #expect(rows.count == 2)
        #expect(rows.map(\.provider) == ["bank", "bank"])
        #expect(rows[1].hour.millisecondsSince1970 - rows[0].hour.millisecondsSince1970 == 3_600_000)
        #expect(rows.map(\.started) == [3, 0])
        #expect(rows.map(\.verified) == [1, 0])
        #expect(rows.map(\.failed) == [["access-denied": 1], ["access-denied": 1]])
        #expect(rows.map(\.erased) == [1, 1])
        #expect(rows.map(\.durationSumMilliseconds) == [8000, 3_603_000])
        #expect(rows.map(\.durationMaxMilliseconds) == [4000, 3_603_000])
        #expect(rows.map(\.durationCounts) == [[0, 2, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]])
    }

    @Test("counts failures by reason, and gives none as an example that is erased")
    func failures() throws {
        let row = try #require(try Self.fold(try Self.story()).failures.values.first)
        #expect(row.reason.code == "access-denied")
        #expect(row.provider == "bank" && row.clientID == "rp")
        #expect(row.count == 2 && row.erased == 1)
        #expect(row.example == nil)
        #expect(row.firstAt == Stream.time(5))
        #expect(row.lastPosition == 6)
        var stream = try Self.story()
        try stream.add(Stream.initiated, to: Self.session(4))
        try stream.add(Self.failed("access-denied"), to: Self.session(4))
        #expect(try Self.fold(stream).failures.values.map(\.example) == [Self.session(4)])
    }

    @Test("counts the uses of a key")
    func keyUsage() throws {
        let row = try #require(try Self.fold(try Self.story()).keyUsage.values.first)
        #expect(row.issuer == "https://op.example")
        #expect(row.key == TokenKey(algorithm: "ES256", keyID: nil, keySetDigest: nil))
        #expect(row.verified == 1 && row.failed == 0 && row.erased == 1)
        #expect(row.firstAt == Stream.time(4) && row.lastAt == Stream.time(4))
    }

    @Test("counts an erasure as well that came before the session's end")
    func erasedEarly() throws {
        var stream = Stream()
        try stream.add(Stream.initiated, to: Self.session(1))
        try stream.add(
            LedgerEventType.erased.rawValue, Self.erased([Self.session(1)]), to: "ledger")
        try stream.add(Self.failed("access-denied"), to: Self.session(1))
        let fold = try Self.fold(stream)
        #expect(fold.failures.values.map(\.erased) == [1])
        #expect(fold.failures.values.map(\.example) == [nil])
        #expect(fold.health.values.map(\.erased) == [1])
    }

    @Test("and every other row is read as it was written")
    func storedForms() throws {
        let fold = try Self.fold(try Self.story())
        for session in fold.sessions {
            #expect(try SessionSummary(encoded: session.encoded) == session)
        }
        for row in fold.health.values { #expect(try ProviderHealth(encoded: row.encoded) == row) }
        for row in fold.failures.values { #expect(try FailureGroup(encoded: row.encoded) == row) }
        for row in fold.keyUsage.values { #expect(try KeyUsage(encoded: row.encoded) == row) }
        for block in fold.blocks.values { #expect(try LogBlock(encoded: block.encoded) == block) }
    }

    @Test("is refused when it is cut off, longer, or something else")
    func malformed() throws {
        let fold = try Self.fold(try Self.story())
        let row = try #require(fold.sessions.first).encoded
        for count in 0..<row.count {
            #expect(throws: RowError.self) { try SessionSummary(encoded: Array(row[..<count])) }
        }
        #expect(throws: RowError.self) { try SessionSummary(encoded: row + [0]) }
        #expect(throws: RowError.self) {
            try SessionSummary(encoded: [UInt8](repeating: 0xFF, count: 100))
        }
        #expect(throws: RowError.self) { try FailureGroup(encoded: [1, 0x41]) }
    }

    @Test("keeps numbers of any size", arguments: [Int64.min, -1, 0, 1, 300, .max])
    func numbers(number: Int64) throws {
        var writer = RowWriter()
        writer.put(number)
        writer.put(UInt64(bitPattern: number))
        var reader = RowReader(writer.bytes)
        #expect(try reader.signed() == number)
        #expect(try reader.number() == UInt64(bitPattern: number))
    }
}
