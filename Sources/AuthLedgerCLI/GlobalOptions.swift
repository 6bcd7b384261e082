// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import LiveNetwork
internal import OpenSSL
internal import Platform
internal import SignedNote

/// Options that every command has.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The ledger directory.",
            discussion: """
                Without it AUTHLEDGER_DIR counts, then $XDG_DATA_HOME/authledger, then \
                ~/.local/share/authledger.
                """,
            valueName: "dir"))
    var ledger: String?

    @Flag(name: .long, help: "Print JSON: one document, or a line for each item of a list.")
    var json = false

    @Flag(name: [.short, .long], help: "Print no progress and no notices.")
    var quiet = false

    @Flag(name: [.short, .long], help: "Print more about what is done.")
    var verbose = false

    @Flag(name: .long, help: "Print without colour, also on a terminal.")
    var noColor = false

    /// Where the ledger is.
    func ledgerDirectory() throws -> String {
        if let ledger { return ledger }
        if let directory = ProcessControl.environment("AUTHLEDGER_DIR") { return directory }
        return try Self.userDirectory("XDG_DATA_HOME", orInHome: ".local/share") + "/authledger"
    }

    /// The directory under which the keys of all ledgers lie.
    func keyRoot() throws -> String {
        try Self.userDirectory("XDG_CONFIG_HOME", orInHome: ".config") + "/authledger/keys"
    }

    /// Opens the ledger.
    ///
    /// - Parameter survivesDamage: whether damaged pages end the command with a message and a
    ///   status instead of by a signal.
    func openLedger(
        _ access: EventLog.Access, survivesDamage: Bool = true
    ) throws -> EventLog {
        if survivesDamage {
            let error = CommandError.storageDamaged
            ProcessControl.exitOnDamagedPages(
                status: error.status.rawValue, message: error.text(isJSON: json) + "\n")
        }
        return try EventLog(
            ledgerDirectory(), keyRoot: keyRoot(), access: access, capabilities: .live,
            limits: storageLimits(),
            checkpointFailed: { error in
                Notices.write(
                    "authledger: the events are recorded, but no checkpoint could be published: "
                        + CommandError(error).message)
            })
    }

    /// Opens the ledger together with a checkpoint of so many events, by default of all. One that
    /// is stored does; otherwise the ledger is opened for appending, and a new one is made.
    func openLedger(
        withCheckpointOf size: UInt64?
    ) throws -> (log: EventLog, checkpoint: SignedCheckpoint) {
        do {
            let log = try openLedger(.reading)
            if let stored = try log.storedCheckpoint(of: size ?? log.head().size) {
                return (log, stored)
            }
        }
        let log = try openLedger(.appending)
        return (log, try log.checkpoint(size: size))
    }

    /// How much of the disk the ledger may take: AUTHLEDGER_DISK_RESERVE and AUTHLEDGER_SIZE_MAX.
    func storageLimits() throws -> StorageLimits {
        StorageLimits(
            reserveBytes: try Self.bytes("AUTHLEDGER_DISK_RESERVE")
                ?? StorageLimits.standardReserveBytes,
            logBytesMax: try Self.bytes("AUTHLEDGER_SIZE_MAX") ?? StorageLimits.logBytesMaxEver)
    }

    private static func bytes(_ variable: String) throws -> UInt64? {
        guard let text = ProcessControl.environment(variable) else { return nil }
        guard let bytes = ByteCount.parse(text) else {
            throw CommandError(
                .usage, "size-invalid", "\(variable) is not a number of bytes",
                hint: "use a number, or one with K, M, G or T behind it, such as 512M")
        }
        return bytes
    }

    /// Whether standard error is a terminal on which the cursor can be moved.
    var hasLiveTerminal: Bool {
        guard let kind = ProcessControl.environment("TERM") else { return false }
        return kind != "dumb" && File.standardError.isTerminal
    }

    /// Whether a terminal is to show colours: `--no-color` and `NO_COLOR` say no.
    var usesColor: Bool { !noColor && ProcessControl.environment("NO_COLOR") == nil }

    /// Standard output for people or for programs.
    var output: Output { Output(isJSON: json) }

    /// Messages on standard error.
    var notices: Notices { Notices(isQuiet: quiet, isVerbose: verbose) }

    private static func userDirectory(_ variable: String, orInHome path: String) throws -> String {
        if let directory = ProcessControl.environment(variable) { return directory }
        guard let home = ProcessControl.environment("HOME") else {
            throw CommandError(
                .usage, "no-home", "neither \(variable) nor HOME is set",
                hint: "name the directory with --ledger and set XDG_CONFIG_HOME")
        }
        return home + "/" + path
    }
}

extension Capabilities {
    /// The real clock, the real random numbers and the real network.
    static let live = Capabilities(
        now: { Instant(millisecondsSince1970: ProcessControl.wallClockMilliseconds) },
        randomBytes: { OpenSSL.randomBytes($0) },
        send: { try await LiveTransport.shared.send($0) }, timer: .system, clock: .system)
}

extension LiveTransport {
    /// The one of this process. It and its thread are made with the first request, so that a
    /// command that sends nothing has neither.
    static let shared = LiveTransport(userAgent: "AuthLedger/\(AuthLedgerProgram.version)")
}

extension SteadyTimer {
    /// The one of the system.
    static let system = SteadyTimer(
        steadyMilliseconds: { ProcessControl.bootClockMilliseconds },
        wait: { try await Task.sleep(for: .milliseconds($0)) })
}

extension ClockInstruments {
    /// What the kernel says of its clock.
    static let system = ClockInstruments(
        steadyMilliseconds: { ProcessControl.bootClockMilliseconds },
        quality: {
            guard let clock = try? SystemClock.read() else { return nil }
            return ClockQuality(
                source: clock.source, isSynchronized: clock.isSynchronized,
                maximumErrorMilliseconds: clock.maximumErrorMicroseconds / 1000)
        })
}

extension Instant {
    /// Now, by the real clock.
    static var present: Instant {
        Instant(millisecondsSince1970: ProcessControl.wallClockMilliseconds)
    }
}
