// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

@Suite("A digest")
struct DigestTests {
    private static let bytes = (0..<32).map { UInt8($0 * 7 + 1) }

    @Test("takes exactly 32 bytes, from anywhere in a buffer")
    func length() {
        #expect(Digest(Self.bytes[...])?.array == Self.bytes)
        #expect(Digest(([9, 9] + Self.bytes + [9])[2..<34])?.array == Self.bytes)
        for count in [0, 1, 31, 33, 64] {
            #expect(Digest([UInt8](repeating: 1, count: count)[...]) == nil)
        }
    }

    @Test("stands in JSON as 43 characters of base64url and nothing else")
    func base64URL() throws {
        let digest = try #require(Digest(Self.bytes[...]))
        #expect(digest.base64URL.utf8.count == 43)
        #expect(Digest(base64URL: digest.base64URL) == digest)
        #expect("\(digest)" == digest.base64URL)
        let zero = String(repeating: "A", count: 43)
        #expect(Digest(base64URL: zero)?.array == [UInt8](repeating: 0, count: 32))
        let refused = [
            "", zero + "A", zero + "=", String(zero.dropLast()), String(zero.dropLast()) + "B",
            String(zero.dropLast()) + "=", String(zero.dropLast()) + "+", " " + zero.dropLast(),
            digest.base64,
        ]
        for text in refused {
            #expect(Digest(base64URL: text) == nil, "\(text)")
        }
    }

    @Test("stands in notes as 44 characters of base64 with padding")
    func base64() throws {
        let digest = try #require(Digest(Self.bytes[...]))
        #expect(digest.base64.utf8.count == 44)
        #expect(Base64.decode(digest.base64) == Self.bytes)
    }

    @Test("is equal to another only if every byte is")
    func equality() throws {
        let digest = try #require(Digest(Self.bytes[...]))
        #expect(Set([digest, digest]).count == 1)
        for index in Self.bytes.indices {
            var changed = Self.bytes
            changed[index] ^= 0x80
            #expect(Digest(changed[...]) != digest)
        }
    }
}
