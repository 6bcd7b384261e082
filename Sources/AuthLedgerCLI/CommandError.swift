// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LMDB
internal import LedgerPrimitives
internal import Platform
internal import ReadModels
internal import RelyingParty
internal import SessionEvents

/// How a command ends. The values are a contract; scripts rely on them.
enum ExitStatus: Int32 {
    case success = 0
    /// Checked, and not valid, or with findings.
    case findings = 1
    case usage = 2
    /// A key or evidence is missing or erased, so it cannot be told.
    case inconclusive = 3
    case notPermitted = 4
    case integrity = 5
    /// Input or output failed, something is locked or unreachable.
    case inputOutput = 6
    case interrupted = 130
}

/// What a person or a script is told when a command cannot do its work.
struct CommandError: Error {
    let status: ExitStatus
    /// A fixed word for scripts.
    let code: String
    let message: String
    /// What to do about it.
    let hint: String?

    init(_ status: ExitStatus, _ code: String, _ message: String, hint: String? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// The storage is so damaged that reading it would have ended the process by a signal.
    static let storageDamaged = CommandError(
        .integrity, "storage-damaged", "reading the storage failed: its pages are damaged",
        hint: "authledger verify")

    /// What is written to standard error.
    func text(isJSON: Bool) -> String {
        if isJSON { return String(decoding: CanonicalJSON.encode(object), as: UTF8.self) }
        return "authledger: \(message)" + (hint.map { "\nhint: \($0)" } ?? "")
    }

    /// The members of `{"error": …}`.
    var object: JSONObject {
        var object: JSONObject = ["code": .string(code), "message": .string(message)]
        if let hint { object["hint"] = .string(hint) }
        return ["error": .object(object)]
    }
}

extension CommandError {
    /// Says what any error of the layers below means for the person at the terminal.
    init(_ error: any Error) {
        switch error {
        case let error as CommandError: self = error
        case let error as LedgerError: self.init(error)
        case let error as TileError: self.init(error)
        case let error as SystemError: self.init(error)
        case let error as LMDBError: self.init(error)
        case let error as ProjectionError: self.init(error)
        case let error as ProfileError:
            self.init(.usage, "profile-invalid", error.description)
        case let error as PollRefusal: self.init(error)
        case let error as EventDecodingError:
            self.init(error)
        case is LedgerEventDecodingError:
            self.init(
                .inconclusive, "event-unknown", "the ledger has an event of a kind not known here",
                hint: "use the program that wrote it, or a newer one")
        case let error as AppendConflict:
            self.init(
                .inputOutput, "append-conflict",
                "another process wrote to the stream \(error.subject) at the same time",
                hint: "run the command again")
        default:
            self.init(.inputOutput, "internal", "something unexpected went wrong: \(error)")
        }
    }

    private init(_ error: EventDecodingError) {
        switch error {
        case .unknownType, .unknownVersion:
            self.init(
                .inconclusive, "event-unknown", "the ledger has an event of a kind not known here",
                hint: "use the program that wrote it, or a newer one")
        case .member(let error):
            self.init(
                .integrity, "event-malformed", "an event cannot be read: \(error.description)",
                hint: "authledger verify")
        }
    }

    private init(_ error: SystemError) {
        self.init(
            error.isLocked ? .inputOutput : .inputOutput, "system", error.description,
            hint: error.isNotThere ? "check the path" : nil)
    }

    private init(_ error: LMDBError) {
        switch error.code {
        case let code where LMDBError.Code.damage.contains(code):
            self.init(
                .integrity, "storage-damaged", error.description,
                hint: "restore the ledger from a backup")
        case .mapFull:
            self.init(.inputOutput, "ledger-full", error.description)
        case let code where LMDBError.Code.diskFull.contains(code):
            self.init(
                .inputOutput, "disk-full", "\(error.description); nothing was written",
                hint: "make room on the disk")
        case .readersFull:
            self.init(
                .inputOutput, "readers-full", error.description,
                hint: "end some of the processes that read this ledger")
        default:
            self.init(.inputOutput, "storage", error.description)
        }
    }

