// SPDX-License-Identifier: Apache-2.0

internal import CLMDB
internal import Glibc

/// What keeps an environment in order while it is in use.
extension LMDBEnvironment {
    /// Takes the pages of the map out of this process's memory; they stay in the page cache and
    /// come back when they are read again.
    ///
    /// LMDB reads its file through a map, so a walk over a large file otherwise makes the process
    /// as large as the file, by every measure that people and limits go by.
    public func releasePages() {
        guard let map = dataMap else { return }
        // Nothing is lost: the map is shared and read-only, and LMDB writes to the file.
        unsafe madvise(
            UnsafeMutableRawPointer(bitPattern: map.start), min(usedBytes, map.count),
            Int32(MADV_DONTNEED))
    }

    /// Where the data file is mapped, as the kernel tells; nil when it does not.
    static func findMap(of directory: String) -> DataMap? {
        var status = stat()
        guard unsafe stat(directory + "/data.mdb", &status) == 0,
            let file = unsafe fopen("/proc/self/maps", "re")
        else { return nil }
        defer { unsafe fclose(file) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { unsafe free(line) }
        while unsafe getline(&line, &capacity, file) > 0 {
            guard let text = unsafe line.map({ unsafe String(cString: $0) }) else { break }
            // start-end permissions offset device inode path
            let fields = text.split(separator: " ", maxSplits: 5)
            guard fields.count == 6, fields[4] == String(status.st_ino),
                text.hasSuffix("/data.mdb\n")
            else { continue }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, ends[0] < ends[1] else { continue }
            return DataMap(start: ends[0], count: Int(ends[1] - ends[0]))
        }
        return nil
    }
}

/// A mapped file.
struct DataMap: Sendable {
    let start: UInt
    let count: Int
}
