// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// How many characters a terminal shows.
public struct TerminalSize: Equatable, Sendable {
    /// Characters side by side.
    public let columns: Int
    /// Lines.
    public let rows: Int

    /// A size.
    public init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }
}

/// An open file, closed when the last reference goes.
public final class File: Sendable {
    /// How a file is opened.
    public enum Mode: Sendable {
        case reading
        /// For writing, emptied first; made with the given permissions if it is not there.
        case writing(permissions: UInt32)
        /// For writing; it must not be there yet.
        case creating(permissions: UInt32)
        /// For writing over what is there, which keeps its length until more is written.
        case overwriting
        /// For locking; made with the given permissions if it is not there. Where nobody can write,
        /// what is there is opened for reading, which does for ``Lock``.
        case locking(permissions: UInt32)
    }

    /// The kinds of advisory lock.
    public enum Lock: Sendable {
        case shared
        case exclusive
    }

    /// Standard input.
    public static let standardInput = File(descriptor: 0, path: "standard input")
    /// Standard output.
    public static let standardOutput = File(descriptor: 1, path: "standard output")
    /// Standard error.
    public static let standardError = File(descriptor: 2, path: "standard error")

    private let descriptor: Int32
    /// The path it was opened by.
    public let path: String

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens a file.
    public convenience init(_ path: String, _ mode: Mode) throws(SystemError) {
        let descriptor =
            switch mode {
            case .reading: unsafe open(path, O_RDONLY | O_CLOEXEC)
            case .writing(let permissions):
                unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, permissions)
            case .creating(let permissions):
                unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions)
            case .overwriting:
                unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
            case .locking(let permissions):
                Self.openForLocking(path, permissions)
            }
        guard descriptor >= 0 else { throw SystemError("open", path) }
        self.init(descriptor: descriptor, path: path)
    }

    private static func openForLocking(_ path: String, _ permissions: UInt32) -> Int32 {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, permissions)
        return descriptor < 0 && errno == EROFS
            ? unsafe open(path, O_RDONLY | O_CLOEXEC) : descriptor
    }

    deinit {
        if descriptor > 2 { close(descriptor) }
    }

    /// Reads up to `count` bytes; an empty answer is the end of the file.
    public func read(upTo count: Int) throws(SystemError) -> [UInt8] {
        while true {
            var failure: Int32 = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                let result = unsafe Glibc.read(descriptor, buffer.baseAddress, count)
                failure = result < 0 ? errno : 0
                filled = max(0, result)
            }
            if failure == 0 { return bytes }
            guard failure == EINTR else { throw SystemError(failure, "read", path) }
        }
    }

    /// Reads the whole file, which must not be larger than `limit` bytes.
    public func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        while true {
            let part = try read(upTo: 65_536)
            if part.isEmpty { return content }
            content += part
            guard content.count <= limit else { throw SystemError(EFBIG, "read", path) }
        }
    }

    /// Whether a read would answer at once, with bytes or with the end of the file.
    public var isReadable: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&request, 1, 0) > 0
    }

    /// Writes all of `bytes`.
    public func write(_ bytes: [UInt8]) throws(SystemError) {
        var start = 0
        while start < bytes.count {
            let result = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    descriptor, buffer.baseAddress?.advanced(by: start), bytes.count - start)
            }
            if result >= 0 {
                start += result
            } else if errno != EINTR {
                throw SystemError("write", path)
            }
        }
    }

    /// Forces the file's content and size to disk.
    public func sync() throws(SystemError) {
        guard fsync(descriptor) == 0 else { throw SystemError("fsync", path) }
    }

    /// Cuts the file off behind so many bytes, and goes on writing there.
    public func truncate(to bytes: Int) throws(SystemError) {
        guard ftruncate(descriptor, off_t(bytes)) == 0 else {
            throw SystemError("ftruncate", path)
        }
        guard lseek(descriptor, off_t(bytes), SEEK_SET) >= 0 else {
            throw SystemError("lseek", path)
        }
    }

    /// Takes an advisory lock, which ends with this object and with the process.
    ///
    /// - Throws: an error whose ``SystemError/isLocked`` is true when another holds it and
    ///   `waits` is false.
    public func lock(_ kind: Lock, waits: Bool = false) throws(SystemError) {
        let operation = (kind == .shared ? LOCK_SH : LOCK_EX) | (waits ? 0 : LOCK_NB)
        while flock(descriptor, operation) != 0 {
            guard errno == EINTR else { throw SystemError("flock", path) }
        }
    }

    /// Takes an exclusive lock on one byte, which need not exist; it ends with this object and with
    /// the process, and leaves nothing behind.
    ///
    /// - Parameter waits: whether to wait while another holds it.
    /// - Returns: false when another holds it.
    public func lockByte(at offset: Int64, waits: Bool = false) throws(SystemError) -> Bool {
        // Locks of the open file, not of the process: two users in one process exclude each other.
        let setLock: Int32 = waits ? 38 : 37  // F_OFD_SETLKW, F_OFD_SETLK
        var range = flock()
        range.l_type = Int16(F_WRLCK)
        range.l_whence = Int16(SEEK_SET)
        range.l_start = off_t(offset)
        range.l_len = 1
        while unsafe fcntl(descriptor, setLock, &range) != 0 {
            if errno == EAGAIN || errno == EACCES { return false }
            // The file could be opened for reading alone.
            if errno == EBADF { throw SystemError(EROFS, "fcntl", path) }
            guard errno == EINTR else { throw SystemError("fcntl", path) }
        }
        return true
    }

    /// Gives up the lock on a byte that ``lockByte(at:waits:)`` took.
    public func unlockByte(at offset: Int64) throws(SystemError) {
        var range = flock()
        range.l_type = Int16(F_UNLCK)
        range.l_whence = Int16(SEEK_SET)
        range.l_start = off_t(offset)
        range.l_len = 1
        guard unsafe fcntl(descriptor, 37, &range) == 0 else {  // F_OFD_SETLK
            throw SystemError("fcntl", path)
        }
    }

    /// Whether this is a terminal.
    public var isTerminal: Bool { isatty(descriptor) == 1 }

    /// How large the terminal is at this moment; nil for anything else, and for a terminal that
    /// does not tell.
    public var terminalSize: TerminalSize? {
        var size = winsize()
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
            size.ws_row > 0
        else { return nil }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    /// Whether this is a regular file and the one at a path, whatever name or link leads there.
    public func isRegularFile(at path: String) -> Bool {
        var (own, other) = (stat(), stat())
        guard unsafe fstat(descriptor, &own) == 0, own.st_mode & S_IFMT == S_IFREG,
            unsafe stat(path, &other) == 0
        else { return false }
        return own.st_dev == other.st_dev && own.st_ino == other.st_ino
    }

    /// The size in bytes of a regular file; nil for a pipe or a terminal.
    public var regularFileSize: Int? {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        return Int(status.st_size)
    }
}
