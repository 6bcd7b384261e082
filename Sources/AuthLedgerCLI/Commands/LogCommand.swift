// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import SessionEvents

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Read events in the order they were recorded.",
        discussion: """
            Examples:
              authledger log --limit 20
              authledger log --session 0198b0f2 --json
              authledger log --type failed --follow
              authledger log --raw > leaves.jsonl

            --raw prints exactly the bytes that are hashed, one event a line. \
            Sealed data stay sealed.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var asOf: AsOfOption

    @Option(help: ArgumentHelp("Begin at this position.", valueName: "position"))
    var from: UInt64 = 0

    @Option(help: ArgumentHelp("Print at most so many events.", valueName: "n"))
    var limit: UInt64?

    @Option(
        help: ArgumentHelp(
            "Only events of this type; the last word does for a session's events.",
            valueName: "type"))
    var type: String?

    @Option(
        help: ArgumentHelp("Only this session; any unambiguous prefix.", valueName: "session"))
    var session: String?

    @Flag(help: "Go on printing as events are recorded.")
    var follow = false

    @Flag(help: "Print the leaf bytes alone.")
    var raw = false

    func validate() throws {
        if follow, asOf.asOf != nil {
            throw ValidationError("--follow and --as-of exclude each other.")
        }
        if raw, global.json {
            throw ValidationError("--raw and --json exclude each other.")
        }
    }

    func run() throws {
        let log = try global.openLedger(.reading)
        var printer = EventPrinter(
            form: raw ? .raw : global.json ? .json : .text, remaining: limit,
            filter: EventFilter(
                type: try type.map { try Self.fullType($0) },
                session: try session.map { try log.session(withPrefix: $0) }))
        let size = try asOf.size(of: log, global) ?? .max
        var next = from
        while true {
            let transaction = log.lastTransactionID
            let end = try min(size, log.head().size)
            try printer.print(next..<max(next, end), of: log)
            next = max(next, end)
            if !follow || printer.isDone { return }
            while log.lastTransactionID == transaction {
                ProcessControl.sleep(milliseconds: 100)
            }
        }
    }

    /// The full type for a full type or for the last word of a session event's type.
    private static func fullType(_ text: String) throws -> String {
        if text.hasPrefix("authledger.") { return text }
        guard let type = SessionEventType.allCases.first(where: { $0.word == text }) else {
            let words = SessionEventType.allCases.map(\.word).joined(separator: ", ")
            throw CommandError(
                .usage, "type-unknown", "there is no such event type", hint: "use one of \(words)")
        }
        return type.rawValue
    }
}

/// Which events are printed.
private struct EventFilter {
    let type: String?
    let session: String?

    var isOpen: Bool { type == nil && session == nil }

    func fits(_ envelope: EventEnvelope) -> Bool {
        (type.map { $0 == envelope.type } ?? true)
            && (session.map { $0 == envelope.subject } ?? true)
    }
}

/// Prints events in one of three forms.
private struct EventPrinter {
    enum Form {
        case raw
        case json
        case text
    }

    let form: Form
    private var remaining: UInt64?
    private let filter: EventFilter
    private var buffer = LineBuffer()

    init(form: Form, remaining: UInt64?, filter: EventFilter) {
        self.form = form
        self.remaining = remaining
        self.filter = filter
    }

    /// Whether as many events were printed as were asked for.
    var isDone: Bool { remaining == 0 }

    mutating func print(_ positions: Range<UInt64>, of log: EventLog) throws {
        if isDone { return }
        if filter.isOpen && form != .text {
            try log.forEachLeaf(in: positions) { position, leafHash, leaf in
                try print(position, leafHash, leaf)
            }
        } else if let session = filter.session {
            for event in try log.stream(session) where positions.contains(event.position) {
                guard try print(event) else { break }
            }
        } else {
            try log.forEachEvent(in: positions) { try print($0) }
        }
        try buffer.flush()
    }

    /// Answers whether to go on.
    private mutating func print(_ event: RecordedEvent) throws -> Bool {
        guard filter.fits(event.envelope) else { return true }
        guard form == .text else {
            return try print(event.position, event.leafHash, event.leaf)
        }
        return try count(Array(EventLine(event).text.utf8))
    }

    private mutating func print(
        _ position: UInt64, _ leafHash: Digest, _ leaf: [UInt8]
    ) throws -> Bool {
        guard form == .json else { return try count(leaf) }
        var line = Array(#"{"event":"#.utf8)
        line.append(contentsOf: leaf)
        line.append(contentsOf: #","leafHash":"\#(leafHash)","position":\#(position)}"#.utf8)
        return try count(line)
    }

    private mutating func count(_ line: [UInt8]) throws -> Bool {
        try buffer.append(line)
        remaining = remaining.map { $0 - 1 }
        return !isDone
    }
}

/// One event on one line, for people.
private struct EventLine {
    let text: String

    init(_ event: RecordedEvent) {
        let envelope = event.envelope
        let word = SessionEventType(rawValue: envelope.type)?.word ?? envelope.type
        let facts = ["provider", "flow", "status", "stage", "reason", "error", "algorithm", "acr"]
            .compactMap { name in
                event.data[name]?.stringValue.map { "\(name)=\(Self.printable($0))" }
            }
        let number = String(event.position)
        let padding = String(repeating: " ", count: max(0, 8 - number.count))
        let wordPadding = String(repeating: " ", count: max(0, 12 - word.count))
        text =
            "\(padding)\(number)  \(envelope.time)  \(envelope.subject)  \(word)\(wordPadding)  "
            + facts.joined(separator: " ")
    }

    /// Clear members hold no control characters; a terminal must not depend on that.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 }))
    }
}
