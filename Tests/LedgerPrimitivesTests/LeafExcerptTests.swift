// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import LedgerPrimitives

@Suite("An excerpt of a leaf")
struct LeafExcerptTests {
    private static let wanted = ["flow", "issuer", "n", "nested"]
    private static let located = ["sealed", "keyCommitment"]
    private static let request = LeafExcerpt.Request(
        members: MemberNameSet(wanted), located: MemberNameSet(located))

    private static func leaf(_ data: String) -> [UInt8] {
        Array(
            (#"{"data":"# + data
                + #","id":"0198b0f2-6c1e-7a44-9d6b-0f6f3f0c9a01","#
                + #""previous":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","revision":12,"#
                + #""source":"a","specversion":"1.0","#
                + #""subject":"0198b0f2-6c1d-7c55-8e2a-5a3f1f0c9a77","#
                + #""time":"2026-11-20T09:15:02.114Z","type":"t.x","typeversion":3}"#).utf8)
    }

    private static let leaves = [
        "{}", #"{"n":1}"#, #"{"zeta":[{"a":"]}\"\\"},{}],"zeta2":null}"#,
        #"{"checks":[{"name":"a"},[1,[2]]],"flow":"pkce","issuer":"é\"\\u","keyCommitment":"k","#
            + #""n":-5,"nested":{"b":[true,{"c":"}"}]},"sealed":"eyJ0","x":{"sealed":"no"}}"#,
        #"{"a":{"flow":"not this"},"flow":[],"keyCommitment":"","sealed":"x"}"#,
    ].map(leaf)

    @Test("has the members that were asked for, type and version, and nothing else")
    func members() throws {
        for leaf in Self.leaves {
            let (envelope, data) = try EventEnvelope.parse(leaf)
            let excerpt = try #require(LeafExcerpt(leaf, Self.request))
            let text = try #require(
                try JSONReader.read(excerpt.text, numbers: .integersOnly).objectValue)
            var expected = JSONObject()
            for name in Self.wanted { expected[name] = data[name] }
            #expect(text["data"] == .object(expected))
            #expect(text["type"] == .string(envelope.type))
            #expect(text["typeversion"] == .integer(3))
            #expect(text.members.count == 3)
            #expect(leaf[excerpt.type].elementsEqual("t.x".utf8))
            #expect(excerpt.revision == 12)
            #expect(excerpt.time == envelope.time)
            for (number, name) in Self.located.enumerated() {
                let place = excerpt.located.first { $0.name == number }?.text
                let value = place.map { String(decoding: leaf[$0], as: UTF8.self) }
                #expect(value == data[name]?.stringValue)
            }
        }
    }

    @Test("does not look through a text whose place is known")
    func known() throws {
        let leaf = Self.leaf(#"{"flow":"a","sealed":"b","x":"c"}"#)
        let place = try #require(LeafExcerpt(leaf, Self.request)).located[0].text
        let same = try #require(LeafExcerpt(leaf, Self.request, knownText: place))
        #expect(same.located[0].text == place)
        // A place that is none leads to nothing that could be taken for an excerpt.
        let wrong = place.lowerBound..<place.upperBound + 1
        #expect(LeafExcerpt(leaf, Self.request, knownText: wrong) == nil)
    }

    @Test("is none of what is out of the ordinary", arguments: Seeds.all)
    func mutants(seed: UInt64) throws {
        let escaped = Self.leaf(#"{"sealed":"a\"b"}"#)
        #expect(LeafExcerpt(escaped, Self.request) == nil)
        #expect(LeafExcerpt(Self.leaf(#"{"sealed":"a","sealed":"b"}"#), Self.request) == nil)
        #expect(LeafExcerpt(Self.leaf(#"{"sealed":5}"#), Self.request) == nil)
        #expect(LeafExcerpt(Self.leaf("[]"), Self.request) == nil)
        #expect(LeafExcerpt(Self.leaf(#"{"a":1,}"#), Self.request) == nil)
        var random = SeededGenerator(seed: seed)
        for leaf in Self.leaves {
            for count in leaf.indices {
                #expect(LeafExcerpt(Array(leaf[..<count]), Self.request) == nil)
                var mutant = leaf
                mutant[count] = UInt8.random(in: 0...0xFF, using: &random)
                // Whatever comes of it, it comes to an end.
                _ = LeafExcerpt(mutant, Self.request)
            }
        }
    }
}
