// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import OpenSSL
import Testing

@testable import EventLog

@Suite("Leaves that have a template in common")
struct LeafTemplateTests {
    private static let request = ExcerptRequest(
        members: ["digest", "flow", "nested", "when"], opensBoxOf: "t.opened")
    private static let other = ExcerptRequest(members: ["flow"], opensBoxOf: nil)

    @Test("come to the excerpts that reading each of them comes to", arguments: 0..<12)
    func shapes(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var templates = KnownTemplates()
        var found = 0
        for _ in 0..<10 {
            let form = Form(&generator)
            for number in 0..<100 {
                let (leaf, place) = form.leaf(&generator)
                let request = number % 3 == 2 ? Self.other : Self.request
                let unpacked = try unpack(leaf, place, &templates)
                #expect(unpacked.leaf == leaf)
                if try agree(unpacked, place, request) { found += 1 }
            }
        }
        #expect(found > 30)
    }

    /// Compares a leaf's values by its shape with what reading it says, and takes note of that.
    ///
    /// - Returns: whether it has a shape that is known.
    private func agree(
        _ unpacked: LeafPacking.Unpacked, _ place: StreamPlace, _ request: ExcerptRequest
    ) throws -> Bool {
        let template = try required(unpacked.template)
        let literals = unpacked.literals
        let shape = template.shape(for: request)
        let values = shape?.values(template, literals, place: place)
        let read = LeafExcerpt(unpacked.leaf, request.leaf, knownText: unpacked.boxPlace)
        if let shape, let values {
            let excerpt = try required(read)
            #expect(values.text.bytes == excerpt.text)
            #expect(values.time == excerpt.time)
            #expect(place.revision == excerpt.revision)
            let first = literals.startIndex
            let commitment = values.commitment.map {
                Array(literals[first + $0.lowerBound..<first + $0.upperBound])
            }
            let text = excerpt[.keyCommitment].map { unpacked.leaf[$0] }
            #expect(commitment == text.flatMap { Base64URL.decode($0) })
            #expect(excerpt[.sealedBlob] == nil)
            let opens = request.opensBox(of: unpacked.leaf[excerpt.type])
            #expect(shape.opensBox == (opens && excerpt[.sealed] != nil))
            if shape.opensBox { #expect(excerpt[.sealed] == unpacked.boxPlace) }
        }
        if let read, read[.sealedBlob] == nil {
            template.learn(
                read, ExcerptText(read.text), of: unpacked, place: place, for: request)
        }
        return values != nil
    }

    private func unpack(
        _ leaf: [UInt8], _ place: StreamPlace, _ templates: inout KnownTemplates
    ) throws -> LeafPacking.Unpacked {
        let packed = try required(LeafPacking.pack(leaf, place: place))
        let fields = FrameBody.Fields(
            packing: .packed, dictionaryID: 1, leafLength: leaf.count,
            literals: ([0xFF] + packed.literals)[1...], textLength: packed.text.count,
            deflated: packed.text[...])
        let template = try required(templates.template(fields) { Array($0.deflated) })
        #expect(template.text == packed.text)
        return try required(
            LeafPacking.unpack(template, fields.literals, place: place, length: leaf.count))
    }

    @Test("are told from those of another dictionary and length, and from what cannot be expanded")
    func templates() {
        var known = KnownTemplates()
        func fields(_ dictionary: UInt64, _ length: Int) -> FrameBody.Fields {
            FrameBody.Fields(
                packing: .packed, dictionaryID: dictionary, leafLength: 3, literals: [],
                textLength: length, deflated: [1, 2, 3])
        }
        let first = known.template(fields(1, 3)) { _ in Array("abc".utf8) }
        #expect(known.template(fields(1, 3)) { _ in nil } === first)
        #expect(known.template(fields(2, 3)) { _ in nil } == nil)
        #expect(known.template(fields(1, 4)) { _ in nil } == nil)
        let second = known.template(fields(2, 3)) { _ in Array("xyz".utf8) }
        #expect(second?.text == Array("xyz".utf8))
        #expect(known.template(fields(1, 3)) { _ in nil } == nil)
    }

    @Test("are not kept where their text is long, lest many of them take much memory")
    func longTemplates() {
        var known = KnownTemplates()
        let text = [UInt8](repeating: 0x61, count: 5000)
        let fields = FrameBody.Fields(
            packing: .packed, dictionaryID: 1, leafLength: 3, literals: [],
            textLength: text.count, deflated: [1, 2, 3])
        #expect(known.template(fields) { _ in text }?.text == text)
        #expect(known.template(fields) { _ in nil } == nil)
    }
}

/// How the payloads of some leaves look: which members there are, and of what kind.
private struct Form {
    private enum Kind: CaseIterable {
        case box, digest, escaped, hexadecimal, instant, number, plain, subject, uuid
    }

