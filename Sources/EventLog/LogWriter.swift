// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import MerkleTree
internal import Platform

/// Events to append in one piece: all of them or none.
public struct AppendBatch: Sendable {
    /// The events, in order; events of one stream must follow each other's heads.
    public var events: [PreparedEvent]
    /// Data keys of the streams that begin here; stored durably before the first event is.
    public var newDataKeys: [NewDataKey]
    /// By what the streams can be found again; stored durably before the events are.
    public var lookups: [LookupEntry]
    /// Attempts to note, see ``EventLog/noteAttempt(_:of:)``.
    var attempts: [NotedAttempt] = []

    /// A batch of events.
    public init(
        events: [PreparedEvent], newDataKeys: [NewDataKey] = [], lookups: [LookupEntry] = []
    ) {
        self.events = events
        self.newDataKeys = newDataKeys
        self.lookups = lookups
    }
}

/// What an append acknowledges: the events are on disk.
public struct AppendReceipt: Sendable {
    /// The position of each event of the batch.
    public let positions: [UInt64]
    /// How many of them this append wrote; the others had been written before, to the byte.
    public let written: Int

    /// What an append answers.
    public init(positions: [UInt64], written: Int) {
        self.positions = positions
        self.written = written
    }
}

/// Points in the course of a commit at which a test may stop the process or fail the write.
package enum CommitPoint: CaseIterable, Sendable {
    case beforeBucketKey
    case afterBucketKey
    case beforeKeys
    case betweenKeysAndEvents
    case insideEventTransaction
    case afterCommit
}

/// The one thread that writes: it drains the queue into one transaction, and acknowledges every
/// append in it after the commit. Other processes may do the same at the same time; LMDB lets one
/// transaction write at a time, and each reads the log's and the streams' heads afresh.
final class LogWriter: Sendable {
    typealias Completion = @Sendable (Result<AppendReceipt, any Error>) -> Void

    struct Request: Sendable {
        let batch: AppendBatch
        let completion: Completion
    }

    private let queue = HandoverQueue<Request>()
    private let thread: WorkerThread

    init(
        environment: LMDBEnvironment, tables: LogTables, keys: KeyStore, space: SpaceGuard,
        reached: @escaping @Sendable (CommitPoint) throws -> Void,
        checkpoints: AutomaticCheckpoints
    ) throws {
        let worker = CommitWorker(
            environment: environment, tables: tables, keys: keys, space: space, reached: reached)
        let queue = queue
        thread = try WorkerThread {
            var readers = ReaderCare(environment)
            while true {
                let requests = queue.take(upTo: LedgerLimits.requestsPerCommitMax)
                if requests.isEmpty { return checkpoints.logCloses() }
                readers.look()
                worker.commit(requests)
                checkpoints.logGrew()
            }
        }
    }

    func submit(_ batch: AppendBatch, completion: @escaping Completion) {
        if !queue.push(Request(batch: batch, completion: completion)) {
            completion(.failure(LedgerError.notWritable))
        }
    }

    /// Writes what is in the queue and ends the thread.
    func close() {
        queue.close()
        thread.join()
    }
}

/// Gives back, now and then, what readers took that ended without saying so: as long as such a one
/// counts, no page that it might read is used again, and the file grows.
private struct ReaderCare {
    private static let intervalNanoseconds: UInt64 = 60_000_000_000

    private let environment: LMDBEnvironment
    /// Opening the environment looked already.
    private var last = ProcessControl.monotonicNanoseconds

    init(_ environment: LMDBEnvironment) {
        self.environment = environment
    }

    mutating func look() {
        let now = ProcessControl.monotonicNanoseconds
        guard now - last > Self.intervalNanoseconds else { return }
        last = now
        // Whatever this meets, the commit meets too, and tells.
        _ = try? environment.clearStaleReaders()
    }
}

