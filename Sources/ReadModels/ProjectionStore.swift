// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import LMDB
internal import LedgerPrimitives
internal import Platform
internal import Projections

/// Why there are no projections to read from. The events are what they are: who needs them can
/// read those.
public enum ProjectionError: Error, Equatable {
    /// They cannot be written, for want of permission or of room. In words.
    case unavailable(String)
    /// Another process makes them anew for longer than anyone waits.
    case busy
}

/// Points at which a test may stop the process.
package enum ProjectionPoint: Sendable {
    /// Rows are put, and nothing is committed.
    case insideTransaction
    /// A transaction is committed.
    case committed
    /// Fresh projections lie complete beside the old ones.
    case rebuilt
}

/// The projections of a ledger, in an LMDB environment of their own.
///
/// They hold clear members alone and are made from the log, so they may be thrown away at any time.
/// Rows, digests and watermark change in one transaction. Whoever reads takes in first what was
/// recorded since, and several processes may do so at once: each transaction begins where the
/// watermark is.
public final class ProjectionStore: Sendable {
    /// The ledger.
    public let log: EventLog
    let environment: LMDBEnvironment
    let tables: ProjectionTables
    /// Whether this process may write them.
    let isWritable: Bool
    let reached: @Sendable (ProjectionPoint) throws -> Void

    /// Opens what is there, whatever it is worth.
    init(
        _ log: EventLog, directory: String, access: LMDBEnvironment.Access,
        durability: LMDBEnvironment.Durability = .lastCommitMayBeLost, isNew: Bool = false,
        reached: @escaping @Sendable (ProjectionPoint) throws -> Void = { _ in }
    ) throws {
        self.log = log
        self.reached = reached
        isWritable = access == .readWrite
        environment = try LMDBEnvironment(
            directory: directory, access: access, mapBytes: ProjectionTables.mapBytes,
            databasesMax: ProjectionTables.count, durability: durability)
        // LMDB reads through a map: what a file lacks of it would end the process.
        guard isNew || environment.usedBytes <= Directory.fileSize(of: directory + "/data.mdb") ?? 0
        else { throw ProjectionDamage() }
        tables = try ProjectionTables(environment, create: isNew)
        if isNew {
            let state = ProjectionState(log.info.ledgerID, root: try log.root(ofFirst: 0))
            try environment.write {
                try $0.put(ProjectionTables.stateName, state.encoded, in: tables.meta)
            }
        }
    }

    /// How far they are, and what they come to.
    public func state() throws -> ProjectionState {
        try environment.read { try tables.state(in: $0) }
    }

    /// Whether they are folded by today's rules, from the events that the log has.
    public func isCurrent() throws -> Bool {
        let state = try state()
        let head = try log.head()
        guard state.ledgerID == log.info.ledgerID,
            state.versions == ProjectionState.currentVersions, state.watermark <= head.size
        else { return false }
        let root =
            state.watermark == head.size ? head.root : try log.root(ofFirst: state.watermark)
        return root == state.root
    }
}

// MARK: - Opening

extension ProjectionStore {
    /// Opens the projections of a ledger and takes in what was recorded since they were read last.
    /// They are made if they are not there, and made anew if they are damaged, of another version,
    /// or folded from another log than this one, such as before a restore.
    ///
    /// - Parameters:
    ///   - limits: how much of the disk must stay free.
    ///   - progress: called now and then with events folded and events there are.
    /// - Throws: ``ProjectionError``, or an error of the ledger, of the system or of LMDB.
    public static func open(
        _ log: EventLog, limits: StorageLimits = StorageLimits(),
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws -> ProjectionStore {
        try open(log, limits: limits, progress: progress, reached: { _ in })
    }

    /// Opens projections with a hook for tests of crash safety.
    package static func open(
        _ log: EventLog, limits: StorageLimits = StorageLimits(),
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in },
        reached: @escaping @Sendable (ProjectionPoint) throws -> Void
    ) throws -> ProjectionStore {
        try translatingErrors {
            try createIfMissing(log)
            do {
                if let store = try attach(log, reached), try store.isCurrent() {
                    try store.catchUp(limits: limits, progress: progress)
                    return store
                }
            } catch where isDamage(error) {
                // Made anew below.
            }
            try makeAnew(log, limits: limits, progress: progress, reached: reached)
            guard let store = try attach(log, reached) else {
                throw ProjectionError.unavailable("they were removed meanwhile")
            }
            try store.catchUp(limits: limits, progress: progress)
            return store
        }
    }

    /// Opens the projections as they are; nil where there are none.
    public static func openIfThere(_ log: EventLog) throws -> ProjectionStore? {
        try attach(log) { _ in }
    }

    private static func attach(
        _ log: EventLog, _ reached: @escaping @Sendable (ProjectionPoint) throws -> Void
    ) throws -> ProjectionStore? {
        let directory = log.paths.projections
        guard Directory.isDirectory(directory) else { return nil }
        // A data file and a lock file of different generations must not come together.
        let hold = try ProjectionLock.opening.hold(log)
        defer { withExtendedLifetime(hold) {} }
        do {
            return try ProjectionStore(
                log, directory: directory, access: .readWrite, reached: reached)
        } catch let error as LMDBError where LMDBError.Code.notPermitted.contains(error.code) {
            return try ProjectionStore(
                log, directory: directory, access: .readOnly, reached: reached)
        }
    }

    /// Errors that say that the tables are not what they should be.
    public static func isDamage(_ error: any Error) -> Bool {
        switch error {
        case is ProjectionDamage, is RowError: true
        case let error as LMDBError:
            LMDBError.Code.damage.contains(error.code) || error.code == .keyExists
        default: false
        }
    }

    /// Says in our words that nothing can be written.
    static func translatingErrors<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as SystemError where error.isNotPermitted || error.isDiskFull {
            throw ProjectionError.unavailable(error.description)
        } catch let error as LMDBError
            where LMDBError.Code.notPermitted.union(LMDBError.Code.diskFull).contains(error.code)
        {
            throw ProjectionError.unavailable(error.description)
        }
    }
}

/// Locks between processes about the projections as a whole. They end with the process.
enum ProjectionLock: String {
    /// Opening the environment, and putting another one in its place.
    case opening = "authledger.projections.opening"
    /// Making a fresh environment beside the one in use.
    case rebuilding = "authledger.projections.rebuilding"

    private static let pauseMilliseconds: UInt32 = 5
    private static let waitMillisecondsMax: UInt32 = 10_000

    /// Takes the lock; waits for others for a while.
    func hold(_ log: EventLog) throws -> StreamHold {
        var waited: UInt32 = 0
        while true {
            if let hold = try log.hold(rawValue) { return hold }
            guard waited < Self.waitMillisecondsMax else { throw ProjectionError.busy }
            ProcessControl.sleep(milliseconds: Self.pauseMilliseconds)
            waited += Self.pauseMilliseconds
        }
    }
}
