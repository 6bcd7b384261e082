// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The members of `erase --json`.
struct EraseReport: Decodable {
    let sessions: [String]
    let keysDestroyed: Int
    let certificate: String?
    let dryRun: Bool
    let accesses: Int
    let alreadyErased: Int
}

/// What an erasure certificate says.
private struct Certificate: Decodable {
    struct Event: Decodable {
        let position: Int
        let leaf: String
        let leafHash: String
        let proof: [String]?
    }

    struct Remainder: Decodable {
        let code: String
    }

    let type: String
    let sessions: [String]
    let keysDestroyed: Int
    let legalBasis: String
    let events: [Event]
    let checkpoint: String?
    let stays: [Remainder]
}

private struct ReverifyReport: Decodable {
    let tokens: Int
    let erased: Int
    let inconclusive: Int
    let mismatches: Int
}

private struct ShownSession: Decodable {
    struct Erasure: Decodable {
        let position: Int
        let legalBasis: String
    }

    let session: String
    let erasure: Erasure?
}

/// Two logins of one person and one of another.
private struct Logins {
    static let person = "01017012345"
    static let other = "02027012345"
    let workspace: Workspace
    let sessions: [String]

    init() async throws {
        workspace = try await Workspace.withLedger()
        var lines: [String] = []
        var sessions: [String] = []
        for (number, person) in [Self.person, Self.other, Self.person].enumerated() {
            let sample = SampleSession(number)
            sessions.append(sample.subject)
            let verified = sample.event("verified").setting(
                "data.sealed",
                [
                    "subject": .string("{person-\(person)}"),
                    "claims": ["ssn": .string(person), "name": "Planted Name"],
                ])
            lines += sample.lines.dropLast() + [verified.text]
        }
        self.sessions = sessions
        let report = try await workspace.ingest(lines)
        try #require(report.rejected == 0)
    }

    func erase(_ options: String..., stdin: Input = .nothing) async throws -> Outcome {
        try await workspace.start(
            ["erase", "--reason", "case 17", "--legal-basis", "GDPR Art. 17(1)(a)", "--json"]
                + options, stdin: stdin
        ).end()
    }
}

@Suite("erase", .inTurn)
struct ErasureTests {
    @Test("destroys, attests and certifies, and every other command goes on")
    func erases() async throws {
        let logins = try await Logins()
        let workspace = logins.workspace
        let session = logins.sessions[0]
        let outcome = try await logins.erase("--session", session)
        let report: EraseReport = try outcome.json()
        #expect(outcome.status == 0)
        #expect(report.sessions == [session])
        #expect(report.keysDestroyed == 1 && !report.dryRun)
        let path = try #require(report.certificate)
        let certificate = try JSONDecoder().decode(
            Certificate.self, from: Data(contentsOf: URL(filePath: path)))
        #expect(certificate.sessions == [session])
        #expect(certificate.legalBasis == "gdpr-17-1-a")
        #expect(certificate.keysDestroyed == 1)
        #expect(certificate.stays.map(\.code).contains("clear-members"))
        #expect(certificate.checkpoint?.isEmpty == false)
        #expect(certificate.events.allSatisfy { $0.proof != nil })
        #expect(certificate.events[0].leaf.contains("authledger.ledger.erased"))
        #expect(!(try workspace.read(path)).contains("case 17"))
        try await workspace.checkTree()
        let shown: ShownSession = try await workspace.succeed("show", session, "--json").json()
        #expect(shown.erasure?.position == certificate.events[0].position)
        let again = try await workspace.run("reverify", "--json")
        let tokens: ReverifyReport = try again.json()
        #expect(tokens.erased == 1)
        for command in [["sessions"], ["log"], ["explain", session], ["stats"], ["access"]] {
            #expect(try await workspace.start(command).end().status == 0, "\(command)")
        }
        let revealed = try await workspace.run(
            "show", session, "--reveal", "--reason", "x", "--json")
        #expect(revealed.status == 3)
        #expect(try revealed.error().code == "session-erased")
        let fed = try await workspace.ingest(SampleSession(0).lines)
        #expect(Set(fed.rejections.map(\.code)) == ["session-erased"])
    }

    @Test("makes re-verification end with status 3 when nothing else is wrong")
    func inconclusive() async throws {
        let workspace = try await Workspace.withLedger()
        let login = SampleSession(5)
        try #require(try await workspace.ingest(login.lines.dropLast()).rejected == 0)
        try await workspace.succeed(
            "erase", "--session", login.subject, "--reason", "r", "--legal-basis", "b")
        let outcome = try await workspace.run("reverify", "--json")
        #expect(outcome.status == 3)
        #expect(try outcome.json(ReverifyReport.self).erased == 1)
    }

