// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// A provider that somebody else wrote and the scripts in `tools/real-provider` started.
struct RealProvider: Sendable {
    /// What runs.
    enum Kind: Sendable {
        /// With a relay in front of it.
        case glewlwyd
        /// Without one: the relay could not look into it.
        case glewlwydWithTLS
        /// With a relay in front of it.
        case canaille

        fileprivate var hasRelay: Bool { self != .glewlwydWithTLS }
        fileprivate var script: String { self == .canaille ? "canaille-up" : "up" }
    }

    /// One of its clients. What it does not need is nil.
    struct Client {
        let clientID: String
        let method: String
        let secret: String?
        let certificateFile: String?
        let privateKeyFile: String?
        let keyID: String?
        let algorithm: String?
    }

    /// A client's key to which the provider encrypts.
    struct DecryptionKey: Sendable {
        let privateKeyFile: String
        let keyID: String
    }

    /// A certificate and its key, in files.
    struct Certificate: Sendable {
        let certificateFile: String
        let privateKeyFile: String
    }

    /// Glewlwyd's issuers: they share users and clients.
    enum Issuer: String, Sendable {
        case first = "issuer"
        case second = "secondIssuer"
        /// Sends no `iss` with the callback.
        case silent = "silentIssuer"
    }

    /// The one that the tests of the suite share.
    @TaskLocal static var shared: RealProvider?

    /// Where its ledgers, profiles and outputs lie.
    let folder: String
    /// Where the scripts find it.
    let directory: String
    /// What stands between it and the program; there is none over TLS.
    let relay: Relay?
    /// What the clients authenticate with: secrets, and lines of private keys.
    let clientSecrets: [String]
    private let description: JSONObject

    /// Starts a provider, and stops it when the body is done or fails, or this process dies.
    ///
    /// Then, with the provider off, every ledger that the body used is checked.
    static func run<Value>(
        _ kind: Kind = .glewlwyd, _ body: (RealProvider) async throws -> Value
    ) async throws -> Value {
        let folder = try TemporaryFolder()
        let relay = kind.hasRelay ? try await RunningRelay(folder: folder.make("relay")) : nil
        let directory = folder.path + "/provider"
        let running = try Execution(
            python,
            [
                tools + kind.script, directory, "--attached", "--redirect",
                "http://127.0.0.1:0/callback",
            ] + (relay.map { ["--public", "http://localhost:\($0.relay.port)"] } ?? ["--tls"]),
            environment: environment, input: .pipe, files: folder.path + "/up")
        let description: JSONObject
        do {
            description = try await running.first("the provider") {
                try? JSONReader.read(Array(running.output.utf8), numbers: .anyAsText).objectValue
            }
        } catch {
            running.kill()
            let down = try Execution(
                python, [tools + "down", directory], environment: environment,
                files: folder.path + "/down")
            _ = try await down.wait()
            throw error
        }
        let provider = try RealProvider(
            folder: folder.path, directory: directory, relay: relay?.relay, description)
        try relay?.begin(port: provider.port)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(provider))
        } catch {
            result = .failure(error)
        }
        // Standard input ends, and with it the provider.
        try running.closeInput()
        let end = try await running.wait()
        #expect(end.status == 0, "stopping the provider: \(end.errors)")
        #expect(!FileManager.default.fileExists(atPath: directory))
        try await relay?.end()
        try await provider.checkLedgers()
        return try result.get()
    }

    private init(
        folder: String, directory: String, relay: Relay?, _ description: JSONObject
    ) throws {
        self.folder = folder
        self.directory = directory
        self.relay = relay
        self.description = description
        var secrets: [String] = []
        for client in (description["clients"]?.objectValue ?? [:]).members {
            guard let client = client.value.objectValue else { continue }
            let decryption = client["decryption"]?.objectValue ?? [:]
            secrets += [client["secret"]?.stringValue].compactMap(\.self)
            for file in [client, decryption].compactMap({ $0["privateKeyFile"]?.stringValue }) {
                // The first line of a key says what key it is, the last one may be short.
                let lines = try String(contentsOfFile: file, encoding: .utf8)
                    .split(separator: "\n").filter { !$0.hasPrefix("-") }
                // Without any, nobody would look for this key.
                guard lines.count > 2 else { throw Trouble("\(file) is no key that can be found") }
                secrets += lines.dropFirst().dropLast().map(String.init)
            }
        }
        clientSecrets = secrets
    }

    /// The one that the tests of the suite share.
    static func current() throws -> RealProvider {
        guard let shared else { throw Trouble("the suite's provider was not started") }
        return shared
    }

    var issuer: String { issuer(.first) }
    func issuer(_ issuer: Issuer) -> String { description[issuer.rawValue]?.stringValue ?? "" }
    var authority: String? { description["ca"]?.stringValue }
    var redirectURI: String {
        description["redirectURIs"]?.arrayValue?.first?.stringValue ?? ""
    }
    /// Where it listens, on loopback.
    var port: String {
        (description["address"]?.stringValue ?? "").split(separator: ":").last.map(String.init)
            ?? ""
    }

    func client(_ name: String) throws -> Client {
        let clients = description["clients"]?.objectValue
        guard let client = clients?[name]?.objectValue,
            let clientID = client["clientID"]?.stringValue,
            let method = client["method"]?.stringValue
        else { throw Trouble("the provider has no client \(name)") }
        return Client(
            clientID: clientID, method: method, secret: client["secret"]?.stringValue,
            certificateFile: client["certificateFile"]?.stringValue,
            privateKeyFile: client["privateKeyFile"]?.stringValue,
            keyID: client["keyID"]?.stringValue, algorithm: client["algorithm"]?.stringValue)
    }

    /// The key to which tokens for a client are encrypted.
    func decryptionKey(_ name: String) throws -> DecryptionKey {
        let client = description["clients"]?.objectValue?[name]?.objectValue
        let members = client?["decryption"]?.objectValue
        guard let file = members?["privateKeyFile"]?.stringValue,
            let keyID = members?["keyID"]?.stringValue
        else { throw Trouble("nothing is encrypted for the client \(name)") }
        return DecryptionKey(privateKeyFile: file, keyID: keyID)
    }

    /// A certificate of no client, signed by the provider's authority or by itself.
    func stranger(selfSigned: Bool = false) throws -> Certificate {
        let members = description[selfSigned ? "selfSignedStranger" : "stranger"]?.objectValue
        guard let certificate = members?["certificateFile"]?.stringValue,
            let key = members?["privateKeyFile"]?.stringValue
        else { throw Trouble("the provider knows no strangers") }
        return Certificate(certificateFile: certificate, privateKeyFile: key)
    }

    /// A ledger of its own for a test.
    func ledger() async throws -> Ledger {
        let ledger = try Ledger(folder: "\(folder)/ledgers/\(UUID().uuidString)")
        try await ledger.run(["init"]).expect(0)
        return ledger
    }

    static let python = "/usr/bin/python3"
    static let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    static let relayScript = folder(of: #filePath) + "/Servers/relay.py"
    static let tools =
        folder(of: folder(of: folder(of: #filePath))) + "/tools/real-provider/"

    private static func folder(of path: String) -> String {
        URL(filePath: path).deletingLastPathComponent().path
    }
}
