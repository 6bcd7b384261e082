// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenIDConnect
internal import Platform
internal import Projections
internal import ProviderSimulator
internal import RelyingParty
internal import Replay
internal import SessionEvents
internal import Sessions

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Record good and failing logins with a simulated provider, and check them.",
        discussion: """
            Examples:
              authledger demo
              authledger demo --ledger /tmp/demo --json

            Runs a provider in this process on loopback. Without --ledger and AUTHLEDGER_DIR it \
            makes a temporary ledger and prints its path, so that you can go on looking around in \
            it. It never touches a ledger that is not a demo's (exit status 2).
            """)

    @OptionGroup var global: GlobalOptions

    /// The origin that marks a ledger as one to play with.
    static let origin = "authledger.invalid/demo"

    func run() async throws {
        let directory = try demoDirectory()
        try prepareLedger(directory)
        let log = try EventLog(
            directory, keyRoot: global.keyRoot(), access: .appending, capabilities: .live,
            limits: global.storageLimits())
        let script = DemoScript(log: log, secretFile: directory + "/demo-client.secret")
        let sessions = try await script.run { line in
            if !global.json { try global.output.write(Array(line.utf8)) }
        }
        var reverification = ReverifyRun(
            log: log, jobs: 2, report: nil, progress: Progress("reverify", isShown: false))
        try await reverification.checkAll()
        let report = try log.check(.tree)
        try print(directory, sessions, reverification.summary, report, log)
        let isExpected = sessions.allSatisfy(\.isExpected)
        if !report.isClean { throw CommandEnd(status: .integrity) }
        if !isExpected || reverification.summary.mismatches > 0 {
            throw CommandEnd(status: .findings)
        }
    }

    private func demoDirectory() throws -> String {
        if global.ledger != nil || ProcessControl.environment("AUTHLEDGER_DIR") != nil {
            return try Path.absolute(global.ledgerDirectory())
        }
        let temporary = ProcessControl.environment("TMPDIR") ?? "/tmp"
        let name = Hexadecimal.encode(Capabilities.live.randomBytes(6))
        return "\(temporary)/authledger-demo-\(name)"
    }

    /// Makes the ledger, or makes sure that the one that is there is a demo's.
    private func prepareLedger(_ directory: String) throws {
        if Directory.exists(directory), try !Directory.entries(of: directory).isEmpty {
            let log = try EventLog(
                directory, keyRoot: global.keyRoot(), access: .reading, capabilities: .live)
            guard log.info.origin.isIdentical(to: Self.origin) else {
                throw CommandError(
                    .usage, "not-a-demo-ledger", "this ledger is not a demo's; it was not touched",
                    hint: "name another directory with --ledger")
            }
        } else {
            _ = try EventLog.create(
                directory, origin: Self.origin, keyRoot: global.keyRoot(),
                samples: SyntheticSamples.events.map {
                    SampleEvent(envelope: $0.envelope, data: $0.data)
                }, capabilities: .live)
        }
    }

    private func print(
        _ directory: String, _ sessions: [DemoSession], _ summary: ReverificationSummary,
        _ report: CheckReport, _ log: EventLog
    ) throws {
        let object: JSONObject = [
            "ledger": .string(directory),
            "reverify": .object(summary.object),
            "sessions": .array(sessions.map { .object($0.object) }),
            "verify": .object(report.object),
        ]
        try global.output.print(object) {
            let failed = sessions.first { $0.result.reason?.code == "nonce-mismatch" }
            return """

                \((try? story(of: failed?.result.session, in: log)) ?? "")

                Checked again from the log alone: \(summary.tokens) tokens, \(summary.verified) \
                verified, \(summary.failed) failed, \(summary.mismatches) other than recorded.
                The ledger is \(report.isClean ? "clean" : "DAMAGED"): \(report.events) events, \
                root \(report.root.base64)

                Look around:
                  export AUTHLEDGER_DIR=\(directory)
                  authledger sessions --state failed
                  authledger log --limit 5
                """
        }
    }

    /// Timeline and explanation of one session.
    private func story(of session: String?, in log: EventLog) throws -> String {
        guard let session else { return "" }
        let events = try log.stream(session)
        let timeline = try events.map { try TimelineEntry($0).line }.joined(separator: "\n")
        let explanation = try Explanation(session: session, events: events)
        return "What happened in \(session):\n\(timeline)\n" + (explanation?.text ?? "")
    }
}

/// A login of the demo.
struct DemoSession {
    let flow: Flow
    let result: LoginResult
    /// Whether it ended as the simulated provider's behaviour asks for.
    let isExpected: Bool

