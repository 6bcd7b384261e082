// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives

/// A walk over the stream index from end to end, in parts, each in a transaction of its own.
struct IndexWalk {
    /// How many entries one part has. Each leads to a frame anywhere in the file, which brings
    /// some pages around it into memory.
    private static let entriesPerPart = 2048

    /// How many events the log has; what the index has beyond them came later and is passed over.
    private let size: UInt64
    /// The last entry that was looked at.
    private var place: (key: [UInt8], value: [UInt8])?
    private var stream: StreamWalk?
    /// How many events of the log the index has named.
    private(set) var indexed: UInt64 = 0
    /// Code, position and words of what was found, up to ``CheckReport/findingsMax``.
    private(set) var findings: [(String, UInt64?, String)] = []
    /// Whether every entry was looked at.
    private(set) var isAtEnd = false

    init(size: UInt64) {
        self.size = size
    }

    /// Looks at the next entries.
    mutating func advance(_ tables: LogTables, _ transaction: LMDBTransaction) throws {
        try transaction.withCursor(tables.streams) { cursor in
            if let place {
                let found = try cursor.seek(.bytes(place.key), value: .bytes(place.value)) { _, _ in
                    true
                }
                // Entries are never taken away; from nowhere the cursor would begin again.
                guard found != nil else {
                    throw LedgerError.damaged("the stream index changed", position: nil)
                }
            }
            for number in 1...Self.entriesPerPart {
                let isLast = number == Self.entriesPerPart
                let entry = try cursor.move(.next) { key, value in
                    Entry(
                        key: key.copied(), position: value.bigEndianNumber,
                        value: isLast ? value.copied() : [])
                }
                guard let entry else {
                    isAtEnd = true
                    return
                }
                try take(entry, tables, transaction)
                if isLast { place = (entry.key, entry.value) }
            }
        }
    }

    private struct Entry {
        let key: [UInt8]
        let position: UInt64?
        let value: [UInt8]
    }

    private mutating func take(
        _ entry: Entry, _ tables: LogTables, _ transaction: LMDBTransaction
    ) throws {
        guard let position = entry.position else {
            return add("index-malformed", nil, "an index entry is malformed")
        }
        if position >= size { return }
        indexed += 1
        var walk = StreamWalk(key: entry.key, after: stream)
        if let problem = try walk.step(to: position, tables, transaction) {
            add("stream-broken", position, problem)
        }
        stream = walk
    }

    private mutating func add(_ code: String, _ position: UInt64?, _ message: String) {
        if findings.count < CheckReport.findingsMax { findings.append((code, position, message)) }
    }
}

/// Follows one stream through the index.
private struct StreamWalk {
    let key: [UInt8]
    private(set) var revision: Int
    private var first: UInt64
    private var last: UInt64

    /// Continues the walk if the key is the same, else begins a new one.
    init(key: [UInt8], after previous: StreamWalk?) {
        self.key = key
        let continued = previous?.key == key ? previous : nil
        revision = continued?.revision ?? 0
        first = continued?.first ?? 0
        last = continued?.last ?? 0
    }

    /// Takes the next event in; answers what is wrong with it.
    mutating func step(
        to position: UInt64, _ tables: LogTables, _ transaction: LMDBTransaction
    ) throws -> String? {
        revision += 1
        if revision == 1 { first = position }
        defer { last = position }
        let header: FrameHeader
        do {
            header = try tables.header(at: position, in: transaction)
        } catch is LedgerError {
            return "the index names an event that cannot be read"
        }
        guard header.revision == revision else {
            return "the stream's event number \(revision) has revision \(header.revision)"
        }
        switch header.link {
        case .first(let subject):
            return StreamKey.key(subject) == key ? nil : "the index files it under another stream"
        case .later(let firstDistance, let previousDistance):
            let isLinked =
                firstDistance <= position && position - firstDistance == first
                && position - previousDistance == last
            return isLinked ? nil : "the event is not linked to the one before it"
        }
    }
}