    @Test("by an identifier finds all of a person's sessions, and the records of searches too")
    func bySubject() async throws {
        let logins = try await Logins()
        let workspace = logins.workspace
        let found = try await workspace.succeed(
            "sessions", "--subject-stdin", "--json", stdin: .text(Logins.person + "\n"))
        #expect(found.lines.count == 2)
        #expect(found.lines.allSatisfy { !$0.contains(Logins.person) })
        let issuer = "https://example.idura.broker"
        let sub = try await workspace.succeed(
            "sessions", "--subject-stdin",
            stdin: .text(
                #"{"kind":"sub","scope":"\#(issuer)","value":"{person-\#(Logins.other)}"}"#
            ))
        #expect(sub.lines.count == 1)
        let outcome = try await logins.erase(
            "--subject-file", "-", stdin: .text(Logins.person))
        let report: EraseReport = try outcome.json()
        #expect(Set(report.sessions) == [logins.sessions[0], logins.sessions[2]])
        #expect(report.keysDestroyed == 2)
        // Two records: the search before, and the one of the erasure itself.
        #expect(report.accesses == 2)
        let after = try await workspace.succeed(
            "sessions", "--subject-stdin", "--json", stdin: .text(Logins.person))
        #expect(after.lines.isEmpty)
        let other = try await workspace.succeed(
            "sessions", "--subject-stdin", "--json", stdin: .text(Logins.other))
        #expect(other.lines.count == 1)
        #expect(try await workspace.run("verify", "--level", "all").status == 0)
        #expect(try await workspace.succeed("access").lines.count == 5)
    }

    @Test("as a dry run changes nothing")
    func dryRun() async throws {
        let logins = try await Logins()
        let workspace = logins.workspace
        let before = try workspace.snapshot(workspace.root + "/data")
            .filter { !$0.key.hasSuffix("lock.mdb") }
        let keys = try workspace.snapshot(workspace.keyRoot)
        let outcome = try await logins.erase("--session", logins.sessions[1], "--dry-run")
        let report: EraseReport = try outcome.json()
        #expect(report.dryRun && report.keysDestroyed == 1 && report.certificate == nil)
        #expect(report.sessions == [logins.sessions[1]])
        let after = try workspace.snapshot(workspace.root + "/data")
            .filter { !$0.key.hasSuffix("lock.mdb") }
        #expect(after == before)
        #expect(try workspace.snapshot(workspace.keyRoot) == keys)
    }

    @Test("is refused with status 4 on hold, 6 while others read, 2 and 6 for what is not there")
    func refusals() async throws {
        let logins = try await Logins()
        let workspace = logins.workspace
        let session = logins.sessions[0]
        try await workspace.succeed("hold", "add", session, "--reason", "claim 4711")
        let held = try await logins.erase("--session", session)
        #expect(held.status == 4)
        #expect(try held.error().code == "session-held")
        #expect(try held.error().message.contains("placed by"))
        #expect(try await logins.erase("--session", session, "--dry-run").status == 4)
        #expect(try await workspace.succeed("hold", "list").stdout.contains(session))
        try await workspace.succeed("hold", "release", session, "--reason", "settled")
        #expect(try await workspace.succeed("hold", "list").lines.isEmpty)

        let reader = try workspace.start(["log", "--follow"])
        _ = try await reader.output { $0.contains("verified") }
        let leaves = try await workspace.leaves()
        let busy = try await logins.erase("--session", session, "--wait", "0")
        #expect(busy.status == 6)
        #expect(try busy.error().code == "ledger-locked")
        #expect(try await workspace.leaves() == leaves)
        reader.interrupt(SIGKILL)
        _ = try await reader.end()
        #expect(try await logins.erase("--session", session).status == 0)

        #expect(try await logins.erase().status == 2)
        #expect(try await logins.erase("--session", "0198ffff").status == 6)
        #expect(try await logins.erase("--subject-file", "-", stdin: .text("")).status == 2)
    }

    @Test("done again gives the certificate again, and destroys nothing more")
    func twice() async throws {
        let logins = try await Logins()
        let first: EraseReport = try await logins.erase("--session", logins.sessions[0]).json()
        let again: EraseReport = try await logins.erase("--session", logins.sessions[0]).json()
        #expect(again.sessions.isEmpty && again.keysDestroyed == 0)
        #expect(again.alreadyErased == 1)
        #expect(again.certificate == first.certificate)
    }

