// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// Where things are in an export: C2SP tlog-tiles, and beside it what makes it whole.
struct TileLayout {
    /// Hashes in a full tile, entries in a full bundle.
    static let width: UInt64 = 256
    /// The largest bundle, in bytes: each entry has its length in front.
    static let bundleBytesMax = 256 * (2 + LedgerLimits.leafBytesMax)

    /// The directory.
    let root: String

    /// The signed tree.
    var checkpoint: String { root + "/checkpoint" }
    /// The ledger's record.
    var record: String { root + "/ledger.json" }
    /// Checkpoints in which one key vouches for another.
    var checkpoints: String { root + "/checkpoints" }
    /// Documents by their digest.
    var blobs: String { root + "/blobs" }

    /// A tile of hashes; a partial one has `width` of them.
    func tile(level: Int, index: UInt64, width: UInt64) -> String {
        "\(root)/tile/\(level)/" + Self.path(index, width)
    }

    /// A bundle of entries.
    func entries(index: UInt64, width: UInt64) -> String {
        "\(root)/tile/entries/" + Self.path(index, width)
    }

    func blob(_ digest: Digest) -> String {
        let name = Hexadecimal.encode(digest.array)
        return "\(blobs)/\(name.prefix(2))/\(name)"
    }

    func checkpoint(of size: UInt64) -> String { "\(checkpoints)/\(size)" }

    /// Three digits an element, all but the last marked: 1234067 is `x001/x234/067`.
    static func path(_ index: UInt64, _ width: UInt64) -> String {
        var path = digits(index % 1000)
        var rest = index / 1000
        while rest > 0 {
            path = "x" + digits(rest % 1000) + "/" + path
            rest /= 1000
        }
        return width == Self.width ? path : "\(path).p/\(width)"
    }

    private static func digits(_ number: UInt64) -> String {
        let text = String(number)
        return String(repeating: "0", count: 3 - text.count) + text
    }

    /// The tiles of a level that a tree has and a smaller one did not have just so, each with its
    /// width.
    static func newTiles(
        level: Int, from oldSize: UInt64, to size: UInt64
    ) -> [(index: UInt64, width: UInt64)] {
        let shift = UInt64(8 * level)
        let (old, new) = (oldSize >> shift, size >> shift)
        guard new > old else { return [] }
        return (old / width...(new - 1) / width).map { index in
            (index, min(width, new - index * width))
        }
    }

    /// How many levels of tiles a tree has.
    static func levels(_ size: UInt64) -> Int {
        (0..<8).first { size >> UInt64(8 * $0) == 0 } ?? 8
    }
}

/// A bundle: entries, each behind its length in two bytes.
enum EntryBundle {
    static func append(_ entry: [UInt8], to bundle: inout [UInt8]) {
        precondition(entry.count <= Int(UInt16.max), "a leaf fits")
        bundle.append(UInt8(entry.count >> 8))
        bundle.append(UInt8(truncatingIfNeeded: entry.count))
        bundle.append(contentsOf: entry)
    }

    /// The entries of a bundle; nil when it is not whole.
    static func entries(_ bundle: [UInt8]) -> [[UInt8]]? {
        var entries: [[UInt8]] = []
        var rest = bundle[...]
        while !rest.isEmpty {
            guard rest.count >= 2 else { return nil }
            let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            rest = rest.dropFirst(2)
            guard rest.count >= length else { return nil }
            entries.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return entries
    }
}

/// Why a directory cannot be exported to or imported from.
public enum TileError: Error, Equatable {
    /// The directory has something else in it.
    case occupied(String)
    /// The directory has an export of another ledger, or of one that went another way.
    case foreign(String)
    /// The directory is no export, or it lacks a part; says which.
    case incomplete(String)
    /// Something in the export is not what was signed. `position` where one event is concerned.
    case damaged(String, position: UInt64?)
}
