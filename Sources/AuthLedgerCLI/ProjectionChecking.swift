// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import Projections
internal import ReadModels

/// The part of `verify` that compares what is folded from the events with the events.
struct ProjectionChecking {
    /// What was found.
    private(set) var findings: [Finding] = []
    private var report: ProjectionReport?
    /// Why nothing was compared.
    private var obstacle: String?

    init(_ log: EventLog, _ global: GlobalOptions) throws {
        do {
            guard let store = try ProjectionStore.openIfThere(log) else {
                obstacle = "there are none yet"
                return
            }
            guard try store.isCurrent() else {
                obstacle = "they are not of this log and this version, and will be made anew"
                return
            }
            try compare(store, global)
        } catch let error as ProjectionError {
            obstacle = CommandError(error).message
        } catch where ProjectionStore.isDamage(error) {
            findings.append(
                Finding(
                    position: nil, code: "projection-damaged",
                    message: "projections/ is damaged; `authledger projections rebuild`"))
        }
    }

    private mutating func compare(_ store: ProjectionStore, _ global: GlobalOptions) throws {
        var progress = Progress("verify projections", isShown: !global.quiet)
        let report = try store.compare(limits: global.storageLimits()) {
            progress.update($0, unit: "events", fraction: Double($0) / Double(max($1, 1)))
        }
        progress.finish()
        self.report = report
        for one in report.projections {
            findings += one.problems.map {
                Finding(
                    position: nil, code: "projection-mismatch",
                    message: "\(one.name.rawValue): \($0)")
            }
        }
        if let stop = report.stop {
            findings.append(
                Finding(
                    position: stop.position, code: "projection-stopped",
                    message: "the projections go no further: \(stop.message)"))
        }
    }

    /// The member `projections` of `verify --json`.
    var value: JSONValue {
        guard let report else { return .null }
        return .object([
            "matches": .bool(report.matches), "watermark": .integer(Int64(report.watermark)),
        ])
    }

    /// One line for people.
    var line: String {
        guard let report else {
            return "projections not compared" + (obstacle.map { ": \($0)" } ?? "")
        }
        return "projections of the first \(report.watermark) events compared"
    }

    /// What `doctor` says of the projections. What keeps it from looking is said by its other
    /// checks.
    static func diagnosis(_ global: GlobalOptions) -> [Diagnosis] {
        let name = "projections"
        let rebuild = "authledger projections rebuild"
        guard let log = try? global.openLedger(.reading, survivesDamage: false) else { return [] }
        do {
            guard let store = try ProjectionStore.openIfThere(log) else {
                return [Diagnosis(name, .ok, "none are made yet; the first command to read does")]
            }
            let state = try store.state()
            if let stop = state.stop {
                return [
                    Diagnosis(
                        name, .problem, "they stop at position \(stop.position): \(stop.message)",
                        hint: CommandError(stop).hint)
                ]
            }
            guard try store.isCurrent() else {
                return [
                    Diagnosis(
                        name, .ok,
                        "they are not of this log and this version; the next command to read "
                            + "makes them anew")
                ]
            }
            let size = try log.head().size
            return [Diagnosis(name, .ok, "\(state.watermark) of \(size) events are folded")]
        } catch {
            return [Diagnosis(name, .warning, "they cannot be read: \(error)", hint: rebuild)]
        }
    }
}
