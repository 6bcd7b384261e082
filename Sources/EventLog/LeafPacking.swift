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
        var packer = Packer(leaf: leaf, place: place, steps: steps)
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
        var literals = LiteralReader(rest: literals)
        var box: (place: Range<Int>, bytes: ArraySlice<UInt8>)?
        var start = 0
        while true {
            let index = PlainText.controlByte(in: text.span, from: start)
            leaf.append(contentsOf: text[start..<index])
            if index == text.count { break }
            start = index + 1
            let (before, left) = (leaf.count, literals.rest)
            guard append(text[index], &literals, place, to: &leaf), leaf.count <= length else {
                return nil
            }
            if text[index] == Marker.sealedBox, box == nil {
                var bytes = left.prefix(left.count - literals.rest.count)
                _ = Varint.read(&bytes)
                box = (before..<leaf.count, bytes)
            }
        }
        guard literals.rest.isEmpty, leaf.count == length else { return nil }
        return Unpacked(leaf: leaf, box: box)
    }

    /// Writes what a marker stands for; false when it stands for nothing.
    private static func append(
        _ marker: UInt8, _ literals: inout LiteralReader, _ place: StreamPlace,
        to leaf: inout [UInt8]
    ) -> Bool {
        switch marker {
        case Marker.subject:
            leaf.append(contentsOf: place.subject.utf8)
        case Marker.revision:
            leaf.append(contentsOf: String(place.revision).utf8)
        case Marker.previous:
            guard let previous = place.previous else { return false }
            Base64URL.append(previous.array[...], to: &leaf)
        case Marker.uuid:
            guard let bytes = literals.take(16) else { return false }
            UUIDText.append(bytes, to: &leaf)
        case Marker.instant:
            guard let bytes = literals.take(6) else { return false }
            let milliseconds = bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) }
            Instant(millisecondsSince1970: milliseconds).append(to: &leaf)
        case Marker.digest:
            guard let bytes = literals.take(32) else { return false }
            Base64URL.append(bytes, to: &leaf)
        case Marker.hexadecimal:
            guard let count = literals.take(1)?.first, let bytes = literals.take(Int(count)) else {
                return false
            }
            Hexadecimal.append(bytes, to: &leaf)
        case Marker.sealedBox:
            return appendSealedBox(&literals, to: &leaf)
        default:
            return false
        }
        return true
    }

    private static func appendSealedBox(
        _ literals: inout LiteralReader, to leaf: inout [UInt8]
    ) -> Bool {
        guard let count = literals.varint(), count <= UInt64(LedgerLimits.leafBytesMax),
            let nonce = literals.take(12), let ciphertext = literals.take(Int(count)),
            let tag = literals.take(16)
        else { return false }
        leaf.append(contentsOf: DirectEncryption.encodedHeader.utf8)
        leaf.append(contentsOf: "..".utf8)
        Base64URL.append(nonce, to: &leaf)
        leaf.append(UInt8(ascii: "."))
        Base64URL.append(ciphertext, to: &leaf)
        leaf.append(UInt8(ascii: "."))
        Base64URL.append(tag, to: &leaf)
        return true
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

/// Reads literals from the front.
private struct LiteralReader {
    var rest: ArraySlice<UInt8>

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        let end = rest.startIndex + count
        defer { rest = rest[end...] }
        return rest[..<end]
    }

    mutating func varint() -> UInt64? {
        Varint.read(&rest)
    }
}

/// One walk over a leaf.
private struct Packer {
    let leaf: [UInt8]
    let place: StreamPlace
    private let steps: PackingSteps
    private let subject: [UInt8]
    private let previous: [UInt8]?
    private var packed = LeafPacking.Packed()
    /// How much of the leaf is in `packed`.
    private var done = 0

    init(leaf: [UInt8], place: StreamPlace, steps: PackingSteps) {
        self.steps = steps
        self.leaf = leaf
        self.place = place
        subject = Array(place.subject.utf8)
        previous = place.previous.map { Array($0.base64URL.utf8) }
    }

    mutating func pack() -> LeafPacking.Packed? {
        packed.text.reserveCapacity(leaf.count)
        var index = 0
        while index < leaf.count {
            let byte = leaf[index]
            guard byte >= 0x20 else { return nil }
            index += 1
            guard byte == UInt8(ascii: "\"") else { continue }
            guard let end = endOfString(from: index) else { return nil }
            let value = leaf[index..<end]
            packString(value)
            index = end + 1
            if value.count == 8, steps.contains(.place), value.elementsEqual("revision".utf8) {
                index = packRevision(from: index)
            }
        }
        packed.text.append(contentsOf: leaf[done...])
        return packed
    }

    /// Puts a marker in the place of a part of the leaf.
    private mutating func replace(
        _ range: Range<Int>, by marker: UInt8, literal: [UInt8] = []
    ) {
        packed.text.append(contentsOf: leaf[done..<range.lowerBound])
        packed.text.append(marker)
        packed.literals.append(contentsOf: literal)
        done = range.upperBound
    }

