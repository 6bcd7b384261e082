// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LMDB
public import LedgerPrimitives
internal import OpenSSL

/// What was asked for of a leaf. Events that say the same in it mostly share one. For one thread.
public final class ExcerptText {
    /// ``LeafExcerpt/text``.
    public let bytes: [UInt8]
    /// What whoever asked made of it, to be found again with the next event that shares it.
    public var reading: AnyObject?

    /// A text that nobody has read yet.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// An event of which only some members were read.
public struct ExcerptedEvent {
    /// Place in the log.
    public let position: UInt64
    /// When it happened.
    public let time: Instant
    /// What was asked for of the leaf.
    public let text: ExcerptText
    /// The sealed part as JSON; nil when there is none, or nobody asked for it.
    public let sealed: JSONObject?
}

/// The first event of a stream and its last two.
public struct StreamEnds {
    /// The stream.
    public let subject: String
    /// The events in order.
    public let events: [ExcerptedEvent]
    /// How many the stream has in all.
    public let count: Int
    /// Whether the stream has a data key.
    public let hasKey: Bool
}

/// What is asked of an event. One is made for many events: what is found out on the way about their
/// form is kept for the very request.
public final class ExcerptRequest: Sendable {
    /// What is sealed may lie elsewhere, and a first event says under which key.
    enum Located: Int, CaseIterable {
        case sealed, sealedBlob, keyCommitment

        var name: String {
            switch self {
            case .sealed: DataMember.sealed
            case .sealedBlob: DataMember.sealedBlob
            case .keyCommitment: DataMember.keyCommitment
            }
        }
    }

    let leaf: LeafExcerpt.Request
    private let opensBoxOf: [UInt8]?

    /// A request.
    ///
    /// - Parameters:
    ///   - members: the members of its payload that are read.
    ///   - type: of which type it must be for what is sealed in it to be opened; nil for none.
    public init(members: [String], opensBoxOf type: String?) {
        leaf = LeafExcerpt.Request(
            members: MemberNameSet(members),
            located: MemberNameSet(Located.allCases.map(\.name)))
        opensBoxOf = type.map { Array($0.utf8) }
    }

    /// Whether what is sealed in events of a type shall be opened.
    func opensBox(of type: ArraySlice<UInt8>) -> Bool {
        opensBoxOf.map { $0.elementsEqual(type) } ?? false
    }
}

extension LeafExcerpt {
    subscript(_ member: ExcerptRequest.Located) -> Range<Int>? {
        located.first { $0.name == member.rawValue }?.text
    }
}

/// Reads the ends of many streams on one thread, with coders and ciphers of its own that are made
/// once: for who goes through every session there is. Not for use by two threads at once.
///
/// Every leaf is compared with its hash, and every data key with the commitment of the stream's
/// first event, as ``EventLog/stream(_:before:)`` and ``EventLog/openSealed(_:dataKey:)`` do; what
/// is out of the ordinary is left to them.
public final class StreamEndsReader {
    private static let subjectsPerPart = 32

    private let log: EventLog
    private let keys: KeyStore
    private let restorer: LeafRestorer
    private let opener = AES256GCMOpener()
    /// Meets the same key again and again.
    private let keyOpener = AES256GCMOpener()
    /// A copy of the bucket key that was used last, so that threads do not share one.
    private var bucket: (month: Int, key: SecretBytes)?

    /// A reader of a log that is open for reading what is sealed.
    public init(_ log: EventLog) throws {
        guard let keys = log.keys else { throw LedgerError.notWritable }
        self.log = log
        self.keys = keys
        restorer = LeafRestorer(log)
    }

    /// Hands out the ends of some streams, in the order of their names.
    ///
    /// - Parameters:
    ///   - subjects: as many as may be held in memory.
    ///   - request: what to read of the first event of a stream, where the argument is nil, or of
    ///     those behind it, where it is the first one.
    ///   - body: gets nil in place of a stream that must be read in the ordinary way.
    public func read(
        _ subjects: [String], _ request: (ExcerptedEvent?) -> ExcerptRequest,
        _ body: (_ subject: String, StreamEnds?) throws -> Void
    ) throws {
        var frames: [StoredFrame] = []
        frames.reserveCapacity(subjects.count * 3)
        let names = subjects.map(StreamName.init)
        let found = try log.environment.read { transaction in
            try log.tables.withStreamCursors(in: transaction) { cursors in
                try names.map { name -> FoundEnds? in
                    let start = frames.count
                    return try log.tables.addEndFrames(
                        of: name, to: &frames, by: cursors, in: transaction
                    ).map { FoundEnds(frames: start..<frames.count, count: $0) }
                }
            }
        }
        let records = try keys.records(of: names)
        var done = 0
        for start in stride(from: 0, to: subjects.count, by: Self.subjectsPerPart) {
            let part = start..<min(subjects.count, start + Self.subjectsPerPart)
            let end = part.reduce(done) { found[$1]?.frames.upperBound ?? $0 }
            let leaves = try restorer.restore(frames[done..<end])
            for index in part {
                var ends: StreamEnds?
                if let found = found[index] {
                    ends = try self.ends(
                        subjects[index], found.count, frames[found.frames],
                        leaves[found.frames.lowerBound - done..<found.frames.upperBound - done],
                        records[index], request)
                }
                try body(subjects[index], ends)
            }
            done = end
        }
    }

