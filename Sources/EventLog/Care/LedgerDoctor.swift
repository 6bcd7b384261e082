// SPDX-License-Identifier: Apache-2.0

public import Capabilities
internal import LMDB
internal import LedgerPrimitives
internal import Platform

/// What one look at a ledger and its surroundings came to.
public struct Diagnosis: Equatable, Sendable {
    /// How it is.
    public enum Outcome: String, Sendable {
        /// As it should be.
        case ok
        /// Works, and should be looked at.
        case warning
        /// Does not work, or will not for long.
        case problem
    }

    /// What was looked at: a fixed word.
    public let name: String
    /// How it is.
    public let outcome: Outcome
    /// What was found, in words.
    public let message: String
    /// What to do about it.
    public let hint: String?

    /// A diagnosis.
    public init(_ name: String, _ outcome: Outcome, _ message: String, hint: String? = nil) {
        self.name = name
        self.outcome = outcome
        self.message = message
        self.hint = hint
    }
}

/// Looks at a ledger and what it lives on, and changes nothing of it.
public struct LedgerDoctor {
    let paths: LedgerPaths
    let keyRoot: String
    let limits: StorageLimits
    let probe: StorageProbe
    let capabilities: Capabilities
    /// Known once the ledger was opened.
    var ledgerID: UUIDv7?
    var found: [Diagnosis] = []

    /// Examines a ledger.
    ///
    /// - Parameters:
    ///   - keyRoot: the directory under which each ledger's root key lies.
    ///   - limits: how much of the disk the ledger may take.
    /// - Throws: ``LedgerError/notFound(_:)``; everything else is a diagnosis.
    public static func examine(
        _ directory: String, keyRoot: String, limits: StorageLimits, capabilities: Capabilities
    ) throws -> [Diagnosis] {
        try examine(
            directory, keyRoot: keyRoot, limits: limits, capabilities: capabilities,
            probe: .system)
    }

    package static func examine(
        _ directory: String, keyRoot: String, limits: StorageLimits, capabilities: Capabilities,
        probe: StorageProbe
    ) throws -> [Diagnosis] {
        let paths = try LedgerPaths(absolute: directory)
        guard Directory.isDirectory(paths.log) else { throw LedgerError.notFound(paths.root) }
        var doctor = LedgerDoctor(
            paths: paths, keyRoot: keyRoot, limits: limits, probe: probe,
            capabilities: capabilities)
        doctor.lookAtFileSystem()
        doctor.lookAtSpace()
        try doctor.lookAtLedger()
        doctor.lookAtPermissions()
        doctor.lookAtLeftovers()
        doctor.lookAtClock()
        return doctor.found
    }

    mutating func add(
        _ name: String, _ outcome: Diagnosis.Outcome, _ message: String, hint: String? = nil
    ) {
        found.append(Diagnosis(name, outcome, message, hint: hint))
    }

    /// Adds what could not be looked at.
    mutating func add(_ name: String, failure: any Error) {
        add(name, .problem, "this could not be looked at: \(failure)")
    }

    // MARK: - The ledger

    private mutating func lookAtLedger() throws {
        let log: EventLog
        do {
            // For reading, as that changes nothing and needs no key.
            log = try EventLog(
                paths.root, keyRoot: keyRoot, access: .reading, capabilities: capabilities,
                care: StorageCare(limits: limits, probe: probe))
        } catch let error as LedgerError {
            return addOpening(error)
        } catch {
            return add(
                "ledger", .problem, "it cannot be opened: \(error)",
                hint: "restore it from a backup")
        }
        do {
            ledgerID = log.info.ledgerID
            let head = try log.head()
            add("ledger", .ok, "opens, and has \(head.size) events in \(head.sessions) sessions")
            lookAtFormat(log)
            lookAtRootKey(log.info.ledgerID)
            lookAtReaders(log.environment)
            lookAtCheckpoint(log, head)
            try lookAtTimes(log, head)
        } catch {
            add("ledger", .problem, "it cannot be read: \(error)", hint: "authledger verify")
        }
    }

