// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
public import OpenSSL

/// A text with one or more signatures (C2SP signed-note).
///
/// Reading one says nothing about its signatures: ask ``verified(by:)``.
public struct SignedNote: Equatable, Sendable {
    /// The largest note that is read, in bytes.
    public static let bytesMax = 1_000_000
    /// A note with more signatures than this is not read.
    public static let signaturesMax = 100

    /// The signed text, with the newline at its end.
    public let text: String
    /// The signatures in their order; those of unknown keys are kept.
    public private(set) var signatures: [NoteSignature]

    /// A note; nil unless the text can stand in one and there is a signature.
    public init?(text: String, signatures: [NoteSignature]) {
        guard Self.isText(text), (1...Self.signaturesMax).contains(signatures.count) else {
            return nil
        }
        self.text = text
        self.signatures = signatures
    }

    /// Reads a note.
    ///
    /// - Throws: ``NoteError`` naming the first rule that the bytes break.
    public init(_ bytes: [UInt8]) throws(NoteError) {
        guard bytes.count <= Self.bytesMax else { throw .tooLarge }
        guard let whole = String(validating: bytes, as: UTF8.self),
            !whole.utf8.contains(where: { $0 < 0x20 && $0 != 0x0A })
        else { throw .malformedText }
        // The last empty line is the one between text and signatures.
        guard let separator = bytes.lastIndexOfEmptyLine, bytes.last == 0x0A else {
            throw .noSignatures
        }
        let lines = bytes[(separator + 1)...].dropLast().split(
            separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count <= Self.signaturesMax else { throw .tooLarge }
        var signatures: [NoteSignature] = []
        for line in lines {
            guard let signature = NoteSignature(line: String(decoding: line, as: UTF8.self)) else {
                throw .malformedSignature
            }
            signatures.append(signature)
        }
        text = String(decoding: bytes[..<separator], as: UTF8.self)
        self.signatures = signatures
    }

    /// The note as it is stored and sent.
    public var encoded: [UInt8] { Array(description.utf8) }

    /// The keys, of those given, whose signatures stand under the note.
    ///
    /// - Throws: ``NoteError/wrongSignature(key:)`` when a signature under the name and hash of one
    ///   of the keys is not that key's; then the whole note counts for nothing.
    public func verified(by keys: [VerifierKey]) throws(NoteError) -> [VerifierKey] {
        let message = Array(text.utf8)
        var found: [VerifierKey] = []
        for signature in signatures {
            for key in keys where signature.isNamed(after: key) {
                guard key.verifies(signature.bytes, over: message) else {
                    throw .wrongSignature(key: key.description)
                }
                if !found.contains(key) { found.append(key) }
            }
        }
        return found
    }

    /// The same note with a further signature at its end.
    public func adding(_ signature: NoteSignature) -> SignedNote {
        var note = self
        note.signatures.append(signature)
        return note
    }

    private static func isText(_ text: String) -> Bool {
        text.utf8.last == 0x0A && !text.utf8.contains { $0 < 0x20 && $0 != 0x0A }
    }
}

extension SignedNote: CustomStringConvertible {
    /// The note as it is stored and sent.
    public var description: String {
        text + "\n" + signatures.map { "\($0)\n" }.joined()
    }
}

/// One line below a note.
public struct NoteSignature: Hashable, Sendable, CustomStringConvertible {
    private static let dash = "\u{2014} "

    /// The name of the key.
    public let name: String
    /// The four bytes that, with the name, stand for a key.
    public let keyHash: [UInt8]
    /// What the key made.
    public let bytes: [UInt8]

    init(name: String, keyHash: [UInt8], bytes: [UInt8]) {
        self.name = name
        self.keyHash = keyHash
        self.bytes = bytes
    }

    /// Reads a line without its newline; nil when it is malformed.
    init?(line: String) {
        guard line.utf8.starts(with: Self.dash.utf8) else { return nil }
        let parts = line.unicodeScalars.dropFirst(2).split(
            separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, VerifierKey.isName(String(parts[0])),
            let decoded = Base64.decode(String(parts[1])), decoded.count > 4
        else { return nil }
        self.init(
            name: String(parts[0]), keyHash: Array(decoded[..<4]), bytes: Array(decoded[4...]))
    }

    /// The line without its newline.
    public var description: String {
        "\(Self.dash)\(name) \(Base64.encode(keyHash + bytes))"
    }

    func isNamed(after key: VerifierKey) -> Bool {
        name.isIdentical(to: key.name) && keyHash == key.keyHash
    }
}

/// A key that signs notes with Ed25519.
public struct NoteSigner: Sendable {
    /// The other half, with the name.
    public let verifierKey: VerifierKey

    private let key: Ed25519PrivateKey

    /// Takes the 32-byte seed of a key; nil unless the name can stand in a note.
    public init?(name: String, seed: SecretBytes) throws(OpenSSLError) {
        key = try Ed25519PrivateKey(seed: seed)
        guard let verifierKey = VerifierKey(name: name, publicKey: key.publicKey) else {
            return nil
        }
        self.verifierKey = verifierKey
    }

    /// This key's signature over a text.
    public func sign(_ text: String) throws(OpenSSLError) -> NoteSignature {
        NoteSignature(
            name: verifierKey.name, keyHash: verifierKey.keyHash,
            bytes: try key.sign(Array(text.utf8)))
    }
}

/// Why bytes are no note, or a note is not to be believed.
public enum NoteError: Error, Equatable {
    /// More bytes or signatures than are read.
    case tooLarge
    /// Not UTF-8, or with control characters other than newlines.
    case malformedText
    /// There is no empty line with signatures behind it, or no newline at the end.
    case noSignatures
    /// A line below the text is not a signature.
    case malformedSignature
    /// The text is not that of a checkpoint.
    case notACheckpoint
    /// A signature under the name of a known key is not that key's.
    case wrongSignature(key: String)

    /// The problem in words.
    public var message: String {
        switch self {
        case .tooLarge: "the note is too large"
        case .malformedText: "the note is not text"
        case .noSignatures: "the note has no signatures"
        case .malformedSignature: "a line below the note is not a signature"
        case .notACheckpoint: "the note is not a checkpoint"
        case .wrongSignature(let key): "the signature of the key \(key) is wrong"
        }
    }
}

extension VerifierKey {
    /// Whether an Ed25519 signature is this key's.
    func verifies(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        guard let key = try? PublicKey(.ed25519(publicKey)) else { return false }
        return key.verify(signature, over: message[...], scheme: .ed25519)
    }
}

extension [UInt8] {
    /// Where the last empty line is: the index of its newline.
    fileprivate var lastIndexOfEmptyLine: Int? {
        indices.dropFirst().last { self[$0] == 0x0A && self[$0 - 1] == 0x0A }
    }
}
