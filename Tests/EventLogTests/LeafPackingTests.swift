// SPDX-License-Identifier: Apache-2.0

import Capabilities
import LMDB
import LedgerPrimitives
import Testing

@testable import EventLog

@Suite("A packed leaf")
struct LeafPackingTests {
    private let place = StreamPlace(
        subject: "018f0000-0000-7000-8000-000000000001", revision: 7,
        previous: Digest(InlineArray(repeating: 9)))

    @Test("comes back to the bit, whatever values it has")
    func roundTrips() throws {
        var generator = SeededGenerator(seed: 42)
        for round in 0..<2000 {
            let leaf = CanonicalJSON.encode(randomObject(&generator, depth: 0))
            let packed = try required(LeafPacking.pack(leaf, place: place))
            let restored = LeafPacking.unpack(packed, place: place, length: leaf.count)
            #expect(restored == leaf, "round \(round)")
        }
    }

    @Test("comes back to the bit whichever kinds of values are left in")
    func roundTripsWithoutSteps() throws {
        var generator = SeededGenerator(seed: 44)
        for round in 0..<640 {
            let leaf = CanonicalJSON.encode(randomObject(&generator, depth: 0))
            let steps = PackingSteps(rawValue: round % 64)
            let packed = try required(LeafPacking.pack(leaf, place: place, steps: steps))
            if steps.isEmpty { #expect(packed.text == leaf) }
            #expect(
                LeafPacking.unpack(packed, place: place, length: leaf.count) == leaf,
                "round \(round)")
        }
    }

    @Test("keeps neither its place in the stream nor the text form of random values")
    func takesOut() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        _ = try log.appendAndWait(try author.next(log))
        _ = try log.appendAndWait(
            try author.next(
                log,
                clear: ["traceID": .string("00112233445566778899aabbccddeeff")],
                sealed: ["a": .integer(1)]))
        let event = try log.stream(author.subject)[1]
        let place = StreamPlace(
            subject: author.subject, revision: 2, previous: event.envelope.previous)
        let packed = try required(LeafPacking.pack(event.leaf, place: place))
        let text = String(decoding: packed.text, as: UTF8.self)
        #expect(!text.contains(author.subject))
        #expect(!text.contains("00112233445566778899aabbccddeeff"))
        #expect(!text.contains("eyJ"))
        #expect(!text.contains(try required(event.envelope.previous).base64URL))
        // id, time, trace id with its length, sealed box of 32 bytes with its length
        #expect(packed.literals.count == 16 + 6 + 17 + 1 + 12 + 32 + 16)
    }

    @Test("in pieces that do not fit is refused and never traps")
    func refusesDamage() throws {
        var generator = SeededGenerator(seed: 43)
        let leaf = CanonicalJSON.encode(randomObject(&generator, depth: 0))
        let packed = try required(LeafPacking.pack(leaf, place: place))
        #expect(LeafPacking.unpack(packed, place: place, length: leaf.count + 1) == nil)
        #expect(LeafPacking.unpack(packed, place: place, length: leaf.count - 1) == nil)
        for _ in 0..<5000 {
            var damaged = packed
            if generator.next() % 2 == 0, !damaged.literals.isEmpty {
                damaged.literals.removeLast()
            }
            let index = Int(generator.next() % UInt64(damaged.text.count))
            damaged.text[index] = UInt8(truncatingIfNeeded: generator.next())
            _ = LeafPacking.unpack(damaged, place: place, length: leaf.count)
        }
    }

    @Test("is refused for a text with a control byte, which no canonical JSON has")
    func refusesControlBytes() {
        #expect(LeafPacking.pack(Array("{\"a\":\u{1}}".utf8), place: place) == nil)
        #expect(LeafPacking.pack(Array("{\"a\":\"\u{2}\"}".utf8), place: place) == nil)
        #expect(LeafPacking.pack(Array("{\"a\":\"\\\u{2}\"}".utf8), place: place) == nil)
        #expect(LeafPacking.pack(Array("{\"a\":\"\\".utf8), place: place) == nil)
    }

    private func randomObject(_ generator: inout SeededGenerator, depth: Int) -> JSONObject {
        var object = JSONObject()
        for index in 0..<Int.random(in: 1...8, using: &generator) {
            object["m\(index)"] = randomValue(&generator, depth: depth)
        }
        if Bool.random(using: &generator) { object["revision"] = .integer(7) }
        if Bool.random(using: &generator) { object["subject"] = .string(place.subject) }
        return object
    }

    private func randomValue(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
        let milliseconds = Int64.random(in: -10_000...4_000_000_000_000, using: &generator)
        switch Int.random(in: 0..<14, using: &generator) {
        case 0: return .integer(Int64.random(in: -9000...9000, using: &generator))
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .string(Instant(millisecondsSince1970: milliseconds).rfc3339)
        case 3: return .string(Base64URL.encode(generator.bytes(32)))
        case 4: return .string(Hexadecimal.encode(generator.bytes(16)))
        case 5: return .string(Hexadecimal.encode(generator.bytes(70)))
        case 6: return .string(Hexadecimal.encode(generator.bytes(5)))
        case 7:
            var text: [UInt8] = []
            UUIDText.append(generator.bytes(16).span, to: &text)
            return .string(String(decoding: text, as: UTF8.self))
        case 8: return .string("quote \" slash \\ tab \t line \n é 😀 \u{1}")
        case 9: return .string(place.previous.map(\.base64URL) ?? "")
        case 10: return .string(randomBox(&generator))
        case 11: return .string("2026-02-30T00:00:00.000Z")
        case 12 where depth < 3:
            return .object(randomObject(&generator, depth: depth + 1))
        default:
            return .string(
                String(decoding: generator.bytes(9).map { $0 | 0x40 & 0x7F }, as: UTF8.self))
        }
    }

    /// A box that is one, or nearly one.
    private func randomBox(_ generator: inout SeededGenerator) -> String {
        let lengths = [(12, 16), (12, 15), (11, 16)]
        let (nonce, tag) = lengths[Int(generator.next() % 3)]
        return
            "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..\(Base64URL.encode(generator.bytes(nonce)))"
            + ".\(Base64URL.encode(generator.bytes(40))).\(Base64URL.encode(generator.bytes(tag)))"
    }
}

