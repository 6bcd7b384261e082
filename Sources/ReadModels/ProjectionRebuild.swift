// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import LMDB
internal import LedgerPrimitives
internal import Platform
internal import Projections

extension ProjectionStore {
    /// Makes the projections anew beside those in use, and puts them in their place. Whoever has
    /// the old ones open goes on with them.
    ///
    /// - Returns: what they come to.
    /// - Throws: ``ProjectionError``, or an error of the ledger, of the system or of LMDB; then
    ///   those in use are as they were.
    public static func rebuild(
        _ log: EventLog, limits: StorageLimits = StorageLimits(),
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws -> ProjectionState {
        try rebuild(log, limits: limits, progress: progress, reached: { _ in })
    }

    /// Makes projections anew with a hook for tests of crash safety.
    package static func rebuild(
        _ log: EventLog, limits: StorageLimits = StorageLimits(),
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in },
        reached: @escaping @Sendable (ProjectionPoint) throws -> Void
    ) throws -> ProjectionState {
        try translatingErrors {
            let lock = try ProjectionLock.rebuilding.hold(log)
            defer { withExtendedLifetime(lock) {} }
            return try rebuildAlone(log, limits: limits, progress: progress, reached: reached)
        }
    }

    /// Makes the projections anew unless another process has just done so.
    static func makeAnew(
        _ log: EventLog, limits: StorageLimits, progress: (UInt64, UInt64) -> Void,
        reached: @escaping @Sendable (ProjectionPoint) throws -> Void
    ) throws {
        let lock = try ProjectionLock.rebuilding.hold(log)
        defer { withExtendedLifetime(lock) {} }
        if let store = try? openIfThere(log), (try? store.isCurrent()) == true { return }
        _ = try rebuildAlone(log, limits: limits, progress: progress, reached: reached)
    }

    private static func rebuildAlone(
        _ log: EventLog, limits: StorageLimits, progress: (UInt64, UInt64) -> Void,
        reached: @escaping @Sendable (ProjectionPoint) throws -> Void
    ) throws -> ProjectionState {
        try removeLeftovers(log)
        let (directory, state) = try makeBeside(
            log, size: nil, limits: limits, progress: progress)
        try reached(.rebuilt)
        try putInPlace(directory, log)
        return state
    }

    /// Makes projections in a directory of their own beside those in use.
    ///
    /// - Parameter size: how many events of the log count; nil for all.
    static func makeBeside(
        _ log: EventLog, size: UInt64?, limits: StorageLimits,
        progress: (UInt64, UInt64) -> Void
    ) throws -> (directory: String, state: ProjectionState) {
        let directory = log.newProjectionsPath()
        do {
            try Directory.create(directory)
            // Nothing of it counts before all of it is on disk.
            let store = try ProjectionStore(
                log, directory: directory, access: .readWrite, durability: .none, isNew: true)
            try store.catchUp(to: size, limits: limits, progress: progress)
            try store.environment.sync()
            try Directory.sync(directory)
            return (directory, try store.state())
        } catch {
            try? Directory.removeTree(directory)
            throw error
        }
    }

    /// Makes projections without any row where there are none.
    static func createIfMissing(_ log: EventLog) throws {
        let paths = log.paths
        if Directory.exists(paths.projections) { return }
        let lock = try ProjectionLock.rebuilding.hold(log)
        defer { withExtendedLifetime(lock) {} }
        if Directory.exists(paths.projections) { return }
        let (directory, _) = try makeBeside(
            log, size: 0, limits: StorageLimits(reserveBytes: 0), progress: { _, _ in })
        try putInPlace(directory, log)
    }

    private static func putInPlace(_ directory: String, _ log: EventLog) throws {
        let paths = log.paths
        do {
            let lock = try ProjectionLock.opening.hold(log)
            defer { withExtendedLifetime(lock) {} }
            if Directory.exists(paths.projections) {
                try Directory.exchange(directory, paths.projections)
            } else {
                try Directory.rename(directory, to: paths.projections)
            }
            try Directory.sync(paths.root)
        } catch {
            try? Directory.removeTree(directory)
            throw error
        }
        if Directory.exists(directory) { try Directory.removeTree(directory) }
    }

    /// Removes what a crash left of projections in the making. Only who has the lock for making
    /// them may: nobody else makes any.
    private static func removeLeftovers(_ log: EventLog) throws {
        for path in try log.paths.unfinishedProjections() {
            try Directory.removeTree(path)
        }
    }
}
