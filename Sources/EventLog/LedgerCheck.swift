// SPDX-License-Identifier: Apache-2.0

internal import LMDB
public import LedgerPrimitives
internal import MerkleTree

/// How deep a check of a ledger goes; each level includes the ones before it.
public enum CheckLevel: String, CaseIterable, Sendable {
    /// Every frame expands to a canonical event with the hash it is filed under.
    case frames
    /// The hashes make up the recorded tree, every stream is whole, every blob is what its name
    /// says, and the checkpoints in the ledger directory and those handed in fit the tree.
    case tree
    /// The checkpoints at the places outside the ledger on its publish list fit the tree, too.
    case anchors
}

/// Something that is not as it was written.
public struct Finding: Equatable, Sendable {
    /// The event it concerns, where it is one.
    public let position: UInt64?
    /// A fixed code.
    public let code: String
    /// What was found, in words.
    public let message: String

    /// Something found.
    public init(position: UInt64?, code: String, message: String) {
        self.position = position
        self.code = code
        self.message = message
    }
}

/// The result of a check.
public struct CheckReport: Equatable, Sendable {
    /// How deep it went.
    public let level: CheckLevel
    /// How many events were read.
    public var events: UInt64 = 0
    /// How many leaves the tree has by the log's own record.
    public var treeSize: UInt64 = 0
    /// The tree's root: computed from the leaves at level `tree`, else by the log's own record.
    public var root: Digest
    /// What was found, up to ``findingsMax``.
    public internal(set) var findings: [Finding] = []
    /// What is signed, and by which key: the largest range of each.
    public internal(set) var proven: [ProvenRange] = []
    /// Fixed codes of what this check does not show.
    public internal(set) var notProven = notProvenUnlessAllIsRead

    /// What no check of the ledger shows.
    static let neverProven = [
        "event-times", "fork", "key-set-origin", "sealed-not-opened", "unrecorded-events",
    ]
    /// What is not shown while streams were not read as a whole.
    public static let notProvenUnlessAllIsRead =
        (neverProven + ["rollback", "stream-uniqueness"]).sorted()

    /// Findings beyond this number are not listed.
    public static let findingsMax = 100

    /// Whether nothing was found.
    public var isClean: Bool { findings.isEmpty }

    mutating func add(_ code: String, at position: UInt64? = nil, _ message: String) {
        add(Finding(position: position, code: code, message: message))
    }

    mutating func add(_ finding: Finding) {
        if findings.count < Self.findingsMax { findings.append(finding) }
    }
}

extension EventLog {
    /// Checks the ledger itself against what it was when its last commit ended.
    ///
    /// - Parameters:
    ///   - inputs: a key and checkpoints from outside; they count from level `tree` on.
    ///   - progress: called now and then with events read and events there are.
    public func check(
        _ level: CheckLevel, _ inputs: CheckInputs = CheckInputs(),
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws -> CheckReport {
        let publishPaths = level == .anchors ? try keyDirectory.readPublishPaths() : []
        let audit =
            level == .frames
            ? nil : CheckpointAudit(self, inputs, publishPaths: publishPaths)
        var checker = LedgerChecker(log: self, head: try head(), level: level, audit: audit)
        try checker.checkFrames(progress)
        if level != .frames {
            try checker.checkTree()
            try checker.checkStreams()
            try checker.checkBlobs()
            try checker.checkCheckpoints()
        }
        return checker.report
    }
}

/// One run of a check.
private struct LedgerChecker {
    private let log: EventLog
    private let head: LogHead
    private var frontier = TreeFrontier()
    private var nodes: [(TreeNode, Digest)] = []
    private var bytesRaw: UInt64 = 0
    private var bytesStored: UInt64 = 0
    /// The blobs that events name, each with the first event that does.
    private var namedBlobs: [Digest: UInt64] = [:]
    /// Holds checkpoints against the tree; not at level `frames`.
    private var audit: CheckpointAudit?
    private(set) var report: CheckReport

    /// After how many events the pages read so far are let go; a multiple of how many are read in
    /// one transaction.
    private static let eventsPerRelease = 16 * EventLog.eventsPerTransaction

    init(log: EventLog, head: LogHead, level: CheckLevel, audit: CheckpointAudit?) {
        self.log = log
        self.head = head
        self.audit = audit
        report = CheckReport(level: level, treeSize: head.size, root: head.root)
    }

    // MARK: - Frames

    mutating func checkFrames(_ progress: (UInt64, UInt64) -> Void) throws {
        var position: UInt64 = 0
        try audit?.compare(frontier, limit: head.size)
        while position < head.size {
            let end = min(head.size, position + EventLog.eventsPerTransaction)
            for result in try frames(in: position..<end) {
                checkFrame(result, at: position)
                position += 1
                try audit?.compare(frontier, limit: head.size)
            }
            report.events = position
            if position % Self.eventsPerRelease == 0 { log.environment.releasePages() }
            progress(position, head.size)
        }
        let beyond = try log.environment.read { transaction in
            try transaction.count(of: log.tables.events)
        }
        if try log.head() == head, beyond != Int(head.size) {
            report.add(
                "event-count", "\(beyond) frames are stored, the log's record says \(head.size)")
        }
        if report.isClean, bytesRaw != head.bytesRaw || bytesStored != head.bytesStored {
            report.add("totals-mismatch", "the recorded totals are not the sums of the events")
        }
    }

