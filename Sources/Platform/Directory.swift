// SPDX-License-Identifier: Apache-2.0

internal import CPlatform
internal import Glibc

/// What is done with directories and whole files.
public enum Directory {
    /// Makes a directory; its parent must be there.
    public static func create(_ path: String, permissions: UInt32 = 0o700) throws(SystemError) {
        guard unsafe mkdir(path, permissions) == 0 else { throw SystemError("mkdir", path) }
    }

    /// Makes a directory and the parents that are missing, each readable by its owner alone, and
    /// forces the names of those it made to disk: what is put into them later must not be lost
    /// with one of them.
    public static func createWithParents(_ path: String) throws(SystemError) {
        do {
            try create(path)
            try sync(Path.parent(of: path))
        } catch  where error.isAlreadyThere {
            return
        } catch  where error.isNotThere {
            let parent = Path.parent(of: path)
            guard parent != path else { throw error }
            try createWithParents(parent)
            try createWithParents(path)
        }
    }

    /// Renames a file or directory; a directory may take the place of an empty one.
    public static func rename(_ source: String, to target: String) throws(SystemError) {
        guard unsafe Glibc.rename(source, target) == 0 else { throw SystemError("rename", target) }
    }

    /// Lets two files or directories change places in one step.
    public static func exchange(_ one: String, _ other: String) throws(SystemError) {
        let renameExchange: UInt32 = 2
        guard unsafe renameat2(AT_FDCWD, one, AT_FDCWD, other, renameExchange) == 0 else {
            throw SystemError("renameat2", one)
        }
    }

    /// Forces a directory's entries to disk, so that a rename or a new file in it lasts.
    public static func sync(_ path: String) throws(SystemError) {
        let file = try File(path, .reading)
        try file.sync()
    }

    /// Removes one file.
    public static func removeFile(_ path: String) throws(SystemError) {
        guard unsafe unlink(path) == 0 else { throw SystemError("unlink", path) }
    }

    /// Removes a directory with everything in it.
    public static func removeTree(_ path: String) throws(SystemError) {
        for name in try entries(of: path) {
            let entry = path + "/" + name
            if isDirectory(entry) {
                try removeTree(entry)
            } else {
                try removeFile(entry)
            }
        }
        guard unsafe rmdir(path) == 0 else { throw SystemError("rmdir", path) }
    }

    /// Writes zeros over a file's content, forces them to disk and removes the file. A file system
    /// that never writes in place, and a disk that moves blocks about, may keep what was there.
    public static func shredFile(_ path: String) throws(SystemError) {
        do {
            let file = try File(path, .overwriting)
            var left = file.regularFileSize ?? 0
            let zeros = [UInt8](repeating: 0, count: min(left, 1 << 20))
            while left > 0 {
                try file.write(left >= zeros.count ? zeros : Array(zeros.prefix(left)))
                left -= min(left, zeros.count)
            }
            try file.sync()
        }
        try removeFile(path)
    }

    /// Shreds every file in a directory and removes it.
    public static func shredTree(_ path: String) throws(SystemError) {
        for name in try entries(of: path) {
            let entry = path + "/" + name
            if isDirectory(entry) {
                try shredTree(entry)
            } else {
                try shredFile(entry)
            }
        }
        guard unsafe rmdir(path) == 0 else { throw SystemError("rmdir", path) }
    }

    /// The names in a directory, sorted, without `.` and `..`.
    public static func entries(of path: String) throws(SystemError) -> [String] {
        guard let stream = unsafe opendir(path) else { throw SystemError("opendir", path) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Whether anything is at this path; a broken link counts.
    public static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0
    }

    /// Whether a directory, not a link to one, is at this path.
    public static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether what is at this path, or where a link there leads, is no regular file: a device, a
    /// pipe, a directory.
    public static func isSpecial(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    }

    /// The bytes in the blocks that the files directly in a directory take up.
    public static func allocatedBytes(of path: String) throws(SystemError) -> Int {
        var total = 0
        for name in try entries(of: path) {
            var status = stat()
            guard unsafe lstat(path + "/" + name, &status) == 0 else {
                throw SystemError("lstat", path + "/" + name)
            }
            total += Int(status.st_blocks) * 512
        }
        return total
    }

    /// The length of a file in bytes; nil when there is none.
    public static func fileSize(of path: String) -> Int? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return Int(status.st_size)
    }

    /// When the content of a file was last changed, in milliseconds since 1970; nil when there is
    /// no such file.
    public static func modificationMilliseconds(of path: String) -> Int64? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
    }

    /// Sets the permission bits of a file.
    public static func restrict(_ path: String, permissions: UInt32) throws(SystemError) {
        guard unsafe chmod(path, permissions) == 0 else { throw SystemError("chmod", path) }
    }

    /// The permission bits of a file.
    public static func permissions(of path: String) throws(SystemError) -> UInt32 {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw SystemError("stat", path) }
        return status.st_mode & 0o7777
    }
}

/// Paths as texts. They are taken apart by bytes: a slash and a mark behind it are one character
/// to Swift, but not to the system.
public enum Path {
    private static let slash = UInt8(ascii: "/")

    /// The directory a path stands in.
    public static func parent(of path: String) -> String {
        let trimmed = trimmed(path)
        guard let end = trimmed.lastIndex(of: slash) else { return "." }
        return end == trimmed.startIndex
            ? "/" : String(decoding: trimmed[..<end], as: UTF8.self)
    }

    /// The last part of a path.
    public static func name(of path: String) -> String {
        let trimmed = trimmed(path)
        let start = trimmed.lastIndex(of: slash).map { $0 + 1 } ?? trimmed.startIndex
        return String(decoding: trimmed[start...], as: UTF8.self)
    }

    /// The path made absolute against the current directory, without slashes at its end or doubled
    /// and without `.`; `..` stays, as what it means depends on links.
    public static func absolute(_ path: String) throws(SystemError) -> String {
        var whole = path
        if path.utf8.first != slash {
            guard let current = unsafe getcwd(nil, 0) else { throw SystemError("getcwd") }
            defer { unsafe free(current) }
            whole = unsafe String(cString: current) + "/" + path
        }
        let parts = whole.utf8.split(separator: slash)
            .map { String(decoding: $0, as: UTF8.self) }
        return "/" + parts.filter { $0 != "." }.joined(separator: "/")
    }

    /// The bytes of a path without a slash at its end.
    private static func trimmed(_ path: String) -> ArraySlice<UInt8> {
        let bytes = Array(path.utf8)
        return bytes.count > 1 && bytes.last == slash ? bytes.dropLast() : bytes[...]
    }
}
