// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A second process that runs this same program.
public enum ChildProcess {
    /// How a process ended.
    public enum End: Equatable, Sendable {
        /// By itself, with this status.
        case exited(Int32)
        /// By this signal.
        case signalled(Int32)

        init(status: Int32) {
            // WIFSIGNALED, WTERMSIG and WEXITSTATUS are macros.
            let signal = status & 0x7F
            self = signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
        }

        /// Whether it was a signal of the kind that a program brings on itself: bad memory, a trap.
        public var isCrash: Bool {
            guard case .signalled(let signal) = self else { return false }
            return [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV].contains(signal)
        }
    }

    /// Runs this program with other arguments, waits for it, and tells how it ended.
    ///
    /// It has the same standard input, output and error, and the same environment but for the
    /// report that Swift prints of a crash, which would show memory.
    public static func runThisProgram(_ arguments: [String]) throws(SystemError) -> End {
        var pid: pid_t = 0
        let variables = try environment()
        let result = unsafe withTerminatedList(["authledger"] + arguments) { argv in
            unsafe withTerminatedList(variables) { envp in
                unsafe posix_spawn(&pid, "/proc/self/exe", nil, nil, argv, envp)
            }
        }
        guard result == 0 else { throw SystemError(result, "posix_spawn") }
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw SystemError("waitpid") }
        }
        return End(status: status)
    }

    /// The variables of this process's environment, but for the one that is replaced.
    static func environment() throws(SystemError) -> [String] {
        let block = try File("/proc/self/environ", .reading).readAll(limit: 4_194_304)
        return block.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            .filter { !$0.hasPrefix("SWIFT_BACKTRACE=") } + ["SWIFT_BACKTRACE=enable=no"]
    }

    /// Hands out the texts as C has them: a list of pointers that ends with a null.
    static func withTerminatedList<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = unsafe texts.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        return unsafe body(copies + [nil])
    }
}
