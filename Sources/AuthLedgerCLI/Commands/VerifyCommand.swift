// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LMDB
internal import LedgerPrimitives
internal import SignedNote

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that the ledger is what it was.",
        discussion: """
            Examples:
              authledger verify
              authledger verify --level frames --json
              authledger verify --key example.org/l+95a0668e+AcC… --checkpoint kept.checkpoint

            Levels, each with the ones before it:
              frames   every event expands to the bytes that were hashed
              tree     the hashes make up the recorded tree, every stream is whole,
                       every document is what its name says, every data key is the one that
                       its stream names, or erased, every checkpoint in the ledger and every
                       one given with --checkpoint fits
              anchors  so do the checkpoints at the places on the ledger's publish list
              projections  what is folded from the events is what they come to
              all      every level there is, and everything sealed is opened

            Checkpoints are verified with the key given by --key and those that it vouched for; \
            without it with the key that the ledger names, which whoever replaced the whole ledger \
            could name as well. What was signed by which key is listed.

            What was not proven is always listed. Findings end with exit status 5.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("frames, tree, anchors, projections or all.", valueName: "level"))
    var level = "tree"

    @Option(help: ArgumentHelp("The key to believe, as `init` printed it.", valueName: "vkey"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "A checkpoint that was kept outside of the ledger; may be repeated.",
            valueName: "file"))
    var checkpoint: [String] = []

    /// Set for the process that reads.
    @Flag(help: .hidden)
    var inProcess = false

    func run() throws {
        guard let level = comparesProjections ? CheckLevel.allCases.last : CheckLevel(rawValue: level)
        else {
            throw CommandError(
                .usage, "level-unknown", "there is no such level",
                hint: "use frames, tree, anchors, projections or all")
        }
        if level == .frames, key != nil || !checkpoint.isEmpty {
            throw CommandError(
                .usage, "level-too-low", "the level frames compares no checkpoints",
                hint: "leave --level out")
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

    /// The level that comes after those of the log itself.
    private var comparesProjections: Bool { level == "projections" || level == "all" }

    private func reportCrash(_ level: CheckLevel, _ message: String) throws {
        let code = "storage-damaged"
        let finding: JSONObject = ["code": .string(code), "message": .string(message)]
        let notProven = CheckReport.notProvenUnlessAllIsRead
        let result: JSONObject = [
            "events": .integer(0), "findings": .array([.object(finding)]),
            "level": .string(level.rawValue), "notProven": .array(notProven.map { .string($0) }),
            "ok": .bool(false), "proven": .array([]), "root": .null, "treeSize": .null,
        ]
        try global.output.print(result) { "DAMAGED: \(message) (\(code))" }
    }

    private func check(_ level: CheckLevel) throws {
        let inputs = CheckInputs(
            key: try key.map { try VerifierKey(argument: $0) },
            checkpoints: try checkpoint.map { path in
                CheckInputs.HandedIn(
                    name: path,
                    bytes: try InputFile.read(
                        path, bytesMax: SignedNote.bytesMax, keepsNewline: true))
            })
        var keys = try KeyChecking(global)
        var progress = Progress("verify", isShown: !global.quiet)
        let report = try keys.log.check(level, inputs) { done, total in
            progress.update(done, unit: "events", fraction: Double(done) / Double(max(total, 1)))
        }
        progress.finish()
        if level != .frames {
            try keys.run(opensBoxes: self.level == "all", isQuiet: global.quiet)
        }
        let projections =
            comparesProjections
            ? try ProjectionChecking(keys.log, global) : nil
        let result = Result(
            report: report, keys: keys, projections: projections, opensBoxes: self.level == "all")
        try global.output.print(result.object) { result.text }
        if !result.isClean { throw CommandEnd(status: .integrity) }
    }

    /// What was found in the log and among the keys.
    private struct Result {
        let report: CheckReport
        let keys: KeyChecking
        /// Nil below that level.
        let projections: ProjectionChecking?
        let opensBoxes: Bool

        var findings: [Finding] {
            report.findings + (keys.report?.findings ?? []) + (projections?.findings ?? [])
        }
        var level: String { projections == nil ? report.level.rawValue : "projections" }
        var isClean: Bool { findings.isEmpty }
        /// Everything sealed was opened only at the level `all`, and only with the root key.
        var notProven: [String] {
            report.notProven.filter {
                $0 != "sealed-not-opened" || !opensBoxes || keys.report == nil
            }
        }

        /// The members of `verify --json`.
        var object: JSONObject {
            var object = report.object
            object["findings"] = .array(findings.map { .object($0.object) })
            object["keys"] = keys.value
            object["level"] = .string(level)
            if let projections { object["projections"] = projections.value }
            object["notProven"] = .array(notProven.map { .string($0) })
            object["ok"] = .bool(isClean)
            return object
        }

        var text: String {
            var lines = [
                "\(isClean ? "clean" : "DAMAGED"): \(report.events) events read "
                    + "at level \(level)",
                "tree size \(report.treeSize), root \(report.root.base64)", keys.line,
            ]
            if let projections { lines.append(projections.line) }
            for finding in findings {
                let place = finding.position.map { "position \($0): " } ?? ""
                lines.append("finding: \(place)\(finding.message) (\(finding.code))")
            }
            for range in report.proven {
                let trust = range.isKeyGiven ? "the given key" : "the ledger's own key"
                lines.append(
                    "signed by \(trust): the first \(range.size) events (\(range.key))")
            }
            lines.append("not proven: " + notProven.joined(separator: ", "))
            return lines.joined(separator: "\n")
        }
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
            "proven": .array(proven.map { .object($0.object) }),
            "root": .string(root.base64),
            "treeSize": .integer(Int64(treeSize)),
        ]
    }
}

extension ProvenRange {
    fileprivate var object: JSONObject {
        [
            "from": .integer(0),
            "key": .string(key.description),
            "keyGiven": .bool(isKeyGiven),
            "root": .string(root.base64),
            "size": .integer(Int64(size)),
            "source": .string(source),
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