    @Test(
        "killed at any moment is finished by the next command that writes",
        arguments: 0..<12)
    func killed(number: Int) async throws {
        let logins = try await Logins()
        let workspace = logins.workspace
        let program = try workspace.start([
            "erase", "--session", logins.sessions[0], "--reason", "r", "--legal-basis", "b",
        ])
        try await Task.sleep(for: .milliseconds(20 + number * 17))
        program.interrupt(SIGKILL)
        _ = try await program.end()
        #expect(try await workspace.run("verify", "--level", "all").status == 0)
        let report: EraseReport = try await logins.erase("--session", logins.sessions[0]).json()
        #expect(report.sessions.count + report.alreadyErased == 1)
        #expect(report.certificate != nil)
        try await workspace.checkTree()
        let revealed = try await workspace.run(
            "show", logins.sessions[1], "--reveal", "--reason", "x")
        #expect(revealed.stdout.contains(Logins.other))
        let entries = try FileManager.default.contentsOfDirectory(atPath: workspace.ledger)
        #expect(!entries.contains { $0.hasPrefix("keys.") })
    }
}

@Suite("Sealed data", .inTurn)
struct RevealTests {
    @Test("stay masked without --reveal, and with it the look is recorded first")
    func reveal() async throws {
        let logins = try await Logins()
        let workspace = logins.workspace
        let session = logins.sessions[0]
        for command in [["show", session], ["show", session, "--json"], ["log", "--json"]] {
            let outcome = try await workspace.start(command).end()
            #expect(outcome.status == 0)
            #expect(!outcome.stdout.contains(Logins.person), "\(command)")
        }
        #expect(try await workspace.run("show", session, "--reveal").status == 2)
        #expect(try await workspace.run("show", session, "--reason", "x").status == 2)
        #expect(try await workspace.succeed("access").lines.isEmpty)
        let shown = try await workspace.succeed(
            "show", session, "--reveal", "--reason", "claim of Planted Person")
        #expect(shown.stdout.contains(Logins.person))
        let access = try await workspace.succeed("access", "--session", session, "--json")
        #expect(access.lines.count == 1)
        #expect(access.stdout.contains(#""command":"show""#))
        #expect(access.stdout.contains(#""type":"revealed""#))
        #expect(access.stdout.contains(#""user":"#))
        #expect(!access.stdout.contains("Planted"))
        #expect(!(try await workspace.leaves()).contains("Planted"))
    }

    @Test("are not shown where the look cannot be recorded")
    func notRecorded() async throws {
        let logins = try await Logins()
        let workspace = logins.workspace
        try FileManager.default.removeItem(atPath: workspace.keyRoot)
        let shown = try await workspace.run(
            "show", logins.sessions[0], "--reveal", "--reason", "x")
        #expect(shown.status == 6)
        #expect(shown.stdout.isEmpty)
    }

    @Test("and their keys are kept out of core dumps")
    func coreDumps() async throws {
        let workspace = try await Workspace.withLedger()
        let reader = try workspace.start(["ingest"], stdin: .pipe)
        let path = "/proc/\(reader.processID)/limits"
        var limits: [String] = []
        for _ in 0..<1000 where limits != ["0", "0"] {
            let line = ((try? workspace.read(path)) ?? "").split(separator: "\n")
                .first { $0.hasPrefix("Max core file size") }
            limits = line?.split(separator: " ").dropFirst(4).prefix(2).map(String.init) ?? []
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(limits == ["0", "0"])
        reader.endInput()
        _ = try await reader.end()
    }
}

@Suite("keys rotate", .inTurn)
struct KeysRotateTests {
    @Test("keeps what is sealed readable", arguments: ["root", "bucket"])
    func rotates(kind: String) async throws {
        let logins = try await Logins()
        let workspace = logins.workspace
        try await workspace.succeed("keys", "rotate", kind)
        let shown = try await workspace.succeed(
            "show", logins.sessions[1], "--reveal", "--reason", "x")
        #expect(shown.stdout.contains(Logins.other))
        #expect(try await workspace.run("verify", "--level", "all").status == 0)
        let report = try await workspace.ingest(SampleSession(9).lines)
        #expect(report.accepted == 5)
    }

    @Test("verify finds a data key that is missing, and says when it could not look")
    func verifyKeys() async throws {
        let logins = try await Logins()
        let workspace = logins.workspace
        let clean: VerifyReport = try await workspace.succeed(
            "verify", "--level", "all", "--json"
        ).json()
        #expect(!clean.notProven.contains("sealed-not-opened"))
        let keys = workspace.keyRoot
        try FileManager.default.moveItem(atPath: keys, toPath: keys + ".away")
        let blind: VerifyReport = try await workspace.succeed(
            "verify", "--level", "all", "--json"
        ).json()
        #expect(blind.notProven.contains("sealed-not-opened"))
        try FileManager.default.moveItem(atPath: keys + ".away", toPath: keys)
        try await workspace.surgeon("delete-key", logins.sessions[1])
        let outcome = try await workspace.run("verify", "--json")
        #expect(outcome.status == 5)
        let found: VerifyReport = try outcome.json()
        #expect(found.findings.map(\.code) == ["key-missing"])
        #expect(found.findings.map(\.position) == [5])
    }
}
