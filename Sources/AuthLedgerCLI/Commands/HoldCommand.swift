// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import SessionEvents

struct HoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keep sessions from being erased.",
        discussion: """
            Examples:
              authledger hold add 0198b0f2 --reason "claim 4711"
              authledger hold list --json
              authledger hold release 0198b0f2 --reason "claim settled"
            """,
        subcommands: [HoldAddCommand.self, HoldListCommand.self, HoldReleaseCommand.self])
}

struct HoldAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Place a hold on a session: it cannot be erased until the hold is released.",
        discussion: """
            Examples:
              authledger hold add 0198b0f2 --reason "claim 4711"

            The reason is sealed. A session that is on hold already stays so.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("A session; any unambiguous prefix.", valueName: "session"))
    var session: String

    @Option(help: ArgumentHelp("Why; sealed.", valueName: "text"))
    var reason: String

    func run() throws {
        let log = try global.openLedger(.appending)
        let id = try log.sessionID(withPrefix: session)
        if let erasure = try log.erasure(of: id.description) {
            throw CommandError(
                .inconclusive, "session-erased",
                "the session was erased at \(erasure.time); there is nothing left to hold")
        }
        if try log.history().holds[id] == nil {
            try log.appendToOwnStream(
                .holdPlaced(LegalHold(session: id, by: .present)),
                sealed: ["reason": .string(reason)])
        }
        guard let hold = try log.history().holds[id] else {
            throw LedgerError.internalFault("the hold was not recorded")
        }
        try global.output.print(hold.object(of: id)) { hold.line(of: id) }
    }
}

struct HoldReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Release the hold on a session.",
        discussion: """
            Examples:
              authledger hold release 0198b0f2 --reason "claim settled"

            The reason is sealed. A session without a hold is no error.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("A session; any unambiguous prefix.", valueName: "session"))
    var session: String

    @Option(help: ArgumentHelp("Why; sealed.", valueName: "text"))
    var reason: String

    func run() throws {
        let log = try global.openLedger(.appending)
        let id = try log.sessionID(withPrefix: session)
        let wasHeld = try log.history().holds[id] != nil
        if wasHeld {
            try log.appendToOwnStream(
                .holdReleased(LegalHold(session: id, by: .present)),
                sealed: ["reason": .string(reason)])
        }
        let result: JSONObject = [
            "released": .bool(wasHeld), "session": .string(id.description),
        ]
        try global.output.print(result) {
            wasHeld ? "\(id) is no longer on hold" : "\(id) was not on hold"
        }
    }
}

struct HoldListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the sessions that are on hold.",
        discussion: """
            Examples:
              authledger hold list
              authledger hold list --json
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var asOf: AsOfOption

    func run() throws {
        let log = try global.openLedger(.reading)
        let size = try asOf.size(of: log, global)
        let holds = try (size.map { try log.history(before: $0) } ?? log.history()).holds
        var lines = LineBuffer()
        for (session, hold) in holds.sorted(by: { $0.value.position < $1.value.position }) {
            try lines.append(
                global.json
                    ? CanonicalJSON.encode(hold.object(of: session))
                    : Array(hold.line(of: session).utf8))
        }
        try lines.flush()
    }
}

extension RecordedHold {
    fileprivate func object(of session: UUIDv7) -> JSONObject {
        [
            "position": .integer(Int64(position)), "session": .string(session.description),
            "since": .string(time.rfc3339), "uid": .integer(Int64(by.uid)),
            "user": .string(by.user),
        ]
    }

    fileprivate func line(of session: UUIDv7) -> String {
        "\(session)  on hold since \(time) by \(by.user) (position \(position))"
    }
}