    /// The frames at these positions, or what is wrong with each.
    private func frames(
        in positions: Range<UInt64>
    ) throws -> [Result<StoredFrame, LedgerError>] {
        try log.environment.read { transaction in
            try positions.map { position in
                do {
                    let stored = try log.tables.storedFrame(at: position, in: transaction)
                    guard let stored else {
                        return .failure(.damaged("the event is missing", position: position))
                    }
                    return .success(stored)
                } catch let error as LedgerError {
                    return .failure(error)
                }
            }
        }
    }

    private mutating func checkFrame(
        _ result: Result<StoredFrame, LedgerError>, at position: UInt64
    ) {
        // A hash for every position keeps the tree aligned, so that later findings mean something.
        var leafHash = MerkleTree.emptyRoot
        do throws(LedgerError) {
            let stored = try result.get()
            leafHash = stored.frame.header.leafHash
            let leaf = try log.restore(stored)
            bytesRaw += UInt64(leaf.count)
            bytesStored += UInt64(stored.length)
            checkLeaf(leaf, stored)
        } catch {
            if case .damaged(let message, let at) = error {
                report.add("frame-damaged", at: at ?? position, message)
            } else {
                report.add("frame-damaged", at: position, "the event cannot be read")
            }
        }
        frontier.append(leafHash) { node, digest in
            if node.level % LogTables.keptLevelStep == 0 { nodes.append((node, digest)) }
        }
    }

    private mutating func checkLeaf(_ leaf: [UInt8], _ stored: StoredFrame) {
        guard let (envelope, data) = try? EventEnvelope.read(leaf) else {
            report.add(
                "leaf-not-canonical", at: stored.position, "the leaf is not a canonical event")
            return
        }
        let place = StreamPlace(
            subject: envelope.subject, revision: envelope.revision, previous: envelope.previous)
        guard place == stored.place else {
            report.add(
                "link-mismatch", at: stored.position,
                "the event names another place in its stream than the log does")
            return
        }
        audit?.read(envelope, data, at: stored.position)
        for name in [DataMember.sealedBlob] + DataMember.documentDigests {
            guard let text = data[name]?.stringValue, let digest = Digest(base64URL: text),
                namedBlobs[digest] == nil
            else { continue }
            namedBlobs[digest] = stored.position
        }
    }

    // MARK: - Tree and streams

    mutating func checkTree() throws {
        report.root = frontier.root
        if frontier.root != head.root {
            report.add(
                "root-mismatch", "the leaves hash to another root than the log has recorded")
        }
        for (node, digest) in nodes {
            let stored = try log.environment.read {
                try $0.value(LogTables.nodeKey(node), in: log.tables.tree)
            }
            if stored != digest.array {
                report.add(
                    "node-mismatch",
                    "the stored tree node \(node.level)/\(node.index) is missing or wrong")
            }
        }
    }

    /// Takes in what the checkpoints have shown.
    mutating func checkCheckpoints() throws {
        guard var audit else { return }
        let tables = log.tables
        let (committed, newest) = try log.environment.read { transaction in
            (
                try tables.head(in: transaction).size,
                try transaction.withCursor(tables.checkpoints) { cursor in
                    try cursor.move(.last) { key, _ in key.bigEndianNumber }
                }
            )
        }
        audit.finish(read: head.size, committed: committed, newestStored: newest ?? nil)
        let (findings, proven) = audit.report()
        for finding in findings { report.add(finding) }
        report.proven = proven
        let unproven = audit.hasOutside ? [] : ["rollback"]
        report.notProven = (CheckReport.neverProven + unproven).sorted()
    }

    /// Walks every stream from its last event, which the index names, back to its first: revisions
    /// must go down to 1, and every event must be reached once. So no (subject, revision) can be
    /// there twice.
    mutating func checkStreams() throws {
        var walk = IndexWalk(size: head.size)
        while !walk.isAtEnd {
            // A transaction that stays open for long keeps writers from using freed pages again.
            try log.environment.read { try walk.advance(log.tables, $0) }
            log.environment.releasePages()
        }
        for (code, position, message) in walk.findings {
            report.add(code, at: position, message)
        }
        for position in walk.unreached {
            report.add("index-count", at: position, "no stream leads to this event")
        }
    }

    /// Every blob must be what its name says, none that an event names may be missing, and there
    /// must be as many as the log has counted.
    mutating func checkBlobs() throws {
        let tables = log.tables
        let (names, bytes, head) = try log.environment.read { transaction in
            try transaction.withCursor(tables.blobs) { cursor in
                var names: [[UInt8]] = []
                var bytes: UInt64 = 0
                while let name = try cursor.move(
                    .next,
                    { key, value in
                        bytes += UInt64(value.count)
                        return key.copied()
                    })
                {
                    names.append(name)
                }
                return (names, bytes, try tables.head(in: transaction))
            }
        }
        var isAllIntact = true
        for (index, name) in names.enumerated() {
            if index % 64 == 0 { log.environment.releasePages() }
            let content = Digest(name[...]).map { digest in Result { try log.blob(digest) } }
            if case .success(_?) = content { continue }
            isAllIntact = false
            report.add(
                "blob-damaged", "the blob \(Base64URL.encode(name)) is not what its name says")
        }
        let found = Set(names.compactMap { Digest($0[...]) })
        let missing = namedBlobs.filter { !found.contains($0.key) }
        for (digest, position) in missing.sorted(by: { $0.value < $1.value }) {
            report.add(
                "blob-missing", at: position,
                "the blob \(digest.base64URL), which the event names, is not there")
        }
        if names.count != Int(head.blobs) || isAllIntact && bytes != head.blobBytes {
            report.add(
                "blob-count",
                "\(names.count) blobs of \(bytes) bytes are stored, the log's record says "
                    + "\(head.blobs) of \(head.blobBytes)")
        }
    }
}
