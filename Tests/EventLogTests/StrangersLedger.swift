// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import Foundation
import Ingestion
import LedgerPrimitives
import SessionEvents
import TestSupport
import Testing

/// A ledger for the stranger: one that today's program makes, or a copy of one that is kept.
struct StrangersLedger {
    let directory: TemporaryDirectory
    let capabilities: Capabilities

    var ledger: String { directory.path + "/ledger" }
    var keyRoot: String { directory.path + "/keys" }

    /// A new ledger.
    init(seed: UInt64 = 1) throws {
        directory = try TemporaryDirectory()
        capabilities = .simulated(seed: seed)
        _ = try EventLog.create(
            directory.path + "/ledger", origin: "example.org/logins",
            keyRoot: directory.path + "/keys",
            samples: SyntheticSamples.events.map {
                SampleEvent(envelope: $0.envelope, data: $0.data)
            }, capabilities: capabilities)
    }

    /// A copy of a ledger that is kept in the repository with its keys.
    init(copyOf path: String) throws {
        directory = try TemporaryDirectory()
        capabilities = .simulated(seed: 1)
        for name in ["ledger", "keys"] {
            try FileManager.default.copyItem(
                atPath: "\(Repository.root)/\(path)/\(name)", toPath: "\(directory.path)/\(name)")
        }
    }

    /// The directory with the ledger's keys.
    func keyDirectory() throws -> String {
        "\(keyRoot)/\(try #require(try Repository.names(in: keyRoot).first))"
    }

    func open(_ access: EventLog.Access) throws -> EventLog {
        try EventLog(ledger, keyRoot: keyRoot, access: access, capabilities: capabilities)
    }

    /// Records reported events, every one of which must be taken.
    func ingest(_ lines: [[UInt8]]) throws {
        var ingestion = Ingestion(into: try open(.appending), capabilities: capabilities)
        for outcome in try ingestion.record(lines) {
            guard case .rejected(let rejection) = outcome else { continue }
            Issue.record("\(rejection.code): \(rejection.message)")
        }
    }

    /// Begins a session of the ledger's own, which can be found by its state.
    func begin(state: String) throws {
        let log = try open(.appending)
        let subject = capabilities.makeUUIDv7().description
        let key = try log.makeDataKey(for: subject)
        let event = SessionEvent.initiated(Initiated(provider: "a", clientID: "b", flow: .code))
        let draft = EventDraft(
            id: capabilities.makeUUIDv7(), source: log.info.origin, type: event.type.rawValue,
            typeVersion: 1, subject: subject, time: capabilities.now(), clear: event.clearMembers,
            sealed: ["state": .string(state)])
        let prepared = try log.prepare(draft, after: nil, dataKey: key.key)
        let entry = try log.lookupEntry(.state, state, subject: subject)
        _ = try log.appendAndWait(
            AppendBatch(events: [prepared], newDataKeys: [key], lookups: [entry]))
    }

    /// The leaves of the log, in order.
    func leaves() throws -> [[UInt8]] {
        var leaves: [[UInt8]] = []
        try open(.reading).forEachLeaf(in: 0..<UInt64.max) { _, _, leaf in
            leaves.append(leaf)
            return true
        }
        return leaves
    }
}

extension StrangersLedger {
    /// Appends events to streams whose names are no session ids, first in turn, without sealing
    /// in every other stream, and with documents of all sizes.
    func fill(streams: Int, revisions: Int) throws {
        let log = try open(.appending)
        var heads: [Int: StreamHead] = [:]
        var keys: [Int: DataKey] = [:]
        for revision in 1...revisions {
            var batch = AppendBatch(events: [])
            for stream in 0..<streams {
                let subject = Self.subject(stream)
                if revision == 1, stream % 2 == 0 {
                    let key = try log.makeDataKey(for: subject)
                    batch.newDataKeys.append(key)
                    keys[stream] = key.key
                }
                let time = capabilities.now()
                let draft = EventDraft(
                    id: capabilities.makeUUIDv7(), source: "example.org/logins",
                    type: "authledger.provider.key-set-fetched", typeVersion: 1, subject: subject,
                    time: time, clear: ["number": .integer(Int64(revision * stream))],
                    sealed: keys[stream].map { _ in ["stream": .string(subject)] },
                    documents: [[UInt8](repeating: UInt8(stream), count: revision * revision % 50)])
                let prepared = try log.prepare(draft, after: heads[stream], dataKey: keys[stream])
                heads[stream] = prepared.head
                batch.events.append(prepared)
            }
            _ = try log.appendAndWait(batch)
        }
    }

    /// Names of all kinds: addresses, UUIDs of other versions, escapes, the longest one.
    private static func subject(_ number: Int) -> String {
        switch number % 5 {
        case 0: "https://idp\(number).example.org/\u{E5}\u{1F600}"
        case 1: "f81d4fae-7dec-11d0-a765-00a0c91e6b\(10 + number)"
        case 2: "quote \" backslash \\ tab \t \(number)"
        case 3: String(repeating: "x", count: 398) + "\(10 + number)"
        default: "\(number)"
        }
    }
}
