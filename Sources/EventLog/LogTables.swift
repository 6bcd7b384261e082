// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import MerkleTree

/// The databases of `log/` and what their keys and values are. See `Schemas/event-log.md`.
struct LogTables: Sendable {
    static let count = 8

    /// Position to frame.
    let events: LMDBDatabase
    /// Stream key to the position of the stream's last event; its frame leads to the others.
    let streams: LMDBDatabase
    /// Level and index to the hash of a full subtree, for every eighth level.
    let tree: LMDBDatabase
    /// SHA-256 to stored document.
    let blobs: LMDBDatabase
    /// Number to compression dictionary.
    let dictionaries: LMDBDatabase
    /// Tree size to signed checkpoint.
    let checkpoints: LMDBDatabase
    /// Name to fact about the ledger.
    let meta: LMDBDatabase
    /// Stream key to the number of an attempt that was noted before it was made, until the
    /// stream's next event; nil in a ledger that was not opened for appending since there is such
    /// a table.
    let attempts: LMDBDatabase?

    /// - Parameter createsAttempts: whether a ledger that has no table of attempts gets one.
    init(_ environment: LMDBEnvironment, create: Bool, createsAttempts: Bool) throws {
        events = try environment.database("events", create: create)
        streams = try environment.database("streams", create: create)
        tree = try environment.database("tree", create: create)
        blobs = try environment.database("blobs", create: create)
        dictionaries = try environment.database("dictionaries", create: create)
        checkpoints = try environment.database("checkpoints", create: create)
        meta = try environment.database("meta", create: create)
        attempts = try environment.databaseIfPresent("attempts", create: createsAttempts)
    }

    /// Names in `meta`.
    enum MetaName {
        static let format = LMDBKey.bytes(Array("format".utf8))
        static let ledger = LMDBKey.bytes(Array("ledger".utf8))
        static let head = LMDBKey.bytes(Array("head".utf8))
    }

    /// Tree nodes are kept for levels 8, 16, 24 …: with the leaf hashes in the frames, any
    /// other node is at most 255 hashes away.
    static let keptLevelStep = 8

    static func nodeKey(_ node: TreeNode) -> LMDBKey {
        .bytes(
            [UInt8(node.level)]
                + (0..<8).map { UInt8(truncatingIfNeeded: node.index >> UInt64(56 - $0 * 8)) })
    }
}

// MARK: - Reading

extension LogTables {
    func head(in transaction: LMDBTransaction) throws -> LogHead {
        guard let bytes = try transaction.value(MetaName.head, in: meta),
            let head = LogHead(bytes)
        else {
            throw LedgerError.damaged("the record of the log's head is malformed", position: nil)
        }
        return head
    }

    /// The positions of a stream's events, in order.
    func positions(
        of streamKey: [UInt8], in transaction: LMDBTransaction
    ) throws -> [UInt64] {
        try lastPositions(of: streamKey, limit: .max, in: transaction)
    }

    /// The positions of up to `limit` events from the end of a stream, in order.
    func lastPositions(
        of streamKey: [UInt8], limit: Int, in transaction: LMDBTransaction
    ) throws -> [UInt64] {
        var positions: [UInt64] = []
        var next = try lastPosition(of: streamKey, in: transaction)
        while let position = next, positions.count < limit {
            positions.append(position)
            next = try header(at: position, in: transaction).previous(of: position)
        }
        return positions.reversed()
    }

    /// First and last event of a stream; nil when it has none.
    func extent(
        of streamKey: [UInt8], in transaction: LMDBTransaction
    ) throws -> StreamExtent? {
        guard let last = try lastPosition(of: streamKey, in: transaction) else { return nil }
        let header = try header(at: last, in: transaction)
        guard let first = header.first(from: last) else {
            throw LedgerError.damaged("a link leads out of the log", position: last)
        }
        return StreamExtent(
            first: first, last: last,
            head: StreamHead(revision: header.revision, leafHash: header.leafHash))
    }

    private func lastPosition(
        of streamKey: [UInt8], in transaction: LMDBTransaction
    ) throws -> UInt64? {
        let found = try transaction.withValue(.bytes(streamKey), in: streams) {
            $0.bigEndianNumber
        }
        guard let found else { return nil }
        guard let found else { throw Self.malformedIndex }
        return found
    }

    func header(
        at position: UInt64, in transaction: LMDBTransaction
    ) throws -> FrameHeader {
        try Self.required(
            try transaction.withValue(.number(position), in: events) { FrameHeader($0) },
            at: position)
    }

    /// What was read of the frame at a position, where there has to be one.
    private static func required<Part>(_ part: Part??, at position: UInt64) throws -> Part {
        guard let part, let part else {
            throw LedgerError.damaged("the frame is missing or malformed", position: position)
        }
        return part
    }

    /// The end of a stream; nil when it has no events.
    func streamHead(
        of streamKey: [UInt8], in transaction: LMDBTransaction
    ) throws -> StreamHead? {
        try extent(of: streamKey, in: transaction)?.head
    }

    /// Everything needed to restore the event at a position; nil when there is none.
    func storedFrame(
        at position: UInt64, in transaction: LMDBTransaction
    ) throws -> StoredFrame? {
        guard let bytes = try transaction.value(.number(position), in: events) else { return nil }
        return try storedFrame(bytes, at: position, in: transaction)
    }

    func storedFrame(
        _ bytes: [UInt8], at position: UInt64, in transaction: LMDBTransaction
    ) throws -> StoredFrame {
        guard let frame = Frame(bytes) else {
            throw LedgerError.damaged("the frame is malformed", position: position)
        }
        return StoredFrame(
            position: position, frame: frame, length: bytes.count,
            place: try place(of: frame.header, at: position, in: transaction))
    }

