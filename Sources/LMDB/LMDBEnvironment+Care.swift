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

    /// Copies the environment as it is at the beginning of the copy, without its free pages, while
    /// others may go on writing. Nothing is forced to disk.
    ///
    /// - Parameter directory: an empty directory.
    public func copy(to directory: String) throws(LMDBError) {
        try unsafe check(mdb_env_copy2(pointer, directory, UInt32(MDB_CP_COMPACT)), "mdb_env_copy2")
    }

    /// Frees the places of readers whose process has ended without saying so.
    ///
    /// - Returns: how many there were.
    @discardableResult
    public func clearStaleReaders() throws(LMDBError) -> Int {
        var cleared: Int32 = 0
        try unsafe check(mdb_reader_check(pointer, &cleared), "mdb_reader_check")
        return Int(cleared)
    }

    /// Who is reading right now, in every process.
    public func readers() throws(LMDBError) -> [LMDBReader] {
        let list = ReaderList()
        let result = unsafe mdb_reader_list(
            pointer,
            { line, context in
                if let line = unsafe line, let context = unsafe context {
                    unsafe Unmanaged<ReaderList>.fromOpaque(context).takeUnretainedValue()
                        .add(String(cString: line))
                }
                return 0
            }, Unmanaged.passUnretained(list).toOpaque())
        guard result >= 0 else { throw LMDBError(result, "mdb_reader_list") }
        return list.readers
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

/// A read transaction that is open.
public struct LMDBReader: Hashable, Sendable {
    /// The id of the process that has it.
    public let process: Int32
    /// The commit that it sees.
    public let transaction: Int
}

/// Takes LMDB's list of readers in, a line at a time: process, thread, transaction.
private final class ReaderList {
    private(set) var readers: [LMDBReader] = []

    func add(_ text: String) {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            // A place that is taken but not in use has a hyphen; the first line is a heading.
            guard fields.count == 3, let process = Int32(fields[0]),
                let transaction = Int(fields[2])
            else { continue }
            readers.append(LMDBReader(process: process, transaction: transaction))
        }
    }
}

extension LMDBEnvironment {
    /// The version of the library that is loaded.
    public static var libraryVersion: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        unsafe mdb_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }
}
