// SPDX-License-Identifier: Apache-2.0

import EventLog
import Foundation
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import ProviderSimulator
import RelyingParty
import Replay
import SessionEvents
import Testing

@Suite("The files of a fixture", .serialized)
struct FixtureFileTests {
    /// The fixture of a good login.
    private static func fixture(
        flow: Flow = .pkce, _ wishes: LoginWishes = LoginWishes()
    ) async throws -> ReplayFixture {
        let rig = try LoginRig()
        let log = try rig.open()
        return try FixtureMaker(log).make(
            try await rig.wholeLogin(log, flow: flow, wishes).session)
    }

    private static func text(_ fixture: ReplayFixture, _ file: String) throws -> String {
        String(decoding: try #require(fixture.files[file]), as: UTF8.self)
    }

    /// The fixture with one file changed; the document's name goes with its bytes.
    private static func changed(
        _ fixture: ReplayFixture, _ file: String, _ change: (String) -> String
    ) throws -> ReplayFixture {
        var files = fixture.files
        let before = try text(fixture, file)
        let after = change(before)
        #expect(after != before)
        files[file] = Array(after.utf8)
        return try ReplayFixture(files: files)
    }

    @Test("have no value in them that was planted in the login")
    func planted() async throws {
        var wishes = LoginWishes()
        wishes.loginHint = "sub:ssn:19121212-1212"
        wishes.userAgent = [
            "userAgent": .string("Netscape of Ola Nordmann"), "address": .string("192.0.2.77"),
            "Ola Nordmann's screen": .integer(47_11_08_15),
            "seen": .array([.object(["by": .string("Kari Nordmann")])]),
        ]
        let rig = try LoginRig(profileLines: ["userInfo: fetch"])
        let log = try rig.open()
        let session = try await rig.wholeLogin(log, flow: .pkce, wishes).session
        let fixture = try FixtureMaker(log).make(session)
        var everything = fixture.files.values.map { String(decoding: $0, as: UTF8.self) }
        // What is written in base64url is read as well, three times over.
        for _ in 0..<3 {
            everything += everything.flatMap { text in
                text.split { !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
                    .compactMap { Base64URL.decode(String($0)) }
                    .compactMap { String(validating: $0, as: UTF8.self) }
            }
            everything = Array(Set(everything))
        }
        let all = everything.joined(separator: "\n")
        #expect(all.contains("subject-1"))
        let opened = try log.opened(session)
        let secrets = opened.compactMap(\.sealed).flatMap { sealed in
            ["state", "nonce", "codeVerifier", "code", "subject", "idToken", "accessTokenHash"]
                .compactMap { sealed[$0]?.stringValue }
        }
        #expect(secrets.count >= 6)
        let planted = [
            "Nordmann", "Netscape", "192.0.2.77", "1212", "47110815", "Kari", "Prøvesen",
            "op.example", "rp.example", session,
            try #require(opened.first).recorded.envelope.id.description,
        ]
        for value in secrets + planted {
            #expect(!all.contains(value), "\(value)")
        }
        let year = String(try #require(opened.first).recorded.envelope.time.rfc3339.prefix(8))
        #expect(!all.contains(year))
    }

    @Test("are the same each time, but for keys and signatures")
    func repeatable() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let session = try await rig.wholeLogin(log, flow: .pkce).session
        let both = try (0..<2).map { _ in try FixtureMaker(log).make(session) }
        #expect(both[0].session == both[1].session)
        #expect(both[0].files["fixture.json"] == both[1].files["fixture.json"])
        #expect(both[0].files.count == both[1].files.count)
        #expect(both[0].files["events.jsonl"] != both[1].files["events.jsonl"])
        // Another policy is asked of a fixture as it is of a session.
        let asked = try Replayer(both[0]).replay(both[0].session) { recorded in
            var policy = recorded
            policy.levelOfAssuranceMin = 4
            return policy
        }
        #expect(asked.verdict?.now == "acr-too-low")
        #expect(try Replayer(both[0]).replay(both[0].session, revisionsMax: 2).steps.count == 2)
    }

    @Test("outlive the ledger, and are written whole or not at all")
    func directory() async throws {
        let fixture = try await Self.fixture()
        let path = NSTemporaryDirectory() + "fixture-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try fixture.write(to: path)
        let read = try ReplayFixture.read(path)
        #expect(read.files == fixture.files)
        let replay = try Replayer(read).replay(read.session)
        #expect(replay.decisionsMatch && read.surprise(in: replay) == nil)
        #expect(throws: FixtureError.notEmpty) { try fixture.write(to: path) }
        try FileManager.default.removeItem(atPath: path + "/events.jsonl")
        #expect(throws: FixtureError.missing(file: "events.jsonl")) {
            try ReplayFixture.read(path)
        }
    }

    @Test("that were tampered with are refused, or come to something else")
    func tampering() async throws {
        let fixture = try await Self.fixture()
        // A bit of the token's signature.
        let forged = try Self.changed(fixture, "events.jsonl") { text in
            guard let start = text.range(of: "\"idToken\":\""),
                let end = text[start.upperBound...].firstIndex(of: "\"")
            else { return text }
            let place = text.index(end, offsetBy: -10)
            return text[..<place] + (text[place] == "A" ? "B" : "A")
                + text[text.index(after: place)...]
        }
        let replay = try Replayer(forged).replay(forged.session)
        #expect(replay.verdict?.now == "sig-invalid")
        #expect(!replay.decisionsMatch && forged.surprise(in: replay) != nil)
        // The nonce that was sent.
        let other = try Self.changed(fixture, "events.jsonl") { text in
            text.replacingOccurrences(of: "\"nonce\":\"nonce-1\"", with: "\"nonce\":\"nonce-9\"")
        }
        #expect(try Replayer(other).replay(other.session).verdict?.now == "nonce-mismatch")
        // What is expected of it.
        let wishful = try Self.changed(fixture, "fixture.json") { text in
            text.replacingOccurrences(
                of: "\"verdictNow\": \"verified\"", with: "\"verdictNow\": \"sig-invalid\"")
        }
        let unmoved = try Replayer(wishful).replay(wishful.session)
        #expect(unmoved.decisionsMatch)
        #expect(wishful.surprise(in: unmoved) == "the verdict now")
        // A document.
        let document = try #require(fixture.files.keys.first { $0.hasPrefix("documents/") })
        #expect(throws: FixtureError.documentChanged(file: document)) {
            try Self.changed(fixture, document) { $0 + " " }
        }
    }

