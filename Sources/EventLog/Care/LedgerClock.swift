// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import LMDB
public import LedgerPrimitives
internal import Synchronization

/// What the ledger records of its own clock: how good it was when something was observed by it, and
/// when it was set. Its stream is the ledger.
public struct ClockObserved: Equatable, Sendable {
    /// The event's type.
    public static let type = "authledger.ledger.clock"

    /// Why it is recorded.
    public enum Cause: String, CaseIterable, Sendable {
        /// Nothing was recorded of the clock before, or it has another quality than at last.
        case quality
        /// The wall clock was set while the program ran.
        case step
    }

    /// Why it is recorded.
    public var cause: Cause
    /// The kernel's source of time; `other` where the name is not a known one.
    public var source: String
    /// Whether something kept the clock in step with others.
    public var isSynchronized: Bool
    /// How far off it may have been at most, in milliseconds; only when synchronized.
    public var maximumErrorMilliseconds: Int64?
    /// By how much the clock was set forward, or back when negative, in milliseconds.
    public var stepMilliseconds: Int64?

    /// An observation.
    public init(
        cause: Cause, source: String, isSynchronized: Bool, maximumErrorMilliseconds: Int64? = nil,
        stepMilliseconds: Int64? = nil
    ) {
        self.cause = cause
        self.source = Self.sources.contains(source) ? source : "other"
        self.isSynchronized = isSynchronized
        self.maximumErrorMilliseconds = isSynchronized ? maximumErrorMilliseconds : nil
        self.stepMilliseconds = stepMilliseconds
    }

    /// The kernel's names for sources of time.
    static let sources: Set<String> = [
        "acpi_pm", "arch_sys_counter", "arm-cpuclock", "hpet", "hyperv_clocksource_msr",
        "hyperv_clocksource_tsc_page", "jiffies", "kvm-clock", "refined-jiffies", "timebase",
        "tsc", "tsc-early", "vmware_tsc", "xen",
    ]

    /// The members of `data`.
    public var clearMembers: JSONObject {
        var object: JSONObject = [
            "cause": .string(cause.rawValue), "clockSource": .string(source),
            "synchronized": .bool(isSynchronized),
        ]
        if let maximumErrorMilliseconds {
            object["maxErrorMs"] = .integer(maximumErrorMilliseconds)
        }
        if let stepMilliseconds { object["stepMs"] = .integer(stepMilliseconds) }
        return object
    }

    /// Reads the members of a recorded event; nil when they are not of this kind.
    public init?(_ data: JSONObject) {
        guard let cause = data["cause"]?.stringValue.flatMap(Cause.init),
            let source = data["clockSource"]?.stringValue,
            let isSynchronized = data["synchronized"]?.boolValue
        else { return nil }
        self.init(
            cause: cause, source: source, isSynchronized: isSynchronized,
            maximumErrorMilliseconds: data["maxErrorMs"]?.integerValue,
            stepMilliseconds: data["stepMs"]?.integerValue)
    }
}

/// Says when there is something to record of the clock, and keeps that rare.
final class ClockWatch: Sendable {
    /// The wall clock was set if it went off by more than this against one that nobody sets.
    static let stepMillisecondsMin: Int64 = 500
    /// The quality is looked at again after so long.
    static let qualityIntervalMilliseconds: Int64 = 600_000
    /// Between two records of steps at least so long goes by; what comes between is added up.
    static let stepIntervalMilliseconds: Int64 = 60_000

    /// What decides whether a quality is another.
    private struct Known: Equatable {
        let source: String
        let isSynchronized: Bool
    }

    private struct State {
        var offset: Int64?
        var lastStep: Int64?
        var lastQuality: Int64?
        var recorded: Known?
    }

    private let instruments: ClockInstruments?
    private let state = Mutex(State())

    init(_ instruments: ClockInstruments?) {
        self.instruments = instruments
    }

