// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Projections
internal import ReadModels

/// The name of a projection.
struct ProjectionArgument: ExpressibleByArgument {
    let name: ProjectionName

    static var allValueStrings: [String] { ProjectionName.allCases.map(\.rawValue) }

    init?(argument: String) {
        guard let name = ProjectionName(rawValue: argument) else { return nil }
        self.name = name
    }
}

struct ProjectionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projections",
        abstract: "Look after what is folded from the events.",
        discussion: """
            Examples:
              authledger projections status
              authledger projections verify --json
              authledger projections rebuild
              authledger projections show failures

            There are sessions, provider-health (by provider and hour), failures (by reason, \
            provider and client) and key-usage (by key and key set). They hold clear members \
            alone, lie in projections/ in the ledger, and may be removed at any time: they are \
            made of the events again. Commands that read them take in first what is new. An event \
            that cannot be read stops them, and every such command says so.
            """,
        subcommands: [
            ProjectionsStatusCommand.self, ProjectionsVerifyCommand.self,
            ProjectionsRebuildCommand.self, ProjectionsShowCommand.self,
        ])
}

struct ProjectionsStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say how far the projections are, and what they come to.",
        discussion: """
            Examples:
              authledger projections status
              authledger projections status sessions --json

            The digest is the same wherever the same rows are. Exit status 3 or 5 when an event \
            that cannot be read is in the way.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("One of them; all unless given.", valueName: "name"))
    var name: ProjectionArgument?

    func run() throws {
        let log = try global.openLedger(.reading)
        var progress = Progress("projections", isShown: !global.quiet)
        let store = try ProjectionStore.open(log, limits: global.storageLimits()) {
            progress.update($0, unit: "events", fraction: Double($0) / Double(max($1, 1)))
        }
        progress.finish()
        let state = try store.state()
        try ProjectionLines(global, name?.name, progress).print(state, log)
        if let stop = state.stop { throw CommandError(stop) }
    }
}

struct ProjectionsRebuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Make the projections anew.",
        discussion: """
            Examples:
              authledger projections rebuild
              authledger projections rebuild --json

            They are made beside those in use, on two processors, and then take their place. \
            Whoever reads meanwhile goes on with the old ones.
            """)

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let log = try global.openLedger(.reading)
        var progress = Progress("rebuild", isShown: !global.quiet)
        let state = try ProjectionStore.rebuild(log, limits: global.storageLimits()) {
            progress.update($0, unit: "events", fraction: Double($0) / Double(max($1, 1)))
        }
        progress.finish()
        try ProjectionLines(global, nil, progress).print(state, log)
        if let stop = state.stop { throw CommandError(stop) }
    }
}

struct ProjectionsVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Fold the events anew and compare.",
        discussion: """
            Examples:
              authledger projections verify
              authledger projections verify --json

            The events are folded beside the projections in use, which are compared row by row. A \
            difference ends with exit status 5; `authledger projections rebuild` makes them right.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("One of them; all unless given.", valueName: "name"))
    var name: ProjectionArgument?

    func run() throws {
        let log = try global.openLedger(.reading)
        var progress = Progress("projections", isShown: !global.quiet)
        let note = { (done: UInt64, total: UInt64) in
            progress.update(done, unit: "events", fraction: Double(done) / Double(max(total, 1)))
        }
        let store = try ProjectionStore.open(log, limits: global.storageLimits(), progress: note)
        let report = try store.compare(limits: global.storageLimits(), progress: note)
        progress.finish()
        let lines = ProjectionLines(global, name?.name, progress)
        try lines.print(report)
        guard report.projections.filter({ lines.includes($0.name) }).allSatisfy(\.matches) else {
            throw CommandEnd(status: .integrity)
        }
        if let stop = report.stop { throw CommandError(stop) }
    }
}

/// A line for each projection.
private struct ProjectionLines {
    private let global: GlobalOptions
    private let name: ProjectionName?
    private let elapsedMilliseconds: Int64

    init(_ global: GlobalOptions, _ name: ProjectionName?, _ progress: Progress) {
        self.global = global
        self.name = name
        elapsedMilliseconds = Int64(progress.seconds * 1000)
    }

    func includes(_ name: ProjectionName) -> Bool { self.name == nil || self.name == name }

    func print(_ state: ProjectionState, _ log: EventLog) throws {
        let size = try log.head().size
        for name in ProjectionName.allCases where includes(name) {
            var object = object(
                name, state.digest(of: name), state.rowCount(of: name), state.watermark)
            object["logSize"] = .integer(Int64(size))
            object["stoppedAt"] = state.stop.map { .integer(Int64($0.position)) }
            object["stopReason"] = state.stop.map { .string($0.code.rawValue) }
            try global.output.print(object) {
                text(name, state.digest(of: name), state.rowCount(of: name), state.watermark)
                    + (state.stop.map { ", STOPPED at \($0.position) (\($0.code.rawValue))" } ?? "")
            }
        }
    }

    func print(_ report: ProjectionReport) throws {
        for one in report.projections where includes(one.name) {
            var object = object(one.name, one.digest, one.rows, report.watermark)
            object["matches"] = .bool(one.matches)
            object["problems"] = .array(one.problems.map { .string($0) })
            object["stoppedAt"] = report.stop.map { .integer(Int64($0.position)) }
            try global.output.print(object) {
                let verdict =
                    one.matches
                    ? "what the events make of it"
                    : "WRONG: " + one.problems.joined(separator: "; ")
                return text(one.name, one.digest, one.rows, report.watermark) + ", " + verdict
            }
        }
    }

    private func object(
        _ name: ProjectionName, _ digest: Digest, _ rows: UInt64, _ watermark: UInt64
    ) -> JSONObject {
        [
            "digest": .string(digest.base64URL), "elapsedMs": .integer(elapsedMilliseconds),
            "events": .integer(Int64(watermark)), "name": .string(name.rawValue),
            "rows": .integer(Int64(rows)), "version": .integer(Int64(name.version)),
            "watermark": .integer(Int64(watermark)),
        ]
    }

    private func text(
        _ name: ProjectionName, _ digest: Digest, _ rows: UInt64, _ watermark: UInt64
    ) -> String {
        let padding = String(repeating: " ", count: max(0, 16 - name.rawValue.count))
        return "\(name.rawValue)\(padding)\(rows) rows of \(watermark) events, digest \(digest)"
    }
}
