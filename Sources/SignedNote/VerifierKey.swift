// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenSSL

/// A key that verifies signed notes, in the text form of C2SP signed-note: `name+hash+key`.
public struct VerifierKey: Hashable, Sendable, CustomStringConvertible {
    /// The byte in front of a public key that says Ed25519.
    static let ed25519: UInt8 = 0x01

    /// The key's name; for a ledger its origin.
    public let name: String
    /// The 32 bytes of the Ed25519 public key.
    public let publicKey: [UInt8]

    /// Names a public key; nil unless the name can stand in a note and the key has 32 bytes.
    public init?(name: String, publicKey: [UInt8]) {
        guard Self.isName(name), publicKey.count == 32 else { return nil }
        self.name = name
        self.publicKey = publicKey
    }

    /// Reads the text form; nil when it is malformed or its hash is not that of its key.
    public init?(_ text: String) {
        // By bytes: a plus sign and a mark before it can be one character to Swift.
        let parts = text.utf8.split(
            separator: UInt8(ascii: "+"), maxSplits: 2, omittingEmptySubsequences: false
        ).map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 3, let typed = Base64.decode(parts[2]), typed.first == Self.ed25519
        else { return nil }
        self.init(name: parts[0], publicKey: Array(typed.dropFirst()))
        guard Hexadecimal.encode(keyHash).isIdentical(to: parts[1]) else { return nil }
    }

    /// The four bytes that stand for this key in a signature line.
    public var keyHash: [UInt8] {
        Array(Digest(SHA256.hash(Array(name.utf8) + [0x0A, Self.ed25519] + publicKey)).array[..<4])
    }

    /// The text form.
    public var description: String {
        "\(name)+\(Hexadecimal.encode(keyHash))+\(Base64.encode([Self.ed25519] + publicKey))"
    }

    /// Whether a text can name a key: not empty, without spaces, plus signs and the control
    /// characters that no note may hold.
    public static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                !$0.properties.isWhitespace && $0 != "+" && $0.value >= 0x20
            }
    }
}
