// SPDX-License-Identifier: Apache-2.0

internal import LMDB
public import LedgerPrimitives
internal import MerkleTree
internal import Platform
public import SignedNote

/// What a check is given from outside of the ledger.
public struct CheckInputs: Sendable {
    /// A checkpoint that was kept somewhere else.
    public struct HandedIn: Sendable {
        /// What to call it.
        public let name: String
        /// The signed note.
        public let bytes: [UInt8]

        /// A checkpoint from outside.
        public init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// The key to believe; without it the check believes the one in the ledger's own record.
    public var key: VerifierKey?
    /// Checkpoints from outside.
    public var checkpoints: [HandedIn]

    /// What a check is given; by default nothing.
    public init(key: VerifierKey? = nil, checkpoints: [HandedIn] = []) {
        self.key = key
        self.checkpoints = checkpoints
    }
}

/// That a key signed the tree over the first events, as the check computed it from their leaves.
public struct ProvenRange: Equatable, Sendable {
    /// The key.
    public let key: VerifierKey
    /// Whether the key was given to the check; otherwise the ledger's record names it.
    public let isKeyGiven: Bool
    /// How many events it covers, from the first.
    public let size: UInt64
    /// The root of the tree over them.
    public let root: Digest
    /// Where the checkpoint was.
    public let source: String
}

/// Holds checkpoints against the tree while a check computes it, leaf by leaf.
struct CheckpointAudit {
    /// The name of those in the log's own database.
    private static let storedName = "the ledger"

    private struct Candidate {
        let name: String
        let isOutside: Bool
        let signed: SignedCheckpoint
    }

    private let log: EventLog
    private let isKeyGiven: Bool
    private let givenKey: VerifierKey?
    /// Checkpoints from files, the smallest last.
    private var waiting: [Candidate] = []
    /// The next stored ones, the smallest last.
    private var page: [Candidate] = []
    private var nextStoredSize: UInt64? = 0
    /// Keys that events announced and no earlier key has vouched for, with their positions.
    private var announced: [(position: UInt64, key: VerifierKey)] = []
    /// The ledger's keys by its own word, and those that the given key leads to.
    private var ownKeys: [VerifierKey]
    private var trustedKeys: [VerifierKey]
    private var ranges: [VerifierKey: ProvenRange] = [:]
    private var findings: [Finding] = []

    /// Whether a checkpoint from outside of the ledger fits.
    private(set) var hasOutside = false

    /// Reads what there is in files. This must come before the log's head is read: what was
    /// published covers no more than what had been committed.
    init(_ log: EventLog, _ inputs: CheckInputs, publishPaths: [String]) {
        self.log = log
        isKeyGiven = inputs.key != nil
        givenKey = inputs.key
        ownKeys = [log.info.verifierKey]
        trustedKeys = [inputs.key ?? log.info.verifierKey]
        if !log.info.verifierKey.name.isIdentical(to: log.info.origin) {
            add("record-mismatch", "the ledger's record names a key of another origin")
        }
        for path in [log.paths.checkpoint, log.paths.checkpointBesideKeys]
        where Directory.exists(path) {
            take(read(path) ?? [], path, isOutside: false)
        }
        for path in publishPaths {
            if let bytes = read(path) { take(bytes, path, isOutside: true) }
        }
        for input in inputs.checkpoints { take(input.bytes, input.name, isOutside: true) }
        waiting.sort { $0.signed.checkpoint.size > $1.signed.checkpoint.size }
    }

    private func read(_ path: String) -> [UInt8]? {
        try? File(path, .reading).readAll(limit: SignedNote.bytesMax)
    }

    private mutating func take(_ bytes: [UInt8], _ name: String, isOutside: Bool) {
        do throws(NoteError) {
            let signed = try SignedCheckpoint(bytes)
            guard signed.checkpoint.origin.isIdentical(to: log.info.origin) else {
                return add("checkpoint-foreign", "\(name) is a checkpoint of another log")
            }
            waiting.append(Candidate(name: name, isOutside: isOutside, signed: signed))
        } catch {
            add("checkpoint-malformed", "\(name): \(error.message)")
        }
    }

    private mutating func add(_ code: String, at position: UInt64? = nil, _ message: String) {
        findings.append(Finding(position: position, code: code, message: message))
    }

    /// An event of the ledger's own stream was read.
    mutating func read(_ envelope: EventEnvelope, _ data: JSONObject, at position: UInt64) {
        guard envelope.type.isIdentical(to: SigningKeyRotated.type),
            envelope.subject.isIdentical(to: log.info.ledgerID.description)
        else { return }
        guard let rotated = SigningKeyRotated(data) else {
            return add("rotation-malformed", at: position, "the event names no signing key")
        }
        announced.append((position, rotated.verifierKey))
    }

