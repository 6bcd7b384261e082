// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// Takes members out of a profile and minds that none is left over.
struct ProfileReader {
    private let members: JSONObject
    private let directory: String
    /// What stands before a member's name in messages.
    private let path: String
    private var taken: Set<String> = []

    init(_ members: JSONObject, directory: String, path: String = "") {
        self.members = members
        self.directory = directory
        self.path = path
    }

    private mutating func take(_ name: String) -> JSONValue? {
        taken.insert(name)
        return members[name]
    }

    func error(_ name: String, _ expectation: String) -> ProfileError {
        ProfileError("`\(path)\(name)` must be \(expectation)")
    }

    mutating func optional(
        _ name: String, _ isFit: (String) -> Bool = { _ in true },
        _ expectation: String = "a text"
    ) throws(ProfileError) -> String? {
        guard let member = take(name) else { return nil }
        guard let text = member.stringValue, !text.isEmpty else { throw error(name, "a text") }
        guard isFit(text) else { throw error(name, expectation) }
        return text
    }

    mutating func required(
        _ name: String, _ isFit: (String) -> Bool = { _ in true },
        _ expectation: String = "a text"
    ) throws(ProfileError) -> String {
        guard let text = try optional(name, isFit, expectation) else {
            throw ProfileError("`\(path)\(name)` is missing from the profile")
        }
        return text
    }

    mutating func flag(_ name: String) throws(ProfileError) -> Bool? {
        guard let member = take(name) else { return nil }
        guard let flag = member.boolValue else { throw error(name, "true or false") }
        return flag
    }

    mutating func number(_ name: String, _ range: ClosedRange<Int>) throws(ProfileError) -> Int? {
        guard let member = take(name) else { return nil }
        guard let number = member.integerValue, range.contains(Int(number)) else {
            throw error(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }

    mutating func texts(_ name: String) throws(ProfileError) -> [String]? {
        guard let member = take(name) else { return nil }
        let texts = member.arrayValue?.compactMap(\.stringValue)
        guard let texts, texts.count == member.arrayValue?.count, !texts.isEmpty,
            texts.count <= 256, !texts.contains("")
        else { throw error(name, "a list of texts") }
        return texts
    }

    mutating func path(_ name: String) throws(ProfileError) -> String? {
        try optional(name).map { $0.hasPrefix("/") ? $0 : directory + "/" + $0 }
    }

    /// One of a list of words.
    mutating func word<Word: RawRepresentable & CaseIterable>(
        _ name: String, _ type: Word.Type = Word.self
    ) throws(ProfileError) -> Word? where Word.RawValue == String {
        guard let text = try optional(name) else { return nil }
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw error(name, "one of \(known)")
        }
        return word
    }

    /// Reads an object with a reader of its own; nil when it is not there.
    mutating func object<Value>(
        _ name: String, _ read: (inout ProfileReader) throws(ProfileError) -> Value
    ) throws(ProfileError) -> Value? {
        guard let member = take(name) else { return nil }
        guard let object = member.objectValue else { throw error(name, "a mapping") }
        var reader = ProfileReader(object, directory: directory, path: "\(path)\(name).")
        let value = try read(&reader)
        try reader.finish()
        return value
    }

    /// Reads a list of objects; nil when it is not there.
    mutating func list<Value>(
        _ name: String, _ read: (inout ProfileReader) throws(ProfileError) -> Value
    ) throws(ProfileError) -> [Value]? {
        guard let member = take(name) else { return nil }
        guard let elements = member.arrayValue, elements.count <= 256 else {
            throw error(name, "a list of mappings")
        }
        var values: [Value] = []
        for (index, element) in elements.enumerated() {
            guard let object = element.objectValue else {
                throw error("\(name)[\(index)]", "a mapping")
            }
            var reader = ProfileReader(
                object, directory: directory, path: "\(path)\(name)[\(index)].")
            values.append(try read(&reader))
            try reader.finish()
        }
        return values
    }

    /// Reads a mapping of names to values of one kind. The rows come in the order of their names,
    /// as in the archived form: a profile means the same however it was written down.
    mutating func table<Value>(
        _ name: String, _ expectation: String, _ read: (JSONValue) -> Value?
    ) throws(ProfileError) -> [(name: String, value: Value)]? {
        guard let member = take(name) else { return nil }
        guard let object = member.objectValue, object.members.count <= 256 else {
            throw error(name, expectation)
        }
        var rows: [(name: String, value: Value)] = []
        for row in object.members {
            guard let value = read(row.value) else { throw error(name, expectation) }
            rows.append((row.name, value))
        }
        rows.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return rows
    }

    /// Whether a member is there and is no mapping: some members have a short form.
    func isScalar(_ name: String) -> Bool {
        members[name].map { $0.objectValue == nil } ?? false
    }

    func finish() throws(ProfileError) {
        for member in members.members where !taken.contains(member.name) {
            let isPlain = member.name.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) }
            throw ProfileError(
                "the profile has an unknown member"
                    + (isPlain ? " `\(path)\(member.name)`" : ""))
        }
    }
}
