// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("The help", .inTurn)
struct HelpTests {
    private static let golden = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Golden/help.txt")

    /// The names of a command's own commands, as its help lists them.
    private func subcommands(in help: String) -> [String] {
        let section = help.components(separatedBy: "SUBCOMMANDS:\n").dropFirst().first ?? ""
        return section.components(separatedBy: "\n\n")[0].split(separator: "\n")
            .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    /// The help of a command and of all below it.
    private func help(_ workspace: Workspace, _ path: [String]) async throws -> [(String, String)] {
        let outcome = try await workspace.start(path + ["--help"]).end()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.errors.isEmpty, "\(outcome)")
        var texts = [((["authledger"] + path).joined(separator: " "), outcome.stdout)]
        for name in subcommands(in: outcome.stdout) {
            texts += try await help(workspace, path + [name])
        }
        return texts
    }

    @Test("of every command is the one that was reviewed")
    func reviewed() async throws {
        let workspace = try Workspace()
        let texts = try await help(workspace, [])
        #expect(texts.count > 5)
        let whole = texts.map { "$ \($0) --help\n\($1)\n" }.joined()
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
            try Data(whole.utf8).write(to: Self.golden)
        }
        let expected = try String(contentsOf: Self.golden, encoding: .utf8)
        if whole != expected {
            let difference = whole.split(separator: "\n", omittingEmptySubsequences: false)
                .difference(from: expected.split(separator: "\n", omittingEmptySubsequences: false))
            Issue.record("UPDATE_GOLDEN=1 rewrites \(Self.golden.path): \(difference)")
        }
    }

    @Test("of every command has examples of that command before anything else")
    func examplesFirst() async throws {
        let workspace = try Workspace()
        for (command, text) in try await help(workspace, []) {
            let paragraphs = text.components(separatedBy: "\n\n")
            #expect(paragraphs[0].hasPrefix("OVERVIEW: "), "\(command)")
            #expect(paragraphs[1].hasPrefix("Examples:\n  "), "\(command)")
            #expect(paragraphs[1].contains(command + " ") || paragraphs[1].hasSuffix(command))
        }
    }

    @Test("is there without a ledger, by every way to ask, and with any other option")
    func waysToAsk() async throws {
        let workspace = try Workspace()
        let expected = try await workspace.succeed("ingest", "--help").stdout
        for arguments in [["help", "ingest"], ["ingest", "-h"], ["ingest", "--json", "--help"]] {
            let outcome = try await workspace.start(arguments).end()
            #expect(outcome.status == 0)
            #expect(
                outcome.stdout.trimmingCharacters(in: .newlines)
                    == expected.trimmingCharacters(in: .newlines))
        }
        let root = try await workspace.succeed("--help").stdout
        #expect(try await workspace.succeed().stdout == root)
        let version = try await workspace.succeed("--version").stdout
        #expect(version.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }
}
