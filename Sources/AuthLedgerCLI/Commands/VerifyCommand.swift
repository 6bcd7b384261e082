// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LMDB
internal import LedgerPrimitives

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that the ledger is what it was.",
        discussion: """
            Examples:
              authledger verify
              authledger verify --level frames --json

            Levels, each with the ones before it:
              frames   every event expands to the bytes that were hashed
              tree     the hashes make up the recorded tree, every stream is whole,
                       every document is what its name says
              all      every level there is

            What was not proven is always listed. Findings end with exit status 5.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("frames, tree or all.", valueName: "level"))
    var level = "tree"

    /// Set for the process that reads.
    @Flag(help: .hidden)
    var inProcess = false

    func run() throws {
        guard let level = level == "all" ? CheckLevel.allCases.last : CheckLevel(rawValue: level)
        else {
            throw CommandError(
                .usage, "level-unknown", "there is no such level",
                hint: "use frames, tree or all")
        }
        if inProcess {
            try check(level)
        } else {
            try ReadingChild.run("verify") { message in
                try reportCrash(level, message)
                throw CommandEnd(status: .integrity)
            }
        }
    }

    private func reportCrash(_ level: CheckLevel, _ message: String) throws {
        let code = "storage-damaged"
        let finding: JSONObject = ["code": .string(code), "message": .string(message)]
        let notProven = CheckReport.notProvenUnlessAllIsRead
        let result: JSONObject = [
            "events": .integer(0), "findings": .array([.object(finding)]),
            "level": .string(level.rawValue), "notProven": .array(notProven.map { .string($0) }),
            "ok": .bool(false), "root": .null, "treeSize": .null,
        ]
        try global.output.print(result) { "DAMAGED: \(message) (\(code))" }
    }

    private func check(_ level: CheckLevel) throws {
        let log = try global.openLedger(.reading)
        var progress = Progress("verify", isShown: !global.quiet)
        let report = try log.check(level) { done, total in
            progress.update(done, unit: "events", fraction: Double(done) / Double(max(total, 1)))
        }
        progress.finish()
        try global.output.print(report.object) { text(report) }
        if !report.isClean { throw CommandEnd(status: .integrity) }
    }

    private func text(_ report: CheckReport) -> String {
        var lines = [
            "\(report.isClean ? "clean" : "DAMAGED"): \(report.events) events read "
                + "at level \(report.level.rawValue)",
            "tree size \(report.treeSize), root \(report.root.base64)",
        ]
        for finding in report.findings {
            let place = finding.position.map { "position \($0): " } ?? ""
            lines.append("finding: \(place)\(finding.message) (\(finding.code))")
        }
        lines.append("not proven: " + report.notProven.joined(separator: ", "))
        return lines.joined(separator: "\n")
    }
}

extension CheckReport {
    /// The members of `verify --json`.
    var object: JSONObject {
        [
            "events": .integer(Int64(events)),
            "findings": .array(findings.map { .object($0.object) }),
            "level": .string(level.rawValue),
            "notProven": .array(notProven.map { .string($0) }),
            "ok": .bool(isClean),
            "root": .string(root.base64),
            "treeSize": .integer(Int64(treeSize)),
        ]
    }
}

extension Finding {
    fileprivate var object: JSONObject {
        var object: JSONObject = ["code": .string(code), "message": .string(message)]
        if let position { object["position"] = .integer(Int64(position)) }
        return object
    }
}