    /// The tree has grown: all checkpoints of this size are held against it.
    mutating func compare(_ frontier: TreeFrontier, limit: UInt64) throws {
        while let candidate = waiting.last, candidate.signed.checkpoint.size == frontier.size {
            waiting.removeLast()
            compare(candidate, frontier.root)
        }
        while let candidate = try nextStored(limit: limit),
            candidate.signed.checkpoint.size == frontier.size
        {
            page.removeLast()
            compare(candidate, frontier.root)
        }
    }

    private mutating func compare(_ candidate: Candidate, _ root: Digest) {
        let checkpoint = candidate.signed.checkpoint
        guard checkpoint.root == root else {
            return add(
                "checkpoint-mismatch",
                "the first \(checkpoint.size) events are not those that the checkpoint in "
                    + "\(candidate.name) covers")
        }
        do throws(NoteError) {
            let own = try vouch(candidate, in: &ownKeys)
            let trusted = isKeyGiven ? try vouch(candidate, in: &trustedKeys) : own
            if own.isEmpty, trusted.isEmpty {
                return add(
                    "checkpoint-unsigned",
                    "no key of the ledger signed the checkpoint of \(checkpoint.size) events in "
                        + candidate.name)
            }
            for key in isKeyGiven ? trusted : own {
                ranges[key] = ProvenRange(
                    key: key, isKeyGiven: isKeyGiven, size: checkpoint.size, root: root,
                    source: candidate.name)
            }
            if candidate.isOutside, !(isKeyGiven ? trusted : own).isEmpty { hasOutside = true }
        } catch {
            add(
                "checkpoint-signature",
                "the checkpoint of \(checkpoint.size) events in \(candidate.name): "
                    + error.message)
        }
    }

    /// Which of the keys signed a checkpoint. An announced key that signed beside one of them is
    /// one of them from here on.
    private func vouch(
        _ candidate: Candidate, in keys: inout [VerifierKey]
    ) throws(NoteError) -> [VerifierKey] {
        var found = try candidate.signed.note.verified(by: keys)
        if found.isEmpty { return [] }
        let candidates = announced.map(\.key).filter { !keys.contains($0) }
        let new = try candidate.signed.note.verified(by: candidates)
        keys += new
        found += new
        return found
    }

    private mutating func nextStored(limit: UInt64) throws -> Candidate? {
        if page.isEmpty, let from = nextStoredSize { try fillPage(from: from, limit: limit) }
        return page.last
    }

    /// Reads the next stored checkpoints. What other processes sign meanwhile lies behind `limit`.
    private mutating func fillPage(from: UInt64, limit: UInt64) throws {
        let tables = log.tables
        let rows = try log.environment.read { transaction in
            try transaction.withCursor(tables.checkpoints) { cursor in
                var rows: [(UInt64?, [UInt8])] = []
                var row = try cursor.seek(.number(from), orAfter: true) {
                    ($0.bigEndianNumber, $1.copied())
                }
                while let found = row, rows.count < 256 {
                    rows.append(found)
                    row = try cursor.move(.next) { ($0.bigEndianNumber, $1.copied()) }
                }
                return rows
            }
        }
        nextStoredSize = rows.count < 256 ? nil : rows.last?.0.map { $0 + 1 }
        for (size, bytes) in rows {
            guard let signed = try? SignedCheckpoint(bytes), signed.checkpoint.size == size,
                signed.checkpoint.origin.isIdentical(to: log.info.origin)
            else {
                add("checkpoint-malformed", "a stored checkpoint is malformed")
                continue
            }
            if signed.checkpoint.size <= limit {
                page.append(Candidate(name: Self.storedName, isOutside: false, signed: signed))
            }
        }
        page.reverse()
    }

    /// The end of the log is reached.
    ///
    /// - Parameter committed: how many events the log has by now, with those that came meanwhile.
    mutating func finish(read size: UInt64, committed: UInt64, newestStored: UInt64?) {
        for candidate in waiting.reversed() {
            add(
                "rolled-back",
                "the log has \(size) events, the checkpoint in \(candidate.name) covers "
                    + "\(candidate.signed.checkpoint.size)")
        }
        if let newestStored, newestStored > committed {
            add(
                "rolled-back",
                "the log has \(committed) events, a stored checkpoint covers \(newestStored)")
        }
        for (position, key) in announced where !ownKeys.contains(key) {
            add(
                "rotation-unproven", at: position,
                "no checkpoint behind the event is signed by the old key and the new one")
        }
        if let givenKey, ranges[givenKey] == nil {
            add("key-unproven", "no checkpoint that fits is signed by the given key")
        }
    }

    /// Hands over what was found and what is proven, the smallest range first.
    func report() -> (findings: [Finding], proven: [ProvenRange]) {
        (findings, ranges.values.sorted { $0.size < $1.size })
    }
}
