// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import Ingestion
internal import LedgerPrimitives
internal import Platform

struct IngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Record the steps of logins that another program ran.",
        discussion: """
            Examples:
              authledger ingest events.jsonl
              backend | authledger ingest --durability each --acks
              authledger ingest events.jsonl --rejects bad.jsonl

            The input is JSON Lines: one CloudEvent a line, whose data.sealed is a plain object \
            that the ledger seals. Every line is checked by itself; bad ones are reported with \
            number and reason, good ones are kept, and the exit status is 1 if any was rejected. \
            Lines that were recorded before are counted and skipped, so a file that broke off can \
            be fed again.
            """)

    enum Durability: String, ExpressibleByArgument {
        case group
        case each
    }

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("A file; - or nothing for standard input.", valueName: "file"))
    var file = "-"

    @Option(
        help: ArgumentHelp(
            "group: many events a commit. each: one commit an event, on disk before the next line "
                + "is read.",
            valueName: "group|each"))
    var durability = Durability.group

    @Flag(
        help: """
            Print {"acknowledged":N,"position":P} after each commit: N events of this input are on \
            disk.
            """)
    var acks = false

    @Option(
        help: ArgumentHelp(
            "Write the rejected lines to this file, as they came (it may hold secrets: mode 0600).",
            valueName: "file"))
    var rejects: String?

    func run() throws {
        let input = try InputFile.open(file)
        if let rejects, input.isRegularFile(at: rejects) {
            throw CommandError(
                .usage, "rejects-is-input", "the rejects would overwrite the input",
                hint: "name another file with --rejects")
        }
        let log = try global.openLedger(.appending)
        let rejectsFile = try rejects.map(PrivateFile.open)
        var run = IngestRun(
            ingestion: Ingestion(into: log, capabilities: .live), printsAcks: acks,
            rejects: rejectsFile, notices: global.notices)
        var reader = LineReader(input, lineBytesMax: Ingestion.lineBytesMax) { bytes in
            try rejectsFile?.write(bytes)
        }
        var progress = Progress("ingest", isShown: !global.quiet)
        let linesMax = durability == .each ? 1 : 512
        while let line = try reader.next() {
            try run.take(line)
            let isFull = run.pendingLines >= linesMax || run.pendingBytes >= 2_097_152
            if try isFull || !reader.isReady() { try run.commit() }
            let fraction = input.regularFileSize.map {
                Double(reader.bytesRead) / Double(max($0, 1))
            }
            progress.update(run.total, unit: "lines", fraction: fraction)
        }
        try run.commit()
        try rejectsFile?.sync()
        progress.finish()
        try report(run, seconds: progress.seconds)
        if run.rejected > 0 { throw CommandEnd(status: .findings) }
    }

    private func report(_ run: IngestRun, seconds: Double) throws {
        let recorded = run.accepted + run.duplicates
        let rate = Int(Double(recorded) / max(seconds, 0.001))
        var result: JSONObject = [
            "accepted": .integer(Int64(run.accepted)),
            "duplicates": .integer(Int64(run.duplicates)),
            "elapsedMs": .integer(Int64(seconds * 1000)),
            "eventsPerSecond": .integer(Int64(rate)),
            "rejected": .integer(Int64(run.rejected)),
            "rejections": .array(run.listedRejections.map { .object($0) }),
        ]
        result["firstPosition"] = run.firstPosition.map { .integer(Int64($0)) } ?? .null
        result["lastPosition"] = run.lastPosition.map { .integer(Int64($0)) } ?? .null
        let text =
            "\(run.accepted) recorded, \(run.duplicates) already there, \(run.rejected) rejected; "
            + "\(rate) events/s"
        if acks, !global.json {
            // Standard output belongs to the acknowledgements.
            global.notices.say(text)
        } else {
            try global.output.print(result) { text }
        }
    }
}

/// The state of one run.
private struct IngestRun {
    /// Rejections beyond this number are counted, not listed.
    private static let listedMax = 100

    private var ingestion: Ingestion
    private let printsAcks: Bool
    private let rejects: File?
    private let notices: Notices
    private var pending: [(number: Int, bytes: [UInt8])] = []
    private var lineNumber = 0

    private(set) var pendingBytes = 0
    private(set) var accepted = 0
    private(set) var duplicates = 0
    private(set) var rejected = 0
    private(set) var firstPosition: UInt64?
    private(set) var lastPosition: UInt64?
    private(set) var listedRejections: [JSONObject] = []

    init(ingestion: Ingestion, printsAcks: Bool, rejects: File?, notices: Notices) {
        self.ingestion = ingestion
        self.printsAcks = printsAcks
        self.rejects = rejects
        self.notices = notices
    }

    var pendingLines: Int { pending.count }
    var total: UInt64 { UInt64(accepted + duplicates + rejected) }

    mutating func take(_ line: LineReader.Line) throws {
        lineNumber += 1
        switch line {
        case .whole(let bytes):
            let isBlank = bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            if isBlank { return }
            pending.append((lineNumber, bytes))
            pendingBytes += bytes.count
        case .tooLong:
            // Its bytes come next, so what is kept aside of the lines before it goes first.
            try commit()
            reject(
                lineNumber,
                LineRejection(
                    .lineTooLong, "the line is longer than \(Ingestion.lineBytesMax) bytes"))
        }
    }

    /// Records what is pending; it is on disk when this returns.
    mutating func commit() throws {
        if pending.isEmpty { return }
        let outcomes = try ingestion.record(pending.map(\.bytes))
        var acknowledged = 0
        for (line, outcome) in zip(pending, outcomes) {
            switch outcome {
            case .accepted(let position):
                accepted += 1
                acknowledged += 1
                firstPosition = firstPosition ?? position
                lastPosition = position
            case .duplicate:
                duplicates += 1
                acknowledged += 1
            case .rejected(let rejection):
                try rejects?.write(line.bytes + [UInt8(ascii: "\n")])
                reject(line.number, rejection)
            }
        }
        pending.removeAll(keepingCapacity: true)
        pendingBytes = 0
        if printsAcks, acknowledged > 0 { try acknowledge() }
    }

    private func acknowledge() throws {
        var object: JSONObject = ["acknowledged": .integer(Int64(accepted + duplicates))]
        object["position"] = lastPosition.map { .integer(Int64($0)) } ?? .null
        try File.standardOutput.write(CanonicalJSON.encode(object) + [UInt8(ascii: "\n")])
    }

    private mutating func reject(_ number: Int, _ rejection: LineRejection) {
        rejected += 1
        guard listedRejections.count < Self.listedMax else { return }
        listedRejections.append([
            "code": .string(rejection.code.rawValue), "line": .integer(Int64(number)),
            "message": .string(rejection.message),
        ])
        notices.say("line \(number): \(rejection.message) (\(rejection.code.rawValue))")
    }
}
