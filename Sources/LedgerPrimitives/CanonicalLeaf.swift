// SPDX-License-Identifier: Apache-2.0

extension EventEnvelope {
    /// Reads a leaf whose envelope stands in the canonical form, without making objects and texts
    /// of it that nobody needs. Nil for anything out of the ordinary, such as an escape in the
    /// envelope; ``parse(_:)`` reads all there is, and gives the same.
    static func parseCanonical(
        _ leaf: [UInt8], passingOver: [String]
    ) -> (envelope: EventEnvelope, data: JSONObject)? {
        var scanner = LeafScanner(leaf: leaf)
        guard scanner.skip(#"{"data":"#),
            let (data, end) = try? JSONReader.readCanonicalObject(
                leaf, from: scanner.index, passingOver: passingOver)
        else { return nil }
        scanner.index = end
        guard scanner.skip(#","id":""#), let id = scanner.text(UUIDv7.init(text:)) else {
            return nil
        }
        var previous: Digest?
        if scanner.skip(#","previous":""#) {
            guard let digest = scanner.text(Self.digest) else { return nil }
            previous = digest
        }
        var recordedTime: Instant?
        if scanner.skip(#","recordedtime":""#) {
            guard let instant = scanner.text({ Instant(rfc3339: $0) }) else { return nil }
            recordedTime = instant
        }
        guard scanner.skip(#","revision":"#), let revision = scanner.number(),
            scanner.skip(#","source":""#), let source = scanner.text(Self.string),
            scanner.skip(#","specversion":"1.0","subject":""#),
            let subject = scanner.text(Self.string),
            scanner.skip(#","time":""#), let time = scanner.text({ Instant(rfc3339: $0) }),
            scanner.skip(#","type":""#), let type = scanner.text(Self.string),
            scanner.skip(#","typeversion":"#), let typeVersion = scanner.number(),
            scanner.skip("}"), scanner.isAtEnd, (previous == nil) == (revision == 1)
        else { return nil }
        return (
            EventEnvelope(
                id: id, source: source, type: type, typeVersion: typeVersion, subject: subject,
                revision: revision, previous: previous, time: time, recordedTime: recordedTime),
            data
        )
    }

    private static func digest(_ text: ArraySlice<UInt8>) -> Digest? {
        guard text.count == 43 else { return nil }
        return Base64URL.decode(text).flatMap { Digest($0[...]) }
    }

    private static func string(_ text: ArraySlice<UInt8>) -> String? {
        guard let valid = try? UTF8Span(validating: text.span) else { return nil }
        return String(copying: valid)
    }
}

/// Goes through a leaf from its front.
struct LeafScanner {
    let leaf: [UInt8]
    var index = 0

    var isAtEnd: Bool { index == leaf.count }

    /// Goes behind a text if it stands here.
    mutating func skip(_ text: String) -> Bool {
        guard stands(text) else { return false }
        index += text.utf8.count
        return true
    }

    private func stands(_ text: String) -> Bool {
        let (bytes, expected) = (leaf.span, text.utf8.span)
        guard bytes.count - index >= expected.count else { return false }
        for place in expected.indices where bytes[index + place] != expected[place] {
            return false
        }
        return true
    }

    /// A string up to its closing quotation mark; nil when it has an escape.
    mutating func text<Value>(_ read: (ArraySlice<UInt8>) -> Value?) -> Value? {
        guard let end = endOfText() else { return nil }
        defer { index = end + 1 }
        return read(leaf[index..<end])
    }

    /// Goes behind a string and its closing quotation mark; false when it has an escape.
    mutating func skipText() -> Bool {
        guard let end = endOfText() else { return false }
        index = end + 1
        return true
    }

    /// Where the string that begins here ends; nil when it has an escape.
    private func endOfText() -> Int? {
        let end = PlainText.end(in: leaf.span, from: index)
        return end < leaf.count && leaf[end] == UInt8(ascii: "\"") ? end : nil
    }

    /// A whole number from 1 on in its canonical spelling, of up to nine digits.
    mutating func number() -> Int? {
        var value = 0
        var digits = 0
        while index < leaf.count, (0x30...0x39).contains(leaf[index]), digits < 9 {
            value = value * 10 + Int(leaf[index] - 0x30)
            index += 1
            digits += 1
        }
        guard digits > 0, value >= 1, value >= Self.least(digits) else { return nil }
        return value
    }

    /// The least number of so many digits.
    private static func least(_ digits: Int) -> Int {
        (1..<digits).reduce(1) { value, _ in value * 10 }
    }
}
