// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("An event that was recorded before", .inTurn)
struct DuplicateTests {
    @Test("is counted and skipped, in the same run and in a later one")
    func countedAndSkipped() async throws {
        let workspace = try await Workspace.withLedger()
        let lines = Workload(seed: 3, sessions: 20).lines
        let first = try await workspace.ingest(lines + lines.prefix(30))
        #expect(first.accepted == lines.count)
        #expect(first.duplicates == 30)
        #expect(first.firstPosition == 0)
        #expect(first.lastPosition == lines.count - 1)
        let leaves = try await workspace.leaves()
        let second = try await workspace.ingest(lines)
        #expect(second.accepted == 0)
        #expect(second.duplicates == lines.count)
        #expect(second.rejected == 0)
        #expect(second.firstPosition == nil)
        #expect(try await workspace.leaves() == leaves)
    }

    @Test("is the same event with its members in another order and its time in another zone")
    func sameInAnotherSpelling() async throws {
        let workspace = try await Workspace.withLedger()
        let event = SampleSession(1).event("initiated").setting("time", "2026-11-20T09:15:02.114Z")
        _ = try await workspace.ingest([event.text])
        guard case .object(let members) = event else { throw TestFailure("no object") }
        let again = JSON.object(members.reversed())
            .setting("time", "2026-11-20T10:15:02.1149+01:00")
            .setting("datacontenttype", "application/json").setting("revision", 1)
        #expect(try await workspace.ingest([again.text]).duplicates == 1)
    }

    @Test("may name its revision and the event before it, and must name them right")
    func givenPlace() async throws {
        let workspace = try await Workspace.withLedger()
        let session = SampleSession(1)
        _ = try await workspace.ingest(session.lines.prefix(1))
        let hash = try await workspace.succeed("log", "--json").jsonLines(LogLine.self)[0].leafHash
        let placed = session.event("redirected").setting("previous", .string(hash))
            .setting("revision", 2)
        #expect(try await workspace.ingest([placed.text, placed.text]).duplicates == 1)
        #expect(try await workspace.ingest([placed.text]).duplicates == 1)
        let other = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
        let misplaced = [
            placed.setting("previous", .string(other)), placed.setting("revision", 3),
            session.event("initiated").setting("previous", .string(hash)),
        ].map(\.text)
        let report = try await workspace.ingest(misplaced)
        #expect(report.rejections.map(\.code) == ["id-conflict", "id-conflict", "id-conflict"])
        #expect(report.duplicates == 0)
    }
}
