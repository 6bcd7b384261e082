// SPDX-License-Identifier: Apache-2.0

internal import JOSE
public import LedgerPrimitives
internal import OpenSSL
internal import Synchronization

/// The key that seals what is personal or secret in one stream.
///
/// Every event and every blob is sealed under a key of its own, derived from this one.
public struct DataKey: Sendable {
    static let byteCount = 32
    /// Plaintexts are filled up to a multiple of this, so that lengths tell less.
    static let paddingBytes = 32

    /// The stream whose data this key seals.
    public let subject: String
    let secret: SecretBytes
    /// Whether the commitment was compared with that in the stream's first event.
    let checked = CommitmentCheck()
    /// What the keys of events and blobs are expanded from.
    private let pseudoRandomKey: HMACSHA256Key

    init(subject: String, secret: SecretBytes) {
        self.subject = subject
        self.secret = secret
        pseudoRandomKey = hkdfExtractSHA256(secret)
    }

    /// What the stream's first event says of this key: base64url of
    /// SHA-256(`authledger/key/v1` ‖ key). AES-GCM alone does not bind a box to one key.
    public var commitment: Digest {
        let prefix = Self.commitmentPrefix.utf8
        var hash = SHA256()
        hash.update(prefix.span)
        hash.update(secret)
        return Digest(hash.finalize())
    }

    private static let commitmentPrefix = "authledger/key/v1"

    /// Seals the personal part of an event.
    ///
    /// - Parameter nonce: 12 fresh random bytes.
    public func seal(_ plaintext: [UInt8], revision: Int, nonce: [UInt8]) -> String {
        DirectEncryption.seal(Self.padded(plaintext), key: eventKey(revision), nonce: nonce)
    }

    /// Opens what ``seal(_:revision:nonce:)`` made, padding removed; nil when it is not this
    /// key's, not this revision's, or was changed.
    public func open(_ box: String, revision: Int) -> [UInt8]? {
        DirectEncryption.open(box, key: eventKey(revision)).map(Self.unpadded)
    }

    /// Opens a box by its bytes: nonce, ciphertext, tag; else as ``open(_:revision:)``, but with
    /// the padding: behind JSON, spaces mean nothing.
    func open(
        bytes: ArraySlice<UInt8>, revision: Int, with opener: AES256GCMOpener
    ) -> [UInt8]? {
        pseudoRandomKey.withExpanded(info: eventKeyInfo(revision)) {
            DirectEncryption.open(bytes: bytes, key: $0, with: opener)
        }
    }

    /// Seals the `number`-th blob of an event; the result is the blob's content. Blobs are not
    /// padded: they may hold any bytes, and come out as they went in.
    public func sealBlob(
        _ plaintext: [UInt8], event: UUIDv7, number: Int, nonce: [UInt8]
    ) -> [UInt8] {
        Array(
            DirectEncryption.seal(plaintext, key: blobKey(event, number), nonce: nonce).utf8)
    }

    /// Opens a blob of an event; nil when it is not that blob or was changed.
    public func openBlob(_ content: [UInt8], event: UUIDv7, number: Int) -> [UInt8]? {
        String(validating: content, as: UTF8.self)
            .flatMap { DirectEncryption.open($0, key: blobKey(event, number)) }
    }

    private func eventKey(_ revision: Int) -> SecretBytes {
        pseudoRandomKey.hkdfExpand(info: eventKeyInfo(revision))
    }

    private func eventKeyInfo(_ revision: Int) -> [UInt8] {
        var info: [UInt8] = []
        info.reserveCapacity(80)
        info.append(contentsOf: "authledger/sealed/v1".utf8)
        info.append(contentsOf: subject.utf8)
        info.appendBigEndian(UInt64(revision))
        return info
    }

    private func blobKey(_ event: UUIDv7, _ number: Int) -> SecretBytes {
        var info = Array("authledger/blob/v1".utf8)
        info.append(contentsOf: event.bytes)
        info.appendBigEndian(UInt64(number))
        return pseudoRandomKey.hkdfExpand(info: info)
    }

    private static func padded(_ plaintext: [UInt8]) -> [UInt8] {
        let missing = (paddingBytes - plaintext.count % paddingBytes) % paddingBytes
        return plaintext + [UInt8](repeating: UInt8(ascii: " "), count: missing)
    }

    /// The plaintext is canonical JSON, which never ends in a space.
    private static func unpadded(_ plaintext: consuming [UInt8]) -> [UInt8] {
        while plaintext.last == UInt8(ascii: " ") {
            plaintext.removeLast()
        }
        return plaintext
    }
}

/// Remembers of a data key that it is the one which its stream commits to.
final class CommitmentCheck: Sendable {
    private let state = Atomic<Bool>(false)

    var isDone: Bool { state.load(ordering: .relaxed) }

    func finish() {
        state.store(true, ordering: .relaxed)
    }
}