    /// Where the frames of a stream are among those that were read, and how many events it has.
    private struct FoundEnds {
        let frames: Range<Int>
        let count: Int
    }

    private func ends(
        _ subject: String, _ count: Int, _ frames: ArraySlice<StoredFrame>,
        _ leaves: ArraySlice<LeafPacking.Unpacked>, _ record: [UInt8]?,
        _ request: (ExcerptedEvent?) -> ExcerptRequest
    ) throws -> StreamEnds? {
        let key = try record.map { try dataKey($0, of: subject) }
        var events: [ExcerptedEvent] = []
        events.reserveCapacity(frames.count)
        // Borrowed one by one: taken out, each would be copied with all it refers to.
        let (leaves, frames) = (leaves.span, frames.span)
        var asked = request(nil)
        for index in leaves.indices {
            let event = try excerpt(
                leaves[index], at: frames[index].position, frames[index].place, key, asked)
            guard let event else { return nil }
            if index == 0 { asked = request(event) }
            events.append(event)
        }
        return StreamEnds(subject: subject, events: events, count: count, hasKey: key != nil)
    }

    /// Nil for what is out of the ordinary.
    private func excerpt(
        _ unpacked: LeafPacking.Unpacked, at position: UInt64, _ place: StreamPlace,
        _ key: DataKey?, _ request: ExcerptRequest
    ) throws -> ExcerptedEvent? {
        try excerptByShape(unpacked, at: position, place, key, request)
            ?? excerptByReading(unpacked, at: position, place, key, request)
    }

    /// What ``excerptByReading(_:at:_:_:_:)`` comes to, without looking at the leaf; nil where
    /// nothing is known of its kind.
    private func excerptByShape(
        _ unpacked: LeafPacking.Unpacked, at position: UInt64, _ place: StreamPlace,
        _ key: DataKey?, _ request: ExcerptRequest
    ) throws -> ExcerptedEvent? {
        guard let template = unpacked.template, let shape = template.shape(for: request),
            let values = shape.values(template, unpacked.literals, place: place)
        else { return nil }
        if place.revision == 1, let commitment = values.commitment, let key {
            try check(Digest(unpacked.literals.span, from: commitment.lowerBound), key)
        }
        var sealed: JSONObject?
        if shape.opensBox, let key {
            sealed = try open(unpacked.literals[unpacked.boxBytes], key, place.revision, position)
        }
        return ExcerptedEvent(
            position: position, time: values.time, text: values.text, sealed: sealed)
    }

    /// Nil for what is out of the ordinary.
    private func excerptByReading(
        _ unpacked: LeafPacking.Unpacked, at position: UInt64, _ place: StreamPlace,
        _ key: DataKey?, _ request: ExcerptRequest
    ) throws -> ExcerptedEvent? {
        let leaf = unpacked.leaf
        guard let excerpt = LeafExcerpt(leaf, request.leaf, knownText: unpacked.boxPlace),
            excerpt[.sealedBlob] == nil
        else { return nil }
        let text = ExcerptText(excerpt.text)
        unpacked.template?.learn(excerpt, text, of: unpacked, place: place, for: request)
        if let key, place.revision == 1, let commitment = excerpt[.keyCommitment] {
            try check(Base64URL.decode(leaf[commitment]).flatMap { Digest($0[...]) }, key)
        }
        var sealed: JSONObject?
        if let key, let place = excerpt[.sealed], request.opensBox(of: leaf[excerpt.type]) {
            guard unpacked.boxPlace == place else { return nil }
            sealed = try open(
                unpacked.literals[unpacked.boxBytes], key, excerpt.revision, position)
        }
        return ExcerptedEvent(
            position: position, time: excerpt.time, text: text, sealed: sealed)
    }

    private func dataKey(_ bytes: [UInt8], of subject: String) throws -> DataKey {
        guard let record = DataKeyRecord(bytes),
            let bucket = try bucketKey(month: record.month),
            let secret = record.wrapped.unwrap(
                bucket, for: subject.utf8.span, with: keyOpener)
        else {
            throw LedgerError.damaged("the data key of a stream cannot be unwrapped", position: nil)
        }
        return DataKey(subject: subject, secret: secret)
    }

    private func bucketKey(month: Int) throws -> SecretBytes? {
        if let bucket, bucket.month == month { return bucket.key }
        guard let key = try keys.bucketKey(month: month) else { return nil }
        var bytes = key.exposed
        defer { cleanse(&bytes) }
        let copy = SecretBytes(bytes)
        bucket = (month, copy)
        return copy
    }

    /// - Parameter commitment: what the stream's first event says; nil when it says no digest.
    private func check(_ commitment: Digest?, _ key: DataKey) throws {
        guard commitment == key.commitment else {
            throw LedgerError.keyMismatch(subject: key.subject)
        }
        key.checked.finish()
    }

    private func open(
        _ box: ArraySlice<UInt8>, _ key: DataKey, _ revision: Int, _ position: UInt64
    ) throws -> JSONObject? {
        guard key.checked.isDone else {
            throw LedgerError.damaged(
                "the stream does not say which key its sealed data have", position: position)
        }
        guard let plaintext = key.open(bytes: box, revision: revision, with: opener),
            let object = try? JSONReader.read(plaintext, numbers: .anyAsText).objectValue
        else { throw LedgerError.damaged("sealed data cannot be opened", position: position) }
        return object
    }
}