    /// What the log knows of an event by its links.
    private func place(
        of header: FrameHeader, at position: UInt64, in transaction: LMDBTransaction
    ) throws -> StreamPlace {
        switch header.link {
        case .first(let subject):
            return StreamPlace(subject: subject, revision: 1, previous: nil)
        case .later(let firstDistance, let previousDistance):
            guard firstDistance <= position else {
                throw LedgerError.damaged("a link leads out of the log", position: position)
            }
            let first = try self.header(at: position - firstDistance, in: transaction)
            let previous = try self.header(at: position - previousDistance, in: transaction)
            guard case .first(let subject) = first.link else {
                throw LedgerError.damaged("a link leads to another stream", position: position)
            }
            return StreamPlace(
                subject: subject, revision: header.revision, previous: previous.leafHash)
        }
    }

    /// Cursors for finding the events of many streams. Finding what lies on the page on which a
    /// cursor stands costs a fraction of finding it from the root of the tree.
    struct StreamCursors {
        fileprivate let streams: LMDBCursor
        fileprivate let events: LMDBCursor
    }

    /// Opens cursors for the time of `body`.
    func withStreamCursors<Result>(
        in transaction: LMDBTransaction, _ body: (StreamCursors) throws -> Result
    ) throws -> Result {
        try transaction.withCursor(streams) { streams in
            try transaction.withCursor(events) { events in
                try body(StreamCursors(streams: streams, events: events))
            }
        }
    }

    /// Adds the first frame of a stream and its last two, in order.
    ///
    /// - Returns: how many the stream has; nil when it has none.
    func addEndFrames(
        of stream: StreamName, to frames: inout [StoredFrame], by cursors: StreamCursors,
        in transaction: LMDBTransaction
    ) throws -> Int? {
        let found = try cursors.streams.seek(.bytes(stream.key)) { $1.bigEndianNumber }
        guard let found else { return nil }
        guard let last = found else { throw Self.malformedIndex }
        let end = try frame(at: last, of: stream, by: cursors.events)
        let count = end.frame.header.revision
        guard case .later(let firstDistance, let previousDistance) = end.frame.header.link else {
            frames.append(
                end.stored(as: try place(of: end.frame.header, at: last, in: transaction)))
            return 1
        }
        guard firstDistance <= last else {
            throw LedgerError.damaged("a link leads out of the log", position: last)
        }
        let first = try frame(at: last - firstDistance, of: stream, by: cursors.events)
        guard case .first(let subject) = first.frame.header.link else {
            throw LedgerError.damaged("a link leads to another stream", position: last)
        }
        frames.append(first.stored(as: StreamPlace(subject: subject, revision: 1, previous: nil)))
        var previousHash = first.frame.header.leafHash
        if previousDistance < firstDistance {
            let previous = try frame(
                at: last - previousDistance, of: stream, by: cursors.events)
            guard let before = previous.frame.header.previous(of: previous.position),
                previous.frame.header.first(from: previous.position) == first.position
            else { throw LedgerError.damaged("a link leads to another stream", position: last) }
            let hash =
                before == first.position
                ? previousHash : try header(at: before, by: cursors.events).leafHash
            frames.append(
                previous.stored(
                    as: StreamPlace(
                        subject: subject, revision: previous.frame.header.revision,
                        previous: hash)))
            previousHash = previous.frame.header.leafHash
        }
        frames.append(
            end.stored(
                as: StreamPlace(subject: subject, revision: count, previous: previousHash)))
        return count
    }

    /// A frame that was found at a position, without what is needed to restore its leaf.
    private struct FoundFrame {
        let position: UInt64
        let frame: Frame
        let length: Int

        func stored(as place: StreamPlace) -> StoredFrame {
            StoredFrame(position: position, frame: frame, length: length, place: place)
        }
    }

    private func frame(
        at position: UInt64, of stream: StreamName, by cursor: LMDBCursor
    ) throws -> FoundFrame {
        let found = try cursor.seek(.number(position)) { _, bytes in
            Frame(bytes, expecting: stream).map {
                FoundFrame(position: position, frame: $0, length: bytes.count)
            }
        }
        return try Self.required(found, at: position)
    }

    private func header(at position: UInt64, by cursor: LMDBCursor) throws -> FrameHeader {
        try Self.required(
            try cursor.seek(.number(position)) { FrameHeader($1) }, at: position)
    }

    func readDictionaries(_ environment: LMDBEnvironment) throws -> [FrameDictionary] {
        try environment.read { transaction in
            try transaction.withCursor(dictionaries) { cursor in
                var found: [FrameDictionary] = []
                while let dictionary = try cursor.move(
                    .next,
                    { key, value in
                        key.bigEndianNumber.map { FrameDictionary(id: $0, bytes: value.copied()) }
                    })
                {
                    guard let dictionary else { throw Self.malformedIndex }
                    found.append(dictionary)
                }
                return found
            }
        }
    }

    private static var malformedIndex: LedgerError {
        .damaged("the stream index is malformed", position: nil)
    }
}

/// Where a stream's events are.
struct StreamExtent {
    let first: UInt64
    let last: UInt64
    let head: StreamHead
}

/// A frame with what is needed to restore its leaf, free of the transaction it was read in.
struct StoredFrame {
    let position: UInt64
    let frame: Frame
    /// Bytes of the frame as stored.
    let length: Int
    let place: StreamPlace
}
