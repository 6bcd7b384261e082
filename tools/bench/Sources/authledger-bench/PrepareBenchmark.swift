// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import MerkleTree
import OpenSSL
import SessionEvents

/// What an event takes on disk, form by form, and what making it ready costs, step by step.
struct PrepareBenchmark {
    /// An event with everything that its steps take in.
    private struct Sample {
        let event: RecordedEvent
        let draft: EventDraft
        let key: DataKey
        let head: StreamHead?
        let plaintext: [UInt8]?
        let data: [UInt8]
        let packed: LeafSteps.Packed
    }

    /// One step on the way of an event.
    private struct Step {
        let name: String
        let body: (Sample) throws -> Void

        init(_ name: String, _ body: @escaping (Sample) throws -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let options: BenchOptions
    private let scratch: Scratch
    private let log: EventLog

    init(_ options: BenchOptions) throws {
        self.options = options
        scratch = try Scratch(in: options.directory)
        log = try BenchLedger.create("ledger", in: scratch)
        try BenchLedger.record(options.lines(sessionsMax: options.sessions), into: log)
    }

    func run() throws -> [Report] {
        let samples = try samples()
        return [try sizes()] + (try withoutSteps(samples)) + [try steps(samples)]
    }

    // MARK: - Bytes

    private func sizes() throws -> Report {
        let head = try log.head()
        let steps = log.leafSteps
        var sums = (text: 0, literals: 0, packed: 0, whole: 0)
        try log.forEachEvent(in: 0..<head.size) { event in
            guard let packed = steps.pack(event.leaf, of: event.envelope) else {
                throw BenchError("a leaf cannot be packed")
            }
            sums.text += packed.text.count
            sums.literals += packed.literals.count
            sums.packed += packed.literals.count + (try steps.deflate(packed.text).count)
            sums.whole += try steps.deflate(event.leaf).count
            return true
        }
        let events = Double(head.size)
        let leaf = ("leaf", [Double(head.bytesRaw) / events])
        func row(_ name: String, _ bytes: Int, _ bar: Double? = nil) -> Row {
            Row(name, .bytes, [Double(bytes) / events], peer: leaf, bar: bar)
        }
        return Report(
            name: "bytes per event",
            conditions: ["\(head.size) events of \(head.sessions) sessions"],
            rows: [
                row("leaf, packed, not deflated", sums.text + sums.literals),
                row("whole leaf, deflated with the dictionary", sums.whole),
                row("packed leaf, deflated with the dictionary", sums.packed),
                row("frame as stored: packed leaf, hash, links", Int(head.bytesStored), 0.58),
            ] + (try disk(row)))
    }

    /// What the databases and the files take up.
    private func disk(_ row: (String, Int, Double?) -> Row) throws -> [Row] {
        let events = try EnvironmentCopy(of: log.paths.log, at: scratch.path + "/log-copy")
        let keys = try EnvironmentCopy(of: log.paths.keys, at: scratch.path + "/keys-copy")
        return [
            row("pages of the frames", try events.bytes(of: "events"), nil),
            row("pages of the stream index", try events.bytes(of: "streams"), nil),
            row("pages of the tree", try events.bytes(of: "tree"), nil),
            row("pages of documents", try events.bytes(of: "blobs"), nil),
            row("pages of data keys", try keys.bytes(of: "data-keys"), nil),
            row("on disk, free pages included", try log.bytesOnDisk(), nil),
        ]
    }

    // MARK: - Without one of the steps

    /// Each kind of value that is taken out of a leaf, left in: what that costs in bytes, and what
    /// it saves in time.
    private static let kinds: [(String, PackingSteps)] = [
        ("place in the stream", .place), ("ids", .ids), ("times", .instants),
        ("hashes", .digests), ("trace ids", .hexadecimal), ("sealed values", .boxes),
    ]

    private func withoutSteps(_ samples: [Sample]) throws -> [Report] {
        let steps = log.leafSteps
        func pack(_ sample: Sample, _ kinds: PackingSteps) throws -> Int {
            guard let packed = steps.pack(sample.event.leaf, of: sample.event.envelope, kinds)
            else { throw BenchError("a leaf cannot be packed") }
            return packed.literals.count + (try steps.deflate(packed.text).count)
        }
        func bytes(_ kinds: PackingSteps) throws -> [Double] {
            let sum = try samples.reduce(0) { try $0 + pack($1, kinds) }
            return [Double(sum) / Double(samples.count)]
        }
        func times(_ kinds: PackingSteps) throws -> [Double] {
            try (0..<options.rounds).map { _ in
                try perEvent(samples) { _ = try pack($0, kinds) }
            }
        }
        let whole = (bytes: try bytes(.all), times: try times(.all))
        let rows = try (Self.kinds + [("anything", .all)]).map { name, kind in
            let rest = PackingSteps.all.subtracting(kind)
            return (
                Row("without packing \(name)", .bytes, try bytes(rest), peer: ("all", whole.bytes)),
                Row(
                    "without packing \(name)", .microseconds, try times(rest),
                    peer: ("all", whole.times))
            )
        }
        let conditions = ["\(samples.count) events", "packed and deflated with the dictionary"]
        return [
            Report(name: "bytes of each packing step", conditions: conditions, rows: rows.map(\.0)),
            Report(name: "time of each packing step", conditions: conditions, rows: rows.map(\.1)),
        ]
    }

    // MARK: - Steps

    private func samples() throws -> [Sample] {
        let steps = log.leafSteps
        let count = 4096
        let drafts = try BenchLedger.drafts(of: log, limit: count)
        var samples: [Sample] = []
        try log.forEachEvent(in: 0..<UInt64(count)) { event in
            let draft = drafts[samples.count]
            guard let key = try log.dataKey(for: draft.subject),
                let packed = steps.pack(event.leaf, of: event.envelope)
            else { throw BenchError("an event cannot be taken apart") }
            samples.append(
                Sample(
                    event: event, draft: draft, key: key,
                    head: event.envelope.previous.map {
                        StreamHead(revision: event.envelope.revision - 1, leafHash: $0)
                    },
                    plaintext: draft.sealed.map { CanonicalJSON.encode($0) },
                    data: CanonicalJSON.encode(event.data), packed: packed))
            return true
        }
        return samples
    }

    private func steps(_ samples: [Sample]) throws -> Report {
        let measured = measuredSteps(log.leafSteps, nonce: randomBytes(12))
        var figures = [[Double]](repeating: [], count: measured.count)
        var whole: [Double] = []
        for _ in 0..<options.rounds {
            whole.append(
                try perEvent(samples) {
                    _ = try log.prepare($0.draft, after: $0.head, dataKey: $0.key)
                })
            for (index, step) in measured.enumerated() {
                figures[index].append(try perEvent(samples, step.body))
            }
        }
        return Report(
            name: "making an event ready",
            conditions: ["one thread", "\(options.rounds) rounds", "median (least–most)"],
            rows: [Row("all of it", .microseconds, whole)]
                + zip(measured, figures).map { step, values in
                    Row(step.name, .microseconds, values, peer: ("all of it", whole))
                })
    }

    private func measuredSteps(_ steps: LeafSteps, nonce: [UInt8]) -> [Step] {
        [
            Step("JSON of the sealed and the clear part") { sample in
                if let sealed = sample.draft.sealed { _ = CanonicalJSON.encode(sealed) }
                _ = CanonicalJSON.encode(sample.event.data)
            },
            Step("seal: derive the key, encrypt, write as text") { sample in
                guard let plaintext = sample.plaintext else { return }
                _ = sample.key.seal(
                    plaintext, revision: sample.event.envelope.revision, nonce: nonce)
            },
            Step("put the leaf together") { _ = $0.event.envelope.leaf(data: $0.data) },
            Step("hash the leaf") { _ = MerkleTree.leafHash($0.event.leaf) },
            Step("pack the leaf") { _ = steps.pack($0.event.leaf, of: $0.event.envelope) },
            Step("unpack it again, to be sure") {
                _ = steps.unpack($0.packed, of: $0.event.envelope, length: $0.event.leaf.count)
            },
            Step("deflate the packed text") { _ = try steps.deflate($0.packed.text) },
        ]
    }

    private func perEvent(
        _ samples: [Sample], _ body: (Sample) throws -> Void
    ) rethrows -> Double {
        try Stopwatch.seconds { try samples.forEach(body) } * 1e6 / Double(samples.count)
    }
}
