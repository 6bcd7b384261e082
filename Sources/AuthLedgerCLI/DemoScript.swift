// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import LedgerPrimitives
internal import Platform
internal import ProviderSimulator
internal import RelyingParty
internal import SessionEvents
internal import Sessions
internal import Synchronization

/// A login of the demo.
struct DemoSession {
    /// The profile's name.
    let provider: String
    let flow: Flow
    let result: LoginResult
    /// Whether it ended as the simulated provider's behaviour asks for.
    let isExpected: Bool

    fileprivate init(_ stage: DemoStage, _ scene: DemoStage.Scene, _ result: LoginResult) {
        provider = stage.name
        flow = scene.flow
        self.result = result
        let phase: SessionPhase = scene.reason == nil ? .verified : .failed
        isExpected = result.phase == phase && result.reason?.code == scene.reason
    }

    var line: String {
        "\(result.session)  \(provider)  \(flow.rawValue)  \(result.phase.rawValue)"
            + (result.reason.map { " (\($0.code))" } ?? "")
    }

    var object: JSONObject {
        var object: JSONObject = [
            "flow": .string(flow.rawValue), "provider": .string(provider),
            "session": .string(result.session), "state": .string(result.phase.rawValue),
        ]
        object["reason"] = result.reason.map { .string($0.code) }
        return object
    }
}

/// What the demo does: a few logins with each of the simulated providers.
struct DemoScript {
    private let log: EventLog
    /// Where the profiles and the client's secret are written.
    private let folder: String
    private let secret: String

    init(log: EventLog, folder: String) {
        self.log = log
        self.folder = folder
        secret = Hexadecimal.encode(Capabilities.live.randomBytes(16))
    }

    /// Runs every scene.
    ///
    /// - Parameter say: gets a line for each login as it ends.
    func run(_ say: (String) throws -> Void) async throws -> [DemoSession] {
        try Directory.createWithParents(folder)
        let file = try File(folder + "/demo-client.secret", .writing(permissions: 0o600))
        try file.write(Array(secret.utf8))
        var sessions: [DemoSession] = []
        for stage in DemoStage.all {
            let live = Capabilities.live
            sessions += try await ProviderServer.run(
                stage.settings(secret: secret), now: live.now, randomBytes: live.randomBytes
            ) { server in
                var sessions: [DemoSession] = []
                for scene in stage.scenes where scene.flow.usesRedirect {
                    let session = try await play(scene, of: stage, server)
                    sessions.append(session)
                    try say(session.line)
                }
                for session in try await playTogether(
                    stage.scenes.filter { !$0.flow.usesRedirect }, of: stage, server)
                {
                    sessions.append(session)
                    try say(session.line)
                }
                return sessions
            }
        }
        return sessions
    }

    private func play(
        _ scene: DemoStage.Scene, of stage: DemoStage, _ server: ProviderServer
    ) async throws -> DemoSession {
        server.provider.withProvider { $0.settings.misbehaviour = scene.misbehaviour }
        if !scene.returns { server.provider.prepare(SimulatedLogin(returns: false)) }
        let profile = try profile(stage, scene, server)
        let party = RelyingParty(log: log, capabilities: .live)
        var result = try await party.start(profile, flow: scene.flow, scene.wishes)
        let browser = SimulatedBrowser(send: Capabilities.live.send)
        while let url = result.authorizationURL, let answer = try await browser.answer(at: url) {
            let outcome = try await party.receiveCallback(answer, session: result.session)
            guard case .taken(let taken) = outcome else { break }
            result = taken
        }
        if !scene.returns {
            let swept = try await party.sweep(olderThan: 0).ended
            result = swept.first { $0.session == result.session } ?? result
        }
        return DemoSession(stage, scene, result)
    }

    /// Logins without a browser: all are begun, and then polled for at once.
    private func playTogether(
        _ scenes: [DemoStage.Scene], of stage: DemoStage, _ server: ProviderServer
    ) async throws -> [DemoSession] {
        let party = RelyingParty(log: log, capabilities: .live)
        var begun: [(scene: DemoStage.Scene, result: LoginResult)] = []
        server.provider.withProvider {
            $0.settings.misbehaviour = .none
            $0.settings.backchannel.intervalSeconds = 1
        }
        for scene in scenes {
            var login = SimulatedLogin()
            login.script = scene.script
            server.provider.prepare(login)
            let profile = try profile(stage, scene, server)
            begun.append((scene, try await party.start(profile, flow: scene.flow, scene.wishes)))
        }
        guard !begun.isEmpty else { return [] }
        let ended = Mutex<[String: LoginResult]>([:])
        try await party.pollAll(answered: { result in
            ended.withLock { $0[result.session] = result }
        })
        return begun.map { scene, result in
            DemoSession(
                stage, scene, ended.withLock { $0[result.session] } ?? result)
        }
    }

