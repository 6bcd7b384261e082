// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import TestSupport
import Testing

@Suite("A UUID of version 7")
struct UUIDv7Tests {
    /// The example of RFC 9562, appendix A.6.
    private static let example = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

    @Test("is laid out as RFC 9562 has it")
    func layout() throws {
        let instant = Instant(millisecondsSince1970: 1_645_557_742_000)
        let random: [UInt8] = [0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F]
        let id = UUIDv7(at: instant, random: random)
        #expect(id.description == Self.example)
        #expect(id.instant == instant)
        #expect(UUIDv7(Self.example) == id)
        #expect(UUIDv7(bytes: id.bytes) == id)
    }

    @Test("uses 74 random bits and leaves version and variant alone")
    func randomBits() {
        let instant = Instant(millisecondsSince1970: 0)
        let ones = UUIDv7(at: instant, random: [UInt8](repeating: 0xFF, count: 10))
        #expect(ones.description == "00000000-0000-7fff-bfff-ffffffffffff")
        let zeros = UUIDv7(at: instant, random: [UInt8](repeating: 0, count: 10))
        #expect(zeros.description == "00000000-0000-7000-8000-000000000000")
        let early = UUIDv7(
            at: Instant(millisecondsSince1970: -1), random: [UInt8](repeating: 0, count: 10))
        #expect(early == zeros)
    }

    @Test("has one spelling")
    func strictness() {
        let refused = [
            "", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e279b07cc398c4dc0c0c07398f",
            "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
            "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
            "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
            "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2-79b0-7cc3-98c4_dc0c0c07398f",
            "017f22e27-9b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398\u{E9}",
            " 017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398\n",
            "--------------------------------------", "017f22e2--9b0-7cc3-98c4-dc0c0c07398f",
        ]
        for text in refused {
            #expect(UUIDv7(text) == nil, "\(text)")
        }
    }

    @Test("has version 7 and the variant of RFC 9562")
    func versionAndVariant() {
        for digit in "0123456789abcdef" {
            let version = "017f22e2-79b0-\(digit)cc3-98c4-dc0c0c07398f"
            #expect((UUIDv7(version) != nil) == (digit == "7"), "\(version)")
            let variant = "017f22e2-79b0-7cc3-\(digit)8c4-dc0c0c07398f"
            #expect((UUIDv7(variant) != nil) == "89ab".contains(digit), "\(variant)")
        }
        for count in [0, 15, 17, 32] {
            #expect(UUIDv7(bytes: [UInt8](repeating: 0x77, count: count)) == nil)
        }
    }

    @Test("comes back from text and bytes, and sorts by time", arguments: Seeds.all)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var previous: UUIDv7?
        for step in Int64(0)..<500 {
            let instant = Instant(millisecondsSince1970: 1_800_000_000_000 + step)
            let id = UUIDv7(at: instant, random: generator.bytes(10))
            #expect(UUIDv7(id.description) == id, "\(Seeds.hint(seed))")
            #expect(UUIDv7(bytes: id.bytes) == id, "\(Seeds.hint(seed))")
            #expect(id.instant == instant, "\(Seeds.hint(seed))")
            if let previous { #expect(previous < id, "\(Seeds.hint(seed))") }
            previous = id
        }
    }

    @Test("is not the only UUID that can be read as text")
    func otherVersions() {
        let text = Array("F81d4fae-7dec-11d0-a765-00a0c91e6bf6".utf8)
        #expect(UUIDText.decode(text[...]) == nil)
        var output: [UInt8] = []
        let bytes = UUIDText.decode(Array("f81d4fae-7dec-11d0-a765-00a0c91e6bf6".utf8)[...]) ?? []
        UUIDText.append(bytes.span, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == "f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
    }

    @Test("is written in lower-case hexadecimal")
    func hexadecimal() {
        let all = (0...255).map { UInt8($0) }
        #expect(Hexadecimal.decode(Array(Hexadecimal.encode(all).utf8)[...]) == all)
        #expect(Hexadecimal.encode([0x0F, 0xA0]) == "0fa0")
        for text in ["a", "0F", "0g", " 0", "0x", "0\u{E9}"] {
            #expect(Hexadecimal.decode(Array(text.utf8)[...]) == nil, "\(text)")
        }
    }
}
