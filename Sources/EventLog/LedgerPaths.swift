// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import Platform

/// Where the parts of a ledger are.
public struct LedgerPaths: Sendable {
    /// The ledger directory, absolute.
    public let root: String
    /// The LMDB environment of the events.
    public var log: String { root + "/log" }
    /// The LMDB environment of the wrapped data keys.
    public var keys: String { root + "/keys" }
    /// The newest checkpoint.
    public var checkpoint: String { root + "/checkpoint" }
    /// A second copy of it, beside the data keys.
    var checkpointBesideKeys: String { keys + "/checkpoint" }
    /// The file that is locked shared by everyone who has the ledger open.
    public var lock: String { root + "/LOCK" }

    init(_ root: String) {
        self.root = root
    }

    /// Takes part in the shared lock, which a restore or an erasure takes exclusively.
    func lockShared() throws -> File {
        guard Directory.isDirectory(log) else { throw LedgerError.notFound(root) }
        let file = try File(lock, .locking(permissions: 0o600))
        do {
            try file.lock(.shared)
        } catch  where error.isLocked {
            throw LedgerError.locked(root)
        }
        return file
    }

    func allocatedBytes() throws(SystemError) -> Int {
        try Directory.allocatedBytes(of: log) + Directory.allocatedBytes(of: keys)
    }

    func openEnvironment(
        _ path: String, access: EventLog.Access, databasesMax: Int
    ) throws -> LMDBEnvironment {
        do {
            return try LMDBEnvironment(
                directory: path, access: access == .reading ? .readOnly : .readWrite,
                mapBytes: LedgerLimits.mapBytes, databasesMax: databasesMax)
        } catch  where error.code == .alreadyOpen {
            throw LedgerError.alreadyOpen(root)
        }
    }
}
