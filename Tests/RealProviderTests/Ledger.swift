// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// A ledger, and the built program at work on it. Whatever the program prints stays in files.
final class Ledger: Sendable {
    private let folder: String

    init(folder: String) throws {
        self.folder = folder
        for name in ["runs", "profiles"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
    }

    /// Starts the program; `--json` unless the arguments are to be taken as they are.
    func start(
        _ arguments: [String], json: Bool = true, input: Execution.Input = .nothing
    ) throws -> Execution {
        return try Execution(
            Self.program, arguments + (json ? ["--json"] : []),
            environment: [
                "AUTHLEDGER_DIR": folder + "/ledger", "XDG_CONFIG_HOME": folder + "/config",
            ], input: input, files: "\(folder)/runs/\(UUID().uuidString)")
    }

    /// Runs the program to its end.
    func run(
        _ arguments: [String], json: Bool = true, input: String? = nil
    ) async throws -> Run {
        let execution = try start(
            arguments, json: json, input: input.map { .text($0) } ?? .nothing)
        return try await execution.wait()
    }

    /// The built program, which lies beside the test bundle.
    static let program: String = {
        let bundle = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        return bundle.deletingLastPathComponent().appending(component: "authledger").path
    }()

    /// A name for the files of one more profile.
    func newProfile(_ name: String) -> String {
        "\(folder)/profiles/\(name)-\(UUID().uuidString.prefix(8))"
    }

    // MARK: - What is in it

    /// The line of a session in `sessions --json`.
    func session(_ name: String) async throws -> JSONObject {
        let lines = try await run(["sessions"]).expect(0).lines
        guard let line = lines.first(where: { $0["session"]?.stringValue == name }) else {
            throw Trouble("the ledger does not have the session \(name)")
        }
        return line
    }

    /// All events of a type.
    func events(_ type: String) async throws -> [JSONObject] {
        try await run(["log", "--type", type]).expect(0).lines.compactMap {
            $0["event"]?.objectValue
        }
    }

    /// The types of a session's events in their order, without what all have in common.
    func sequence(_ session: String) async throws -> [String] {
        try await run(["log", "--session", session]).expect(0).lines.map { line in
            let type = line["event"]?.objectValue?["type"]?.stringValue ?? ""
            return type.split(separator: ".").last.map(String.init) ?? ""
        }
    }

    /// The data of all events of a type.
    func allData(_ type: String) async throws -> [JSONObject] {
        try await events(type).map { $0["data"]?.objectValue ?? [:] }
    }

    /// The data of the only event of a type.
    func onlyData(_ type: String) async throws -> JSONObject {
        let events = try await events(type)
        guard events.count == 1, let data = events[0]["data"]?.objectValue else {
            throw Trouble("there are \(events.count) events of the type \(type)")
        }
        return data
    }

    /// The data of the refused callbacks.
    func refusals() async throws -> [JSONObject] {
        try await events("authledger.callback.refused").compactMap { $0["data"]?.objectValue }
    }

    /// Nothing that the program printed so far holds one of these.
    func expectNoOutput(with secrets: [String]) throws {
        let runs = folder + "/runs"
        let names = try FileManager.default.contentsOfDirectory(atPath: runs)
            .filter { !$0.hasSuffix(".input") }
        #expect(!names.isEmpty)
        for name in names {
            let text = try String(contentsOfFile: "\(runs)/\(name)", encoding: .utf8)
            for secret in secrets where text.contains(secret) {
                Issue.record("a secret (\(secret.prefix(6))…) stands in: \(text)")
            }
        }
    }
}

/// A login that `start` began.
struct StartedLogin {
    let session: String
    let url: String
}

extension Ledger {
    /// `start`, in a process of its own.
    func begin(_ profile: String, flow: String = "pkce") async throws -> StartedLogin {
        let run = try await run(["start", "--provider", profile, "--flow", flow]).expect(0)
        guard let session = run.object["session"]?.stringValue,
            let url = run.object["authorizationURL"]?.stringValue
        else { throw Trouble("start: \(run.text)") }
        #expect(run.object["state"] == .string("redirected"))
        return StartedLogin(session: session, url: url)
    }

    /// `callback`, in a process of its own.
    func callback(_ input: String, session: String? = nil) async throws -> Run {
        try await run(
            ["callback", "-"] + (session.map { ["--session", $0] } ?? []), input: input)
    }

    /// A login from `start` to `callback`.
    func logIn(
        _ provider: RealProvider, _ profile: String, flow: String = "pkce"
    ) async throws -> Run {
        let login = try await begin(profile, flow: flow)
        return try await callback(try await provider.visit(login.url), session: login.session)
    }
}

extension Run {
    var state: String? { object["state"]?.stringValue }
    var reason: String? { object["reason"]?.stringValue }

    /// Records a failure if the program ended otherwise.
    @discardableResult
    func expect(
        _ status: Int32, location: SourceLocation = #_sourceLocation
    ) -> Run {
        #expect(self.status == status, "\(text)", sourceLocation: location)
        return self
    }

    /// Records a failure unless the login was verified.
    func expectVerified(location: SourceLocation = #_sourceLocation) {
        expect(0, location: location)
        #expect(state == "verified", sourceLocation: location)
    }

    /// Records a failure unless the login failed for one of these reasons.
    func expectFailed(_ reasons: String..., location: SourceLocation = #_sourceLocation) {
        expect(1, location: location)
        #expect(state == "failed", sourceLocation: location)
        #expect(reasons.contains(reason ?? ""), "\(text)", sourceLocation: location)
    }

    /// Records a failure unless the callback was refused for this reason.
    func expectRefused(_ reason: String, location: SourceLocation = #_sourceLocation) {
        expect(1, location: location)
        #expect(object["refused"] == .bool(true), "\(text)", sourceLocation: location)
        #expect(self.reason == reason, sourceLocation: location)
    }
}

extension JSONObject {
    var state: String? { self["state"]?.stringValue }
    var reason: String? { self["reason"]?.stringValue }

    /// Of an event's data, a member of each request that was made on the way to it.
    func exchanges(_ name: String) -> [JSONValue?] {
        (self["exchanges"]?.arrayValue ?? []).map { $0.objectValue?[name] }
    }

    /// Of an event's data, the names of the checks with an outcome.
    func checks(_ outcome: String) -> [String] {
        (self["checks"]?.arrayValue ?? []).compactMap(\.objectValue)
            .filter { $0["outcome"] == .string(outcome) }.compactMap { $0["name"]?.stringValue }
    }
}