    private mutating func addOpening(_ error: LedgerError) {
        switch error {
        case .networkFileSystem:
            // Said by the look at the filesystem.
            break
        case .unknownFormat(let version, let features):
            let extra = features.isEmpty ? "" : " with \(features.joined(separator: ", "))"
            add(
                "format", .problem, "the ledger has format \(version)\(extra), not known here",
                hint: "use the program that wrote it, or a newer one")
        case .locked:
            add(
                "ledger", .warning, "another process works on the ledger as a whole",
                hint: "wait for it to end, and look again")
        default:
            add("ledger", .problem, "it cannot be opened: \(error)", hint: "authledger verify")
        }
    }

    private mutating func lookAtFormat(_ log: EventLog) {
        let bytes = try? log.environment.read {
            try $0.value(LogTables.MetaName.format, in: log.tables.meta)
        }
        guard let record = bytes.flatMap(FormatRecord.init) else {
            return add("format", .problem, "the record of the format is malformed")
        }
        do throws(LedgerError) {
            try record.check(for: .appending, .current)
            add("format", .ok, "format \(record.version), the newest that this program knows")
        } catch {
            if case .formatOutdated = error {
                add(
                    "format", .warning, "format \(record.version) can be read, not written",
                    hint: "authledger upgrade")
            } else {
                let features = record.writeFeatures.joined(separator: ", ")
                add(
                    "format", .warning,
                    "the ledger can be read, not written: it has \(features), not known here",
                    hint: "use the program that wrote it, or a newer one, to write")
            }
        }
    }

    private mutating func lookAtRootKey(_ ledgerID: UUIDv7) {
        let name = "root-key"
        let hint = "put the key file back from where you keep its copy"
        do {
            let keys = try KeyDirectory(keyRoot, ledgerID: ledgerID).readRootKeys()
            let environment = try paths.openEnvironment(
                paths.keys, access: .reading, databasesMax: KeyTables.count)
            _ = try KeyStore(environment, rootKeys: keys, ledgerID: ledgerID)
            add(name, .ok, "the root key is there and belongs to this ledger")
        } catch LedgerError.rootKeyMissing(let path) {
            add(name, .problem, "the root key is not in \(path)", hint: hint)
        } catch LedgerError.rootKeyWrong(let path) {
            add(name, .problem, "\(path): this is not the ledger's root key", hint: hint)
        } catch {
            add(name, failure: error)
        }
    }

    /// An event of the future means that the clock was set back, or was wrong then.
    private mutating func lookAtTimes(_ log: EventLog, _ head: LogHead) throws {
        guard head.size > 0 else { return }
        var newest: Instant?
        try log.forEachEvent(in: head.size - 1..<head.size) { event in
            newest = event.envelope.recordedTime ?? event.envelope.time
            return false
        }
        guard let newest else { return }
        let ahead = newest.millisecondsSince1970 - capabilities.now().millisecondsSince1970
        if ahead > 1000 {
            add(
                "event-times", .problem,
                "the newest event is \(ahead / 1000) s ahead of this machine's clock",
                hint: "set the clock right before anything is recorded")
        } else {
            add("event-times", .ok, "the newest event lies behind this machine's clock")
        }
    }

    // MARK: - Readers

    /// How long a reader is watched before it counts as one that stays.
    private static let watchMilliseconds: UInt32 = 1000

    private mutating func lookAtReaders(_ environment: LMDBEnvironment) {
        let name = "readers"
        do {
            let stale = try environment.clearStaleReaders()
            let hint = "end that process if it hangs: while it reads, the file only grows"
            var late = try lateReaders(environment)
            if !late.isEmpty {
                ProcessControl.sleep(milliseconds: Self.watchMilliseconds)
                // Who has moved on meanwhile, or ended, is merely slow.
                late.formIntersection(try environment.readers())
            }
            let last = environment.lastTransactionID
            for reader in late.sorted(by: { $0.process < $1.process }) {
                let program = ProcessControl.programName(of: reader.process) ?? "ended since"
                add(
                    name, .warning,
                    "process \(reader.process) (\(program)) reads for more than "
                        + "\(Self.watchMilliseconds / 1000) s what is "
                        + "\(last - reader.transaction) commits old", hint: hint)
            }
            if late.isEmpty {
                let cleared = stale == 0 ? "" : "; \(stale) that had died were cleared away"
                add(name, .ok, "nobody holds on to an old state\(cleared)")
            }
        } catch {
            add(name, failure: error)
        }
    }

    private func lateReaders(_ environment: LMDBEnvironment) throws -> Set<LMDBReader> {
        let last = environment.lastTransactionID
        return Set(try environment.readers().filter { $0.transaction < last })
    }
}
