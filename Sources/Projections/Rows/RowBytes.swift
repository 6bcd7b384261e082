// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// A stored row is not of the form that this program writes. Rows are made from the log, so it is
/// thrown away and made again.
public struct RowError: Error, Equatable {
    init() {}
}

/// Writes the fields of a row one behind the other. The same fields give the same bytes.
struct RowWriter {
    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(256)
    }

    /// A number in groups of seven bits, the lowest first.
    mutating func put(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A number that may be negative; small ones stay short either way.
    mutating func put(_ number: Int64) {
        put(UInt64(bitPattern: number << 1 ^ number >> 63))
    }

    mutating func put(_ instant: Instant) {
        put(instant.millisecondsSince1970)
    }

    mutating func put(_ text: String) {
        put(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func put(_ digest: Digest) {
        digest.append(to: &bytes)
    }

    /// A field that may be missing: 0, or 1 and the field.
    mutating func put<Value>(_ value: Value?, _ write: (inout RowWriter, Value) -> Void) {
        guard let value else { return bytes.append(0) }
        bytes.append(1)
        write(&self, value)
    }

    mutating func put(_ text: String?) {
        put(text) { $0.put($1) }
    }

    mutating func put(_ instant: Instant?) {
        put(instant) { $0.put($1) }
    }
}

/// Reads the fields of a row in the order in which they were written.
struct RowReader {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func byte() throws(RowError) -> UInt8 {
        guard index < bytes.count else { throw RowError() }
        defer { index += 1 }
        return bytes[index]
    }

    mutating func number() throws(RowError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let byte = try byte()
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw RowError()
    }

    mutating func signed() throws(RowError) -> Int64 {
        let number = try number()
        return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }

    mutating func count() throws(RowError) -> Int {
        guard let count = Int(exactly: try number()) else { throw RowError() }
        return count
    }

    mutating func instant() throws(RowError) -> Instant {
        Instant(millisecondsSince1970: try signed())
    }

    mutating func text() throws(RowError) -> String {
        let count = try count()
        guard count <= bytes.count - index,
            let text = String(validating: bytes[index..<index + count], as: UTF8.self)
        else { throw RowError() }
        index += count
        return text
    }

    mutating func digest() throws(RowError) -> Digest {
        guard bytes.count - index >= Digest.byteCount,
            let digest = Digest(bytes[index..<index + Digest.byteCount])
        else { throw RowError() }
        index += Digest.byteCount
        return digest
    }

    /// A field that may be missing.
    mutating func optional<Value>(
        _ read: (inout RowReader) throws(RowError) -> Value
    ) throws(RowError) -> Value? {
        switch try byte() {
        case 0: return nil
        case 1: return try read(&self)
        default: throw RowError()
        }
    }

    mutating func optionalText() throws(RowError) -> String? {
        try optional { reader throws(RowError) in try reader.text() }
    }

    mutating func optionalInstant() throws(RowError) -> Instant? {
        try optional { reader throws(RowError) in try reader.instant() }
    }

    /// One of a fixed list of words.
    mutating func word<Word: RawRepresentable>(
        _ type: Word.Type
    ) throws(RowError) -> Word where Word.RawValue == String {
        guard let word = Word(rawValue: try text()) else { throw RowError() }
        return word
    }

    /// A row ends with its last field.
    func finish() throws(RowError) {
        guard index == bytes.count else { throw RowError() }
    }
}
