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

/// A login of the demo.
struct DemoSession {
    /// The profile's name.
    let provider: String
    let flow: Flow
    let result: LoginResult
    /// Whether it ended as the simulated provider's behaviour asks for.
    let isExpected: Bool

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
                for scene in stage.scenes {
                    let session = try await play(scene, of: stage, server)
                    sessions.append(session)
                    try say(
                        "\(session.result.session)  \(stage.name)  \(scene.flow.rawValue)  "
                            + "\(session.result.phase.rawValue)"
                            + (session.result.reason.map { " (\($0.code))" } ?? ""))
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
        var wishes = LoginWishes()
        wishes.permission = scene.permission
        var result = try await party.start(profile, flow: scene.flow, wishes)
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
        let expected: SessionPhase = scene.reason == nil ? .verified : .failed
        return DemoSession(
            provider: stage.name, flow: scene.flow, result: result,
            isExpected: result.phase == expected && result.reason?.code == scene.reason)
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
        case .idura: client + ["extends: idura", "issuer: \(issuer)"]
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
