// SPDX-License-Identifier: Apache-2.0

internal import CPlatform
internal import Glibc

/// What a filesystem is, as far as it matters to who maps files and locks them.
public struct FileSystem: Equatable, Sendable {
    /// What may be relied on.
    public enum Kind: Equatable, Sendable {
        /// On a device of this machine.
        case local
        /// In memory: what is there is gone after a restart, and a sync does nothing.
        case memory
        /// On another machine or shared with one: maps and locks do not hold across machines.
        case network
    }

    /// Its name, or its number where it is not known here.
    public let name: String
    /// What may be relied on; what is not known here counts as local.
    public let kind: Kind

    /// A filesystem.
    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// The filesystem of a file or directory.
    public init(at path: String) throws(SystemError) {
        var status = statfs()
        guard unsafe statfs(path, &status) == 0 else { throw SystemError("statfs", path) }
        let number = UInt32(truncatingIfNeeded: status.f_type)
        if number == Self.userSpace {
            self = try Self.inUserSpace(path)
        } else {
            self.init(number: number)
        }
    }

    /// The filesystem with a number of `statfs`.
    init(number: UInt32) {
        if let name = Self.networks[number] {
            self.init(name: name, kind: .network)
        } else if let name = Self.memories[number] {
            self.init(name: name, kind: .memory)
        } else {
            self.init(
                name: Self.locals[number] ?? "type 0x" + String(number, radix: 16), kind: .local)
        }
    }

    /// A filesystem that a program provides: what it is stands in the table of mounts alone.
    init(userSpaceType type: String) {
        let isLocal = type == "fuseblk" || Self.localPrograms.contains(type)
        self.init(name: type, kind: isLocal ? .local : .network)
    }

    // The numbers are those of linux/magic.h and of the filesystems' own headers.
    private static let networks: [UInt32: String] = [
        0x6969: "nfs", 0x517B: "smb", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb2",
        0x0102_1997: "9p", 0x00C3_6400: "ceph", 0x5346_414F: "afs", 0x6B41_4653: "afs",
        0x7375_7245: "coda", 0x564C: "ncp", 0x0BD0_0BD0: "lustre", 0x4750_4653: "gpfs",
        0x0116_1970: "gfs2", 0x7461_636F: "ocfs2", 0x1983_0326: "beegfs",
        0x786F_4256: "vboxsf", 0xBACB_ACBC: "vmhgfs", 0x6A65_6A63: "virtiofs",
    ]
    private static let memories: [UInt32: String] = [
        0x0102_1994: "tmpfs", 0x8584_58F6: "ramfs",
    ]
    private static let locals: [UInt32: String] = [
        0xEF53: "ext4", 0x5846_5342: "xfs", 0x9123_683E: "btrfs", 0x2FC1_2FC1: "zfs",
        0xF2F5_2010: "f2fs", 0x794C_7630: "overlay", 0xCA45_1A4E: "bcachefs",
        0x5346_544E: "ntfs", 0x4D44: "vfat", 0x2011_BAB0: "exfat",
    ]
    private static let userSpace: UInt32 = 0x6573_5546
    private static let localPrograms: Set<String> = [
        "fuse.fuse-overlayfs", "fuse.ext2fs", "fuse.ntfs-3g", "fuse.lxcfs", "fuse.gocryptfs",
        "fuse.encfs", "fuse.bindfs",
    ]

    /// Looks the mount up by its device number.
    private static func inUserSpace(_ path: String) throws(SystemError) -> FileSystem {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw SystemError("stat", path) }
        let major = status.st_dev >> 8 & 0xFFF | status.st_dev >> 32 & ~0xFFF
        let minor = status.st_dev & 0xFF | status.st_dev >> 12 & ~0xFF
        let table = try File("/proc/self/mountinfo", .reading).readAll(limit: 4_194_304)
        for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
            // id parent major:minor root mount options … - type source options
            let fields = line.split(separator: " ")
            guard fields.count > 4, fields[2] == "\(major):\(minor)",
                let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count
            else { continue }
            return FileSystem(userSpaceType: String(fields[dash + 1]))
        }
        return FileSystem(userSpaceType: "fuse")
    }
}

/// How much room there is on a filesystem.
public struct DiskSpace: Equatable, Sendable {
    /// Bytes that this user may still fill.
    public let available: UInt64
    /// Bytes in all.
    public let total: UInt64

    /// Room on a filesystem, in bytes.
    public init(available: UInt64, total: UInt64) {
        self.available = available
        self.total = total
    }

    /// The room on the filesystem of a file or directory.
    public init(at path: String) throws(SystemError) {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { throw SystemError("statvfs", path) }
        available = UInt64(status.f_bavail) * UInt64(status.f_frsize)
        total = UInt64(status.f_blocks) * UInt64(status.f_frsize)
    }
}
