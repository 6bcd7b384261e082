// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import HTTPMessages
import Ingestion
import LedgerPrimitives
import LiveNetwork
import OpenSSL
import Platform
import SessionEvents

extension Capabilities {
    /// The real clock and real randomness, as in use.
    static let live = Capabilities(
        now: { Instant(millisecondsSince1970: ProcessControl.wallClockMilliseconds) },
        randomBytes: { OpenSSL.randomBytes($0) }, timer: timer)

    /// The same with a network.
    static func live(_ transport: LiveTransport) -> Capabilities {
        Capabilities(
            now: live.now, randomBytes: live.randomBytes,
            send: { try await transport.send($0) }, timer: timer)
    }

    private static let timer = SteadyTimer(
        steadyMilliseconds: { ProcessControl.bootClockMilliseconds },
        wait: { try await Task.sleep(for: .milliseconds($0)) })
}

/// A directory of its own for one benchmark, removed when the last reference goes.
final class Scratch: Sendable {
    let path: String

    /// Makes the directory; its filesystem must be on a disk, or syncs would cost nothing.
    init(in parent: String) throws {
        path = parent + "/" + Hexadecimal.encode(randomBytes(6))
        try Directory.createWithParents(path)
    }

    deinit {
        try? Directory.removeTree(path)
    }

    /// The type of the filesystem and the path, as the reports name them.
    func description() throws -> String {
        "\(try MountTable.fileSystemType(of: path)) at \(Path.parent(of: path))"
    }
}

/// Ledgers to measure.
enum BenchLedger {
    /// Makes a new ledger and opens it for appending.
    static func create(_ name: String, in scratch: Scratch) throws -> EventLog {
        let directory = scratch.path + "/" + name
        _ = try EventLog.create(
            directory, origin: nil, keyRoot: scratch.path + "/keys",
            samples: SyntheticSamples.events.map {
                SampleEvent(envelope: $0.envelope, data: $0.data)
            }, capabilities: .live)
        return try EventLog(
            directory, keyRoot: scratch.path + "/keys", access: .appending, capabilities: .live)
    }

    /// Records lines, so many a commit; every one of them must be accepted.
    static func record(_ lines: LineSource, into log: EventLog, linesPerCommit: Int = 512) throws {
        var ingestion = Ingestion(into: log, capabilities: .live)
        var lines = lines
        while true {
            let batch = try lines.next(upTo: linesPerCommit)
            if batch.isEmpty { return }
            for case .rejected(let rejection) in try ingestion.record(batch) {
                throw BenchError("a line of the workload was rejected: \(rejection.message)")
            }
        }
    }

    /// Drafts of recorded events: what their author handed in, personal part opened.
    static func drafts(of log: EventLog, limit: Int) throws -> [EventDraft] {
        var drafts: [EventDraft] = []
        try log.forEachEvent(in: 0..<UInt64(limit)) { event in
            guard let key = try log.dataKey(for: event.envelope.subject) else {
                throw BenchError("a data key is missing")
            }
            drafts.append(try draft(of: event, key: key, in: log))
            return true
        }
        return drafts
    }

    /// The draft of a recorded event, without its documents.
    static func draft(
        of event: RecordedEvent, key: DataKey, in log: EventLog
    ) throws -> EventDraft {
        let envelope = event.envelope
        var clear = event.data
        clear[DataMember.sealed] = nil
        clear[DataMember.sealedBlob] = nil
        clear[DataMember.keyCommitment] = nil
        return EventDraft(
            id: envelope.id, source: envelope.source, type: envelope.type,
            typeVersion: envelope.typeVersion, subject: envelope.subject,
            time: envelope.time, recordedTime: envelope.recordedTime, clear: clear,
            sealed: try log.openSealed(event, dataKey: key))
    }
}

/// Ends a benchmark that cannot be run as it should.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
