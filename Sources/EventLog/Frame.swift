// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives

/// The stored form of an event: a header and a compressed leaf. It lies below the leaf hash, so
/// its form may change in later versions without changing a root. See `Schemas/event-log.md`.
struct Frame: Equatable {
    static let version: UInt8 = 1

    /// How the leaf became the text that is compressed.
    enum Packing: UInt8 {
        /// The text is the leaf.
        case whole = 0
        /// ``LeafPacking`` made the text.
        case packed = 1
    }

    /// Which stream the event belongs to, as seen from its position.
    enum Link: Equatable {
        /// The stream's first event: it carries the stream's name.
        case first(subject: String)
        /// A later one: how many positions back the stream's first and previous events are.
        case later(firstDistance: UInt64, previousDistance: UInt64)
    }

    var header: FrameHeader
    var body: FrameBody

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.bytes.count + 64)
        header.append(to: &bytes)
        bytes.append(contentsOf: body.bytes)
        return bytes
    }

    /// Reads a stored frame; nil when it is malformed.
    init?(_ bytes: [UInt8]) {
        self.init(bytes.span)
    }

    /// Reads a stored frame where it lies; nil when it is malformed.
    ///
    /// - Parameter expected: the stream that it probably is of.
    init?(_ bytes: Span<UInt8>, expecting expected: StreamName? = nil) {
        var index = 0
        guard let header = FrameHeader(bytes, at: &index, expecting: expected) else { return nil }
        self.header = header
        body = FrameBody(bytes: bytes.extracting(index..<bytes.count).copied())
    }

    init(header: FrameHeader, body: FrameBody) {
        self.header = header
        self.body = body
    }
}

/// The part of a frame that only the writer knows: hash and place.
struct FrameHeader: Equatable {
    var leafHash: Digest
    var revision: Int
    var link: Frame.Link

    func append(to bytes: inout [UInt8]) {
        bytes.append(Frame.version)
        leafHash.append(to: &bytes)
        Varint.append(UInt64(revision), to: &bytes)
        switch link {
        case .first(let subject):
            StreamKey.appendName(subject, to: &bytes)
        case .later(let firstDistance, let previousDistance):
            Varint.append(firstDistance, to: &bytes)
            Varint.append(previousDistance, to: &bytes)
        }
    }

    init(leafHash: Digest, revision: Int, link: Frame.Link) {
        self.leafHash = leafHash
        self.revision = revision
        self.link = link
    }

    /// Reads a header from an index on, which is moved behind it.
    ///
    /// - Parameter expected: the stream that it probably is of.
    init?(_ bytes: Span<UInt8>, at index: inout Int, expecting expected: StreamName? = nil) {
        guard bytes.count >= 33, bytes[0] == Frame.version, let hash = Digest(bytes, from: 1) else {
            return nil
        }
        index = 33
        guard let revision = Varint.read(bytes, at: &index),
            (1...UInt64(Int32.max)).contains(revision)
        else { return nil }
        leafHash = hash
        self.revision = Int(revision)
        if revision == 1 {
            guard let subject = StreamKey.readName(bytes, at: &index, expecting: expected) else {
                return nil
            }
            link = .first(subject: subject)
        } else {
            guard let firstDistance = Varint.read(bytes, at: &index),
                let previousDistance = Varint.read(bytes, at: &index),
                previousDistance >= 1, firstDistance >= previousDistance
            else { return nil }
            link = .later(firstDistance: firstDistance, previousDistance: previousDistance)
        }
    }

    /// Where the stream's previous event is, seen from this one's position; nil for the first.
    func previous(of position: UInt64) -> UInt64? {
        guard case .later(_, let distance) = link, distance <= position else { return nil }
        return position - distance
    }

    /// Where the stream's first event is; nil when the link leads out of the log.
    func first(from position: UInt64) -> UInt64? {
        switch link {
        case .first: position
        case .later(let distance, _): distance <= position ? position - distance : nil
        }
    }

