// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenSSL
import Platform
import Synchronization
import TestSupport

@testable import RelyingParty

/// A provider's documents as a test wants them, a profile that goes with them, and files for it.
/// As it stands, nothing is wrong with either.
final class CheckSite: Sendable {
    static let issuer = "https://op.example"
    static let now = Instant(millisecondsSince1970: 1_790_000_000_000)
    static let keySetURL = issuer + "/jwks"

    private struct State {
        var answers: [String: Result<HTTPResponse, HTTPFailure>] = [:]
        var requests: [HTTPRequest] = []
    }

    private let state = Mutex(State())
    private let folder: TemporaryDirectory

    var directory: String { folder.path }

    init() throws {
        folder = try TemporaryDirectory()
        try write("secret of the client", to: "secret.txt")
        serveDiscovery()
        try serveKeys([Self.publicKey(.es256)])
    }

    // MARK: - Provider

    /// A discovery document with members changed, or left out where the value is null.
    static func discovery(_ changes: JSONObject = [:], issuer: String = issuer) -> JSONObject {
        func texts(_ words: String) -> JSONValue {
            .array(words.split(separator: " ").map { .string(String($0)) })
        }
        var members: JSONObject = [
            "issuer": .string(issuer),
            "authorization_endpoint": .string(issuer + "/auth"),
            "token_endpoint": .string(issuer + "/token"),
            "jwks_uri": .string(issuer + "/jwks"),
            "response_types_supported": texts("code id_token"),
            "response_modes_supported": texts("query fragment form_post"),
            "id_token_signing_alg_values_supported": texts("ES256 RS256"),
            "token_endpoint_auth_methods_supported": texts("client_secret_basic private_key_jwt"),
            "code_challenge_methods_supported": texts("plain S256"),
        ]
        for change in changes.members {
            members[change.name] = change.value == .null ? nil : change.value
        }
        return members
    }

    func serveDiscovery(_ changes: JSONObject = [:], of issuer: String = issuer) {
        let body = CanonicalJSON.encode(Self.discovery(changes, issuer: issuer))
        serve(body, at: issuer + "/.well-known/openid-configuration")
    }

    func serveKeys(_ keys: [JSONObject], at url: String = keySetURL) {
        serve(CanonicalJSON.encode(["keys": .array(keys.map { .object($0) })]), at: url)
    }

    func serve(_ body: [UInt8], at url: String, status: Int = 200, _ fields: [HTTPField] = []) {
        answer(
            .success(
                HTTPResponse(status: status, fields: fields, body: body, durationMilliseconds: 20)),
            at: url)
    }

    func answer(_ answer: Result<HTTPResponse, HTTPFailure>, at url: String) {
        state.withLock { $0.answers[url] = answer }
    }

    /// Everything that was asked.
    var requests: [HTTPRequest] { state.withLock { $0.requests } }

    private func send(_ request: HTTPRequest) throws -> HTTPResponse {
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answers[request.url]
        }
        return try answer?.get() ?? HTTPResponse(status: 404)
    }

    // MARK: - Profile

    /// The profile with lines in place of those of the same name, or added.
    func profile(_ lines: String = "") throws -> ProviderProfile {
        let changed = lines.split(separator: "\n").filter { !$0.hasPrefix(" ") }
            .map { $0.prefix { $0 != ":" } + ":" }
        let kept = [
            "name: op", "issuer: \(Self.issuer)", "clientID: rp",
            "redirectURI: https://rp.example/cb", "flows: [pkce, code]",
            "clientAuthentication: {method: client_secret_basic, secretFile: secret.txt}",
        ].filter { line in !changed.contains { line.hasPrefix($0) } }
        let yaml = kept.joined(separator: "\n") + "\n" + lines
        return try ProfileFile.parse(Array(yaml.utf8), directory: directory)
    }

    /// Writes a file beside the profile.
    func write(_ bytes: [UInt8], to name: String, permissions: UInt32 = 0o600) throws {
        let path = directory + "/" + name
        try File(path, .writing(permissions: permissions)).write(bytes)
        try Directory.restrict(path, permissions: permissions)
    }

    func write(_ text: String, to name: String, permissions: UInt32 = 0o600) throws {
        try write(Array(text.utf8), to: name, permissions: permissions)
    }

    // MARK: - Check

    /// What is said of a profile, by default of the one that is right.
    func check(
        _ profile: ProviderProfile? = nil, among others: [ProviderProfile] = []
    ) async throws -> [Diagnosis] {
        let capabilities = Capabilities(
            now: { Self.now }, randomBytes: { [UInt8](repeating: 0, count: $0) },
            send: { [self] in try send($0) })
        return await ProviderCheck.examine(
            try profile ?? self.profile(), among: others, capabilities: capabilities)
    }

    /// What is said of the profile with these lines.
    func check(_ lines: String) async throws -> [Diagnosis] {
        try await check(profile(lines))
    }

    // MARK: - Keys

    static let keys = Result {
        [
            SignatureAlgorithm.rs256: try PrivateKey(generating: .rsa(bits: 2048)),
            .es256: try PrivateKey(generating: .elliptic(.p256)),
            .es384: try PrivateKey(generating: .elliptic(.p384)),
            .edDSA: try PrivateKey(generating: .ed25519),
        ]
    }

    static func key(_ algorithm: SignatureAlgorithm) throws -> PrivateKey {
        guard let key = try keys.get()[algorithm] else { throw MissingKey() }
        return key
    }

    struct MissingKey: Error {}

    static func publicKey(
        _ algorithm: SignatureAlgorithm, _ keyID: String = "key-1"
    ) throws -> JSONObject {
        JSONWebKey.members(
            of: try key(algorithm).publicKey, keyID: keyID, algorithm: algorithm)
    }

    /// A certificate whose time begins and ends so many days from now.
    static func certificate(
        _ key: PrivateKey, from first: Int64 = -1, to last: Int64 = 365
    ) throws -> [UInt8] {
        let now = Self.now.millisecondsSince1970 / 1000
        return try Certificate.selfSigned(
            key: key, subjectCommonName: "rp", notBefore: now + first * 86_400,
            notAfter: now + last * 86_400, serial: [1]
        ).pem()
    }
}

extension [Diagnosis] {
    /// Whether there is a diagnosis with this text in its message or its hint.
    func has(_ name: String, _ outcome: Diagnosis.Outcome, _ text: String = "") -> Bool {
        contains { diagnosis in
            let words = diagnosis.message + " -> " + (diagnosis.hint ?? "")
            return diagnosis.name == name && diagnosis.outcome == outcome
                && (text.isEmpty || words.contains(text))
        }
    }

    /// Those that are not as they should be.
    var complaints: [String] {
        filter { $0.outcome != .ok }.map { "\($0.outcome.rawValue) \($0.name): \($0.message)" }
    }
}