    /// Looks at the clock before an append. Costs two readings of clocks unless it is time for
    /// more.
    ///
    /// - Parameters:
    ///   - now: the wall clock.
    ///   - isOwn: whether the ledger observed what is about to be appended; for what others report
    ///     the quality of this clock says little.
    ///   - recorded: what the ledger has recorded at last.
    /// - Returns: what to record; nil nearly always.
    func look(
        now: Instant, isOwn: Bool, recorded: () -> ClockObserved?
    ) -> ClockObserved? {
        guard let instruments else { return nil }
        let steady = instruments.steadyMilliseconds()
        return state.withLock { state in
            let step = Self.step(&state, wall: now.millisecondsSince1970, steady: steady)
            let isDue =
                isOwn
                && state.lastQuality.map { steady - $0 >= Self.qualityIntervalMilliseconds }
                    ?? isOwn
            guard step != nil || isDue, let quality = instruments.quality() else { return nil }
            let observed = ClockObserved(
                cause: step == nil ? .quality : .step, source: quality.source,
                isSynchronized: quality.isSynchronized,
                maximumErrorMilliseconds: quality.maximumErrorMilliseconds, stepMilliseconds: step)
            if state.lastQuality == nil {
                state.recorded = recorded().map {
                    Known(source: $0.source, isSynchronized: $0.isSynchronized)
                }
            }
            state.lastQuality = steady
            let known = Known(source: observed.source, isSynchronized: observed.isSynchronized)
            guard step != nil || known != state.recorded else { return nil }
            state.recorded = known
            return observed
        }
    }

    /// Forgets what was to be recorded, as it was not.
    func forget() {
        state.withLock {
            $0.lastQuality = nil
            $0.recorded = nil
        }
    }

    private static func step(_ state: inout State, wall: Int64, steady: Int64) -> Int64? {
        let offset = wall - steady
        guard let before = state.offset else {
            state.offset = offset
            return nil
        }
        guard abs(offset - before) >= stepMillisecondsMin,
            state.lastStep.map({ steady - $0 >= stepIntervalMilliseconds }) ?? true
        else { return nil }
        state.offset = offset
        state.lastStep = steady
        return offset - before
    }
}

extension EventLog {
    /// How many of the ledger's own events are looked through for the last one on the clock.
    private static let lastClockEventsMax = 64

    /// Records what there is to record of the clock, in the queue before a batch. That it cannot be
    /// recorded keeps nobody from appending.
    func noteClock(before batch: AppendBatch) {
        let subject = info.ledgerID.description
        // Who appends to the ledger's own stream has named its end, which must not move now.
        guard capabilities.clock != nil, let writer,
            !batch.events.contains(where: { $0.subject == subject })
        else { return }
        let observed = clockWatch.look(
            now: capabilities.now(), isOwn: batch.events.contains(where: \.isOwnObservation)
        ) { try? lastClockObserved() }
        guard let observed else { return }
        let draft = EventDraft(
            id: capabilities.makeUUIDv7(), source: info.origin, type: ClockObserved.type,
            typeVersion: 1, subject: subject, time: capabilities.now(),
            clear: observed.clearMembers)
        do {
            let head = try streamHead(subject)
            // A stream that begins without a data key never gets one, and what else is recorded of
            // the ledger may have to be sealed.
            let fresh =
                try head == nil && dataKey(for: subject) == nil
                ? makeDataKey(for: subject) : nil
            let key = try head == nil ? fresh?.key ?? dataKey(for: subject) : nil
            let event = try prepare(draft, after: head, dataKey: key)
            let batch = AppendBatch(events: [event], newDataKeys: fresh.map { [$0] } ?? [])
            writer.submit(batch) { [clockWatch] result in
                if case .failure = result { clockWatch.forget() }
            }
        } catch {
            clockWatch.forget()
        }
    }

    /// What was recorded of the clock at last; nil when nothing was.
    public func lastClockObserved() throws -> ClockObserved? {
        let positions = try environment.read {
            try tables.lastPositions(
                of: StreamKey.key(info.ledgerID.description), limit: Self.lastClockEventsMax, in: $0
            )
        }
        for position in positions.reversed() {
            var found: ClockObserved?
            try forEachEvent(in: position..<position + 1) { event in
                if event.envelope.type == ClockObserved.type { found = ClockObserved(event.data) }
                return false
            }
            if let found { return found }
        }
        return nil
    }
}
