// SPDX-License-Identifier: Apache-2.0

internal import LMDB
package import Platform

/// How much of a disk a ledger may take, and how much it must leave.
public struct StorageLimits: Equatable, Sendable {
    /// While fewer bytes than this are free on the filesystem, nothing is appended: the ledger can
    /// still be read, and a commit never meets a full disk.
    public var reserveBytes: UInt64
    /// How large the data file of `log/` may become, in bytes.
    public var logBytesMax: UInt64

    /// The reserve that counts when none is given: 256 MiB.
    public static let standardReserveBytes: UInt64 = 256 << 20
    /// No log can be larger: what is left of the map for a last commit.
    public static let logBytesMaxEver = UInt64(LedgerLimits.mapBytes) - (1 << 30)

    /// Limits, in bytes.
    public init(
        reserveBytes: UInt64 = standardReserveBytes, logBytesMax: UInt64 = logBytesMaxEver
    ) {
        self.reserveBytes = reserveBytes
        self.logBytesMax = min(logBytesMax, Self.logBytesMaxEver)
    }
}

/// What is asked of the system about a ledger's disk; a value, so that a test can have a full one.
package struct StorageProbe: Sendable {
    /// The room on the filesystem of a path.
    package var space: @Sendable (String) throws -> DiskSpace
    /// The filesystem of a path.
    package var fileSystem: @Sendable (String) throws -> FileSystem

    /// A probe.
    package init(
        space: @escaping @Sendable (String) throws -> DiskSpace,
        fileSystem: @escaping @Sendable (String) throws -> FileSystem
    ) {
        self.space = space
        self.fileSystem = fileSystem
    }

    /// Asks the system.
    package static let system = StorageProbe(
        space: { try DiskSpace(at: $0) }, fileSystem: { try FileSystem(at: $0) })

    /// Refuses a filesystem on which LMDB's maps and locks do not hold.
    func refuseNetwork(_ path: String) throws {
        let fileSystem = try fileSystem(path)
        if fileSystem.kind == .network {
            throw LedgerError.networkFileSystem(path, name: fileSystem.name)
        }
    }
}

/// How a ledger is opened with regard to its disk and its format.
struct StorageCare: Sendable {
    var limits = StorageLimits()
    var probe = StorageProbe.system
    var knowledge = FormatKnowledge.current
}

/// Looks after the disk on behalf of the one thread that writes.
struct SpaceGuard {
    /// A tree's pages are written anew along their path, and split; a commit takes up at most so
    /// many times what it brings.
    private static let growth: UInt64 = 4
    /// What a commit takes up whatever it brings.
    private static let commitBytes: UInt64 = 1 << 20

    let path: String
    let care: StorageCare

    /// Refuses a commit that would leave too little room. One system call, about a microsecond,
    /// for each commit, however many events share it.
    ///
    /// - Parameter bytes: what the commit brings.
    func check(_ bytes: Int, _ environment: LMDBEnvironment) throws {
        let needed = UInt64(bytes) * Self.growth + Self.commitBytes
        let available = try care.probe.space(path).available
        guard available >= care.limits.reserveBytes + needed else {
            throw LedgerError.diskNearlyFull(
                availableBytes: available, reserveBytes: care.limits.reserveBytes)
        }
        guard UInt64(environment.usedBytes) + needed <= care.limits.logBytesMax else {
            throw LedgerError.sizeReached(bytesMax: care.limits.logBytesMax)
        }
    }
}

extension AppendBatch {
    /// About how many bytes it brings to the disk.
    var byteCount: Int {
        events.reduce(newDataKeys.count * 256) { sum, event in
            event.blobs.reduce(sum + event.leafLength + 128) { $0 + $1.stored.count }
        }
    }
}