@Suite("A stored frame")
struct FrameTests {
    @Test("is refused when it spells a UUID as text, which would give it two spellings")
    func refusesSecondSpelling() throws {
        let subject = "018f0000-0000-7000-8000-000000000001"
        let header = FrameHeader(
            leafHash: Digest(InlineArray(repeating: 9)), revision: 1,
            link: .first(subject: subject))
        let frame = Frame(header: header, body: FrameBody(bytes: [0])).encoded()
        #expect(Frame(frame)?.header == header)
        let spelled = frame[..<34] + [36] + Array(subject.utf8) + frame[51...]
        #expect(Frame(Array(spelled)) == nil)
    }

    @Test("is refused when it has literals beside a whole leaf, which nothing would read")
    func refusesIdleLiterals() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        let leaf = Array("{}".utf8)
        let place = StreamPlace(subject: "a", revision: 1, previous: nil)
        let body = try log.codec.body(leaf: leaf, place: place, packing: .whole)
        #expect(log.codec.leaf(body, place: place) == leaf)
        var fields = try required(body.fields())
        fields.literals = [1]
        #expect(log.codec.leaf(FrameBody(fields), place: place) == nil)
    }

    @Test("that was changed anywhere never gives another event without a finding")
    func detectsEveryByte() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        _ = try log.appendAndWait(try author.next(log, sealed: ["a": .integer(1)]))
        _ = try log.appendAndWait(try author.next(log, sealed: ["a": .integer(2)]))
        let stored = try required(
            try log.environment.read { transaction in
                try transaction.value(.number(1), in: log.tables.events)
            })
        let leaf = try log.leaves()[1]
        let original = try required(Frame(stored))
        for index in stored.indices {
            for change in [UInt8(0x01), 0x80, 0xFF] {
                var damaged = stored
                damaged[index] ^= change
                guard let frame = Frame(damaged) else { continue }
                let place = StreamPlace(
                    subject: author.subject, revision: frame.header.revision,
                    previous: try log.stream(author.subject)[0].leafHash)
                let candidate = StoredFrame(
                    position: 1, frame: frame, length: damaged.count, place: place)
                let restored = try? log.restore(candidate)
                // The links to the rest of the stream are not covered by the frame itself.
                let isLink = frame.header.link != original.header.link
                #expect(restored == nil || isLink && restored == leaf, "byte \(index)")
            }
        }
    }
}
