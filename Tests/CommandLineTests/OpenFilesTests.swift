// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("what stays open of a program that a test ran", .inTurn)
struct OpenFilesTests {
    /// What of this workspace the tests' own process has open.
    private func openFiles(of workspace: Workspace) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            .compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
            }
            .filter { $0.contains(URL(filePath: workspace.root).lastPathComponent) }
    }

    @Test("after a thousand kept files, starting the next program ended all tests")
    func nothingIsKept() async throws {
        let workspace = try Workspace()
        let program = try workspace.start(["--version"], stdin: .text("not read"))
        #expect(try openFiles(of: workspace) == [])
        #expect(try await program.end().status == 0)
        #expect(try openFiles(of: workspace) == [])
    }
}
