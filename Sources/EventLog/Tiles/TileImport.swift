// SPDX-License-Identifier: Apache-2.0

public import Capabilities
internal import LMDB
internal import LedgerPrimitives
internal import MerkleTree
internal import OpenSSL
internal import Platform
public import SignedNote

/// What an import made.
public struct TileImportReport: Sendable {
    /// What never changes about the ledger.
    public let info: LedgerInfo
    /// How the made ledger checked out; without findings.
    public let check: CheckReport
    /// How many documents there are.
    public let blobs: UInt64
    /// Whether data keys were taken over.
    public let hasKeys: Bool
}

/// What an import is made from.
public struct TileImportSource: Sendable {
    /// The directory with the export.
    public var directory: String
    /// A copy of the `keys` directory of the ledger; nil for none.
    public var keysDirectory: String?
    /// The key to believe; nil for the one that the export names.
    public var key: VerifierKey?

    /// What an import is made from.
    public init(directory: String, keysDirectory: String? = nil, key: VerifierKey? = nil) {
        self.directory = directory
        self.keysDirectory = keysDirectory
        self.key = key
    }
}

extension EventLog {
    /// Makes a ledger of an export: with the same leaves, hence the same root, and the same name.
    ///
    /// The root is computed anew from the entries, and everything is checked as a check of level
    /// ``CheckLevel/tree`` does, before the ledger appears in its place.
    ///
    /// - Parameters:
    ///   - directory: where the ledger will be; nothing or an empty directory may be there.
    ///   - samples: events to prime the compression with; synthetic ones only.
    ///   - progress: called now and then with events read and events there are.
    /// - Throws: ``TileError``, ``LedgerError``, or an error of the system or of LMDB.
    public static func importTiles(
        _ source: TileImportSource, to directory: String, keyRoot: String, samples: [SampleEvent],
        capabilities: Capabilities,
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws -> TileImportReport {
        let paths = try LedgerPaths(Path.absolute(directory))
        try refuseOccupied(paths.root)
        let reader = try TileReader(TileLayout(root: Path.absolute(source.directory)))
        let suffix = LedgerPaths.Temporary.tileImport.suffix(capabilities.randomBytes(8))
        try Directory.createWithParents(Path.parent(of: paths.root))
        let temporary = LedgerPaths(paths.root + suffix)
        do {
            let keyDirectory = try KeyDirectory(keyRoot, ledgerID: reader.info.ledgerID)
            let rootKey = try keyDirectory.readRootKeyIfThere()
            try fill(
                temporary, info: reader.info, rootKey: rootKey,
                keysCopy: source.keysDirectory,
                dictionary: FrameDictionary.bytes(from: samples, origin: reader.info.origin))
            try TileImporter(reader: reader, paths: temporary).run(progress)
            let report = try accept(
                temporary, reader, source, keyRoot: keyRoot, capabilities: capabilities)
            try publish(temporary, as: paths)
            return report
        } catch {
            try? Directory.removeTree(temporary.root)
            throw error
        }
    }

    /// Checks what was made before anyone sees it.
    private static func accept(
        _ paths: LedgerPaths, _ reader: TileReader, _ source: TileImportSource, keyRoot: String,
        capabilities: Capabilities
    ) throws -> TileImportReport {
        let log = try EventLog(
            paths.root, keyRoot: keyRoot, access: .reading, capabilities: capabilities)
        let report = try log.check(.tree, CheckInputs(key: source.key))
        if let finding = report.findings.first {
            throw TileError.damaged(
                "\(finding.message) (\(finding.code))", position: finding.position)
        }
        guard report.proven.contains(where: { $0.size == reader.checkpoint.checkpoint.size }) else {
            throw TileError.damaged("no key of the ledger signed the checkpoint", position: nil)
        }
        return TileImportReport(
            info: reader.info, check: report, blobs: try log.head().blobs,
            hasKeys: source.keysDirectory != nil)
    }
}

/// Reads an export.
private struct TileReader {
    let layout: TileLayout
    let info: LedgerInfo
    let checkpoint: SignedCheckpoint

