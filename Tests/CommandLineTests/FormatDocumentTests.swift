// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("A format document", .inTurn)
struct FormatDocumentTests {
    private static let schemas = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Schemas")

    /// A workspace with the example ledger, its keys and an export of it.
    private func example() async throws -> Workspace {
        let workspace = try Workspace()
        let example = Self.schemas.path + "/examples/event-log-v1"
        try FileManager.default.createDirectory(
            atPath: workspace.root + "/config/authledger", withIntermediateDirectories: true)
        for (name, target) in [("ledger", workspace.ledger), ("keys", workspace.keyRoot)] {
            try FileManager.default.copyItem(atPath: "\(example)/\(name)", toPath: target)
        }
        try await workspace.succeed("export", "tiles", workspace.files + "/mirror")
        return workspace
    }

    /// What a command of the document prints, with long lines broken.
    private func output(of command: String, in workspace: Workspace) async throws -> [String] {
        let words = command.split(separator: " ").map(String.init)
        let outcome =
            words[0] == "authledger"
            ? try await workspace.start(Array(words[1...])).end()
            : try await workspace.start("/bin/sh", ["-c", command]).end()
        guard outcome.status == 0 else { throw TestFailure(outcome.description) }
        var lines = outcome.stdout.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        return lines.flatMap { line -> [String] in
            if line.isEmpty { return [""] }
            let characters = Array(line)
            return stride(from: 0, to: characters.count, by: 88).map {
                String(characters[$0..<min($0 + 88, characters.count)])
            }
        }
    }

    @Test(
        "shows what the program prints",
        arguments: ["checkpoints-and-proofs.md", "tiles.md"])
    func examples(name: String) async throws {
        let workspace = try await example()
        let file = Self.schemas.appending(path: name)
        let document = try String(contentsOf: file, encoding: .utf8)
        var lines: [String] = []
        var isOutput = false
        var count = 0
        for line in document.components(separatedBy: "\n") {
            if isOutput, line != "```" { continue }
            isOutput = false
            lines.append(line)
            if lines.dropLast().last == "```console", line.hasPrefix("$ ") {
                lines += try await output(of: String(line.dropFirst(2)), in: workspace)
                isOutput = true
                count += 1
            }
        }
        #expect(count > 2)
        let whole = lines.joined(separator: "\n")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
            try Data(whole.utf8).write(to: file)
        } else {
            #expect(whole == document, "UPDATE_GOLDEN=1 rewrites \(file.path)")
        }
    }
}
