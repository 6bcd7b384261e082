// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives

/// A walk over all streams, from the last event of each back to its first, in parts, each in a
/// transaction of its own.
struct IndexWalk {
    /// How many events one part has. Each is a frame anywhere in the file, which brings some pages
    /// around it into memory.
    private static let eventsPerPart = 2048

    /// How many events the log has; what the streams have beyond them came later.
    private let size: UInt64
    /// The stream that was looked at last.
    private var key: [UInt8]?
    /// Where the walk along that stream goes on; nil at its end.
    private var chain: LinkWalk?
    /// A bit for each event of the log that a stream leads to.
    private var reached: [UInt64]
    /// Code, position and words of what was found, up to ``CheckReport/findingsMax``.
    private(set) var findings: [(String, UInt64?, String)] = []
    /// Whether every stream was looked at.
    private(set) var isAtEnd = false

    init(size: UInt64) {
        self.size = size
        reached = [UInt64](repeating: 0, count: Int((size + 63) / 64))
    }

    /// Looks at the next events.
    mutating func advance(_ tables: LogTables, _ transaction: LMDBTransaction) throws {
        for _ in 1...Self.eventsPerPart {
            if chain == nil { try beginNextStream(tables, transaction) }
            guard var walked = chain else { return }
            let position = walked.position
            guard mark(position) else {
                chain = nil
                add("stream-broken", position, "two streams lead to this event")
                continue
            }
            switch try walked.step(tables, transaction) {
            case .further: chain = walked
            case .atFirst: chain = nil
            case .broken(let problem):
                chain = nil
                add("stream-broken", position, problem)
            }
        }
    }

    private mutating func beginNextStream(
        _ tables: LogTables, _ transaction: LMDBTransaction
    ) throws {
        try transaction.withCursor(tables.streams) { cursor in
            let read: (Span<UInt8>, Span<UInt8>) -> ([UInt8], UInt64?) = { key, value in
                (key.copied(), value.bigEndianNumber)
            }
            var entry: ([UInt8], UInt64?)?
            if let key {
                entry = try cursor.seek(.bytes(key), orAfter: true, read)
                // Streams are never taken away; what is behind this one is next.
                guard entry?.0 == key else {
                    throw LedgerError.damaged("the stream index changed", position: nil)
                }
            }
            entry = try cursor.move(.next, read)
            guard let (next, last) = entry else {
                isAtEnd = true
                return
            }
            key = next
            guard let last else { return add("index-malformed", nil, "an entry is malformed") }
            chain = LinkWalk(key: next, from: last)
        }
    }

    /// Takes down that a stream leads to an event; false when another did.
    private mutating func mark(_ position: UInt64) -> Bool {
        guard position < size else { return true }
        let bit: UInt64 = 1 << (position % 64)
        defer { reached[Int(position / 64)] |= bit }
        return reached[Int(position / 64)] & bit == 0
    }

    /// The events that no stream leads to, up to ``CheckReport/findingsMax``: their stream is not
    /// in the index, or has another event in their place.
    var unreached: [UInt64] {
        var found: [UInt64] = []
        for (index, word) in reached.enumerated() where word != .max {
            for bit in UInt64(0)..<64 where word >> bit & 1 == 0 {
                let position = UInt64(index) * 64 + bit
                guard position < size, found.count < CheckReport.findingsMax else { return found }
                found.append(position)
            }
        }
        return found
    }

    private mutating func add(_ code: String, _ position: UInt64?, _ message: String) {
        if findings.count < CheckReport.findingsMax { findings.append((code, position, message)) }
    }
}

/// Follows one stream back by the links of its frames.
private struct LinkWalk {
    enum Step {
        case further
        case atFirst
        case broken(String)
    }

    let key: [UInt8]
    /// The event to look at next.
    private(set) var position: UInt64
    /// What the event behind it says of this one; nil at the stream's end.
    private var expected: (revision: Int, first: UInt64)?

    init(key: [UInt8], from last: UInt64) {
        self.key = key
        position = last
    }

    /// Looks at an event and goes to the one before it.
    mutating func step(_ tables: LogTables, _ transaction: LMDBTransaction) throws -> Step {
        let header: FrameHeader
        do {
            header = try tables.header(at: position, in: transaction)
        } catch is LedgerError {
            return .broken("the stream has an event that cannot be read")
        }
        guard let first = header.first(from: position) else {
            return .broken("the event's links lead out of the log")
        }
        if let expected, expected.revision != header.revision || expected.first != first {
            return .broken(
                "the stream's event number \(expected.revision) has revision \(header.revision)")
        }
        switch header.link {
        case .first(let subject):
            return StreamKey.key(subject) == key
                ? .atFirst : .broken("the index files it under another stream")
        case .later:
            guard let previous = header.previous(of: position), previous >= first else {
                return .broken("the event is not linked to the one before it")
            }
            expected = (header.revision - 1, first)
            position = previous
            return .further
        }
    }
}
