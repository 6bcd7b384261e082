// SPDX-License-Identifier: Apache-2.0

import OpenSSL
import Testing

@Suite("A hash function")
struct HashFunctionTests {
    @Test("gives the values of FIPS 180-4 for abc")
    func abc() {
        let starts: [HashFunction: [UInt8]] = [
            .sha256: [0xBA, 0x78, 0x16, 0xBF], .sha384: [0xCB, 0x00, 0x75, 0x3F],
            .sha512: [0xDD, 0xAF, 0x35, 0xA1],
        ]
        for function in HashFunction.allCases {
            let hash = function.hash(Array("abc".utf8)[...])
            #expect(hash.count == function.byteCount)
            #expect(Array(hash[..<4]) == starts[function])
        }
        #expect(HashFunction.sha256.hash([])[..<2] == [0xE3, 0xB0])
    }
}
