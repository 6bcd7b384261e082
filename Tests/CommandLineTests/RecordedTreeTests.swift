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

    @Test("is checked by a program that refuses what is not as it should be")
    func checkerRefuses() async throws {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(SampleSession(1).lines + SampleSession(2).lines)
        let leaves = try await workspace.leaves()
        let lines = leaves.split(separator: "\n").map(String.init)
        var swapped = lines
        swapped.swapAt(1, 2)
        let wrong: [(String, String)] = [
            ("is not canonical", leaves.replacing("\"specversion\":", with: "\"specversion\": ")),
            ("stands twice", leaves.replacing("{\"data\":", with: "{\"id\":\"x\",\"data\":")),
            ("not a whole one", leaves.replacing("\"revision\":1,", with: "\"revision\":1.0,")),
            ("previous is not", leaves.replacing("openid", with: "openID")),
            ("revision 3 follows 1", Workload.file(swapped)),
            ("revision 2 follows 0", Workload.file(lines.dropFirst())),
            ("revision 4 follows 2", Workload.file(lines[..<2] + lines[3...])),
            ("follows the end", leaves + lines[4] + "\n"),
            ("does not end", String(leaves.dropLast())),
            ("in UTC", leaves.replacing("Z\",\"type", with: "+00:00\",\"type")),
        ]
        for (message, text) in wrong {
            let outcome = try await workspace.python("rfc6962.py", [], stdin: .text(text))
            #expect(outcome.status == 1, "\(message)")
            #expect(outcome.stderr.contains(message), "\(outcome)")
        }
        let right = try await workspace.python("rfc6962.py", [], stdin: .text(leaves))
        #expect(right.status == 0, "\(right)")
    }
}
