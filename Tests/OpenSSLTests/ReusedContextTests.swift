// SPDX-License-Identifier: Apache-2.0

import OpenSSL
import Testing

@Suite("A context that is used again")
struct ReusedContextTests {
    private static func bytes(_ digest: InlineArray<32, UInt8>) -> [UInt8] {
        digest.indices.map { digest[$0] }
    }

    @Test("hashes as one that is made for each message")
    func hash() {
        let hasher = SHA256Hasher()
        let (nothing, zero): ([UInt8], [UInt8]) = ([], [0])
        for count in [0, 1, 55, 56, 63, 64, 65, 1000] {
            let message = randomBytes(count)
            let hash = Self.bytes(hasher.hash(nothing.span, message.span))
            #expect(hash == Self.bytes(SHA256.hash(message)))
            let ofBoth = Self.bytes(hasher.hash(zero.span, message.span))
            #expect(ofBoth == Self.bytes(SHA256.hash(zero + message)))
        }
    }

    @Test("derives the keys that libcrypto derives")
    func derivation() {
        let maker = HMACSHA256Maker()
        for count in [1, 31, 32, 33, 64] {
            let key = SecretBytes(randomBytes(count))
            let message = randomBytes(count * 3)
            let code = Self.bytes(maker.hmac(key: key, message.span))
            #expect(code == hmacSHA256(key: key, message))
            #expect(maker.hkdfExtract(key).exposed == hkdfExtractSHA256(key).exposed)
            #expect(
                maker.hkdfExpand(key, info: message).exposed
                    == hkdfExpandSHA256(key, info: message).exposed)
        }
    }

    @Test("opens boxes one after the other, and none that was changed")
    func boxes() {
        let opener = AES256GCMOpener()
        let (data, less, none): ([UInt8], [UInt8], [UInt8]) = ([1, 2, 3], [1, 2], [])
        for count in [0, 1, 16, 500, 32, 0] {
            let key = SecretBytes(randomBytes(32))
            let nonce = randomBytes(12)
            let plaintext = randomBytes(count)
            let sealed = AES256GCM.seal(
                plaintext, key: key, nonce: nonce, associatedData: [1, 2, 3])
            let box = nonce + sealed.ciphertext + sealed.tag
            #expect(opener.open(box[...], key: key, associatedData: data.span) == plaintext)
            #expect(opener.open(box[...], key: key, associatedData: less.span) == nil)
            let other = SecretBytes(randomBytes(32))
            #expect(opener.open(box[...], key: other, associatedData: data.span) == nil)
            for index in box.indices where index % 7 == 0 {
                var changed = box
                changed[index] ^= 0x10
                #expect(opener.open(changed[...], key: key, associatedData: data.span) == nil)
            }
            #expect(opener.open(box.dropLast(), key: key, associatedData: data.span) == nil)
        }
        let key = SecretBytes(randomBytes(32))
        #expect(opener.open([], key: key, associatedData: none.span) == nil)
    }
}
