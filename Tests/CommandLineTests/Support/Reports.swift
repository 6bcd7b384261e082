// SPDX-License-Identifier: Apache-2.0

import Foundation

// The members that `--json` promises, read by a reader that knows nothing of the program.

struct IngestReport: Decodable {
    struct Rejection: Decodable {
        let line: Int
        let code: String
        let message: String
    }

    let accepted: Int
    let duplicates: Int
    let rejected: Int
    let firstPosition: Int?
    let lastPosition: Int?
    let elapsedMs: Int
    let rejections: [Rejection]
}

struct VerifyReport: Decodable {
    struct Finding: Decodable {
        let position: Int?
        let code: String
        let message: String
    }

    let ok: Bool
    let level: String
    let events: Int
    /// Nil where the storage could not be read, as ``root``.
    let treeSize: Int?
    let root: String?
    let findings: [Finding]
    let notProven: [String]
}

struct StatsReport: Decodable {
    let events: Int
    let sessions: Int
    let treeSize: Int
    let bytesRaw: Int
    let bytesStored: Int
    let bytesOnDisk: Int
    let blobBytes: Int
    let ratio: Double
    let bytesPerEvent: Double
}

struct InitReport: Decodable {
    let ledger: String
    let ledgerID: String
    let origin: String
    let verifierKey: String
    let formatVersion: Int
}

struct ErrorReport: Decodable {
    struct Body: Decodable {
        let code: String
        let message: String
        let hint: String?
    }

    let error: Body
}

struct LogLine: Decodable {
    struct Event: Decodable {
        let id: String
        let subject: String
        let type: String
        let source: String
        let time: String
        let revision: Int
    }

    let position: Int
    let leafHash: String
    let event: Event
}

struct Acknowledgement: Decodable {
    let acknowledged: Int
    let position: Int?
}

/// What `Tests/Support/rfc6962.py` computes.
struct ComputedTree: Decodable {
    let root: String
    let size: Int
    let subjects: Int
}

extension Outcome {
    /// The error that went to standard error as JSON.
    func error() throws -> ErrorReport.Body {
        do {
            return try JSONDecoder().decode(ErrorReport.self, from: errors).error
        } catch {
            throw TestFailure("no error as JSON on standard error\n\(self)")
        }
    }

    /// Standard output read as one JSON document a line.
    func jsonLines<Value: Decodable>(_ type: Value.Type = Value.self) throws -> [Value] {
        try lines.map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
    }
}

extension Workspace {
    /// Records lines and answers the report; any exit status is taken.
    func ingest(_ lines: some Sequence<String>, _ options: String...) async throws -> IngestReport {
        let outcome = try await start(
            ["ingest", "--json"] + options, stdin: .text(Workload.file(lines))
        ).end()
        return try outcome.json()
    }

    /// The leaves of the ledger, one a line.
    func leaves() async throws -> String {
        try await succeed("log", "--raw").stdout
    }

    /// Checks the whole ledger by the program and by another one, which must agree on the root;
    /// answers what the other one computed.
    @discardableResult
    func checkTree() async throws -> ComputedTree {
        let report: VerifyReport = try await succeed("verify", "--json").json()
        let leaves = try await leaves()
        let check = try await python("rfc6962.py", [], stdin: .text(leaves))
        guard check.status == 0 else { throw TestFailure(check.description) }
        let computed: ComputedTree = try check.json()
        guard report.ok, report.findings.isEmpty, report.root == computed.root,
            report.treeSize == computed.size, report.events == computed.size
        else {
            throw TestFailure("verify says \(report), the leaves make \(computed)")
        }
        return computed
    }

    /// The ids of all events in the ledger, in order.
    func recordedIDs() async throws -> [String] {
        try await succeed("log", "--json").jsonLines(LogLine.self).map(\.event.id)
    }
}
