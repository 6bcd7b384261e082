// SPDX-License-Identifier: Apache-2.0

import OpenSSL
import Testing

@Suite("A cipher context that is used again")
struct AES256GCMOpenerTests {
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
            let (bytes, short) = (key.exposed, [UInt8](key.exposed.dropLast()))
            #expect(opener.open(box[...], key: bytes.span, associatedData: data.span) == plaintext)
            #expect(opener.open(box[...], key: key, associatedData: data.span) == plaintext)
            #expect(opener.open(box[...], key: short.span, associatedData: data.span) == nil)
            #expect(opener.open(box[...], key: key, associatedData: data.span) == plaintext)
        }
        let key = SecretBytes(randomBytes(32))
        #expect(opener.open([], key: key, associatedData: none.span) == nil)
    }
}