    private init(_ error: LedgerError) {
        switch error {
        case .notFound(let path):
            self.init(
                .inputOutput, "ledger-missing", "there is no ledger in \(path)",
                hint: "authledger init")
        case .alreadyExists(let path):
            self.init(
                .usage, "ledger-exists", "\(path) is taken; nothing was changed",
                hint: "choose another directory with --ledger")
        case .invalidOrigin:
            self.init(
                .usage, "origin-invalid",
                "an origin is made of 1 to 200 letters, digits and the characters . _ / -")
        case .unknownFormat(let version, let features):
            let extra = features.isEmpty ? "" : " with \(features.joined(separator: ", "))"
            self.init(
                .inputOutput, "format-unknown",
                "the ledger has format \(version)\(extra), this program knows format "
                    + "\(LedgerFormat.version)",
                hint: "use the program that wrote it, or a newer one")
        case .locked(let path):
            self.init(
                .inputOutput, "ledger-locked", "another process is at work on \(path)",
                hint: "wait for it to end")
        case .inUse(let path):
            self.init(
                .inputOutput, "ledger-locked", "others have \(path) open, and this needs it alone",
                hint: "end them, or give them longer with --wait")
        case .alreadyOpen(let path):
            self.init(.inputOutput, "ledger-open", "this process has \(path) open already")
        case .damaged(let what, let position):
            let place = position.map { "at position \($0): " } ?? ""
            self.init(
                .integrity, "ledger-damaged", place + what, hint: "authledger verify")
        case .signingKeyMissing, .rolledBack, .checkpointInvalid, .publishOccupied,
            .publishListMalformed, .beyondEnd:
            self.init(onCheckpoints: error)
        case .custodyInvalid, .rootKeyUnavailable, .rootKeyMissing, .rootKeyWrong, .keyMissing,
            .keyMismatch, .erased, .held, .sessionUnknown:
            self.init(onKeys: error)
        case .eventTooLarge(let bytes), .blobTooLarge(let bytes):
            self.init(.usage, "event-too-large", "\(bytes) bytes are too many for one event")
        case .formatReadOnly, .formatOutdated, .networkFileSystem, .diskNearlyFull, .sizeReached,
            .backupInvalid:
            self.init(storage: error)
        case .notWritable:
            self.init(.inputOutput, "not-writable", "the ledger is open for reading only")
        case .internalFault(let what):
            self.init(.inputOutput, "internal", "\(what); nothing was written")
        }
    }
}

extension CommandError {
    /// Errors about keys, and about what was done with them.
    private init(onKeys error: LedgerError) {
        switch error {
        case .custodyInvalid(let path, let what):
            self.init(.inputOutput, "custody-invalid", "\(path): \(what)")
        case .rootKeyUnavailable(let source, let what):
            self.init(
                .inputOutput, "root-key-unavailable", "no root key from \(source): \(what)",
                hint: "custody.json in the key directory says where it comes from")
        case .erased(let subject):
            self.init(
                .inconclusive, "session-erased",
                "what was sealed in \(subject) is erased; its key was destroyed")
        case .held(let session, let hold):
            self.init(
                .notPermitted, "session-held",
                "\(session) is on hold since \(hold.time), placed by \(hold.by.user) (position "
                    + "\(hold.position)); nothing was changed",
                hint: "authledger hold release")
        case .sessionUnknown:
            self.init(.inputOutput, "session-unknown", "there is no such session")
        case .rootKeyMissing(let path):
            self.init(
                .inputOutput, "root-key-missing", "the root key is not in \(path)",
                hint: "put the key file back from where you keep its copy")
        case .rootKeyWrong(let path):
            self.init(
                .inputOutput, "root-key-wrong", "\(path): this is not the ledger's root key",
                hint: "put the key file back from where you keep its copy; a copy of keys/ made "
                    + "before the root key was replaced needs a copy of that key")
        case .keyMissing(let subject):
            self.init(.integrity, "key-missing", "the data key of \(subject) is not there")
        case .keyMismatch(let subject):
            self.init(
                .integrity, "key-mismatch",
                "the data key of \(subject) is not the one it was sealed with")
        default:
            self.init(.inputOutput, "internal", "something unexpected went wrong: \(error)")
        }
    }
}
