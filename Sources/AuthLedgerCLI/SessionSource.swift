// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import Projections
internal import ReadModels

/// Where commands have sessions from: the projections, or where those cannot be had, all events.
enum SessionSource {
    case projected(ProjectionStore)
    case folded(SessionTable)

    /// The projections of a ledger, or why there are none.
    enum Opened {
        case opened(ProjectionStore)
        case unavailable
    }

    /// Opens the projections, which takes in what was recorded since they were read last.
    static func projections(of log: EventLog, _ global: GlobalOptions) throws -> Opened {
        var progress = Progress("projections", isShown: !global.quiet)
        do {
            let store = try ProjectionStore.open(log, limits: global.storageLimits()) {
                progress.update($0, unit: "events", fraction: Double($0) / Double(max($1, 1)))
            }
            progress.finish()
            return .opened(store)
        } catch let error as ProjectionError {
            progress.finish()
            global.notices.detail("\(CommandError(error).message); all events are read instead")
            return .unavailable
        }
    }

    /// - Parameter size: only the first events of the log count, so many; nil for all.
    init(_ log: EventLog, _ global: GlobalOptions, asOf size: UInt64?) throws {
        if case .opened(let store) = try Self.projections(of: log, global) {
            self = .projected(store)
            return
        }
        var progress = Progress("sessions", isShown: !global.quiet)
        self = .folded(try log.sessionTable(before: size, &progress))
    }

    /// Hands out the sessions that are asked for, in the order of their first events.
    ///
    /// - Parameter body: answers whether to go on.
    func forEach(
        _ query: SessionQuery, _ body: (SessionSummary) throws -> Bool
    ) throws {
        switch self {
        case .projected(let store): try store.forEachSession(query, body)
        case .folded(let table):
            for session in table.sessions where query.fits(session) {
                guard try body(session) else { return }
            }
        }
    }

    /// Those of some sessions that are asked for, in the order of their first events.
    func sessions(_ names: [String], _ query: SessionQuery) throws -> [SessionSummary] {
        let found: [SessionSummary] =
            switch self {
            case .projected(let store): try names.compactMap { try store.session($0, query) }
            case .folded(let table): names.compactMap { table[$0] }.filter(query.fits)
            }
        return found.sorted { $0.firstPosition < $1.firstPosition }
    }

    /// Says that what was listed is not all there is, if that is so.
    ///
    /// - Parameter size: how many events of the log were asked about; nil for all.
    func refuseStop(before size: UInt64?) throws {
        guard case .projected(let store) = self, let stop = try store.state().stop,
            stop.position < size ?? .max
        else { return }
        throw CommandError(stop)
    }
}

extension EventLog {
    /// All sessions, folded from the events.
    func sessionTable(before size: UInt64?, _ progress: inout Progress) throws -> SessionTable {
        var table = SessionTable()
        let size = try min(size ?? .max, head().size)
        try forEachEvent(in: 0..<size) { event in
            try table.fold(event)
            progress.update(
                event.position + 1, unit: "events",
                fraction: Double(event.position + 1) / Double(max(size, 1)))
            return true
        }
        progress.finish()
        return table
    }
}

extension CommandError {
    /// Says that projections end at an event that cannot be read.
    init(_ stop: ProjectionStop) {
        let isUnknown = stop.code == .unknown
        self.init(
            isUnknown ? .inconclusive : .integrity, stop.code.rawValue,
            "at position \(stop.position): \(stop.message); nothing from there on is projected",
            hint: isUnknown
                ? "use the program that wrote it, or a newer one" : "authledger verify")
    }

    /// Says why there are no projections.
    init(_ error: ProjectionError) {
        switch error {
        case .unavailable(let why):
            self.init(
                .inputOutput, "projections-unavailable", "the projections cannot be had: \(why)",
                hint: "see to it that projections/ in the ledger can be written")
        case .busy:
            self.init(
                .inputOutput, "projections-busy",
                "another process makes the projections anew", hint: "wait for it to end")
        }
    }
}
