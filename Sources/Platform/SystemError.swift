// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A system call that failed.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The `errno` value.
    public let code: Int32
    /// The call.
    public let operation: String
    /// The file it was about, where there was one.
    public let path: String?

    /// Takes the current `errno`.
    init(_ operation: StaticString, _ path: String? = nil) {
        self.init(errno, operation, path)
    }

    init(_ code: Int32, _ operation: StaticString, _ path: String? = nil) {
        self.code = code
        self.operation = operation.description
        self.path = path
    }

    /// The file or directory is there already.
    public var isAlreadyThere: Bool { code == EEXIST || code == ENOTEMPTY }
    /// There is no such file or directory.
    public var isNotThere: Bool { code == ENOENT }
    /// This user may not do it, or nobody may.
    public var isNotPermitted: Bool { code == EACCES || code == EPERM || code == EROFS }
    /// There is no room left, or none for this user.
    public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }
    /// Another process holds the lock.
    public var isLocked: Bool { code == EWOULDBLOCK }

    /// The problem in words.
    public var description: String {
        let reason = unsafe String(cString: strerror(code))
        return path.map { "\($0): \(operation): \(reason)" } ?? "\(operation): \(reason)"
    }
}
