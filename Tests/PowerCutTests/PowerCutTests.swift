// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Runs `tools/power-cut`, which the build puts beside the tests, with fewer states than it takes
/// by itself.
@Suite("A power cut at any moment", .serialized)
struct PowerCutTests {
    private static let seed =
        ProcessInfo.processInfo.environment["AUTHLEDGER_SEED"].flatMap(UInt64.init) ?? 1

    @Test("loses nothing acknowledged, and a disk that lies about syncs is noticed")
    func losesNothing() async throws {
        let outcome = try await Tool.run(
            "states", "--states", "400", "--lies", "40", "--seed", "\(Self.seed)")
        #expect(outcome.status == 0, "AUTHLEDGER_SEED=\(Self.seed)\n\(outcome.text)")
        #expect(outcome.text.contains("every sync works: 400 states"), "\(outcome.text)")
    }

    @Test("of init loses no directory that was made on the way to the ledger")
    func losesNoParentDirectory() async throws {
        let outcome = try await Tool.run(
            "states", "--init-only", "--states", "150", "--lies", "0", "--seed", "\(Self.seed)")
        #expect(outcome.status == 0, "AUTHLEDGER_SEED=\(Self.seed)\n\(outcome.text)")
    }

    @Test("when every n-th write or sync fails loses nothing acknowledged and doubles nothing")
    func survivesFaults() async throws {
        let outcome = try await Tool.run("faults", "--lines", "3")
        #expect(outcome.status == 0, "\(outcome.text)")
    }
}

private enum Tool {
    struct Outcome {
        let status: Int32
        let text: String
    }

    /// Runs the tool to its end.
    static func run(_ arguments: String...) async throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "power-cut")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, text: String(decoding: output, as: UTF8.self))
    }
}
