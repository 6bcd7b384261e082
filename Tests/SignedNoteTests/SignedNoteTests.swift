// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenSSL
import Testing

@testable import SignedNote

/// A key made of a byte.
func signer(_ byte: UInt8 = 1, name: String = "example.org/logins") throws -> NoteSigner {
    try #require(
        try NoteSigner(name: name, seed: SecretBytes([UInt8](repeating: byte, count: 32))))
}

@Suite("A signed note")
struct SignedNoteTests {
    /// The example of the C2SP text on signed notes.
    private static let example = """
        Ognuno sta solo sul cuor della terra
        trafitto da un raggio di sole:

        ed è subito sera.

        — quasimodo.example/salvatore \
        NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=

        """

    @Test("of the C2SP text is read, and written the same")
    func readsExample() throws {
        let note = try SignedNote(Array(Self.example.utf8))
        #expect(note.text.hasSuffix("sole:\n\ned è subito sera.\n"))
        #expect(note.signatures.map(\.name) == ["quasimodo.example/salvatore"])
        #expect(note.signatures[0].keyHash == [0x36, 0x7B, 0xA0, 0x4B])
        #expect(note.signatures[0].bytes.count == 64)
        #expect(note.description.isIdentical(to: Self.example))
    }

    @Test("is believed from its keys, and from no others")
    func verifies() throws {
        let (one, two, three) = (try signer(1), try signer(2), try signer(3))
        let text = "line\n\nanother\n"
        let note = try #require(
            SignedNote(text: text, signatures: [try one.sign(text), try two.sign(text)]))
        let read = try SignedNote(note.encoded)
        #expect(read == note)
        let keys = [one, two, three].map(\.verifierKey)
        #expect(try read.verified(by: keys) == [keys[0], keys[1]])
        #expect(try read.verified(by: [keys[1]]) == [keys[1]])
        #expect(try read.verified(by: [keys[2]]) == [])
        #expect(try read.verified(by: []) == [])
        // A namesake with another key is another key.
        let namesake = try signer(1, name: "example.org/other")
        #expect(try read.verified(by: [namesake.verifierKey]) == [])
    }

    @Test("counts for nothing when the signature of a known key is wrong")
    func refusesForged() throws {
        let (one, two) = (try signer(1), try signer(2))
        let note = try #require(
            SignedNote(
                text: "text\n", signatures: [try one.sign("text\n"), try two.sign("other\n")]))
        #expect(try note.verified(by: [one.verifierKey]) == [one.verifierKey])
        #expect(throws: NoteError.wrongSignature(key: two.verifierKey.description)) {
            try note.verified(by: [one.verifierKey, two.verifierKey])
        }
    }

    @Test("has signatures of the fixed value that RFC 8032 gives")
    func knownSignature() throws {
        // RFC 8032 §7.1, test 2: a message of one byte.
        let seed = try #require(
            Hexadecimal.decode(
                Array("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb".utf8)[...])
        )
        let key = try Ed25519PrivateKey(seed: SecretBytes(seed))
        #expect(
            Hexadecimal.encode(try key.sign([0x72]))
                == "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
    }

    @Test("keeps signatures that it does not know, in their order")
    func keepsUnknown() throws {
        let own = try signer()
        let text = "text\n"
        let stranger = NoteSignature(name: "w.example", keyHash: [1, 2, 3, 4], bytes: [5])
        let note = try #require(
            SignedNote(text: text, signatures: [stranger, try own.sign(text)]))
        let further = NoteSignature(name: "w.example", keyHash: [9, 2, 3, 4], bytes: [5, 6])
        let read = try SignedNote(note.adding(further).encoded)
        #expect(read.signatures.map(\.keyHash.first) == [1, own.verifierKey.keyHash[0], 9])
        #expect(try read.verified(by: [own.verifierKey]) == [own.verifierKey])
    }

    @Test(
        "is refused when it breaks a rule",
        arguments: [
            ("text\n", NoteError.noSignatures),
            ("", .noSignatures),
            ("text\n\n", .malformedSignature),
            ("text\n\n— name AAAAAAA=", .noSignatures),
            ("text\n— name AAAAAAA=\n", .noSignatures),
            ("text\n\n- name AAAAAAA=\n", .malformedSignature),
            ("text\n\n—name AAAAAAA=\n", .malformedSignature),
            ("text\n\n— name AAAAAAA\n", .malformedSignature),
            ("text\n\n— name AAAAAAB=\n", .malformedSignature),
            ("text\n\n— name AAAAAA==\n", .malformedSignature),
            ("text\n\n— name  AAAAAAA=\n", .malformedSignature),
            ("text\n\n—  AAAAAAA=\n", .malformedSignature),
            ("text\n\n— a+b AAAAAAA=\n", .malformedSignature),
            ("text\n\n— a\u{2003}b AAAAAAA=\n", .malformedSignature),
            ("text\n\n— name AAAAAAA= \n", .malformedSignature),
            ("text\n\n— name AAAAAAA=\n\n", .malformedSignature),
            ("text\n\nmore\n— name AAAAAAA=\n", .malformedSignature),
            ("te\txt\n\n— name AAAAAAA=\n", .malformedText),
            ("text\r\n\r\n— name AAAAAAA=\r\n", .malformedText),
            ("te\0xt\n\n— name AAAAAAA=\n", .malformedText),
        ] as [(String, NoteError)])
    func refuses(note: String, error: NoteError) {
        #expect(throws: error) { try SignedNote(Array(note.utf8)) }
    }

    @Test("is refused when it is not UTF-8, too long, or signed too often")
    func refusesHostile() {
        #expect(throws: NoteError.malformedText) { try SignedNote([0xFF, 0x0A, 0x0A]) }
        #expect(throws: NoteError.tooLarge) {
            try SignedNote([UInt8](repeating: 0x41, count: SignedNote.bytesMax + 1))
        }
        let lines = String(repeating: "— name AAAAAAA=\n", count: SignedNote.signaturesMax)
        #expect(throws: Never.self) { try SignedNote(Array("text\n\n\(lines)".utf8)) }
        #expect(throws: NoteError.tooLarge) {
            try SignedNote(Array("text\n\n\(lines)— name AAAAAAA=\n".utf8))
        }
    }

    @Test("with any bit changed is refused or believed from nobody")
    func everyBit() throws {
        let key = try signer()
        let text = "example.org/logins\n3\nAAAA\n"
        let note = try #require(SignedNote(text: text, signatures: [try key.sign(text)]))
        let bytes = note.encoded
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << bit
                let read = try? SignedNote(changed)
                let found = try? read?.verified(by: [key.verifierKey])
                #expect(found?.isEmpty ?? true, "byte \(index) bit \(bit)")
            }
        }
    }
}

@Suite("A verifier key")
struct VerifierKeyTests {
    @Test("has no name with control characters, as no note with its signature could be read")
    func refusesControlCharacters() throws {
        for name in ["a\u{1}b", "\u{0}", "a\u{1B}", "a\u{1F}"] {
            #expect(VerifierKey(name: name, publicKey: [UInt8](repeating: 7, count: 32)) == nil)
            #expect(
                try NoteSigner(name: name, seed: SecretBytes([UInt8](repeating: 7, count: 32)))
                    == nil)
        }
    }

    @Test("is read as the C2SP text writes it, and with any part changed it is not")
    func reads() throws {
        let key = try signer().verifierKey
        #expect(VerifierKey(key.description) == key)
        let parts = key.description.split(separator: "+", maxSplits: 2).map(String.init)
        for other in [
            "other+\(parts[1])+\(parts[2])", "\(parts[0])+00000000+\(parts[2])",
            "\(parts[0])+\(parts[1])", "\(parts[0])+\(parts[1])+AAAA",
            "\(parts[0])+\(parts[1].uppercased())x+\(parts[2])", key.description + "\n", "",
        ] {
            #expect(VerifierKey(other) == nil, "\(other)")
        }
    }
}