    var object: JSONObject {
        var object: JSONObject = [
            "flow": .string(flow.rawValue), "provider": .string(DemoScript.providerName),
            "session": .string(result.session), "state": .string(result.phase.rawValue),
        ]
        object["reason"] = result.reason.map { .string($0.code) }
        return object
    }
}

/// What the demo does.
private struct DemoScript {
    static let providerName = "simulator"
    private static let redirectURI = "http://127.0.0.1/callback"
    private static let publicClient = "demo-public"
    private static let secretClient = "demo-secret"

    /// A login and how it must end: a reason code, or nil for a good one.
    private struct Scene {
        let flow: Flow
        let misbehaviour: Misbehaviour
        let reason: String?
    }

    private static let scenes = [
        Scene(flow: .pkce, misbehaviour: .none, reason: nil),
        Scene(flow: .code, misbehaviour: .none, reason: nil),
        Scene(flow: .pkce, misbehaviour: .accessDenied, reason: "access-denied"),
        Scene(flow: .pkce, misbehaviour: .stateMismatch, reason: "state-mismatch"),
        Scene(flow: .pkce, misbehaviour: .wrongNonce, reason: "nonce-mismatch"),
        Scene(flow: .pkce, misbehaviour: .wrongAudience, reason: "aud-mismatch"),
        Scene(flow: .code, misbehaviour: .expired, reason: "token-expired"),
        Scene(flow: .code, misbehaviour: .badSignature, reason: "sig-invalid"),
        Scene(flow: .pkce, misbehaviour: .unknownKeyID, reason: "kid-unknown"),
        Scene(
            flow: .pkce, misbehaviour: .discoveryIssuerMismatch,
            reason: "discovery-issuer-mismatch"),
    ]

    private let log: EventLog
    private let secretFile: String
    private let secret: String

    init(log: EventLog, secretFile: String) {
        self.log = log
        self.secretFile = secretFile
        secret = Hexadecimal.encode(Capabilities.live.randomBytes(16))
    }

    /// Runs every scene.
    ///
    /// - Parameter say: gets a line for each login as it ends.
    func run(_ say: (String) throws -> Void) async throws -> [DemoSession] {
        let file = try File(secretFile, .writing(permissions: 0o600))
        try file.write(Array(secret.utf8))
        let settings = ProviderSettings(clients: [
            RegisteredClient(publicID: Self.publicClient, redirectURIs: [Self.redirectURI]),
            RegisteredClient(
                id: Self.secretClient, secret: secret, redirectURIs: [Self.redirectURI]),
        ])
        let live = Capabilities.live
        return try await ProviderServer.run(
            settings, now: live.now, randomBytes: live.randomBytes
        ) { server in
            var sessions: [DemoSession] = []
            for scene in Self.scenes {
                let session = try await play(scene, server)
                sessions.append(session)
                try say(
                    "\(session.result.session)  \(scene.flow.rawValue)  "
                        + "\(session.result.phase.rawValue)"
                        + (session.result.reason.map { " (\($0.code))" } ?? ""))
            }
            return sessions
        }
    }

    private func play(_ scene: Scene, _ server: ProviderServer) async throws -> DemoSession {
        server.provider.withProvider { $0.settings.misbehaviour = scene.misbehaviour }
        let profile = try profile(scene.flow, issuer: server.issuer)
        let party = RelyingParty(log: log, capabilities: .live)
        var result = try await party.start(profile, flow: scene.flow)
        if let url = result.authorizationURL {
            let callback = try await SimulatedBrowser(send: Capabilities.live.send).visit(url)
            let outcome = try await party.receiveCallback(callback, session: result.session)
            if case .taken(let taken) = outcome { result = taken }
        }
        let expected: SessionPhase = scene.reason == nil ? .verified : .failed
        return DemoSession(
            flow: scene.flow, result: result,
            isExpected: result.phase == expected && result.reason?.code == scene.reason)
    }

    private func profile(_ flow: Flow, issuer: String) throws -> ProviderProfile {
        var authentication: JSONObject = ["method": .string("none")]
        if flow == .code {
            authentication = [
                "method": .string("client_secret_basic"), "secretFile": .string(secretFile),
            ]
        }
        return try ProviderProfile(
            [
                "allowLoopbackHTTP": .bool(true),
                "clientAuthentication": .object(authentication),
                "clientID": .string(flow == .code ? Self.secretClient : Self.publicClient),
                "issuer": .string(issuer),
                "name": .string(Self.providerName),
                "redirectURI": .string(Self.redirectURI),
                "scope": .string("openid profile"),
            ], relativeTo: "/")
    }
}
