// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Platform

/// The program.
public enum AuthLedgerProgram {
    /// The version people see.
    static let version = "0.1.0"

    /// Runs the program with its arguments and ends the process.
    public static func main(_ arguments: [String]) async -> Never {
        ProcessControl.disableCoreDumps()
        ProcessControl.exitOnInterrupt(status: ExitStatus.interrupted.rawValue)
        let status = await run(arguments)
        ProcessControl.exit(status.rawValue)
    }

    private static func run(_ arguments: [String]) async -> ExitStatus {
        do {
            var command = try Root.parseAsRoot(arguments)
            if let asynchronous = command as? any AsyncParsableCommand {
                try await execute(asynchronous)
            } else {
                try execute(&command)
            }
            return .success
        } catch {
            return status(after: error, arguments)
        }
    }

    private static func execute(_ command: any AsyncParsableCommand) async throws {
        var command = command
        try await command.run()
    }

    private static func execute(_ command: inout any ParsableCommand) throws {
        try command.run()
    }

    private static func status(after error: any Error, _ arguments: [String]) -> ExitStatus {
        if let end = error as? CommandEnd { return end.status }
        let parserStatus = Root.exitCode(for: error)
        if parserStatus == .success {
            // Help and version come as errors.
            try? File.standardOutput.write(Array((Root.fullMessage(for: error) + "\n").utf8))
            return .success
        }
        if parserStatus == .validationFailure {
            return report(usageError(error, arguments), arguments)
        }
        return report(CommandError(error), arguments)
    }

    private static func usageError(_ error: any Error, _ arguments: [String]) -> CommandError {
        var message = withoutTokens(Root.message(for: error), arguments)
        var path = ["authledger"]
        var command: any ParsableCommand.Type = Root.self
        for word in arguments {
            let known = command.configuration.subcommands
            if known.isEmpty { break }
            if word.hasPrefix("-") {
                return CommandError(
                    .usage, "usage", message, hint: "options come after the command")
            }
            if let next = known.first(where: { $0.configuration.commandName == word }) {
                command = next
                path.append(word)
                continue
            }
            let wanted = path.dropFirst() + [presentable(word)]
            message = "there is no command `\(wanted.joined(separator: " "))`"
            let names = known.compactMap { $0.configuration.commandName }
            guard let near = nearest(word, among: names) else { break }
            return CommandError(
                .usage, "usage", message, hint: (path + [near]).joined(separator: " "))
        }
        return CommandError(
            .usage, "usage", message, hint: (path + ["--help"]).joined(separator: " "))
    }

    private static func report(_ error: CommandError, _ arguments: [String]) -> ExitStatus {
        Notices.write(error.text(isJSON: arguments.contains("--json")))
        return error.status
    }

    /// A message of the parser, which repeats what it cannot place, without what may be a token.
    private static func withoutTokens(_ message: String, _ arguments: [String]) -> String {
        arguments.flatMap { $0.split(separator: "=", maxSplits: 1).map(String.init) + [$0] }
            .filter(\.looksLikeToken)
            .reduce(message) { $0.replacing($1, with: "…") }
    }

    /// A word of the command line without control characters, cut to a reasonable length.
    private static func presentable(_ word: String) -> String {
        if word.looksLikeToken { return "…" }
        return String(
            String.UnicodeScalarView(word.unicodeScalars.prefix(40).filter { $0.value >= 0x20 }))
    }

    private static func nearest(_ word: String, among known: [String]) -> String? {
        known.map { ($0, editDistance(word, $0)) }.filter { $0.1 <= 2 }.min { $0.1 < $1.1 }?.0
    }

    /// Levenshtein's distance between two words.
    private static func editDistance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (i, character) in left.utf8.prefix(40).enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in right.indices {
                let cost = diagonal + (character == right[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(cost, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}

/// Ends a command with a status when everything there is to say was said.
struct CommandEnd: Error {
    let status: ExitStatus
}

/// The root command.
struct Root: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authledger",
        abstract: "The flight recorder for eID logins.",
        discussion: """
            Examples:
              authledger demo                          see it at work
              authledger init                          make a ledger
              authledger login --provider my.yaml      log in and record every step
              authledger explain SESSION               why did a login fail?
              authledger reverify                      check stored tokens once more
              authledger ingest events.jsonl           record the steps of logins
              authledger log --limit 20                read events
              authledger verify                        check that nothing was changed
              authledger doctor                        see whether all is well around it
              authledger checkpoint                    sign what the ledger holds
              authledger prove --session SESSION       prove it to someone else
              authledger token inspect token.jwt       see what is written in a token

            Exit status: 0 fine · 1 checked, and not valid or with findings · 2 usage ·
            3 inconclusive · 4 not permitted · 5 ledger integrity broken ·
            6 input or output failed, locked, unreachable · 130 interrupted.
            """,
        version: AuthLedgerProgram.version,
        subcommands: [
            InitCommand.self, DemoCommand.self, ProvidersCommand.self, LoginCommand.self,
            StartCommand.self, CallbackCommand.self, PollCommand.self, SweepCommand.self,
            SessionsCommand.self, ShowCommand.self, ExplainCommand.self, ProjectionsCommand.self,
            ReverifyCommand.self, LogCommand.self, IngestCommand.self, StatsCommand.self,
            TokenCommand.self, VerifyCommand.self, CheckpointCommand.self, ProveCommand.self,
            ExportCommand.self, ImportCommand.self, KeysCommand.self, EraseCommand.self,
            HoldCommand.self, AccessCommand.self, BackupCommand.self, RestoreCommand.self,
            DoctorCommand.self, UpgradeCommand.self,
        ])
}
