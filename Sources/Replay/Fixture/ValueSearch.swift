// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import SessionEvents

/// Looks for recorded values in a finished fixture, also inside its tokens and answers: what was
/// meant to be replaced, and whatever was sealed, however the fixture came about.
struct ValueSearch {
    /// Shorter values are found everywhere by chance.
    private static let bytesMin = 6

    private let standIns: StandIns
    private let text: [UInt8]
    /// Which beginnings of values stand in the text, by a hash of them.
    private var beginnings = [Bool](repeating: false, count: 1 << 20)
    /// What stands in every fixture.
    private let vocabulary: [UInt8]

    init(_ fixture: ReplayFixture, _ standIns: StandIns) {
        self.standIns = standIns
        var text: [UInt8] = []
        for file in fixture.files.values { text += file + [0x0A] }
        for step in fixture.steps {
            for value in SealedTexts(.object(step.sealed)).texts {
                text += Array(value.utf8) + [0x0A]
            }
        }
        self.text = text
        var words = fixture.files[ReplayFixture.headFile] ?? []
        for word in standIns.kept { words += word.utf8 + [0x0A] }
        for word in MemberRules.knownNames { words += Array(word.utf8) + [0x0A] }
        for type in SessionEventType.allCases { words += Array(type.rawValue.utf8) + [0x0A] }
        vocabulary = words
        var window: UInt64 = 0
        for (index, byte) in text.enumerated() {
            window = (window << 8 | UInt64(byte)) & 0xFFFF_FFFF_FFFF
            if index >= Self.bytesMin - 1 { beginnings[Self.place(of: window)] = true }
        }
    }

    private static func place(of window: UInt64) -> Int {
        Int((window &* 0x9E37_79B9_7F4A_7C15) >> 44)
    }

    /// How many values of these events are in the fixture.
    func count(of steps: [RecordedStep]) -> Int {
        let sealed = steps.flatMap { SealedTexts(.object($0.sealed)).texts }
        return Set((sealed + standIns.replaced).map(StandIns.Bytes.init))
            .count { isLeft($0.utf8) }
    }

    private func isLeft(_ value: [UInt8]) -> Bool {
        guard value.count >= Self.bytesMin else { return false }
        let start = value.prefix(Self.bytesMin).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        // The vocabulary is short, and the text may be long.
        return beginnings[Self.place(of: start)] && vocabulary.firstRange(of: value) == nil
            && text.firstRange(of: value) != nil
    }
}

/// Every text in an object, also what is written in base64url: tokens and bodies of answers.
struct SealedTexts {
    private(set) var texts: [String] = []

    init(_ value: JSONValue) {
        collect(value)
    }

    private mutating func collect(_ value: JSONValue) {
        switch value {
        case .null, .bool, .integer, .number: break
        case .string(let text): collect(text)
        case .array(let elements): for element in elements { collect(element) }
        case .object(let object):
            for member in object.members {
                texts.append(member.name)
                collect(member.value)
            }
        }
    }

    private mutating func collect(_ text: String) {
        texts.append(text)
        for part in text.utf8.split(separator: UInt8(ascii: ".")) where part.count >= 16 {
            guard let bytes = Base64URL.decode(Array(part)[...]) else { continue }
            if let value = try? JSONReader.read(bytes, numbers: .anyAsText) {
                collect(value)
            } else if bytes.allSatisfy({ (0x20...0x7E).contains($0) }) {
                collect(String(decoding: bytes, as: UTF8.self))
            }
        }
    }
}
