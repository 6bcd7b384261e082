// SPDX-License-Identifier: Apache-2.0

import Platform

/// What is mounted where.
enum MountTable {
    /// Filesystems that keep everything in memory, where a sync costs nothing.
    private static let inMemory: Set<String> = ["tmpfs", "ramfs"]

    /// The type of the filesystem that holds a path.
    ///
    /// - Throws: an error when it is one in memory.
    static func fileSystemType(of path: String) throws -> String {
        let path = try Path.absolute(path)
        let table = try File("/proc/self/mounts", .reading).readAll(limit: 1_048_576)
        let mounts = String(decoding: table, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: " ")
        }
        let fitting = mounts.filter { fields in
            fields.count > 2 && (fields[1] == "/" || (path + "/").hasPrefix(fields[1] + "/"))
        }
        guard let mount = fitting.max(by: { $0[1].count < $1[1].count }) else {
            throw BenchError("no filesystem holds \(path)")
        }
        let type = String(mount[2])
        guard !inMemory.contains(type) else {
            throw BenchError("\(path) is on \(type); syncs cost nothing there")
        }
        return type
    }
}
