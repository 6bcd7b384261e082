// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import Custody
internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import SessionEvents

struct EraseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Destroy the keys of sessions, so that nothing sealed in them can be read again.",
        discussion: """
            Examples:
              authledger erase --session 0198b0f2 --reason "case 17" \\
                  --legal-basis "GDPR Art. 17(1)(a)" --dry-run
              authledger erase --subject-file person.txt --reason "case 17" \\
                  --legal-basis gdpr-17-1-b --certificate certificate.json

            The events stay, every proof stays valid, and what was sealed is gone: in this ledger \
            and in every backup of its log. The certificate says what was done and what stays.

            The subject file holds an identifier of the person alone on a line: sub, national \
            number, e-mail address, telephone number. Or it names it: \
            {"kind":"sub","scope":"https://issuer.example","value":"…"}, with the kinds sub, \
            national-id (scope: the country, as no), email, phone, any. - is standard input.

            Reason and legal basis are sealed, as they may name a person; do without names all the \
            same, as the ledger's own key is never destroyed. Legal bases with a code of their own \
            (gdpr-17-1-a to gdpr-17-1-f, gdpr-5-1-e, also as people write them) stand in the clear.

            Nobody else may have the ledger open (exit status 6), and no session may be on hold \
            (exit status 4). A dry run changes nothing; where it searches for a person, the search \
            is recorded, as every one is.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        help: ArgumentHelp(
            "A session; any unambiguous prefix. May be given several times.", valueName: "session"))
    var session: [String] = []

    @Option(
        help: ArgumentHelp(
            "A file with an identifier of the person; - for standard input.", valueName: "file"))
    var subjectFile: String?

    @Option(help: ArgumentHelp("Why; sealed.", valueName: "text"))
    var reason: String

    @Option(help: ArgumentHelp("On what legal ground.", valueName: "text"))
    var legalBasis: String

    @Option(
        help: ArgumentHelp(
            "Where the certificate goes; by default into the directory erasures of the ledger.",
            valueName: "file"))
    var certificate: String?

    @Option(
        help: ArgumentHelp(
            "How many seconds others may take to close the ledger.", valueName: "seconds"))
    var wait: UInt32 = 2

    @Flag(help: "Say what would be erased, and change nothing.")
    var dryRun = false

    func validate() throws {
        guard session.isEmpty != (subjectFile == nil) else {
            throw ValidationError("name sessions with --session, or a person with --subject-file")
        }
        guard !reason.isEmpty, !legalBasis.isEmpty, reason.utf8.count <= 4096,
            legalBasis.utf8.count <= 1024
        else {
            throw ValidationError("--reason and --legal-basis say something, at most 4096 bytes")
        }
        guard wait <= 3600 else { throw ValidationError("--wait is at most 3600") }
    }

    func run() throws {
        let identifier = try subjectFile.map { try SubjectInput.read($0) }
        if dryRun {
            return try printDryRun(identifier)
        }
        let custody = try LedgerCustody(
            global.ledgerDirectory(), keyRoot: global.keyRoot(), capabilities: .live,
            waitMilliseconds: wait * 1000)
        let plan: Plan = try custody.withLog { try self.plan(in: $0, identifier) }
        var erasure = plan.earlier
        if !plan.sessions.isEmpty || !plan.accesses.isEmpty {
            let request = ErasureRequest(
                sessions: plan.sessions, accesses: plan.accesses,
                legalBasis: LegalBasis(text: legalBasis),
                words: ["legalBasis": .string(legalBasis), "reason": .string(reason)],
                by: .present)
            erasure = try custody.erase(request).erasure
        }
        let written = try erasure.flatMap { erasure in
            try custody.withLog { try writeCertificate(of: erasure, in: $0) }
        }
        try print(plan, keysDestroyed: plan.keys, certificate: written)
    }

    private func printDryRun(_ identifier: SubjectIdentifier?) throws {
        let log = try global.openLedger(identifier == nil ? .unsealing : .appending)
        let plan: Plan = try self.plan(in: log, identifier)
        let holds = try log.history().holds
        for session in plan.sessions {
            if let hold = holds[session] {
                throw LedgerError.held(session: session.description, hold: hold)
            }
        }
        try print(plan, keysDestroyed: plan.keys, certificate: nil)
    }

    // MARK: - What to erase

    /// What an erasure would do.
    private struct Plan {
        /// Sessions that are not erased yet.
        var sessions: [UUIDv7] = []
        var accesses: [UUIDv7] = []
        /// How many of the sessions have a data key.
        var keys = 0
        /// How many of the sessions asked for are erased already.
        var alreadyErased = 0
        /// The erasure of the first of these.
        var earlier: UUIDv7?
    }

    private func plan(in log: EventLog, _ identifier: SubjectIdentifier?) throws -> Plan {
        var plan = Plan()
        var index = SubjectIndex(log)
        var wanted = try Set(
            session.map { try log.session(withPrefix: $0) }.compactMap { UUIDv7($0) })
        if let identifier {
            let found = try SubjectInput.search(
                identifier, &index, in: log, command: "erase", reason: reason,
                isQuiet: global.quiet)
            wanted = Set(found.sessions)
            plan.accesses = found.accesses
        }
        let history = try log.history()
        for session in wanted.sorted() {
            if let earlier = history.erased[session.description] {
                plan.alreadyErased += 1
                plan.earlier = plan.earlier ?? earlier.erasure
            } else {
                plan.sessions.append(session)
            }
        }
        plan.keys = try plan.sessions.count { try log.dataKey(for: $0.description) != nil }
        plan.accesses = Set(try index.accesses(to: plan.sessions) + plan.accesses).sorted()
        return plan
    }

    // MARK: - What was done

    private func writeCertificate(of erasure: UUIDv7, in log: EventLog) throws -> String? {
        guard let certificate = try ErasureCertificate(of: erasure, in: log) else { return nil }
        // Without its signing key a ledger can still erase; the certificate then proves nothing.
        let checkpoint = try? log.checkpoint()
        if checkpoint == nil {
            global.notices.say("No checkpoint could be signed; the certificate has no proofs.")
        }
        let document = try certificate.document(in: log, under: checkpoint)
        var path: String
        if let chosen = self.certificate {
            path = try Path.absolute(chosen)
        } else {
            path = log.paths.root + "/erasures"
            try Directory.createWithParents(path)
            path += "/\(erasure).json"
        }
        let file = try File(path, .writing(permissions: 0o600))
        try file.write(CanonicalJSON.encode(document) + [UInt8(ascii: "\n")])
        try file.sync()
        return path
    }

    private func print(_ plan: Plan, keysDestroyed: Int, certificate: String?) throws {
        let result: JSONObject = [
            "accesses": .integer(Int64(plan.accesses.count)),
            "alreadyErased": .integer(Int64(plan.alreadyErased)),
            "certificate": certificate.map { .string($0) } ?? .null,
            "dryRun": .bool(dryRun),
            "keysDestroyed": .integer(Int64(keysDestroyed)),
            "legalBasis": .string(LegalBasis(text: legalBasis).rawValue),
            "sessions": .array(plan.sessions.map { .string($0.description) }),
        ]
        try global.output.print(result) {
            var lines = plan.sessions.map(\.description)
            let verb = dryRun ? "would be destroyed" : "destroyed"
            lines.append("\(plan.sessions.count) sessions, \(keysDestroyed) keys \(verb)")
            if plan.alreadyErased > 0 { lines.append("\(plan.alreadyErased) were erased before") }
            if let certificate { lines.append("certificate  \(certificate)") }
            return lines.joined(separator: "\n")
        }
    }
}

/// Identifiers of persons, which never stand among the arguments.
enum SubjectInput {
    static func read(_ path: String) throws -> SubjectIdentifier {
        let bytes = try InputFile.read(path, bytesMax: 8192)
        guard bytes.count <= 8192, let identifier = SubjectIdentifier(input: bytes) else {
            throw CommandError(
                .usage, "subject-malformed",
                "the subject is one line with an identifier, or a JSON object with kind, scope and "
                    + "value",
                hint: "kinds: sub, national-id, email, phone, any")
        }
        return identifier
    }

    /// Searches for a person, and records it before anybody learns the result.
    static func search(
        _ identifier: SubjectIdentifier, _ index: inout SubjectIndex, in log: EventLog,
        command: String, reason: String?, isQuiet: Bool
    ) throws -> SubjectMatches {
        var progress = Progress("index", isShown: !isQuiet)
        try index.catchUp { done, total in
            progress.update(done, unit: "events", fraction: Double(done) / Double(max(total, 1)))
        }
        progress.finish()
        var found = try index.matches(identifier)
        _ = try AccessRecord(log, capabilities: .live).search(
            identifier, found: found.sessions.count, command: command, reason: reason,
            by: .present)
        // The record of this very search goes with the others when the person is erased.
        found.accesses = try index.matches(identifier).accesses
        return found
    }
}

extension Operator {
    /// Who runs this program, as the system reports it.
    static var present: Operator {
        Operator(user: ProcessControl.userName, uid: Int(ProcessControl.userID))
    }
}