    private let members: [(name: String, kind: Kind)]
    private let type: String
    /// Values to choose from, so that some are the same in several leaves.
    private let digests: [[UInt8]]
    private let subjects: [String]

    init(_ generator: inout SeededGenerator) {
        let names = [
            "digest", "flow", "keyCommitment", "nested", "other", "sealed", "sealedBlob", "when",
        ]
        let usual: [String: Kind] = [
            "digest": .digest, "keyCommitment": .digest, "sealed": .box, "when": .instant,
        ]
        members = names.filter { $0 != "sealedBlob" || generator.next() % 8 == 0 }
            .filter { _ in generator.next() % 3 != 0 }
            .map { name in
                let any = Kind.allCases[Int(generator.next() % UInt64(Kind.allCases.count))]
                return (name, generator.next() % 6 == 0 ? any : usual[name] ?? any)
            }
        type = generator.next() % 3 == 0 ? "t.other" : "t.opened"
        digests = (0..<2).map { _ in generator.bytes(32) }
        subjects = [
            "018f0000-0000-7000-8000-000000000001", "018f0000-0000-7000-8000-000000000002",
            "a name", "a \"name\"", "",
        ]
    }

    func leaf(_ generator: inout SeededGenerator) -> (leaf: [UInt8], place: StreamPlace) {
        let place = StreamPlace(
            subject: subjects[Int(generator.next() % UInt64(subjects.count))],
            revision: Int(generator.next() % 12) + 1,
            previous: Digest(digests[Int(generator.next() % 2)][...]))
        var data = JSONObject()
        for member in members {
            var value = value(member.kind, place, &generator)
            if member.name == "nested" { value = .object(["flow": value, "sealed": value]) }
            data[member.name] = value
        }
        var leaf: JSONObject = [
            "data": .object(data), "id": value(.uuid, place, &generator),
            "recordedtime": value(.instant, place, &generator),
            "revision": .integer(Int64(place.revision)), "source": .string("here"),
            "specversion": .string("1.0"), "subject": .string(place.subject),
            "time": value(.instant, place, &generator), "type": .string(type),
            "typeversion": .integer(1),
        ]
        if place.revision > 1 { leaf["previous"] = place.previous.map { .string($0.base64URL) } }
        return (CanonicalJSON.encode(leaf), place)
    }

    private func value(
        _ kind: Kind, _ place: StreamPlace, _ generator: inout SeededGenerator
    ) -> JSONValue {
        switch kind {
        case .box:
            let key = SecretBytes(generator.bytes(32))
            let count = Int(generator.next() % 80)
            return .string(
                DirectEncryption.seal(
                    generator.bytes(count + 1), key: key, nonce: generator.bytes(12)))
        case .digest: return .string(Base64URL.encode(digests[Int(generator.next() % 2)]))
        case .escaped: return .string("\"a\\\n")
        case .hexadecimal:
            return .string(Hexadecimal.encode(generator.bytes(Int(generator.next() % 3) + 8)))
        case .instant:
            let milliseconds = Int64(generator.next() % 4) * 1_000_000
            return .string(Instant(millisecondsSince1970: milliseconds).rfc3339)
        case .number: return .integer(Int64(generator.next() % 3))
        case .plain: return .string("as ever")
        case .subject: return .string(place.subject)
        case .uuid:
            return .string(UUIDText.encode(generator.bytes(16).span))
        }
    }
}