    init(_ layout: TileLayout) throws {
        self.layout = layout
        let record = try Self.read(layout.record, "ledger.json", limit: 65_536)
        guard let info = LedgerInfo(encoded: record),
            info.encoded + [UInt8(ascii: "\n")] == record
        else { throw TileError.damaged("ledger.json is malformed", position: nil) }
        let note = try Self.read(layout.checkpoint, "checkpoint", limit: SignedNote.bytesMax)
        guard let checkpoint = try? SignedCheckpoint(note),
            checkpoint.checkpoint.origin.isIdentical(to: info.origin)
        else { throw TileError.damaged("the checkpoint is malformed", position: nil) }
        self.info = info
        self.checkpoint = checkpoint
    }

    private static func read(_ path: String, _ name: String, limit: Int) throws -> [UInt8] {
        guard Directory.exists(path) else { throw TileError.incomplete("\(name) is missing") }
        return try File(path, .reading).readAll(limit: limit)
    }

    /// The leaves of a tile, each compared with its hash in the tile.
    func leaves(index: UInt64, width: UInt64) throws -> [[UInt8]] {
        let first = index * TileLayout.width
        let bundle = try Self.read(
            layout.entries(index: index, width: width), "the bundle from position \(first) on",
            limit: TileLayout.bundleBytesMax)
        let tile = try Self.read(
            layout.tile(level: 0, index: index, width: width),
            "the tile from position \(first) on", limit: 8192)
        guard let leaves = EntryBundle.entries(bundle), leaves.count == Int(width),
            tile.count == leaves.count * Digest.byteCount
        else { throw TileError.damaged("the bundle is not whole", position: first) }
        for (offset, leaf) in leaves.enumerated() {
            let hash = tile[offset * 32..<offset * 32 + 32]
            guard MerkleTree.leafHash(leaf).array == Array(hash) else {
                throw TileError.damaged(
                    "the entry is not the one that was hashed", position: first + UInt64(offset))
            }
        }
        return leaves
    }

    /// The paths of the documents.
    func blobs() throws -> [String] {
        guard Directory.isDirectory(layout.blobs) else { return [] }
        return try Directory.entries(of: layout.blobs).flatMap { part in
            try Directory.entries(of: layout.blobs + "/" + part)
                .filter { !$0.hasSuffix(".tmp") }
                .map { "\(layout.blobs)/\(part)/\($0)" }
        }
    }

    /// The checkpoints in which one key vouches for another, and the newest.
    func allCheckpoints() throws -> [SignedCheckpoint] {
        guard Directory.isDirectory(layout.checkpoints) else { return [checkpoint] }
        let older = try Directory.entries(of: layout.checkpoints)
            .filter { !$0.hasSuffix(".tmp") }
            .map { name in
                let bytes = try File(layout.checkpoints + "/" + name, .reading)
                    .readAll(limit: SignedNote.bytesMax)
                guard let signed = try? SignedCheckpoint(bytes) else {
                    throw TileError.damaged(
                        "the checkpoint checkpoints/\(name) is malformed", position: nil)
                }
                return signed
            }
            .filter { $0.checkpoint.size < checkpoint.checkpoint.size }
        return (older + [checkpoint]).sorted { $0.checkpoint.size < $1.checkpoint.size }
    }
}

/// Fills the log of a new ledger from an export.
private struct TileImporter {
    /// How many tiles make up one commit.
    private static let tilesPerCommit = 16

    let reader: TileReader
    let paths: LedgerPaths

