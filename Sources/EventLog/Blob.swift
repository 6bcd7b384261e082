// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
internal import OpenSSL
internal import Synchronization
internal import Zlib

/// A document kept beside the events, found by the SHA-256 of its content.
struct Blob: Sendable {
    /// SHA-256 of the content.
    let digest: Digest
    /// The content as it is stored: form, length of the content, bytes.
    let stored: [UInt8]

    private enum Form: UInt8 {
        case plain = 0
        case deflated = 1
    }

    private static let parameters = DeflateParameters(windowBits: 15, level: 6, memoryLevel: 8)

    init(_ content: [UInt8]) throws {
        guard content.count <= LedgerLimits.blobBytesMax else {
            throw LedgerError.blobTooLarge(bytes: content.count)
        }
        digest = Digest(SHA256.hash(content))
        let deflated = try Deflater(dictionary: [], parameters: Self.parameters).deflate(content)
        let isSmaller = deflated.count < content.count
        var stored = [isSmaller ? Form.deflated.rawValue : Form.plain.rawValue]
        Varint.append(UInt64(content.count), to: &stored)
        stored += isSmaller ? deflated : content
        self.stored = stored
    }

    /// The content of a stored blob; nil when it is malformed or not what `digest` names.
    static func content(of stored: [UInt8], digest: Digest) -> [UInt8]? {
        var rest = stored[...]
        guard let form = rest.popFirst().flatMap(Form.init), let count = Varint.read(&rest),
            count <= UInt64(LedgerLimits.blobBytesMax)
        else { return nil }
        let content: [UInt8]?
        switch form {
        case .plain:
            content = Array(rest)
        case .deflated:
            content = try? Inflater(dictionary: [], windowBits: parameters.windowBits)
                .inflate(rest, count: Int(count))
        }
        guard let content, Digest(SHA256.hash(content)) == digest else { return nil }
        return content
    }
}

/// The documents stored last, ready to be stored again: the same few key sets and policies come
/// with nearly every login.
final class RecentBlobs: Sendable {
    private static let countMax = 64
    private let blobs = Mutex<[[UInt8]: Blob]>([:])

    func blob(_ content: [UInt8]) throws -> Blob {
        if let known = blobs.withLock({ $0[content] }) { return known }
        let blob = try Blob(content)
        if content.count <= 65_536 {
            blobs.withLock { known in
                if known.count >= Self.countMax { known.removeAll() }
                known[content] = blob
            }
        }
        return blob
    }
}

extension Digest {
    /// SHA-256 of a document, by which events refer to it.
    public init(ofDocument content: [UInt8]) {
        self.init(SHA256.hash(content))
    }
}
