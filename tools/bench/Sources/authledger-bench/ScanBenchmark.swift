// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import MerkleTree
import SessionEvents

/// What reading costs: leaves, events, payloads.
struct ScanBenchmark {
    /// An event that waits in memory for the lower bound: what is inflated, what is hashed.
    private struct Bound {
        let deflated: [UInt8]
        let textLength: Int
        let leaf: [UInt8]
    }

    private let options: BenchOptions
    private let scratch: Scratch
    private let log: EventLog
    private let raw: EnvironmentCopy
    private let count: UInt64

    init(_ options: BenchOptions) throws {
        self.options = options
        scratch = try Scratch(in: options.directory)
        log = try BenchLedger.create("ledger", in: scratch)
        try BenchLedger.record(options.lines(sessionsMax: options.sessions), into: log)
        raw = try EnvironmentCopy(of: log.paths.log, at: scratch.path + "/copy")
        count = try log.head().size
    }

    func run() throws -> Report {
        let (bounds, sample) = try readIntoMemory()
        var raws: [Double] = []
        var inflated: [Double] = []
        var leaves: [Double] = []
        var events: [Double] = []
        var payloads: [Double] = []
        for _ in 0..<options.rounds {
            raws.append(try perEvent { _ = try raw.scan("events") })
            inflated.append(try perEvent { try inflateAndHash(bounds) })
            leaves.append(try perEvent { try log.forEachLeaf(in: 0..<count) { _, _, _ in true } })
            events.append(try perEvent { try log.forEachEvent(in: 0..<count) { _ in true } })
            payloads.append(try perEvent(sample.count) { try decodePayloads(sample) })
        }
        let bound = "inflate + SHA-256"
        return Report(
            name: "scan and decode",
            conditions: [
                "\(count) events", "one thread", "\(options.rounds) rounds",
                "median (least–most)",
            ],
            rows: [
                Row("frames where they lie", .microseconds, raws, peer: (bound, inflated)),
                Row(
                    "leaves, checked against their hashes", .microseconds, leaves,
                    peer: (bound, inflated)),
                Row(
                    "events, envelope and members decoded", .microseconds, events,
                    peer: (bound, inflated)),
                Row(
                    "payload of a decoded event", .microseconds, payloads,
                    peer: (bound, inflated)),
                Row(
                    "leaves, checked against their hashes", .microseconds, leaves,
                    peer: ("raw LMDB scan", raws)),
            ])
    }

    private func perEvent(_ events: Int? = nil, _ body: () throws -> Void) rethrows -> Double {
        try Stopwatch.seconds(body) * 1e6 / Double(events ?? Int(count))
    }

    /// The deflated texts with their leaves, and some decoded events.
    private func readIntoMemory() throws -> (bounds: [Bound], sample: [RecordedEvent]) {
        let steps = log.leafSteps
        var bounds: [Bound] = []
        var sample: [RecordedEvent] = []
        try log.forEachEvent(in: 0..<count) { event in
            guard let packed = steps.pack(event.leaf, of: event.envelope) else {
                throw BenchError("a leaf cannot be packed")
            }
            bounds.append(
                Bound(
                    deflated: try steps.deflate(packed.text), textLength: packed.text.count,
                    leaf: event.leaf))
            if sample.count < 8192 { sample.append(event) }
            return true
        }
        return (bounds, sample)
    }

    private func inflateAndHash(_ bounds: [Bound]) throws {
        let steps = log.leafSteps
        for bound in bounds {
            guard let text = steps.inflate(bound.deflated, count: bound.textLength),
                !text.isEmpty, MerkleTree.leafHash(bound.leaf) != MerkleTree.emptyRoot
            else { throw BenchError("a text cannot be inflated") }
        }
    }

    private func decodePayloads(_ events: [RecordedEvent]) throws {
        for event in events {
            _ = try SessionEventCodec.decode(
                type: event.envelope.type, version: event.envelope.typeVersion, data: event.data)
        }
    }
}
