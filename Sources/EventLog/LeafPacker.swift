// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives

/// One walk over a leaf.
struct LeafPacker {
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

    private mutating func packSealedBox(_ value: ArraySlice<UInt8>) -> Bool {
        guard steps.contains(.boxes), let box = DirectEncryption.parts(of: value) else {
            return false
        }
        replace(value.indices, by: LeafPacking.Marker.sealedBox)
        Varint.append(UInt64(box.ciphertext.count), to: &packed.literals)
        packed.literals += box.nonce + box.ciphertext + box.tag
        return true
    }
}
