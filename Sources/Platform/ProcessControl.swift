// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What concerns the process as a whole.
public enum ProcessControl {
    /// Keeps key material out of core dumps.
    public static func disableCoreDumps() {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    }

    /// Ends the process with a status that says so when the user interrupts it. What an append
    /// acknowledged is on disk, so nothing needs to be done before.
    public static func exitOnInterrupt(status: Int32) {
        unsafe interruptStatus = status
        signal(SIGINT) { _ in
            if unsafe interruptEndsLine {
                let reset: StaticString = "\u{1B}[0m\n"
                _ = unsafe write(2, reset.utf8Start, reset.utf8CodeUnitCount)
            }
            unsafe _exit(interruptStatus)
        }
    }

    /// Says whether standard error is a terminal with a line that is not ended. An interruption
    /// then ends it, and any colours, so that what comes next begins a line of its own.
    public static func endLineOnInterrupt(_ hasOpenLine: Bool) {
        unsafe interruptEndsLine = hasOpenLine
    }

    /// Ends the process with a status and a message, instead of by a signal, when it reads memory
    /// that is not there, or the storage library gives up. LMDB trusts its pages: where they are
    /// damaged, reading them may come to that.
    ///
    /// - Parameter message: written to standard error, as it is.
    public static func exitOnDamagedPages(status: Int32, message: String) {
        let bytes = Array(message.utf8)
        // The handler may touch nothing that takes a lock or allocates.
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        unsafe copy.initialize(from: bytes, count: bytes.count)
        unsafe damageMessage = UnsafeRawPointer(copy)
        unsafe damageMessageLength = bytes.count
        unsafe damageStatus = status
        for number in [SIGSEGV, SIGBUS, SIGABRT, SIGFPE] {
            signal(number) { _ in
                _ = unsafe write(2, damageMessage, damageMessageLength)
                unsafe _exit(damageStatus)
            }
        }
    }

    /// A variable of the environment; nil when it is unset or empty.
    public static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe String(cString: value)
    }

    /// The number of the user who runs this process, as the system reports it.
    public static var userID: UInt32 { getuid() }

    /// The name of the user who runs this process; nil when the system knows none.
    public static var userName: String? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        let result = unsafe getpwuid_r(getuid(), &entry, &buffer, buffer.count, &found)
        guard result == 0, unsafe found != nil, let name = unsafe entry.pw_name else { return nil }
        return unsafe String(cString: name)
    }

    /// Milliseconds since 1970 by the wall clock.
    public static var wallClockMilliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Nanoseconds by a clock that never goes back; for measuring how long something took.
    public static var monotonicNanoseconds: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Milliseconds by a clock that never goes back and goes on while the machine sleeps; against
    /// it a step of the wall clock shows.
    public static var bootClockMilliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Processor time that this process has used so far, all threads together, in nanoseconds.
    public static var processorNanoseconds: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Lets this thread rest.
    public static func sleep(milliseconds: UInt32) {
        usleep(milliseconds * 1000)
    }

    /// The name of the program that a process runs; nil when there is no such process.
    public static func programName(of process: Int32) -> String? {
        guard let name = try? File("/proc/\(process)/comm", .reading).readAll(limit: 256) else {
            return nil
        }
        return String(decoding: name.prefix { $0 >= 0x20 }, as: UTF8.self)
    }

    /// Ends the process.
    public static func exit(_ status: Int32) -> Never {
        Glibc.exit(status)
    }

    /// Ends the process at once by a signal that cannot be caught; for tests of crash safety.
    public static func killSelf() {
        kill(getpid(), SIGKILL)
    }
}

nonisolated(unsafe) private var interruptStatus: Int32 = 130
nonisolated(unsafe) private var interruptEndsLine = false
nonisolated(unsafe) private var damageStatus: Int32 = 5
nonisolated(unsafe) private var damageMessage: UnsafeRawPointer?
nonisolated(unsafe) private var damageMessageLength = 0