    @Test(
        "say where they are wrong",
        arguments: [
            ("fixture.json", "\"version\": 1", "\"version\": 2", "fixture.json: version 2"),
            ("fixture.json", "\"format\"", "\"form\"", "`format` must be"),
            ("fixture.json", "\"about\"", "\"more\"", "a member that no fixture has"),
            ("fixture.json", "{", "", "at byte"),
            ("events.jsonl", "\"specversion\":\"1.0\"", "\"specversion\":\"2\"", "line 1"),
            ("events.jsonl", "\"flow\":\"pkce\"", "\"flow\":\"other\"", "`flow` must be"),
            ("events.jsonl", "\"sealed\":{\"", "\"sealed\":7,\"x\":{\"", "`data.sealed`"),
            ("events.jsonl", "\"source\"", "\"type\"", "a member name stands twice"),
            ("events.jsonl", "authledger.session.initiated", "a.b", "`type` is not"),
            ("events.jsonl", "\n", " ", "line 1"),
        ])
    func malformed(file: String, part: String, other: String, problem: String) async throws {
        let fixture = try await Self.fixture()
        do {
            _ = try Self.changed(fixture, file) { text in
                guard let range = text.range(of: part) else { return text }
                return text.replacingCharacters(in: range, with: other)
            }
            Issue.record("\(part) was taken")
        } catch let error as FixtureError {
            #expect(error.description.contains(problem), "\(error)")
        }
    }

    @Test("of a session that another program reported keep the order of its events")
    func reported() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let model = try await rig.wholeLogin(log, flow: .pkce).session
        let session = try Forgery(of: model, in: log, rig).write { $0.isReported = true }
        let fixture = try FixtureMaker(log).make(session)
        let replay = try Replayer(fixture).replay(fixture.session)
        #expect(replay.isReported && replay.decisionsMatch)
        #expect(replay.verdict?.now == "verified")
    }

    @Test("of a session whose decisions differ differ at the same place")
    func differing() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let model = try await rig.wholeLogin(log, flow: .pkce).session
        let session = try Forgery(of: model, in: log, rig).write { part in
            if part.type == .callback { part.sealed?["state"] = .string("another state") }
        }
        let fixture = try FixtureMaker(log).make(session)
        let replay = try Replayer(fixture).replay(fixture.session)
        #expect(replay.firstDifference?.revision == 3)
        #expect(fixture.surprise(in: replay) == nil)
    }

    @Test(
        "that were written long ago come to the same",
        arguments: [
            ("good", "verified"), ("bad-nonce", "nonce-mismatch"),
            ("bad-signature", "sig-invalid"),
        ])
    func frozen(name: String, verdict: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().path + "/Fixtures/"
        let fixture = try ReplayFixture.read(folder + name)
        let replay = try Replayer(fixture).replay(fixture.session)
        #expect(replay.decisionsMatch)
        #expect(replay.verdict?.then == verdict)
        #expect(replay.verdict?.now == verdict)
        #expect(fixture.surprise(in: replay) == nil)
    }
}
