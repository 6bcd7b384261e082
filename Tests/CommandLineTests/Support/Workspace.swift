// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A place of its own for one test: a home with nothing in it, a ledger, and files. Everything is
/// removed afterwards, unless KEEP_WORKSPACES is set.
final class Workspace: Sendable {
    let root: String
    private let runs = Atomic<Int>(0)

    /// Where the ledger is when no option says otherwise.
    var ledger: String { root + "/data/authledger" }
    /// Under this, the keys of every ledger.
    var keyRoot: String { root + "/config/authledger/keys" }
    /// For what the test itself writes.
    var files: String { root + "/files" }

    /// Everything that programs wrote to standard output and standard error.
    var outputs: String { root + "/outputs" }

    init() throws {
        root = FileManager.default.temporaryDirectory.path + "/authledger-" + UUID().uuidString
        for directory in ["", "/home", "/config", "/data", "/files", "/inputs", "/outputs"] {
            try FileManager.default.createDirectory(
                atPath: root + directory, withIntermediateDirectories: false)
        }
    }

    deinit {
        if ProcessInfo.processInfo.environment["KEEP_WORKSPACES"] == nil {
            try? FileManager.default.removeItem(atPath: root)
        }
    }

    /// A workspace with a ledger in it.
    static func withLedger() async throws -> Workspace {
        let workspace = try Workspace()
        try await workspace.succeed("init")
        return workspace
    }

    // MARK: - Programs

    /// The program, which the build puts beside the tests.
    static let program =
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().path + "/authledger"

    private var environment: [String: String] {
        [
            "HOME": root + "/home", "XDG_CONFIG_HOME": root + "/config",
            "XDG_DATA_HOME": root + "/data", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
        ]
    }

    /// Starts the program. A nil in `environment` takes a variable away.
    func start(
        _ arguments: [String], stdin: Input = .nothing, environment changes: [String: String?] = [:]
    ) throws -> RunningProgram {
        try start(Self.program, arguments, stdin: stdin, environment: changes)
    }

    func start(
        _ executable: String, _ arguments: [String], stdin: Input = .nothing,
        environment changes: [String: String?] = [:]
    ) throws -> RunningProgram {
        guard FileManager.default.isExecutableFile(atPath: executable) else {
            throw TestFailure("\(executable) is missing; these tests need it")
        }
        let number = runs.wrappingAdd(1, ordering: .relaxed).newValue
        return try RunningProgram(
            executable, arguments,
            environment: environment.merging(changes.compactMapValues { $0 }) { $1 }
                .filter { changes[$0.key] != .some(.none) },
            directory: files, input: stdin, inputPath: root + "/inputs/\(number)",
            outputPath: outputs + "/\(number)")
    }

    /// Runs the program to its end.
    @discardableResult
    func run(
        _ arguments: String..., stdin: Input = .nothing, environment: [String: String?] = [:]
    ) async throws -> Outcome {
        try await start(arguments, stdin: stdin, environment: environment).end()
    }

    /// Runs the program to its end, which must be a good one.
    @discardableResult
    func succeed(_ arguments: String..., stdin: Input = .nothing) async throws -> Outcome {
        let outcome = try await start(arguments, stdin: stdin).end()
        guard outcome.status == 0 else { throw TestFailure(outcome.description) }
        return outcome
    }

    /// Starts the program as a shell would: able to be interrupted.
    func startUnmasked(_ arguments: [String], stdin: Input = .nothing) throws -> RunningProgram {
        try startPython("unmasked.py", [Self.program] + arguments, stdin: stdin)
    }

    /// Runs one of the Python programs in `Tests/Support`.
    func python(_ script: String, _ arguments: [String], stdin: Input = .nothing) async throws
        -> Outcome
    {
        try await startPython(script, arguments, stdin: stdin).end()
    }

    private func startPython(
        _ script: String, _ arguments: [String], stdin: Input
    ) throws -> RunningProgram {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try start(
            "/usr/bin/python3", [tests.path + "/Support/" + script] + arguments, stdin: stdin)
    }

    /// Looks into the ledger's LMDB files, or damages them; see `Tests/Support/surgeon.py`.
    @discardableResult
    func surgeon(
        _ command: String, _ arguments: String..., ledger: String? = nil, stdin: Input = .nothing
    ) async throws -> Outcome {
        let outcome = try await python(
            "surgeon.py", [command, ledger ?? self.ledger] + arguments, stdin: stdin)
        if outcome.stderr.contains("No module named 'lmdb'") {
            throw TestFailure(
                "python3-lmdb is missing; these tests need it: apt install python3-lmdb")
        }
        guard outcome.status == 0 else { throw TestFailure(outcome.description) }
        return outcome
    }

    // MARK: - Files

    /// Writes a file for a test and answers its path.
    @discardableResult
    func write(_ text: String, _ name: String = "events.jsonl") throws -> String {
        let path = files + "/" + name
        try FileManager.default.createDirectory(
            at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    func read(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    /// Every file and directory below a path, with its size, its content's hash value and its
    /// permissions: equal before and after when nothing was touched.
    func snapshot(_ directory: String) throws -> [String: String] {
        guard let entries = FileManager.default.enumerator(atPath: directory) else { return [:] }
        var found: [String: String] = [:]
        for case let entry as String in entries {
            let path = directory + "/" + entry
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let permissions = attributes[.posixPermissions].map { "\($0)" } ?? ""
            let content = FileManager.default.contents(atPath: path) ?? Data()
            found[entry] = "\(permissions) \(content.count) \(content.hashValue)"
        }
        return found
    }
}