/// Turns requests into one commit of `keys/` and one of `log/`, in this order: a key is durable
/// before the first event sealed with it. A crash between the two leaves a key without events,
/// which the next attempt uses.
struct CommitWorker: Sendable {
    let environment: LMDBEnvironment
    let tables: LogTables
    /// Where data keys go; nil where there are none to store.
    let keys: KeyStore?
    let space: SpaceGuard
    let reached: @Sendable (CommitPoint) throws -> Void

    func commit(_ requests: [LogWriter.Request]) {
        var results: [Result<AppendReceipt, any Error>]
        do {
            try space.check(requests.reduce(0) { $0 + $1.batch.byteCount }, environment)
            try reached(.beforeKeys)
            let conflicts = try storeKeys(of: requests)
            try reached(.betweenKeysAndEvents)
            results = try environment.write { transaction in
                let results = try append(requests, refused: conflicts, in: transaction)
                try reached(.insideEventTransaction)
                return results
            }
            try reached(.afterCommit)
        } catch {
            results = requests.map { _ in .failure(error) }
        }
        for (request, result) in zip(requests, results) {
            request.completion(result)
        }
    }

    /// Commits one batch that brings no keys.
    func append(_ batch: AppendBatch) throws -> AppendReceipt {
        let request = LogWriter.Request(batch: batch) { _ in }
        return try environment.write { transaction in
            try append([request], refused: [:], in: transaction)[0].get()
        }
    }

    private func storeKeys(of requests: [LogWriter.Request]) throws -> [String: DataKeyConflict] {
        let newKeys = requests.flatMap(\.batch.newDataKeys)
        let lookups = requests.flatMap(\.batch.lookups)
        if newKeys.isEmpty, lookups.isEmpty { return [:] }
        guard let keys else { throw LedgerError.notWritable }
        let conflicts = try keys.store(newKeys, lookups)
        return Dictionary(conflicts.map { ($0.subject, $0) }) { first, _ in first }
    }

    private func append(
        _ requests: [LogWriter.Request], refused: [String: DataKeyConflict],
        in transaction: LMDBTransaction
    ) throws -> [Result<AppendReceipt, any Error>] {
        var head = try tables.head(in: transaction)
        var results: [Result<AppendReceipt, any Error>] = []
        for request in requests {
            let newKeys = request.batch.newDataKeys
            if let conflict = newKeys.lazy.compactMap({ refused[$0.key.subject] }).first {
                results.append(.failure(conflict))
                continue
            }
            var planner = AppendPlanner(tables: tables, next: head.size)
            do {
                for event in request.batch.events {
                    try planner.add(event, in: transaction)
                    try checkKey(of: event, newKeys)
                }
            } catch let conflict as AppendConflict {
                results.append(.failure(conflict))
                continue
            } catch let error as LedgerError {
                guard error.isAboutKey else { throw error }
                results.append(.failure(error))
                continue
            }
            for planned in planner.planned {
                try write(planned, head: &head, in: transaction)
            }
            for attempt in request.batch.attempts {
                try tables.note(attempt, in: transaction)
            }
            results.append(
                .success(
                    AppendReceipt(
                        positions: planner.positions, written: planner.planned.count)))
        }
        try transaction.put(LogTables.MetaName.head, head.encoded, in: tables.meta)
        return results
    }

    /// Refuses the first event of a stream whose data key nobody keeps: what is sealed under it
    /// could never be opened.
    private func checkKey(of event: PreparedEvent, _ newKeys: [NewDataKey]) throws {
        guard let keys, let commitment = event.keyCommitment else { return }
        let subject = event.subject
        let key =
            try newKeys.first { $0.key.subject.isIdentical(to: subject) }?.key
            ?? keys.dataKey(for: subject)
        guard let key else { throw LedgerError.keyMissing(subject: subject) }
        guard key.commitment == commitment else { throw LedgerError.keyMismatch(subject: subject) }
    }

