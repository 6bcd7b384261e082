// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives

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
        /// Where the first sealed box stands in the leaf, and its bytes: nonce, ciphertext, tag.
        let box: (place: Range<Int>, bytes: ArraySlice<UInt8>)?
    }

    /// Puts a leaf together again. Nil when the parts do not make one of exactly `length` bytes.
    static func unpack(_ packed: Packed, place: StreamPlace, length: Int) -> [UInt8]? {
        unpack(packed.text, packed.literals[...], place: place, length: length)?.leaf
    }

    /// Puts a leaf together again. Nil when the parts do not make one of exactly `length` bytes.
    static func unpack(
        _ text: [UInt8], _ literals: ArraySlice<UInt8>, place: StreamPlace, length: Int
    ) -> Unpacked? {
        var leaf: [UInt8] = []
        leaf.reserveCapacity(length)
        let bytes = literals.span
        var next = 0
        var box: (place: Range<Int>, bytes: Range<Int>)?
        var start = 0
        while true {
            let index = PlainText.controlByte(in: text.span, from: start)
            leaf.append(contentsOf: text[start..<index])
            if index == text.count { break }
            start = index + 1
            let before = leaf.count
            if text[index] == Marker.sealedBox {
                guard let found = appendSealedBox(bytes, &next, to: &leaf) else { return nil }
                box = box ?? (before..<leaf.count, found)
            } else {
                guard append(text[index], bytes, &next, place, to: &leaf) else { return nil }
            }
            guard leaf.count <= length else { return nil }
        }
        guard next == bytes.count, leaf.count == length else { return nil }
        let first = literals.startIndex
        return Unpacked(
            leaf: leaf,
            box: box.map {
                ($0.place, literals[first + $0.bytes.lowerBound..<first + $0.bytes.upperBound])
            })
    }

    /// Writes what a marker stands for, but for a sealed box; false when it stands for nothing.
    ///
    /// - Parameter next: the first literal that is not used yet.
    private static func append(
        _ marker: UInt8, _ literals: Span<UInt8>, _ next: inout Int, _ place: StreamPlace,
        to leaf: inout [UInt8]
    ) -> Bool {
        switch marker {
        case Marker.subject:
            leaf.append(contentsOf: place.subject.utf8)
        case Marker.revision:
            leaf.append(contentsOf: String(place.revision).utf8)
        case Marker.previous:
            guard let previous = place.previous else { return false }
            Base64URL.append(previous.bytes.span, to: &leaf)
        case Marker.uuid:
            guard let place = take(16, of: literals, &next) else { return false }
            UUIDText.append(literals.extracting(place), to: &leaf)
        case Marker.instant:
            guard let place = take(6, of: literals, &next) else { return false }
            let milliseconds = place.reduce(Int64(0)) { $0 << 8 | Int64(literals[$1]) }
            Instant(millisecondsSince1970: milliseconds).append(to: &leaf)
        case Marker.digest:
            guard let place = take(Digest.byteCount, of: literals, &next) else { return false }
            Base64URL.append(literals.extracting(place), to: &leaf)
        case Marker.hexadecimal:
            guard let count = take(1, of: literals, &next).map({ Int(literals[$0.lowerBound]) }),
                let place = take(count, of: literals, &next)
            else { return false }
            Hexadecimal.append(literals.extracting(place), to: &leaf)
        default:
            return false
        }
        return true
    }

    private static let boxBeginning = Array("\(DirectEncryption.encodedHeader)..".utf8)
    private static let nonceBytes = 12
    private static let tagBytes = 16

    /// Writes a sealed box: header, nothing, nonce, ciphertext, tag.
    ///
    /// - Returns: where the last three lie in the literals; nil when they are not there.
    private static func appendSealedBox(
        _ literals: Span<UInt8>, _ next: inout Int, to leaf: inout [UInt8]
    ) -> Range<Int>? {
        guard let count = Varint.read(literals, at: &next),
            count <= UInt64(LedgerLimits.leafBytesMax),
            let nonce = take(nonceBytes, of: literals, &next),
            let ciphertext = take(Int(count), of: literals, &next),
            let tag = take(tagBytes, of: literals, &next)
        else { return nil }
        leaf.append(contentsOf: boxBeginning)
        Base64URL.append(literals.extracting(nonce), to: &leaf)
        leaf.append(UInt8(ascii: "."))
        Base64URL.append(literals.extracting(ciphertext), to: &leaf)
        leaf.append(UInt8(ascii: "."))
        Base64URL.append(literals.extracting(tag), to: &leaf)
        return nonce.lowerBound..<tag.upperBound
    }

    /// The place of the next literals, so many; nil when there are fewer.
    private static func take(
        _ count: Int, of literals: Span<UInt8>, _ next: inout Int
    ) -> Range<Int>? {
        guard literals.count - next >= count else { return nil }
        defer { next += count }
        return next..<next + count
    }

    /// Takes apart what ``appendSealedBox(_:_:to:)`` writes; nil for any other text.
    static func sealedBox(
        in value: ArraySlice<UInt8>
    ) -> (nonce: [UInt8], ciphertext: [UInt8], tag: [UInt8])? {
        let nonceEnd = value.startIndex + boxBeginning.count + 16
        let tagStart = value.endIndex - 22
        guard nonceEnd + 1 < tagStart, value[nonceEnd] == UInt8(ascii: "."),
            value[tagStart - 1] == UInt8(ascii: "."),
            value.starts(with: boxBeginning),
            let nonce = Base64URL.decode(value[nonceEnd - 16..<nonceEnd]),
            let ciphertext = Base64URL.decode(value[nonceEnd + 1..<tagStart - 1]),
            let tag = Base64URL.decode(value[tagStart...])
        else { return nil }
        return (nonce, ciphertext, tag)
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
