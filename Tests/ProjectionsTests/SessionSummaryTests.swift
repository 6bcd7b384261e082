// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Projections
import SessionEvents
import Testing

@Suite("A session in a list")
struct SessionSummaryTests {
    private static func table(_ stream: Stream) throws -> SessionTable {
        var table = SessionTable()
        for event in stream.events { try table.fold(event) }
        return table
    }

    private static var denied: SessionEvent {
        get throws {
            .failed(
                Failed(
                    stage: .callback, reason: try #require(FailureReason("access-denied")),
                    error: "access_denied"))
        }
    }

    @Test("says after every event where it stands")
    func states() throws {
        var stream = Stream()
        let steps: [(SessionEvent, String)] = [
            (Stream.initiated, "initiated"), (Stream.redirected, "redirected"),
            (Stream.callback, "callback-received"), (Stream.issued, "token-issued"),
            (Stream.verified, "verified"),
        ]
        for (index, (event, state)) in steps.enumerated() {
            try stream.add(event)
            let summary = try #require(try Self.table(stream)[Stream.session])
            #expect(summary.state == state)
            #expect(summary.events == index + 1)
            #expect(summary.lastEventAt == Stream.time(Int64(index)))
            #expect(summary.endedAt == (state == "verified" ? Stream.time(4) : nil))
            #expect(summary.durationMilliseconds == Int64(index) * 1000)
        }
        let summary = try #require(try Self.table(stream).sessions.first)
        #expect(summary.session == Stream.session)
        #expect(summary.observed == .own)
        #expect(summary.provider == "bank")
        #expect(summary.issuer == "https://op.example")
        #expect(summary.clientID == "rp")
        #expect(summary.flow == .pkce)
        #expect(summary.acr == "urn:x;LOA=3")
        #expect(summary.reason == nil)
        #expect(summary.stage == nil)
        #expect(summary.firstPosition == 0)
        #expect(summary.startedAt == Stream.time(0))
    }

    @Test("that failed says where and why")
    func failed() throws {
        var stream = Stream()
        for event in [Stream.initiated, Stream.redirected, Stream.callback, try Self.denied] {
            try stream.add(event, isReported: true)
        }
        let summary = try #require(try Self.table(stream)[Stream.session])
        #expect(summary.state == "failed")
        #expect(summary.stage == .callback)
        #expect(summary.reason?.code == "access-denied")
        #expect(summary.endedAt == Stream.time(3))
        #expect(summary.observed == .reported)
        #expect(summary.acr == nil)
    }

    @Test("that polls says so")
    func polling() throws {
        var stream = Stream()
        try stream.add(.initiated(Initiated(provider: "bank", clientID: "rp", flow: .ciba)))
        try stream.add(.polled(Polled(status: .pending, attempt: 1)))
        #expect(try Self.table(stream).sessions.map(\.state) == ["polling"])
        #expect(try Self.table(stream).sessions.first?.issuer == nil)
    }

    @Test("that began at an account selector learns its issuer later")
    func selectedIssuer() throws {
        var stream = Stream()
        try stream.add(.initiated(Initiated(provider: "bank", clientID: "rp", flow: .jarm)))
        try stream.add(
            .redirected(Redirected(to: .accountSelector, endpoint: "https://op.example/s")))
        #expect(try Self.table(stream).sessions.first?.issuer == nil)
        try stream.add(.callback(CallbackReceived(from: .accountSelector)))
        try stream.add(
            .redirected(
                Redirected(endpoint: "https://op.example/a", issuer: "https://op.example")))
        #expect(try Self.table(stream).sessions.first?.issuer == "https://op.example")
    }

    @Test("stands in the order of first events, and apart from the others")
    func order() throws {
        let ids = (1...3).map { "018f0000-0000-7000-8000-00000000000\($0)" }
        var stream = Stream()
        for id in [ids[1], ids[0], ids[2]] { try stream.add(Stream.initiated, to: id) }
        try stream.add(try Self.denied, to: ids[2])
        try stream.add(Stream.redirected, to: ids[1])
        let table = try Self.table(stream)
        #expect(table.sessions.map(\.session) == [ids[1], ids[0], ids[2]])
        #expect(table.sessions.map(\.state) == ["redirected", "initiated", "failed"])
        #expect(table.sessions.map(\.firstPosition) == [0, 1, 2])
        #expect(table["other"] == nil)
    }

    @Test("is not made of events of other things, nor of a stream without its beginning")
    func others() throws {
        var stream = Stream()
        try stream.add(CallbackRefused.type, ["count": .integer(1)], to: CallbackRefused.subject)
        try stream.add("authledger.session.redirected", Stream.redirected.clearMembers)
        #expect(try Self.table(stream).sessions.isEmpty)
    }

    @Test("that holds an event we cannot read is not passed over in silence")
    func unreadable() throws {
        var stream = Stream()
        try stream.add(Stream.initiated)
        try stream.add("authledger.session.redirected", Stream.redirected.clearMembers, version: 2)
        #expect(throws: EventDecodingError.unknownVersion(.redirected, 2)) {
            try Self.table(stream)
        }
        var later = Stream()
        try later.add("authledger.session.consented", [:])
        #expect(throws: EventDecodingError.unknownType) { try Self.table(later) }
    }
}
