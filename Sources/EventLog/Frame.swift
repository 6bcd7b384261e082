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
        var rest = bytes[...]
        guard let header = FrameHeader(&rest) else { return nil }
        self.header = header
        body = FrameBody(bytes: Array(rest))
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

    init?(_ rest: inout ArraySlice<UInt8>) {
        guard rest.popFirst() == Frame.version, let hash = Digest(rest.prefix(32)) else {
            return nil
        }
        rest.removeFirst(32)
        guard let revision = Varint.read(&rest), (1...UInt64(Int32.max)).contains(revision) else {
            return nil
        }
        leafHash = hash
        self.revision = Int(revision)
        if revision == 1 {
            guard let subject = StreamKey.readName(&rest) else { return nil }
            link = .first(subject: subject)
        } else {
            guard let firstDistance = Varint.read(&rest), let previousDistance = Varint.read(&rest),
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

    /// Reads the header from the front of a stored frame without copying the rest.
    init?(_ frame: Span<UInt8>) {
        let longest = 1 + 32 + 10 + 10 + LedgerLimits.subjectBytesMax
        var rest = frame.extracting(0..<min(frame.count, longest)).copied()[...]
        self.init(&rest)
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
        var rest = bytes[...]
        let limit = UInt64(LedgerLimits.leafBytesMax)
        guard let packing = rest.popFirst().flatMap(Frame.Packing.init),
            let dictionaryID = Varint.read(&rest),
            let leafLength = Varint.read(&rest), leafLength <= limit,
            let textLength = Varint.read(&rest), textLength <= limit,
            let literalCount = Varint.read(&rest), literalCount <= UInt64(rest.count)
        else { return nil }
        return Fields(
            packing: packing, dictionaryID: dictionaryID, leafLength: Int(leafLength),
            literals: rest.prefix(Int(literalCount)), textLength: Int(textLength),
            deflated: rest.dropFirst(Int(literalCount)))
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

    static func readName(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard let count = Varint.read(&rest), count <= UInt64(LedgerLimits.subjectBytesMax) else {
            return nil
        }
        let length = count == 0 ? 16 : Int(count)
        guard rest.count >= length else { return nil }
        defer { rest.removeFirst(length) }
        guard count == 0 else {
            // A UUID has one spelling, as bytes.
            let text = rest.prefix(length)
            return UUIDText.decode(text) == nil ? String(validating: text, as: UTF8.self) : nil
        }
        var text: [UInt8] = []
        UUIDText.append(Array(rest.prefix(16))[...], to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
