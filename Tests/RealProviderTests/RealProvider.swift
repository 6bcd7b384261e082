// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// A Glewlwyd that the scripts in `tools/real-provider` started.
struct RealProvider: Sendable {
    /// One of its clients.
    struct Client {
        let clientID: String
        let method: String
        let secret: String?
    }

    /// The one that the tests of the suite share.
    @TaskLocal static var shared: RealProvider?

    /// Where its ledgers, profiles and outputs lie.
    let folder: String
    /// Where the scripts find it.
    let directory: String
    /// What stands between it and the program; there is none over TLS.
    let relay: Relay?
    private let description: JSONObject

    /// Starts a provider, and stops it when the body is done or fails, or this process dies.
    ///
    /// Then, with the provider off, every ledger that the body used is checked.
    static func run<Value>(
        tls: Bool = false, _ body: (RealProvider) async throws -> Value
    ) async throws -> Value {
        let folder = try TemporaryFolder()
        let directory = folder.path + "/provider"
        var relay: Relay?
        var relaying: Execution?
        if !tls {
            let path = try folder.make("relay")
            let execution = try Execution(
                python, [relayScript, path], environment: [:], input: .pipe,
                files: folder.path + "/relay-log")
            let port = try await execution.first("the relay's port") { Int(execution.line) }
            relay = Relay(folder: path, port: port)
            relaying = execution
        }
        let arguments =
            [tools + "up", directory, "--attached", "--redirect", "http://127.0.0.1:0/callback"]
            + (tls ? ["--tls"] : ["--public", "http://localhost:\(relay?.port ?? 0)"])
        let running = try Execution(
            python, arguments, environment: environment, input: .pipe, files: folder.path + "/up")
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
        let provider = RealProvider(
            folder: folder.path, directory: directory, relay: relay, description: description)
        try relaying?.write("\(provider.port)\n")
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
        try relaying?.closeInput()
        _ = try await relaying?.wait()
        try await provider.checkLedgers()
        return try result.get()
    }

    /// The one that the tests of the suite share.
    static func current() throws -> RealProvider {
        guard let shared else { throw Trouble("the suite's provider was not started") }
        return shared
    }

    var issuer: String { description["issuer"]?.stringValue ?? "" }
    var authority: String? { description["ca"]?.stringValue }
    var redirectURI: String {
        description["redirectURIs"]?.arrayValue?.first?.stringValue ?? ""
    }
    private var port: String {
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
            clientID: clientID, method: method, secret: client["secret"]?.stringValue)
    }

    /// What the clients authenticate with.
    var clientSecrets: [String] {
        (description["clients"]?.objectValue?.members ?? [])
            .compactMap { $0.value.objectValue?["secret"]?.stringValue }
    }

    /// A ledger of its own for a test.
    func ledger() async throws -> Ledger {
        let ledger = try Ledger(folder: "\(folder)/ledgers/\(UUID().uuidString)")
        try await ledger.run(["init"]).expect(0)
        return ledger
    }

    // MARK: - The user and the operator

    /// Stops the provider before the end of a test.
    func switchOff() async throws {
        _ = try await script("down", [])
    }

    /// The user logs in; the callback URL.
    func visit(_ url: String) async throws -> String {
        try await script("browser", [], input: url)
    }

    /// The user logs in, and the browser goes to the callback URL; the status there.
    func visitAndFollow(_ url: String) async throws -> String {
        try await script("browser", ["--follow"], input: url)
    }

    /// Lets a new key sign; the old ones stay published.
    func addKey() async throws {
        _ = try await script("rotate-keys", ["add"])
    }

    /// Withdraws all keys but the one that signs.
    func dropOldKeys() async throws {
        let list = try await script("rotate-keys", ["list"])
        let keys = try JSONReader.read(Array(list.utf8), numbers: .integersOnly).arrayValue ?? []
        for key in keys.dropFirst().compactMap(\.stringValue) {
            _ = try await script("rotate-keys", ["drop", key])
        }
    }

    private func script(
        _ name: String, _ arguments: [String], input: String = ""
    ) async throws -> String {
        let files = "\(folder)/script-\(UUID().uuidString)"
        let execution = try Execution(
            Self.python, [Self.tools + name, directory] + arguments,
            environment: Self.environment, input: .text(input), files: files)
        let run = try await execution.wait()
        guard run.status == 0 else { throw Trouble("\(name): \(run.text)") }
        return run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static let python = "/usr/bin/python3"
    private static let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    private static let relayScript = folder(of: #filePath) + "/Servers/relay.py"
    private static let tools =
        folder(of: folder(of: folder(of: #filePath))) + "/tools/real-provider/"

    private static func folder(of path: String) -> String {
        URL(filePath: path).deletingLastPathComponent().path
    }
}

extension Execution {
    /// The first line of the output.
    fileprivate var line: String {
        output.contains("\n") ? String(output.prefix { $0 != "\n" }) : ""
    }
}

/// What stands between the program and the provider; see `relay.py`.
struct Relay: Sendable {
    let folder: String
    let port: Int

    /// A request, or the answer to one.
    struct Note {
        let object: JSONObject

        subscript(name: String) -> String { object[name]?.stringValue ?? "" }

        /// The parameters of a request's query or form.
        func parameters(_ name: String) -> [String: String] {
            let items = URLComponents(string: "?" + self[name])?.queryItems ?? []
            return items.reduce(into: [:]) { $0[$1.name] = $1.value }
        }
    }

    /// Everything that came by so far.
    var notes: [Note] {
        let text = (try? String(contentsOfFile: folder + "/requests.jsonl", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap {
            (try? JSONReader.read(Array($0.utf8), numbers: .integersOnly).objectValue)
                .map { Note(object: $0) }
        }
    }

    /// Token requests that left the program so far.
    var tokenRequests: [Note] {
        notes.filter { $0["at"] == "arrived" && $0["path"].hasSuffix("/token") }
    }

    /// The path of the request that is held now.
    var held: String? { try? String(contentsOfFile: folder + "/held", encoding: .utf8) }

    /// Lets requests wait from now on: before they go to the provider, or before its answer. One of
    /// another path that waited goes on.
    func hold(_ path: String, _ moment: String = "before") throws {
        // In one step, as the relay reads it at any time.
        try Data("\(path) \(moment)".utf8)
            .write(to: URL(filePath: folder + "/hold"), options: .atomic)
    }

    /// Lets them go, and waits until the last one went.
    func release() async throws {
        try? FileManager.default.removeItem(atPath: folder + "/hold")
        while held != nil { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// Alters the code verifiers that come by while the body runs.
    func tampering<Value>(_ body: () async throws -> Value) async throws -> Value {
        let path = folder + "/tamper"
        try Data().write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body()
    }
}

/// Starts the provider that the tests of a suite share, and stops it after the last one.
struct SharedProvider: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await RealProvider.run { provider in
            try await RealProvider.$shared.withValue(provider) { try await function() }
        }
    }
}

extension Trait where Self == SharedProvider {
    /// The suite's tests share a provider.
    static var sharedProvider: Self { Self() }
}

/// A folder for temporary files, removed with this object. In memory where that can be: the
/// provider waits for its disk at every step.
final class TemporaryFolder {
    let path: String

    init() throws {
        let memory = "/dev/shm"
        let parent =
            FileManager.default.isWritableFile(atPath: memory)
            ? memory : FileManager.default.temporaryDirectory.path
        path = parent + "/authledger-provider-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Makes a folder in it.
    func make(_ name: String) throws -> String {
        let folder = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        return folder
    }
}