    /// The index of the quotation mark that ends the string beginning at `start`.
    private func endOfString(from start: Int) -> Int? {
        let text = leaf.span
        var index = start
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "\""): return index
            case UInt8(ascii: "\\"):
                guard index + 1 < text.count, text[index + 1] >= 0x20 else { return nil }
                index += 2
            case 0..<0x20: return nil
            default: index += 1
            }
        }
        return nil
    }

    /// Replaces the number behind `"revision"` if it is this event's; answers where to go on.
    private mutating func packRevision(from start: Int) -> Int {
        let expected = Array(":\(place.revision)".utf8)
        let end = start + expected.count
        guard end < leaf.count, leaf[start..<end].elementsEqual(expected),
            !(0x30...0x39).contains(leaf[end])
        else { return start }
        replace(start + 1..<end, by: LeafPacking.Marker.revision)
        return end
    }

    private mutating func packString(_ value: ArraySlice<UInt8>) {
        let takesPlace = steps.contains(.place)
        if takesPlace, value.count == subject.count, value.elementsEqual(subject) {
            replace(value.indices, by: LeafPacking.Marker.subject)
        } else if takesPlace, let previous, value.count == 43, value.elementsEqual(previous) {
            replace(value.indices, by: LeafPacking.Marker.previous)
        } else {
            packLiteral(value)
        }
    }

    private mutating func packLiteral(_ value: ArraySlice<UInt8>) {
        switch value.count {
        case UUIDText.length:
            if steps.contains(.ids), let bytes = UUIDText.decode(value) {
                replace(value.indices, by: LeafPacking.Marker.uuid, literal: bytes)
            } else {
                packHexadecimal(value)
            }
        case 24 where value.last == UInt8(ascii: "Z"):
            guard steps.contains(.instants), let instant = Instant(rfc3339: value),
                instant.rfc3339Bytes == Array(value),
                (0..<1 << 48).contains(instant.millisecondsSince1970)
            else { return }
            let milliseconds = UInt64(instant.millisecondsSince1970)
            replace(
                value.indices, by: LeafPacking.Marker.instant,
                literal: (0..<6).map {
                    UInt8(truncatingIfNeeded: milliseconds >> UInt64(40 - $0 * 8))
                })
        case 43:
            guard steps.contains(.digests), let bytes = Base64URL.decode(value) else { return }
            replace(value.indices, by: LeafPacking.Marker.digest, literal: bytes)
        default:
            if !packSealedBox(value) { packHexadecimal(value) }
        }
    }

    private mutating func packHexadecimal(_ value: ArraySlice<UInt8>) {
        guard steps.contains(.hexadecimal), (16...128).contains(value.count),
            let bytes = Hexadecimal.decode(value)
        else {
            return
        }
        replace(
            value.indices, by: LeafPacking.Marker.hexadecimal,
            literal: [UInt8(bytes.count)] + bytes)
    }

    private static let boxBeginning = Array("\(DirectEncryption.encodedHeader)..".utf8)

    /// Replaces a box: header, nothing, nonce (16 characters), ciphertext, tag (22 characters).
    private mutating func packSealedBox(_ value: ArraySlice<UInt8>) -> Bool {
        let nonceEnd = value.startIndex + Self.boxBeginning.count + 16
        let tagStart = value.endIndex - 22
        guard steps.contains(.boxes), nonceEnd + 1 < tagStart, value[nonceEnd] == UInt8(ascii: "."),
            value[tagStart - 1] == UInt8(ascii: "."),
            value.starts(with: Self.boxBeginning),
            let nonce = Base64URL.decode(value[nonceEnd - 16..<nonceEnd]),
            let ciphertext = Base64URL.decode(value[nonceEnd + 1..<tagStart - 1]),
            let tag = Base64URL.decode(value[tagStart...])
        else { return false }
        replace(value.indices, by: LeafPacking.Marker.sealedBox)
        Varint.append(UInt64(ciphertext.count), to: &packed.literals)
        packed.literals += nonce + ciphertext + tag
        return true
    }
}

/// Numbers in groups of seven bits, the lowest first; the top bit says that more follow.
enum Varint {
    static func append(_ value: UInt64, to buffer: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.append(UInt8(rest))
    }

    /// Nil when the number is cut off, has more than 63 bits, or more bytes than it needs.
    static func read(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var index = 0
        let value = read(bytes.span, at: &index)
        bytes = bytes.dropFirst(index)
        return value
    }

    /// As ``read(_:)``, from an index on, which is moved behind the number.
    static func read(_ bytes: Span<UInt8>, at index: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < bytes.count, shift < 63 {
            let byte = bytes[index]
            index += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return byte == 0 && shift > 0 ? nil : value }
            shift += 7
        }
        return nil
    }
}
