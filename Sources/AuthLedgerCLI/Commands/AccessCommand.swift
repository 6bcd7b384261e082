// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import SessionEvents

struct AccessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access",
        abstract: "List who looked at sealed data, and who searched for a person.",
        discussion: """
            Examples:
              authledger access
              authledger access --session 0198b0f2 --json
              authledger access --since -30d

            Who it was is what the system reported on the machine that ran the command. Reasons \
            and what was searched for are sealed.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var asOf: AsOfOption

    @Option(help: ArgumentHelp("Only accesses to this session.", valueName: "session"))
    var session: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Only accesses at this instant or later.", valueName: "instant"))
    var since: InstantArgument?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only accesses before this instant; a plain date is included whole.",
            valueName: "instant"))
    var until: InstantArgument?

    func run() throws {
        let log = try global.openLedger(.reading)
        let session = try session.map { try log.sessionID(withPrefix: $0) }
        let range = try InstantRange(since: since, until: until, now: .present)
        let size = try asOf.size(of: log, global) ?? log.head().size
        var progress = Progress("access", isShown: !global.quiet)
        var lines = LineBuffer()
        try log.forEachEvent(in: 0..<size) { event in
            progress.update(
                event.position + 1, unit: "events",
                fraction: Double(event.position + 1) / Double(max(size, 1)))
            guard AccessStream.access(event.envelope.subject) != nil,
                range.contains(event.envelope.time),
                let access = Access(event), session == nil || access.session == session
            else { return true }
            try lines.append(
                global.json ? CanonicalJSON.encode(access.object) : Array(access.line.utf8))
            return true
        }
        progress.finish()
        try lines.flush()
    }
}

/// A recorded access.
private struct Access {
    let event: RecordedEvent
    let payload: LedgerEvent

    init?(_ event: RecordedEvent) {
        guard let payload = try? LedgerEventCodec.decode(event) else { return nil }
        self.event = event
        self.payload = payload
    }

    /// The session whose data were shown.
    var session: UUIDv7? {
        if case .revealed(let access) = payload { access.session } else { nil }
    }

    var object: JSONObject {
        var object = payload.clearMembers
        object["position"] = .integer(Int64(event.position))
        object["time"] = .string(event.envelope.time.rfc3339)
        object["type"] = .string(String(event.envelope.type.dropFirst("authledger.access.".count)))
        return object
    }

    var line: String {
        let what =
            switch payload {
            case .revealed(let access):
                "\(access.by.user)  \(access.command) revealed \(access.count) events"
                    + (access.session.map { " of \($0)" } ?? "")
            case .searched(let access):
                "\(access.by.user)  \(access.command) searched for a person, "
                    + "\(access.count) sessions found"
            default: event.envelope.type
            }
        return "\(event.position)  \(event.envelope.time)  \(what)"
    }
}
