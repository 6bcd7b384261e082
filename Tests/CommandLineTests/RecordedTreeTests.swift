// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("The recorded tree", .inTurn)
struct RecordedTreeTests {
    @Test("has the root that RFC 6962 gives the lines of the log, whatever the size")
    func rootOfEverySize() async throws {
        let workspace = try await Workspace.withLedger()
        let lines = Workload(seed: 1, sessions: 130).lines
        try await #expect(workspace.checkTree().size == 0)
        var fed = 0
        for size in [1, 2, 3, 4, 7, 8, 9, 64, 255, 256, 257, 511, 513] {
            _ = try await workspace.ingest(lines[fed..<size])
            fed = size
            try await #expect(workspace.checkTree().size == size)
        }
        _ = try await workspace.ingest(lines[fed...])
        try await #expect(workspace.checkTree().size == lines.count)
    }
}
