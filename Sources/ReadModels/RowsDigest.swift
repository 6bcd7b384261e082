// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenSSL
internal import Projections

/// A digest of all rows of a projection that does not depend on their order, so that it goes on
/// with every row that is put and need not be computed anew.
///
/// It is the sum of the SHA-256 of the rows, modulo 2^256. Two projections with the same rows have
/// the same digest, however they came about. It finds mistakes and damage. It is no proof against
/// somebody who makes up rows: whoever can write them can write the digest as well, and the events
/// themselves are what is proven.
struct RowsDigest: Equatable, Sendable {
    /// The lowest word stands first.
    private var words = InlineArray<4, UInt64>(repeating: 0)

    init() {}

    init(_ digest: Digest) {
        words = InlineArray { word in
            (0..<8).reduce(UInt64(0)) { $0 << 8 | UInt64(digest.bytes[word * 8 + $1]) }
        }
    }

    /// The sum as 32 bytes.
    var digest: Digest {
        Digest(
            InlineArray { index in
                UInt8(truncatingIfNeeded: words[index / 8] >> UInt64(56 - index % 8 * 8))
            })
    }

    mutating func add(_ hash: Digest) {
        let other = RowsDigest(hash)
        var carry: UInt64 = 0
        for index in words.indices {
            let (first, isOver) = words[index].addingReportingOverflow(other.words[index])
            let (second, isOverAgain) = first.addingReportingOverflow(carry)
            words[index] = second
            carry = isOver || isOverAgain ? 1 : 0
        }
    }

    mutating func subtract(_ hash: Digest) {
        let other = RowsDigest(hash)
        var borrow: UInt64 = 0
        for index in words.indices {
            let (first, isUnder) = words[index].subtractingReportingOverflow(other.words[index])
            let (second, isUnderAgain) = first.subtractingReportingOverflow(borrow)
            words[index] = second
            borrow = isUnder || isUnderAgain ? 1 : 0
        }
    }

    static func == (left: RowsDigest, right: RowsDigest) -> Bool {
        left.words.indices.allSatisfy { left.words[$0] == right.words[$0] }
    }

    /// The hash of one row, with its key and the table that it stands in.
    static func hash(table: UInt8, key: [UInt8], row: [UInt8]) -> Digest {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(key.count + row.count + 3)
        bytes.append(table)
        // A key has at most 511 bytes.
        bytes.append(UInt8(truncatingIfNeeded: key.count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: key.count))
        bytes.append(contentsOf: key)
        bytes.append(contentsOf: row)
        return Digest(SHA256.hash(bytes))
    }
}
