// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import MerkleTree
internal import Platform
public import SignedNote

/// What an export wrote.
public struct TileExportReport: Equatable, Sendable {
    /// How many events were in the directory before.
    public var eventsBefore: UInt64 = 0
    /// How many there are now.
    public var events: UInt64 = 0
    /// Tiles and bundles that were written.
    public var tilesWritten = 0
    /// Documents that were written.
    public var blobsWritten = 0
}

extension EventLog {
    /// Writes the log as C2SP tlog-tiles, with the documents and the ledger's record beside them.
    ///
    /// What is there from an earlier export stays; only what is new is written. Every file appears
    /// whole, and the checkpoint last: broken off at any point, the directory is an export of what
    /// its checkpoint covers.
    ///
    /// - Parameters:
    ///   - checkpoint: of how many events; see ``checkpoint(size:)``.
    ///   - progress: called now and then with events written and events to write.
    /// - Throws: ``TileError``, ``LedgerError``, or an error of the system.
    public func exportTiles(
        to directory: String, _ checkpoint: SignedCheckpoint,
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws -> TileExportReport {
        let root = try Path.absolute(directory)
        try Directory.createWithParents(root)
        let lock = try TileExporter.lock(root)
        var export = TileExporter(log: self, layout: TileLayout(root: root), lock: lock)
        try export.run(checkpoint, progress)
        return export.report
    }
}

/// One run of an export.
private struct TileExporter {
    let log: EventLog
    let layout: TileLayout
    private(set) var report = TileExportReport()
    /// Directories with new names in them.
    private var touched: Set<String> = []
    /// Keeps other exports out of the directory.
    private let lock: File

    init(log: EventLog, layout: TileLayout, lock: File) {
        self.log = log
        self.layout = layout
        self.lock = lock
    }

    static func lock(_ directory: String) throws -> File {
        let file = try File(directory, .reading)
        do throws(SystemError) {
            try file.lock(.exclusive)
        } catch {
            throw error.isLocked ? LedgerError.locked(directory) : error
        }
        return file
    }

    mutating func run(
        _ signed: SignedCheckpoint, _ progress: (UInt64, UInt64) -> Void
    ) throws {
        let size = signed.checkpoint.size
        let oldSize = try sizeBefore(size)
        report.eventsBefore = oldSize
        report.events = size
        try write(log.info.encoded + [UInt8(ascii: "\n")], to: layout.record)
        try writeEntries(from: oldSize, to: size, progress)
        for level in 1..<max(1, TileLayout.levels(size)) {
            try writeTiles(level: level, from: oldSize, to: size)
        }
        try writeBlobs()
        try writeVouchingCheckpoints(upTo: size)
        for directory in touched.sorted() { try Directory.sync(directory) }
        try DurableFile.write(signed.encoded, to: layout.checkpoint)
        try removePartialTiles(before: oldSize, to: size)
    }

    /// How many events an earlier export left; it must be one of this very log.
    private func sizeBefore(_ size: UInt64) throws -> UInt64 {
        if !Directory.exists(layout.record) {
            guard try Directory.entries(of: layout.root).allSatisfy({ $0.hasSuffix(".tmp") }) else {
                throw TileError.occupied(layout.root)
            }
            return 0
        }
        let record = try File(layout.record, .reading).readAll(limit: 65_536)
        guard record == log.info.encoded + [UInt8(ascii: "\n")] else {
            throw TileError.foreign(layout.root)
        }
        guard Directory.exists(layout.checkpoint) else { return 0 }
        let bytes = try File(layout.checkpoint, .reading).readAll(limit: SignedNote.bytesMax)
        guard let old = try? SignedCheckpoint(bytes).checkpoint,
            old.origin.isIdentical(to: log.info.origin), old.size <= size,
            try log.root(ofFirst: old.size) == old.root
        else { throw TileError.foreign(layout.root) }
        return old.size
    }

    // MARK: - Tiles