    private func write(
        _ planned: AppendPlanner.Planned, head: inout LogHead,
        in transaction: LMDBTransaction
    ) throws {
        let event = planned.event
        let position = head.size
        let frame = Frame(
            header: FrameHeader(
                leafHash: event.head.leafHash, revision: event.head.revision, link: planned.link),
            body: event.body
        ).encoded()
        try transaction.put(.number(position), frame, in: tables.events, .appended)
        try transaction.put(
            .bytes(StreamKey.key(event.subject)), number: position, in: tables.streams, .replacing)
        // What the attempt came to is recorded now.
        if let attempts = tables.attempts {
            try transaction.delete(.bytes(StreamKey.key(event.subject)), in: attempts)
        }
        for blob in event.blobs {
            let key = LMDBKey.bytes(blob.digest.array)
            let isThere = try transaction.withValue(key, in: tables.blobs) { _ in true } ?? false
            if isThere { continue }
            try transaction.put(key, blob.stored, in: tables.blobs, .new)
            head.blobs += 1
            head.blobBytes += UInt64(blob.stored.count)
        }
        var completed: [(TreeNode, Digest)] = []
        head.frontier.append(event.head.leafHash) { node, digest in
            if node.level % LogTables.keptLevelStep == 0 { completed.append((node, digest)) }
        }
        for (node, digest) in completed {
            try transaction.put(LogTables.nodeKey(node), digest.array, in: tables.tree, .new)
        }
        head.bytesRaw += UInt64(event.leafLength)
        head.bytesStored += UInt64(frame.count)
        head.sessions += event.opensSession ? 1 : 0
    }
}

/// Checks a batch against the heads of its streams before anything of it is written.
private struct AppendPlanner {
    /// An event that will be written, with its place among the stream's others.
    struct Planned {
        let event: PreparedEvent
        let link: Frame.Link
    }

    /// A stream's end, as it will be once the events planned so far are in.
    private struct StreamEnd {
        var head: StreamHead?
        var first: UInt64
        var last: UInt64
    }

    private let tables: LogTables
    private var next: UInt64
    private var ends: [[UInt8]: StreamEnd] = [:]
    private(set) var planned: [Planned] = []
    private(set) var positions: [UInt64] = []

    init(tables: LogTables, next: UInt64) {
        self.tables = tables
        self.next = next
    }

    mutating func add(
        _ event: PreparedEvent, in transaction: LMDBTransaction
    ) throws {
        let streamKey = StreamKey.key(event.subject)
        let end = try ends[streamKey] ?? storedEnd(streamKey, in: transaction)
        guard end.head == event.expected else {
            if let position = try positionIfWritten(event, streamKey, end, in: transaction) {
                positions.append(position)
                return
            }
            throw AppendConflict(
                subject: event.subject, expected: event.expected, actual: end.head)
        }
        let link: Frame.Link =
            end.head == nil
            ? .first(subject: event.subject)
            : .later(firstDistance: next - end.first, previousDistance: next - end.last)
        planned.append(Planned(event: event, link: link))
        positions.append(next)
        ends[streamKey] = StreamEnd(
            head: event.head, first: end.head == nil ? next : end.first, last: next)
        next += 1
    }

    private func storedEnd(
        _ streamKey: [UInt8], in transaction: LMDBTransaction
    ) throws -> StreamEnd {
        guard let extent = try tables.extent(of: streamKey, in: transaction) else {
            return StreamEnd(head: nil, first: 0, last: 0)
        }
        return StreamEnd(head: extent.head, first: extent.first, last: extent.last)
    }

    /// Where this very event stands already, when its author did not learn of an earlier success.
    private func positionIfWritten(
        _ event: PreparedEvent, _ streamKey: [UInt8], _ end: StreamEnd,
        in transaction: LMDBTransaction
    ) throws -> UInt64? {
        guard let head = end.head, head.revision >= event.head.revision else { return nil }
        let stored = try tables.positions(of: streamKey, in: transaction)
        guard stored.count >= event.head.revision else { return nil }
        let position = stored[event.head.revision - 1]
        let header = try tables.header(at: position, in: transaction)
        return header.leafHash == event.head.leafHash ? position : nil
    }
}

extension LedgerError {
    /// Whether one append is at fault, and not the log.
    fileprivate var isAboutKey: Bool {
        switch self {
        case .keyMissing, .keyMismatch: true
        default: false
        }
    }
}