    /// Reads the header from the front of a stored frame.
    init?(_ frame: Span<UInt8>) {
        var index = 0
        self.init(frame, at: &index)
    }
}

/// The part of a frame that a caller makes before the position is known: the compressed leaf.
struct FrameBody: Equatable {
    let bytes: [UInt8]

    /// The fields of a body, before compression.
    struct Fields {
        var packing: Frame.Packing
        var dictionaryID: UInt64
        var leafLength: Int
        var literals: ArraySlice<UInt8>
        var textLength: Int
        var deflated: ArraySlice<UInt8>
    }

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(_ fields: Fields) {
        var bytes: [UInt8] = [fields.packing.rawValue]
        bytes.reserveCapacity(fields.literals.count + fields.deflated.count + 16)
        Varint.append(fields.dictionaryID, to: &bytes)
        Varint.append(UInt64(fields.leafLength), to: &bytes)
        Varint.append(UInt64(fields.textLength), to: &bytes)
        Varint.append(UInt64(fields.literals.count), to: &bytes)
        bytes.append(contentsOf: fields.literals)
        bytes.append(contentsOf: fields.deflated)
        self.bytes = bytes
    }

    /// The fields; nil when they are malformed or promise more than a leaf may have.
    func fields() -> Fields? {
        let span = bytes.span
        var index = 1
        let limit = UInt64(LedgerLimits.leafBytesMax)
        guard let packing = bytes.first.flatMap(Frame.Packing.init),
            let dictionaryID = Varint.read(span, at: &index),
            let leafLength = Varint.read(span, at: &index), leafLength <= limit,
            let textLength = Varint.read(span, at: &index), textLength <= limit,
            let literalCount = Varint.read(span, at: &index),
            literalCount <= UInt64(span.count - index)
        else { return nil }
        let literalsEnd = index + Int(literalCount)
        return Fields(
            packing: packing, dictionaryID: dictionaryID, leafLength: Int(leafLength),
            literals: bytes[index..<literalsEnd], textLength: Int(textLength),
            deflated: bytes[literalsEnd...])
    }
}

/// The name of a stream, and its key in an index.
struct StreamName {
    let text: String
    let key: [UInt8]

    init(_ text: String) {
        self.text = text
        key = StreamKey.key(text)
    }
}

/// How streams are named in keys and frames.
enum StreamKey {
    /// The key of a stream in an index: a UUID's 16 bytes, or the SHA-256 of any other name.
    static func key(_ subject: String) -> [UInt8] {
        let text = Array(subject.utf8)
        return UUIDText.decode(text[...]) ?? StreamNameHash.hash(text)
    }

    /// Writes a name: 0 and a UUID's 16 bytes, or the length and the bytes of any other name.
    static func appendName(_ subject: String, to bytes: inout [UInt8]) {
        let text = Array(subject.utf8)
        if let uuid = UUIDText.decode(text[...]) {
            bytes.append(0)
            bytes.append(contentsOf: uuid)
        } else {
            Varint.append(UInt64(text.count), to: &bytes)
            bytes.append(contentsOf: text)
        }
    }

    /// Reads a name from an index on, which is moved behind it.
    ///
    /// - Parameter expected: a name that it probably is, and of which another text is not needed.
    static func readName(
        _ bytes: Span<UInt8>, at index: inout Int, expecting expected: StreamName? = nil
    ) -> String? {
        guard let count = Varint.read(bytes, at: &index),
            count <= UInt64(LedgerLimits.subjectBytesMax)
        else { return nil }
        let length = count == 0 ? 16 : Int(count)
        guard bytes.count - index >= length else { return nil }
        if count == 0, let expected,
            ByteWords.areSame(expected.key.span, bytes.extracting(index..<index + length))
        {
            index += length
            return expected.text
        }
        let name = bytes.extracting(index..<index + length).copied()
        index += length
        guard count == 0 else {
            // A UUID has one spelling, as bytes.
            return UUIDText.decode(name[...]) == nil
                ? String(validating: name, as: UTF8.self) : nil
        }
        return UUIDText.encode(name.span)
    }
}
