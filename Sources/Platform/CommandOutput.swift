// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Why a program's output is not there.
public enum CommandFailure: Error, Equatable {
    /// The program cannot be started.
    case notStarted(SystemError)
    /// It ended with another status than 0, or by a signal.
    case failed(ChildProcess.End)
    /// It did not end in time, and was killed.
    case tookTooLong
    /// It printed more than the limit, and was killed.
    case tooMuch
}

extension ChildProcess {
    /// Runs another program and takes what it prints on standard output, through a pipe.
    ///
    /// It finds nothing on standard input, and has this process's standard error and environment.
    ///
    /// - Parameters:
    ///   - command: the program's absolute path and its arguments. Arguments can be read by every
    ///     user of the machine, so no secret may be among them.
    ///   - bytesMax: the most that it may print.
    ///   - timeoutMilliseconds: how long it may take.
    public static func output(
        of command: [String], bytesMax: Int, timeoutMilliseconds: Int
    ) throws(CommandFailure) -> [UInt8] {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw .notStarted(SystemError("pipe")) }
        let (reading, writing) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        defer { close(reading) }
        let pid: pid_t
        do {
            defer { close(writing) }
            pid = try start(command, output: writing)
        }
        let deadline =
            ProcessControl.monotonicNanoseconds + UInt64(timeoutMilliseconds) * 1_000_000
        let bytes: [UInt8]
        let end: End
        do throws(CommandFailure) {
            bytes = try readAll(reading, bytesMax: bytesMax, until: deadline)
            end = try wait(for: pid, until: deadline)
        } catch {
            kill(pid, SIGKILL)
            var status: Int32 = 0
            unsafe waitpid(pid, &status, 0)
            throw error
        }
        guard end == .exited(0) else { throw .failed(end) }
        return bytes
    }

    private static func start(
        _ command: [String], output: Int32
    ) throws(CommandFailure) -> pid_t {
        guard let program = command.first else {
            throw .notStarted(SystemError(ENOENT, "posix_spawn"))
        }
        let variables: [String]
        do {
            variables = try environment()
        } catch {
            throw .notStarted(error)
        }
        var pid: pid_t = 0
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        let result = unsafe withTerminatedList(command) { argv in
            unsafe withTerminatedList(variables) { envp in
                unsafe posix_spawn(&pid, program, &actions, nil, argv, envp)
            }
        }
        guard result == 0 else { throw .notStarted(SystemError(result, "posix_spawn", program)) }
        return pid
    }

    private static func readAll(
        _ descriptor: Int32, bytesMax: Int, until deadline: UInt64
    ) throws(CommandFailure) -> [UInt8] {
        // All the room at once: what the array left behind in growing would not be overwritten.
        var content = [UInt8](repeating: 0, count: bytesMax + 1)
        var filled = 0
        while true {
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let now = ProcessControl.monotonicNanoseconds
            guard now < deadline else { throw .tookTooLong }
            let wait = Int32(clamping: (deadline - now) / 1_000_000 + 1)
            guard unsafe poll(&request, 1, wait) > 0 else { continue }
            let room = content.count - filled
            guard room > 0 else { throw .tooMuch }
            let count = unsafe content.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress?.advanced(by: filled), room)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            filled += count
        }
        guard filled <= bytesMax else { throw .tooMuch }
        content.removeLast(content.count - filled)
        return content
    }

    private static func wait(
        for pid: pid_t, until deadline: UInt64
    ) throws(CommandFailure) -> End {
        while true {
            var status: Int32 = 0
            let found = unsafe waitpid(pid, &status, WNOHANG)
            if found == pid { return End(status: status) }
            guard ProcessControl.monotonicNanoseconds < deadline else { throw .tookTooLong }
            ProcessControl.sleep(milliseconds: 2)
        }
    }
}
