// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import Platform

/// Where the parts of a ledger are.
public struct LedgerPaths: Sendable {
    /// The ledger directory, absolute.
    public let root: String
    /// The LMDB environment of the events.
    public var log: String { root + "/log" }
    /// The LMDB environment of the wrapped data keys.
    public var keys: String { root + "/keys" }
    /// The LMDB environment of the projections, which is made from the events and may be removed.
    public var projections: String { root + "/projections" }
    /// The newest checkpoint.
    public var checkpoint: String { root + "/checkpoint" }
    /// A second copy of it, beside the data keys.
    var checkpointBesideKeys: String { keys + "/checkpoint" }
    /// The file that is locked shared by everyone who has the ledger open.
    public var lock: String { root + "/LOCK" }

    init(_ root: String) {
        self.root = root
    }

    /// A ledger directory, made absolute.
    init(absolute directory: String) throws {
        self.init(try Path.absolute(directory))
    }

    /// A generation of `keys/` in the making.
    var newKeys: String { root + "/keys.new" }
    /// A generation of `keys/` that another one has taken the place of.
    var oldKeys: String { root + "/keys.old" }

    /// Takes part in the shared lock, which a restore or an erasure takes exclusively.
    func lockShared() throws -> File { try lock(.shared) }

    /// How long an opened ledger's lock is waited for. A program that is just being started has
    /// copies of its parent's files, and so of its locks, until it runs by itself.
    private static let lockWaitMilliseconds: UInt32 = 1000

    /// Takes part in the shared lock, or takes it for oneself.
    func lock(_ kind: File.Lock) throws -> File {
        let file = try openLock()
        var left = Self.lockWaitMilliseconds
        while try !tryLock(file, kind) {
            guard left > 0 else { throw LedgerError.locked(root) }
            left -= Self.pause(left)
        }
        return file
    }

    /// What the names of things begin with, behind the name of what they will be, while they are
    /// made; sixteen hexadecimal digits follow.
    enum Temporary: String, CaseIterable {
        case rebuild = ".rebuild-"
        case creation = ".init-"
        case backup = ".backup-"
        case restore = ".restore-"
        case tileImport = ".import-"

        func suffix(_ random: [UInt8]) -> String { rawValue + Hexadecimal.encode(random) }
    }

    /// Whether a name is one that something has only while it is made.
    static func isTemporary(_ name: String) -> Bool {
        let digits = name.suffix(16)
        return digits.utf8.count == 16 && Hexadecimal.decode(Array(digits.utf8)[...]) != nil
            && Temporary.allCases.contains { name.dropLast(16).hasSuffix($0.rawValue) }
    }

    func openLock() throws -> File {
        guard Directory.isDirectory(log) else { throw LedgerError.notFound(root) }
        return try File(lock, .locking(permissions: 0o600))
    }

    /// Takes the lock alone, or makes a shared one exclusive.
    ///
    /// - Throws: ``LedgerError/locked(_:)`` when others still have the ledger open after so many
    ///   milliseconds. A shared lock that was held is lost then.
    func lockExclusively(_ file: File, waitMilliseconds: UInt32) throws {
        var left = waitMilliseconds
        while try !tryLock(file, .exclusive) {
            guard left > 0 else { throw LedgerError.inUse(root) }
            left -= Self.pause(left)
        }
    }

    /// Rests for a moment; answers for how many milliseconds.
    private static func pause(_ left: UInt32) -> UInt32 {
        let pause = min(left, 20)
        ProcessControl.sleep(milliseconds: pause)
        return pause
    }

    private func tryLock(_ file: File, _ kind: File.Lock) throws -> Bool {
        do {
            try file.lock(kind)
            return true
        } catch  where error.isLocked {
            return false
        }
    }

    func allocatedBytes() throws(SystemError) -> Int {
        try Directory.allocatedBytes(of: log) + Directory.allocatedBytes(of: keys)
    }

    func openEnvironment(
        _ path: String, access: EventLog.Access, databasesMax: Int
    ) throws -> LMDBEnvironment {
        do {
            return try LMDBEnvironment(
                directory: path, access: access == .appending ? .readWrite : .readOnly,
                mapBytes: LedgerLimits.mapBytes, databasesMax: databasesMax)
        } catch  where error.code == .alreadyOpen {
            throw LedgerError.alreadyOpen(root)
        }
    }
}