    func run(_ progress: (UInt64, UInt64) -> Void) throws {
        let environment = try paths.openEnvironment(
            paths.log, access: .appending, databasesMax: LogTables.count)
        let tables = try LogTables(environment, create: false, createsAttempts: false)
        guard let codec = try FrameCodec(dictionaries: tables.readDictionaries(environment)) else {
            throw LedgerError.internalFault("the new ledger has no dictionary")
        }
        try takeBlobs(environment, tables)
        let worker = CommitWorker(
            environment: environment, tables: tables, keys: nil,
            space: SpaceGuard(path: paths.log, care: StorageCare()),
            reached: { _ in })
        let size = reader.checkpoint.checkpoint.size
        var events: [PreparedEvent] = []
        var position: UInt64 = 0
        let tiles = TileLayout.newTiles(level: 0, from: 0, to: size)
        for (number, tile) in tiles.enumerated() {
            for leaf in try reader.leaves(index: tile.index, width: tile.width) {
                events.append(try PreparedEvent(leaf: leaf, codec: codec, position: position))
                position += 1
            }
            guard (number + 1) % Self.tilesPerCommit == 0 || number + 1 == tiles.count else {
                continue
            }
            try commit(events, before: position, worker)
            events.removeAll(keepingCapacity: true)
            progress(position, size)
        }
        try storeCheckpoints(environment, tables)
    }

    private func commit(
        _ events: [PreparedEvent], before position: UInt64, _ worker: CommitWorker
    ) throws {
        var written = 0
        do {
            written = try worker.append(AppendBatch(events: events)).written
        } catch is AppendConflict {
            written = 0
        }
        guard written == events.count else {
            throw TileError.damaged(
                "the \(events.count) events before position \(position) do not continue their "
                    + "streams", position: nil)
        }
    }

    private func takeBlobs(_ environment: LMDBEnvironment, _ tables: LogTables) throws {
        for path in try reader.blobs() {
            let content = try File(path, .reading).readAll(limit: LedgerLimits.blobBytesMax)
            let blob = try Blob(content)
            guard Hexadecimal.encode(blob.digest.array).isIdentical(to: Path.name(of: path)) else {
                throw TileError.damaged(
                    "the document \(Path.name(of: path)) is not what its name says",
                    position: nil)
            }
            try environment.write { transaction in
                var head = try tables.head(in: transaction)
                try transaction.put(
                    .bytes(blob.digest.array), blob.stored, in: tables.blobs, .new)
                head.blobs += 1
                head.blobBytes += UInt64(blob.stored.count)
                try transaction.put(LogTables.MetaName.head, head.encoded, in: tables.meta)
            }
        }
    }

    private func storeCheckpoints(_ environment: LMDBEnvironment, _ tables: LogTables) throws {
        let checkpoints = try reader.allCheckpoints()
        try environment.write { transaction in
            for signed in checkpoints {
                try transaction.put(
                    .number(signed.checkpoint.size), signed.encoded, in: tables.checkpoints)
            }
        }
        for path in [paths.checkpoint, paths.checkpointBesideKeys] {
            try DurableFile.write(reader.checkpoint.encoded, to: path)
        }
    }
}

extension PreparedEvent {
    /// An event from its leaf, as it was made for the end of its stream that it names.
    fileprivate init(leaf: [UInt8], codec: FrameCodec, position: UInt64) throws {
        guard leaf.count <= LedgerLimits.leafBytesMax,
            let (envelope, _) = try? EventEnvelope.read(leaf),
            (1...LedgerLimits.subjectBytesMax).contains(envelope.subject.utf8.count)
        else { throw TileError.damaged("the entry is no canonical event", position: position) }
        let place = StreamPlace(
            subject: envelope.subject, revision: envelope.revision, previous: envelope.previous)
        self.init(
            id: envelope.id, subject: envelope.subject,
            expected: envelope.previous.map {
                StreamHead(revision: envelope.revision - 1, leafHash: $0)
            },
            head: StreamHead(revision: envelope.revision, leafHash: MerkleTree.leafHash(leaf)),
            opensSession: envelope.revision == 1
                && envelope.type.hasPrefix(EventLog.sessionTypePrefix),
            isOwnObservation: false,
            // Data keys come on another way, if at all.
            keyCommitment: nil,
            leafLength: leaf.count,
            body: try codec.body(leaf: leaf, place: place, packing: .packed), blobs: [])
    }
}
