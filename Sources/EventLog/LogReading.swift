// SPDX-License-Identifier: Apache-2.0

internal import LMDB
public import LedgerPrimitives
internal import MerkleTree

extension EventLog {
    /// How many events are copied out of one read transaction.
    static let eventsPerTransaction: UInt64 = 512

    /// The state of the log after its last commit.
    public func head() throws -> LogHead {
        try environment.read { try tables.head(in: $0) }
    }

    /// A number that grows with every commit of any process; for waiting for news.
    public var lastTransactionID: Int { environment.lastTransactionID }

    /// Hands out events in the log's order, each checked against its hash.
    ///
    /// No transaction is open while `body` runs, so it may take its time.
    ///
    /// - Parameters:
    ///   - positions: which events; those beyond the end of the log are left out.
    ///   - body: answers whether to go on.
    public func forEachEvent(
        in positions: Range<UInt64>, _ body: (RecordedEvent) throws -> Bool
    ) throws {
        try forEachLeaf(in: positions) { position, leafHash, leaf in
            try body(try decode(position, leafHash, leaf))
        }
    }

    /// Hands out leaf bytes in the log's order, each checked against its hash.
    public func forEachLeaf(
        in positions: Range<UInt64>,
        _ body: (_ position: UInt64, _ leafHash: Digest, _ leaf: [UInt8]) throws -> Bool
    ) throws {
        var next = positions.lowerBound
        while next < positions.upperBound {
            let end = min(positions.upperBound, next + Self.eventsPerTransaction)
            let frames = try storedFrames(in: next..<end)
            for frame in frames {
                let leaf = try restore(frame)
                guard try body(frame.position, frame.frame.header.leafHash, leaf) else { return }
            }
            if frames.isEmpty { return }
            next += UInt64(frames.count)
        }
    }

    /// The events of a stream, in order; empty when there is no such stream.
    ///
    /// - Parameter size: only those among the first events of the log.
    public func stream(
        _ subject: String, before size: UInt64 = .max
    ) throws -> [RecordedEvent] {
        try events {
            try tables.positions(of: StreamKey.key(subject), in: $0).filter { $0 < size }
        }
    }

    /// A stream's first event and its last ones: what suffices where the steps between do not
    /// matter, without the cost of reading them.
    ///
    /// - Parameter last: how many events to read from the end.
    /// - Returns: the events in order, and how many the stream has in all.
    public func streamEnds(
        _ subject: String, last: Int
    ) throws -> (events: [RecordedEvent], count: Int) {
        var count = 0
        let events = try events { transaction in
            let key = StreamKey.key(subject)
            guard let extent = try tables.extent(of: key, in: transaction) else { return [] }
            count = extent.head.revision
            let end = try tables.lastPositions(of: key, limit: last, in: transaction)
            return end.first == extent.first ? end : [extent.first] + end
        }
        return (events, count)
    }

    /// The events at some positions, all seen in one state of the log.
    private func events(
        at positions: (LMDBTransaction) throws -> [UInt64]
    ) throws -> [RecordedEvent] {
        let frames = try environment.read { transaction in
            try positions(transaction).map { position in
                guard let frame = try tables.storedFrame(at: position, in: transaction) else {
                    throw LedgerError.damaged("an event is missing", position: position)
                }
                return frame
            }
        }
        return try frames.map { frame in
            try decode(frame.position, frame.frame.header.leafHash, try restore(frame))
        }
    }

    /// One event of a stream; nil when it has no such revision.
    public func event(ofStream subject: String, revision: Int) throws -> RecordedEvent? {
        let frame = try environment.read { transaction -> StoredFrame? in
            let key = StreamKey.key(subject)
            let position =
                revision == 1
                ? try tables.extent(of: key, in: transaction)?.first
                : try tables.positions(of: key, in: transaction).dropFirst(revision - 1).first
            return try position.flatMap { try tables.storedFrame(at: $0, in: transaction) }
        }
        return try frame.map {
            try decode($0.position, $0.frame.header.leafHash, try restore($0))
        }
    }

    /// The end of a stream; nil when it has no events.
    public func streamHead(_ subject: String) throws -> StreamHead? {
        try environment.read { try tables.streamHead(of: StreamKey.key(subject), in: $0) }
    }

    /// The names of up to `limit` streams but the ledger's own that are UUIDs and begin with this
    /// text; nil when no UUID in its text form can begin so.
    public func streams(withPrefix prefix: String, limit: Int) throws -> [String]? {
        guard let digits = UUIDPrefix(prefix) else { return nil }
        var names: [String] = []
        try forEachSessionKey(from: digits.lowest) { key in
            guard names.count < limit, digits.fits(key) else { return false }
            names.append(UUIDText.encode(key))
            return true
        }
        return names
    }

