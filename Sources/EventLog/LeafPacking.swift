// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL
internal import Platform

/// What the log knows of an event without being told: its place in its stream.
struct StreamPlace: Equatable {
    let subject: String
    let revision: Int
    let previous: Digest?
}

/// Takes out of a leaf what does not compress or is known anyway, and puts it back to the bit.
///
/// The packed text is the leaf with some values replaced by a marker, a control byte that no JSON
/// text can hold. Values of random bits leave their base64, hexadecimal or UUID form and wait as
/// bytes in `literals`; the place in the stream is not kept at all. See `Schemas/event-log.md`.
enum LeafPacking {
    /// A leaf, packed.
    struct Packed: Equatable {
        var text: [UInt8] = []
        var literals: [UInt8] = []
    }

    enum Marker {
        static let subject: UInt8 = 0x01
        static let revision: UInt8 = 0x02
        static let previous: UInt8 = 0x03
        static let uuid: UInt8 = 0x04
        static let instant: UInt8 = 0x05
        static let digest: UInt8 = 0x06
        static let hexadecimal: UInt8 = 0x07
        static let sealedBox: UInt8 = 0x08
    }

    /// Packs a leaf. Nil when it holds a control byte, which canonical JSON never does.
    ///
    /// - Parameter steps: what is replaced; whatever it is, ``unpack(_:place:length:)`` undoes it.
    static func pack(
        _ leaf: [UInt8], place: StreamPlace, steps: PackingSteps = .all
    ) -> Packed? {
        var packer = LeafPacker(leaf: leaf, place: place, steps: steps)
        return packer.pack()
    }

    /// A leaf that was put together again.
    struct Unpacked {
        let leaf: [UInt8]
        /// Where the first sealed box stands in the leaf.
        let boxPlace: Range<Int>?
        /// Which of the literals it was made from: nonce, ciphertext, tag.
        let boxBytes: Range<Int>
        /// The text that it was made from; nil when it was stored whole.
        let template: LeafTemplate?
        /// What was put into that text.
        let literals: ArraySlice<UInt8>

        /// A leaf that was stored whole.
        init(whole leaf: [UInt8]) {
            self.leaf = leaf
            boxPlace = nil
            boxBytes = 0..<0
            template = nil
            literals = []
        }

        fileprivate init(
            leaf: [UInt8], template: LeafTemplate, literals: ArraySlice<UInt8>,
            boxPlace: Range<Int>?, boxBytes: Range<Int>
        ) {
            self.leaf = leaf
            self.boxPlace = boxPlace
            self.boxBytes = boxBytes
            self.template = template
            self.literals = literals
        }
    }

    /// Puts a leaf together again. Nil when the parts do not make one of exactly `length` bytes.
    static func unpack(_ packed: Packed, place: StreamPlace, length: Int) -> [UInt8]? {
        unpack(
            LeafTemplate(text: packed.text), packed.literals[...], place: place, length: length)?
            .leaf
    }

    /// Puts a leaf together again. Nil when the parts do not make one of exactly `length` bytes.
    static func unpack(
        _ template: LeafTemplate, _ literals: ArraySlice<UInt8>, place: StreamPlace, length: Int
    ) -> Unpacked? {
        var leaf: [UInt8] = []
        leaf.reserveCapacity(length)
        let whole = template.text
        let (text, bytes) = (whole.span, literals.span)
        var next = 0
        var boxPlace: Range<Int>?
        var boxBytes = 0..<0
        var start = 0
        for marker in template.markers {
            leaf.append(copying: text.extracting(start..<marker.index))
            start = marker.index + 1
            let before = leaf.count
            guard let literal = literal(marker.kind, in: bytes, &next),
                append(marker.kind, bytes.extracting(literal), place, to: &leaf),
                leaf.count <= length
            else { return nil }
            if marker.kind == Marker.sealedBox, boxPlace == nil {
                boxPlace = before..<leaf.count
                boxBytes = literal
            }
        }
        leaf.append(copying: text.extracting(start...))
        guard next == bytes.count, leaf.count == length else { return nil }
        let first = literals.startIndex
        return Unpacked(
            leaf: leaf, template: template, literals: literals, boxPlace: boxPlace,
            boxBytes: first + boxBytes.lowerBound..<first + boxBytes.upperBound)
    }

    /// Where the literal of a marker lies, without what says how long it is; empty for a marker
    /// that has none. Nil when there are fewer bytes, and for what is no marker.
    ///
    /// - Parameter next: the first literal that is not used yet.
    @inline(__always)
    static func literal(
        _ marker: UInt8, in literals: Span<UInt8>, _ next: inout Int
    ) -> Range<Int>? {
        let count: Int
        switch marker {
        case Marker.subject, Marker.revision, Marker.previous: count = 0
        case Marker.uuid: count = 16
        case Marker.instant: count = 6
        case Marker.digest: count = Digest.byteCount
        case Marker.hexadecimal:
            guard next < literals.count else { return nil }
            count = Int(literals[next])
            next += 1
        case Marker.sealedBox:
            guard let ciphertext = Varint.read(literals, at: &next),
                ciphertext <= UInt64(LedgerLimits.leafBytesMax)
            else { return nil }
            count = AES256GCM.nonceBytes + Int(ciphertext) + AES256GCM.tagBytes
        default: return nil
        }
        guard literals.count - next >= count else { return nil }
        defer { next += count }
        return next..<next + count
    }

    /// Writes what a marker stands for; false when it stands for nothing here.
    static func append(
        _ marker: UInt8, _ literal: Span<UInt8>, _ place: StreamPlace, to leaf: inout [UInt8]
    ) -> Bool {
        switch marker {
        case Marker.subject: leaf.append(contentsOf: place.subject.utf8)
        case Marker.revision: leaf.append(contentsOf: String(place.revision).utf8)
        case Marker.previous:
            guard let previous = place.previous else { return false }
            Base64URL.append(previous.bytes.span, to: &leaf)
        case Marker.uuid: UUIDText.append(literal, to: &leaf)
        case Marker.instant: instant(literal).append(to: &leaf)
        case Marker.digest: Base64URL.append(literal, to: &leaf)
        case Marker.hexadecimal: Hexadecimal.append(literal, to: &leaf)
        default: DirectEncryption.append(bytes: literal, to: &leaf)
        }
        return true
    }

    /// The instant in a literal: six bytes of milliseconds.
    static func instant(_ literal: Span<UInt8>) -> Instant {
        var milliseconds: Int64 = 0
        for index in literal.indices { milliseconds = milliseconds << 8 | Int64(literal[index]) }
        return Instant(millisecondsSince1970: milliseconds)
    }
}

/// Kinds of values that are taken out of a leaf.
public struct PackingSteps: OptionSet, Sendable {
    /// One bit a kind.
    public let rawValue: Int

    /// A set of kinds.
    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Subject, revision and the hash of the previous event, which the log knows.
    public static let place = PackingSteps(rawValue: 1)
    /// Other UUIDs.
    public static let ids = PackingSteps(rawValue: 2)
    /// Times.
    public static let instants = PackingSteps(rawValue: 4)
    /// Hashes in base64url.
    public static let digests = PackingSteps(rawValue: 8)
    /// Trace ids and whatever else is hexadecimal.
    public static let hexadecimal = PackingSteps(rawValue: 16)
    /// Sealed values.
    public static let boxes = PackingSteps(rawValue: 32)
    /// All of them.
    public static let all = PackingSteps(rawValue: 63)
}
