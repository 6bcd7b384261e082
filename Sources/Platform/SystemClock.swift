// SPDX-License-Identifier: Apache-2.0

internal import CPlatform
internal import Glibc

/// What the kernel knows of its clock.
public struct SystemClock: Equatable, Sendable {
    /// The kernel's source of time: `tsc`, `kvm-clock`, `hpet` and so on.
    public let source: String
    /// Whether something keeps the clock in step with others (NTP, PTP), by the kernel's own word.
    public let isSynchronized: Bool
    /// How far off the clock may be at most, in microseconds; means little when it is not
    /// synchronized.
    public let maximumErrorMicroseconds: Int64

    /// Asks the kernel.
    public static func read() throws(SystemError) -> SystemClock {
        var state = timex()
        let result = unsafe adjtimex(&state)
        guard result >= 0 else { throw SystemError("adjtimex") }
        // TIME_ERROR, or the flag STA_UNSYNC: nobody looks after the clock.
        let isUnsynchronized = result == 5 || state.status & 0x40 != 0
        return SystemClock(
            source: clockSource(), isSynchronized: !isUnsynchronized,
            maximumErrorMicroseconds: Int64(state.maxerror))
    }

    private static func clockSource() -> String {
        let path = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
        guard let text = try? File(path, .reading).readAll(limit: 256) else { return "unknown" }
        return String(decoding: text.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
