// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import LedgerPrimitives

@Suite("A leaf that is read the quick way")
struct CanonicalLeafTests {
    private static let leaves = [
        #"""
        {"data":{"checks":[{"name":"exp","outcome":"passed"},{"a":["]}"]}],"flow":"pkce",\#
        "n":-5,"sealed":"eyJ.é\"\\","x":{"sealed":[1]}},\#
        "id":"0198b0f2-6c1e-7a44-9d6b-0f6f3f0c9a01",\#
        "previous":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",\#
        "recordedtime":"2026-11-20T09:15:03.000Z","revision":12,"source":"shop-bäckend",\#
        "specversion":"1.0","subject":"0198b0f2-6c1d-7c55-8e2a-5a3f1f0c9a77",\#
        "time":"2026-11-20T09:15:02.114Z","type":"authledger.session.verified","typeversion":1}
        """#,
        #"""
        {"data":{},"id":"0198b0f2-6c1e-7a44-9d6b-0f6f3f0c9a01","revision":1,"source":"a",\#
        "specversion":"1.0","subject":"https://op.example","time":"2026-11-20T09:15:02.114Z",\#
        "type":"t","typeversion":10}
        """#,
    ].map { Array($0.utf8) }

    @Test("says the same")
    func same() throws {
        for leaf in Self.leaves {
            let quick = try #require(EventEnvelope.parseCanonical(leaf, passingOver: []))
            let slow = try EventEnvelope.parse(leaf)
            #expect(quick.envelope == slow.envelope)
            #expect(quick.data == slow.data)
        }
    }

    @Test("says the same or nothing, wherever a byte is another one", arguments: Seeds.all)
    func mutants(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var read = 0
        for leaf in Self.leaves {
            for index in leaf.indices {
                for _ in 0..<4 {
                    var mutant = leaf
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: mutant[index] = UInt8.random(in: 0x20...0x7E, using: &random)
                    case 1: mutant.remove(at: index)
                    default:
                        let other = Int.random(in: leaf.indices, using: &random)
                        mutant.insert(leaf[other], at: index)
                    }
                    guard let quick = EventEnvelope.parseCanonical(mutant, passingOver: []) else {
                        continue
                    }
                    let slow = try EventEnvelope.parse(mutant)
                    read += 1
                    #expect(quick.envelope == slow.envelope, "seed \(seed)")
                    #expect(quick.data == slow.data, "seed \(seed)")
                }
            }
        }
        #expect(read > 50)
    }

    @Test("leaves out what is passed over, and that alone")
    func passingOver() throws {
        let (_, data) = try #require(
            EventEnvelope.parseCanonical(Self.leaves[0], passingOver: ["checks", "n", "sealed"]))
        let left: JSONObject = [
            "checks": .array([]), "flow": .string("pkce"), "n": .integer(-5),
            "sealed": .string(""), "x": .object(["sealed": .array([.integer(1)])]),
        ]
        #expect(data == left)
        let hash = Digest(InlineArray(repeating: 0))
        let event = try RecordedEvent(
            position: 3, leafHash: hash, leaf: Self.leaves[0], passingOver: ["checks", "sealed"])
        #expect(event.data == data)
        #expect(event.leaf == Self.leaves[0])
    }

    @Test("is refused as ever when it is none")
    func refused() {
        let hash = Digest(InlineArray(repeating: 0))
        for text in ["", "{}", #"{"data":{"sealed":"#, #"{"data":{"checks":[}"#] {
            #expect(throws: LeafError.self) {
                try RecordedEvent(
                    position: 0, leafHash: hash, leaf: Array(text.utf8),
                    passingOver: ["checks", "sealed"])
            }
        }
    }
}