    /// The names of up to `limit` streams that are UUIDs, in the order of their ids, beginning
    /// behind `last`; empty at the end.
    public func streams(after last: String?, limit: Int) throws -> [String] {
        var names: [String] = []
        let start = last.map { StreamKey.key($0) } ?? []
        try forEachSessionKey(from: start) { key in
            guard names.count < limit else { return false }
            if !ByteWords.areSame(key, start.span) { names.append(UUIDText.encode(key)) }
            return true
        }
        return names
    }

    /// Hands out the keys of streams that are UUIDs, but not the ledger's own, in their order from
    /// a key on that need not be there, to who answers whether to go on.
    private func forEachSessionKey(
        from start: [UInt8], _ body: (Span<UInt8>) -> Bool
    ) throws {
        let own = info.ledgerID.bytes
        func visit(_ key: Span<UInt8>) -> Bool {
            key.count != 16 || ByteWords.areSame(key, own.span) || body(key)
        }
        try environment.read { transaction in
            try transaction.withCursor(tables.streams) { cursor in
                // There is no empty key in LMDB.
                let start = LMDBKey.bytes(start.isEmpty ? [0] : start)
                var goesOn = try cursor.seek(start, orAfter: true) { key, _ in visit(key) } ?? false
                while goesOn {
                    goesOn = try cursor.move(.nextKey) { key, _ in visit(key) } ?? false
                }
            }
        }
    }

    /// The content of a blob; nil when the log has none of this name.
    ///
    /// - Throws: ``LedgerError/damaged(_:position:)`` when what is stored has another hash.
    public func blob(_ digest: Digest) throws -> [UInt8]? {
        let key = LMDBKey.bytes(digest.array)
        guard let stored = try environment.read({ try $0.value(key, in: tables.blobs) }) else {
            return nil
        }
        guard let content = Blob.content(of: stored, digest: digest) else {
            throw LedgerError.damaged("a blob is not what its name says", position: nil)
        }
        return content
    }

    /// Bytes that `log/` and `keys/` take up on disk.
    public func bytesOnDisk() throws -> Int {
        try paths.allocatedBytes()
    }

    func storedFrames(in positions: Range<UInt64>) throws -> [StoredFrame] {
        try environment.read { transaction in
            try transaction.withCursor(tables.events) { cursor in
                var frames: [StoredFrame] = []
                var position = positions.lowerBound
                var bytes = try cursor.seek(.number(position)) { $1.copied() }
                while let found = bytes, position < positions.upperBound {
                    frames.append(try tables.storedFrame(found, at: position, in: transaction))
                    position += 1
                    bytes = try cursor.move(.next) { $1.copied() }
                }
                return frames
            }
        }
    }

    /// The leaf of a frame; every read checks it against the hash.
    func restore(_ stored: StoredFrame) throws(LedgerError) -> [UInt8] {
        guard let leaf = codec.leaf(stored.frame.body, place: stored.place) else {
            throw .damaged("the frame cannot be expanded", position: stored.position)
        }
        guard MerkleTree.leafHash(leaf) == stored.frame.header.leafHash else {
            throw .damaged("the event is not the one that was hashed", position: stored.position)
        }
        return leaf
    }

    func decode(
        _ position: UInt64, _ leafHash: Digest, _ leaf: [UInt8], passingOver: [String] = []
    ) throws(LedgerError) -> RecordedEvent {
        do {
            return try RecordedEvent(
                position: position, leafHash: leafHash, leaf: leaf, passingOver: passingOver)
        } catch {
            throw .damaged("the leaf is not a canonical event", position: position)
        }
    }
}

/// The beginning of a UUID in text form.
private struct UUIDPrefix {
    private let digits: [UInt8]
    /// The lowest key that begins so.
    let lowest: [UInt8]

    init?(_ text: String) {
        var digits: [UInt8] = []
        for (index, character) in text.utf8.enumerated() {
            if [8, 13, 18, 23].contains(index) {
                guard character == UInt8(ascii: "-") else { return nil }
            } else {
                guard let value = Hexadecimal.value(of: character) else { return nil }
                digits.append(value)
            }
        }
        guard digits.count <= 32, !digits.isEmpty else { return nil }
        self.digits = digits
        let padded = digits + [UInt8](repeating: 0, count: 32 - digits.count)
        lowest = stride(from: 0, to: 32, by: 2).map { padded[$0] << 4 | padded[$0 + 1] }
    }

    func fits(_ key: Span<UInt8>) -> Bool {
        digits.enumerated().allSatisfy { index, digit in
            let byte = key[index / 2]
            return (index % 2 == 0 ? byte >> 4 : byte & 0xF) == digit
        }
    }
}
