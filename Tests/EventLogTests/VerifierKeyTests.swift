// SPDX-License-Identifier: Apache-2.0

import SignedNote
import Testing

@Suite("A verifier key")
struct VerifierKeyTests {
    @Test("is read again, though its name ends with a mark that joins the plus sign behind it")
    func survivesMarkBeforePlus() throws {
        let key = try required(
            VerifierKey(name: "logins\u{603}", publicKey: [UInt8](repeating: 7, count: 32)))
        #expect(VerifierKey(key.description) == key)
    }
}