    private mutating func writeEntries(
        from oldSize: UInt64, to size: UInt64, _ progress: (UInt64, UInt64) -> Void
    ) throws {
        for tile in TileLayout.newTiles(level: 0, from: oldSize, to: size) {
            let first = tile.index * TileLayout.width
            var (bundle, hashes): ([UInt8], [UInt8]) = ([], [])
            try log.forEachLeaf(in: first..<first + tile.width) { _, leafHash, leaf in
                EntryBundle.append(leaf, to: &bundle)
                leafHash.append(to: &hashes)
                return true
            }
            try write(bundle, to: layout.entries(index: tile.index, width: tile.width))
            try write(hashes, to: layout.tile(level: 0, index: tile.index, width: tile.width))
            report.tilesWritten += 2
            progress(first + tile.width - oldSize, size - oldSize)
        }
    }

    private mutating func writeTiles(
        level: Int, from oldSize: UInt64, to size: UInt64
    ) throws {
        for tile in TileLayout.newTiles(level: level, from: oldSize, to: size) {
            let first = tile.index * TileLayout.width
            let hashes = try log.environment.read { transaction in
                try (first..<first + tile.width).flatMap { index in
                    try log.tables.node(
                        TreeNode(level: level * LogTables.keptLevelStep, index: index),
                        in: transaction
                    ).array
                }
            }
            try write(hashes, to: layout.tile(level: level, index: tile.index, width: tile.width))
            report.tilesWritten += 1
        }
    }

    /// Partial tiles whose full tile is there are of no more use.
    private func removePartialTiles(before oldSize: UInt64, to size: UInt64) throws {
        for level in 0..<TileLayout.levels(oldSize) {
            let shift = UInt64(8 * level)
            let index = (oldSize >> shift) / TileLayout.width
            guard (size >> shift) / TileLayout.width > index else { continue }
            var paths = [layout.tile(level: level, index: index, width: TileLayout.width)]
            if level == 0 { paths.append(layout.entries(index: index, width: TileLayout.width)) }
            for path in paths where Directory.isDirectory(path + ".p") {
                try Directory.removeTree(path + ".p")
            }
        }
    }

    // MARK: - Beside the tiles

    private mutating func writeBlobs() throws {
        var last: [UInt8] = []
        while let name = try nextBlob(after: last) {
            last = name
            guard let digest = Digest(name[...]) else {
                throw LedgerError.damaged("a blob's name is malformed", position: nil)
            }
            let path = layout.blob(digest)
            if Directory.exists(path) { continue }
            guard let content = try log.blob(digest) else { continue }
            try write(content, to: path)
            report.blobsWritten += 1
        }
    }

    private func nextBlob(after last: [UInt8]) throws -> [UInt8]? {
        try log.environment.read { transaction in
            try transaction.withCursor(log.tables.blobs) { cursor in
                if last.isEmpty { return try cursor.move(.first) { name, _ in name.copied() } }
                let name = try cursor.seek(.bytes(last), orAfter: true) { name, _ in name.copied() }
                guard name == last else { return name }
                return try cursor.move(.next) { name, _ in name.copied() }
            }
        }
    }

    /// The checkpoints that carry more than one signature: by them an importer comes from the
    /// ledger's first key to its present one.
    private mutating func writeVouchingCheckpoints(upTo size: UInt64) throws {
        let rows = try log.environment.read { transaction in
            try transaction.withCursor(log.tables.checkpoints) { cursor in
                var rows: [SignedCheckpoint] = []
                while let bytes = try cursor.move(.next, { $1.copied() }) {
                    guard let signed = try? SignedCheckpoint(bytes) else { continue }
                    let isVouching = signed.note.signatures.count > 1
                    if isVouching, signed.checkpoint.size <= size { rows.append(signed) }
                }
                return rows
            }
        }
        for signed in rows {
            let path = layout.checkpoint(of: signed.checkpoint.size)
            if !Directory.exists(path) { try write(signed.encoded, to: path) }
        }
    }

    private mutating func write(_ bytes: [UInt8], to path: String) throws {
        let parent = Path.parent(of: path)
        if !touched.contains(parent) {
            try Directory.createWithParents(parent)
            var directory = parent
            while directory != Path.parent(of: layout.root), touched.insert(directory).inserted {
                directory = Path.parent(of: directory)
            }
        }
        try DurableFile.write(bytes, to: path, syncsDirectory: false)
    }
}
