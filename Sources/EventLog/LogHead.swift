// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import MerkleTree

/// The state of the log after its last commit: tree and totals.
public struct LogHead: Equatable, Sendable {
    /// The right edge of the Merkle tree.
    public internal(set) var frontier = TreeFrontier()
    /// Sum of all leaf lengths, in bytes.
    public internal(set) var bytesRaw: UInt64 = 0
    /// Sum of all frame lengths, in bytes.
    public internal(set) var bytesStored: UInt64 = 0
    /// Streams that begin with an event of a session.
    public internal(set) var sessions: UInt64 = 0
    /// Number of blobs.
    public internal(set) var blobs: UInt64 = 0
    /// Sum of all blobs as stored, in bytes.
    public internal(set) var blobBytes: UInt64 = 0

    /// How many events there are; the next event's position.
    public var size: UInt64 { frontier.size }
    /// Root of the Merkle tree over all leaves.
    public var root: Digest { frontier.root }

    static let version: UInt8 = 1

    init() {}

    /// The stored form: version, six numbers of eight big-endian bytes, subtree roots.
    var encoded: [UInt8] {
        var bytes = [Self.version]
        for number in [size, bytesRaw, bytesStored, sessions, blobs, blobBytes] {
            bytes.appendBigEndian(number)
        }
        for root in frontier.subtreeRoots {
            root.append(to: &bytes)
        }
        return bytes
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 49, bytes[0] == Self.version, (bytes.count - 49) % 32 == 0 else {
            return nil
        }
        let numbers = (0..<6).map { index in
            bytes[1 + index * 8..<9 + index * 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        let roots = stride(from: 49, to: bytes.count, by: 32).compactMap {
            Digest(bytes[$0..<$0 + 32])
        }
        guard let frontier = TreeFrontier(size: numbers[0], subtreeRoots: roots) else {
            return nil
        }
        self.frontier = frontier
        bytesRaw = numbers[1]
        bytesStored = numbers[2]
        sessions = numbers[3]
        blobs = numbers[4]
        blobBytes = numbers[5]
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ number: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
