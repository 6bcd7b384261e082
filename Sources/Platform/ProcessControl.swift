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
        signal(SIGINT) { _ in unsafe _exit(interruptStatus) }
    }

    /// A variable of the environment; nil when it is unset or empty.
    public static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe String(cString: value)
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
