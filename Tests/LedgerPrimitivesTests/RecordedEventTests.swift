// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import TestSupport
import Testing

@Suite("A leaf")
struct RecordedEventTests {
    private static let id = "0198b0f2-6c1e-7a44-9d6b-0f6f3f0c9a01"
    private static let subject = "0198b0f2-6c1d-7c55-8e2a-5a3f1f0c9a77"
    private static let hash = String(repeating: "A", count: 43)

    /// Attributes of an event with everything an event can have, and the text of each.
    private static let full: [(name: String, value: String)] = [
        ("data", #"{"flow":"pkce"}"#), ("id", "\"\(id)\""), ("previous", "\"\(hash)\""),
        ("recordedtime", #""2026-11-20T09:15:03.000Z""#), ("revision", "2"),
        ("source", #""shop-backend""#), ("specversion", #""1.0""#), ("subject", "\"\(subject)\""),
        ("time", #""2026-11-20T09:15:02.114Z""#), ("type", #""authledger.session.initiated""#),
        ("typeversion", "1"),
    ]

    /// The full event with some attributes replaced, or left out where the value is nil.
    private static func leaf(_ changes: (String, String?)...) -> [UInt8] {
        let members = full.compactMap { name, value in
            let change = changes.first { $0.0 == name }
            let value = change.map(\.1) ?? value
            return value.map { "\"\(name)\":\($0)" }
        }
        let added = changes.filter { change in !full.contains { $0.name == change.0 } }
            .compactMap { name, value in value.map { "\"\(name)\":\($0)" } }
        return Array("{\((members + added).joined(separator: ","))}".utf8)
    }

    private func refusal(_ leaf: [UInt8]) -> LeafError? {
        do {
            _ = try EventEnvelope.read(leaf)
            return nil
        } catch {
            return error
        }
    }

    // MARK: - Writing and reading

    @Test("is the event as canonical JSON")
    func writing() throws {
        let envelope = EventEnvelope(
            id: try #require(UUIDv7(Self.id)), source: "shop-backend",
            type: "authledger.session.initiated", typeVersion: 1, subject: Self.subject,
            revision: 2,
            previous: Digest(base64URL: Self.hash),
            time: Instant(millisecondsSince1970: 1_795_166_102_114),
            recordedTime: Instant(millisecondsSince1970: 1_795_166_103_000))
        let data = Array(#"{"flow":"pkce"}"#.utf8)
        #expect(envelope.leaf(data: data) == Self.leaf())
        var first = envelope
        (first.revision, first.previous, first.recordedTime) = (1, nil, nil)
        let leaf = Self.leaf(("previous", nil), ("recordedtime", nil), ("revision", "1"))
        #expect(first.leaf(data: data) == leaf)
    }

    @Test("is read with all its attributes")
    func reading() throws {
        let (envelope, data) = try EventEnvelope.read(Self.leaf())
        #expect(envelope.id.description == Self.id)
        #expect(envelope.source == "shop-backend")
        #expect(envelope.type == "authledger.session.initiated")
        #expect(envelope.typeVersion == 1)
        #expect(envelope.subject == Self.subject)
        #expect(envelope.revision == 2)
        #expect(envelope.previous?.base64URL == Self.hash)
        #expect(envelope.time.rfc3339 == "2026-11-20T09:15:02.114Z")
        #expect(envelope.recordedTime?.rfc3339 == "2026-11-20T09:15:03.000Z")
        #expect(data == ["flow": .string("pkce")])
        let hash = try #require(Digest(base64URL: Self.hash))
        let event = try RecordedEvent(position: 7, leafHash: hash, leaf: Self.leaf())
        #expect(event.position == 7)
        #expect(event.envelope == envelope)
        #expect(event.leaf == Self.leaf())
    }

    @Test("comes back for random events", arguments: Seeds.all)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for index in 0..<200 {
            var random = RandomJSON(seed: generator.next())
            let revision = Int.random(in: 1...3, using: &generator)
            let isReported = Bool.random(using: &generator)
            let time = Instant(
                millisecondsSince1970: Int64.random(
                    in: 0...253_402_300_799_999, using: &generator))
            let envelope = EventEnvelope(
                id: UUIDv7(at: time, random: generator.bytes(10)), source: random.text(),
                type: random.text(), typeVersion: Int.random(in: 1...9, using: &generator),
                subject: random.text(), revision: revision,
                previous: revision == 1 ? nil : Digest(generator.bytes(32)[...]), time: time,
                recordedTime: isReported ? time : nil)
            let data = random.object()
            let leaf = envelope.leaf(data: CanonicalJSON.encode(data))
            let read = try EventEnvelope.read(leaf)
            #expect(read.envelope == envelope, "\(Seeds.hint(seed)), event \(index)")
            #expect(read.data == data, "\(Seeds.hint(seed)), event \(index)")
            let value = try JSONReader.read(leaf, numbers: .integersOnly)
            #expect(CanonicalJSON.encode(value) == leaf, "\(Seeds.hint(seed)), event \(index)")
        }
    }

    // MARK: - Refusals

    @Test("is refused when it is the same JSON in another spelling")
    func notCanonical() {
        let text = String(decoding: Self.leaf(), as: UTF8.self)
        let spellings = [
            text + "\n", " " + text, text.replacing(":2,", with: ": 2,"),
            text.replacing("shop-backend", with: #"shop\u002dbackend"#),
            text.replacing("shop-backend", with: #"shop\/backend"#),
            text.replacing("09:15:02.114Z", with: "09:15:02.1140Z"),
            text.replacing("09:15:02.114Z", with: "10:15:02.114+01:00"),
            text.replacing("09:15:02.114Z", with: "09:15:02.114z"),
            text.replacing("20T09:15:03.000Z", with: "20T09:15:03Z"),
            "{\"typeversion\":1," + text.dropFirst().replacing(",\"typeversion\":1", with: ""),
            text.replacing(#"{"flow":"pkce"}"#, with: #"{"flow":"pkce","a":1}"#),
            text.replacing(#"{"flow":"pkce"}"#, with: #"{"flow":"\u0070kce"}"#),
        ]
        for spelling in spellings {
            #expect(spelling != text)
            #expect(refusal(Array(spelling.utf8)) == .notCanonical, "\(spelling)")
        }
        for other in ["[]", "1", "\"leaf\"", "null"] {
            #expect(refusal(Array(other.utf8)) == .notCanonical, "\(other)")
        }
    }

    @Test("is refused without an attribute that every event has", arguments: full.map(\.name))
    func missing(name: String) {
        let error = refusal(Self.leaf((name, nil)))
        #expect(error == (name == "recordedtime" ? nil : .member(name)))
    }

    private static let malformed: [(name: String, values: [String])] = [
        ("data", ["[]", "null", "\"{}\"", "1"]),
        ("id", ["1", "null", "\"\"", "\"0198B0F2-6c1e-7a44-9d6b-0f6f3f0c9a01\"", "\"a\""]),
        ("previous", ["null", "\"\"", "1", "\"\(hash)=\"", "\"\(hash.dropLast())B\""]),
        ("recordedtime", ["null", "1795166103000", "\"2026-11-20\"", "\"\""]),
        ("revision", ["0", "-1", "\"2\"", "null", "[2]"]),
        ("source", ["null", "1", "{}"]),
        ("specversion", ["\"1.1\"", "\"1\"", "1", "null", "\"\""]),
        ("subject", ["null", "1", "[]"]),
        ("time", ["null", "1", "\"2026-11-20T24:00:00.000Z\"", "\"yesterday\""]),
        ("type", ["null", "7", "{}"]),
        ("typeversion", ["0", "-1", "\"1\"", "null"]),
    ]

    @Test("is refused when an attribute is not of its kind")
    func malformed() {
        for (name, values) in Self.malformed {
            for value in values {
                #expect(refusal(Self.leaf((name, value))) == .member(name), "\(name): \(value)")
            }
        }
    }

    @Test("is refused with an attribute that no event of ours has")
    func unknown() {
        for name in ["datacontenttype", "dataschema", "Type", "trace", ""] {
            #expect(refusal(Self.leaf((name, "1"))) == .member(name))
        }
    }

    @Test("names the event before it from revision 2 on, and only then")
    func previous() {
        #expect(refusal(Self.leaf(("revision", "1"))) == .member("previous"))
        #expect(refusal(Self.leaf(("previous", nil))) == .member("previous"))
        #expect(refusal(Self.leaf(("revision", "1"), ("previous", nil))) == nil)
        #expect(refusal(Self.leaf(("revision", "9007199254740991"))) == nil)
    }

    @Test("is refused when it is no strict JSON with whole numbers")
    func strictness() throws {
        let texts: [(leaf: [UInt8], problem: JSONError.Problem)] = [
            (Self.leaf(("revision", "2.0")), .notInteger),
            (Self.leaf(("revision", "2e0")), .notInteger),
            (Self.leaf(("data", #"{"a":0.5}"#)), .notInteger),
            (Self.leaf(("data", #"{"a":9007199254740992}"#)), .notInteger),
            (Self.leaf(("data", #"{"a":-0}"#)), .notInteger),
            (Self.leaf(("data", #"{"a":1,"\u0061":2}"#)), .duplicateMember),
            (Self.leaf(("data", #"{"a":1,}"#)), .unexpectedByte),
            (Array("{\"type\":1,\"type\":1}".utf8), .duplicateMember),
            ([0xEF, 0xBB, 0xBF] + Self.leaf(), .byteOrderMark),
            (Self.leaf() + Self.leaf(), .trailingText), ([], .endOfText),
            (Self.leaf().dropLast(), .endOfText),
        ]
        for (leaf, problem) in texts {
            guard case .json(let error) = refusal(leaf) else {
                Issue.record("taken: \(String(decoding: leaf, as: UTF8.self))")
                continue
            }
            #expect(error.problem == problem)
        }
    }

    @Test("is refused or means something else when any byte of it is another", arguments: Seeds.all)
    func changedBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let leaf = Self.leaf()
        let original = try? EventEnvelope.read(leaf)
        for index in leaf.indices {
            var changed = leaf
            changed[index] ^= UInt8.random(in: 1...255, using: &generator)
            guard let read = try? EventEnvelope.read(changed) else { continue }
            let isSame = read.envelope == original?.envelope && read.data == original?.data
            #expect(!isSame, "\(Seeds.hint(seed)), byte \(index)")
        }
    }
}