    /// Writes the profile as a user would, and reads it.
    private func profile(
        _ stage: DemoStage, _ scene: DemoStage.Scene, _ server: ProviderServer
    ) throws -> ProviderProfile {
        let isPublic = stage.name == DemoStage.simulator && scene.flow == .pkce
        let text =
            stage.profile(issuer: server.issuer, isPublic: isPublic).joined(separator: "\n") + "\n"
        let path = "\(folder)/\(stage.name).yaml"
        let file = try File(path, .writing(permissions: 0o600))
        try file.write(Array(text.utf8))
        return try ProfileFile.read(path)
    }
}

extension SimulatedBrowser {
    /// What comes back from a URL, as a callback takes it; nil when the user never comes back.
    fileprivate func answer(at url: String) async throws -> String? {
        switch try await go(url) {
        case .redirect(let location): location
        case .form(_, let body): body
        case .stranded: nil
        }
    }
}

/// A simulated provider of the demo and the logins with it.
struct DemoStage {
    /// A login and how it must end: a reason code, or nil for a good one.
    struct Scene {
        let flow: Flow
        var misbehaviour = Misbehaviour.none
        var reason: String?
        /// What the user is to permit.
        var permission: JSONObject?
        /// Whether the user comes back.
        var returns = true
        /// Without a browser, how the user answers.
        var script = BackchannelScript(pendingPolls: 1)

        var wishes: LoginWishes {
            var wishes = LoginWishes()
            wishes.permission = permission
            switch flow {
            case .ciba:
                wishes.loginHint = "sub:ssn:" + SimulatedPerson.samples[1].nationalID
                wishes.bindingMessage = "W4SCT"
            case .headless: wishes.endUserIP = "192.0.2.7"
            case .code, .pkce, .jarm, .implicit: break
            }
            return wishes
        }
    }

    /// The profile's name.
    let name: String
    let broker: SimulatedBroker
    let scenes: [Scene]

    static let simulator = "simulator"
    private static let redirectURI = "http://127.0.0.1/callback"
    private static let publicClient = "demo-public"
    private static let secretClient = "demo-secret"

    static let all = [
        DemoStage(name: simulator, broker: .generic, scenes: genericScenes),
        DemoStage(
            name: "idura", broker: .idura,
            scenes: [
                Scene(flow: .pkce), Scene(flow: .code), Scene(flow: .implicit),
                Scene(flow: .pkce, misbehaviour: .accessDenied, reason: "user-cancelled"),
                Scene(flow: .ciba), Scene(flow: .headless),
                Scene(flow: .ciba, reason: "user-cancelled", script: declining),
                Scene(flow: .headless, reason: "user-cancelled", script: declining),
            ]),
        DemoStage(
            name: "idpartner", broker: .idpartner,
            scenes: [
                Scene(flow: .jarm),
                Scene(flow: .jarm, misbehaviour: .wrongNonce, reason: "nonce-mismatch"),
            ]),
        DemoStage(
            name: "bankid-no", broker: .bankidNorway,
            scenes: [
                Scene(flow: .pkce), Scene(flow: .pkce, permission: payment),
                Scene(flow: .pkce, misbehaviour: .accessDenied, reason: "access-denied"),
                Scene(flow: .pkce, reason: "abandoned", returns: false),
            ]),
    ]

    private static let declining = BackchannelScript(pendingPolls: 1, ending: .declines)

    private static let genericScenes = [
        Scene(flow: .pkce),
        Scene(flow: .code),
        Scene(flow: .implicit),
        Scene(flow: .jarm),
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

    private static let payment: JSONObject = [
        "type": .string("payment.v1"), "loa": .integer(3),
        "intents": .array([.string("payment")]),
        "permission": .string(Base64URL.encode(Array(#"{"amount":"149.00"}"#.utf8))),
    ]

    func settings(secret: String) -> ProviderSettings {
        var client = RegisteredClient(
            id: Self.secretClient, secret: secret, redirectURIs: [Self.redirectURI])
        client.selectorReturnURI = Self.redirectURI
        let anyone = RegisteredClient(
            publicID: Self.publicClient, redirectURIs: [Self.redirectURI])
        return ProviderSettings(clients: [client, anyone], broker: broker)
    }

    /// The profile, line by line.
    func profile(issuer: String, isPublic: Bool) -> [String] {
        let authentication =
            isPublic
            ? "{ method: none }"
            : "{ method: client_secret_basic, secretFile: demo-client.secret }"
        let client = [
            "name: \(name)", "allowLoopbackHTTP: true", "redirectURI: \(Self.redirectURI)",
            "clientID: \(isPublic ? Self.publicClient : Self.secretClient)",
            "clientAuthentication: \(authentication)",
        ]
        return switch broker {
        case .generic:
            client + [
                "issuer: \(issuer)", "flows: [pkce, code, implicit, jarm]",
                "scope: openid profile",
            ]
        case .idura:
            // Nobody wants to wait for simulated users.
            client + ["extends: idura", "issuer: \(issuer)", "headless: { pollSeconds: 1 }"]
        case .idpartner:
            client + [
                "extends: idpartner", "accountSelector:", "  url: \(issuer)/v1/select-accounts",
                "  issuers: [\(issuer)]",
            ]
        case .bankidNorway:
            client + [
                "extends: bankid-no", "issuer: \(issuer)", "permissions:",
                "  issuer: \(issuer)/biometrics",
            ]
        }
    }
}
