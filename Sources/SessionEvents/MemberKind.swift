// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// What a clear member may hold: how it is read, how it is written, what to tell a person.
///
/// Clear members stay readable for ever, also after an erasure. So each kind takes as little as
/// does for its purpose, and nothing in which a national id number could hide.
struct MemberKind<Value>: Sendable {
    /// What is taken, in words that complete "must be …".
    let expectation: StaticString
    let read: @Sendable (JSONValue) -> Value?
    let write: @Sendable (Value) -> JSONValue
}

extension MemberKind where Value == String {
    /// A text that passes a test.
    static func text(
        _ expectation: StaticString, bytesMax: Int, _ isFit: @escaping @Sendable (String) -> Bool
    ) -> MemberKind {
        MemberKind(
            expectation: expectation,
            read: { value in
                guard let text = value.stringValue, !text.isEmpty, text.utf8.count <= bytesMax,
                    isFit(text)
                else { return nil }
                return text
            },
            write: { .string($0) })
    }

    static let name = text(
        "a name of up to 64 letters, digits and the characters . _ -", bytesMax: 64,
        { $0.utf8.allSatisfy { CharacterSets.isNameCharacter($0) } })

    static let clientID = text(
        "up to 256 printable ASCII characters without spaces", bytesMax: 256,
        { $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } })

    static let url = text(
        "an absolute http or https URL without user, query and fragment, up to 2048 bytes",
        bytesMax: 2048, { CharacterSets.isPlainURL($0) })

    /// A redirect URI may have a scheme of its own, as mobile apps have.
    static let redirectURI = text(
        "an absolute URI without user, query and fragment, up to 2048 bytes", bytesMax: 2048,
        { CharacterSets.isPlainURI($0) })

    static let tokenList = text(
        "up to 1024 printable ASCII characters; single spaces separate the entries",
        bytesMax: 1024, { CharacterSets.isTokenList($0) })

    static let traceID = text(
        "up to 64 letters, digits and hyphens", bytesMax: 64,
        { $0.utf8.allSatisfy { CharacterSets.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") } })

    /// What a provider sent, where it is known to be harmless; see ``RegisteredNames``.
    static func registered(_ names: Set<String>, _ expectation: StaticString) -> MemberKind {
        let accepted = names.union([RegisteredNames.other])
        return text(expectation, bytesMax: 128, { accepted.containsIdentical($0) })
    }

    static let error = registered(
        RegisteredNames.errors, "a registered OAuth or OpenID Connect error code, or \"other\"")

    static let pollHint = registered(
        RegisteredNames.pollHints, "a registered word for what the user is at, or \"other\"")

    static let algorithm = registered(
        RegisteredNames.algorithms, "a registered JWS algorithm, or \"other\"")

    static let tokenType = registered(
        RegisteredNames.tokenTypes, "a registered token type, or \"other\"")

    static let responseMode = registered(
        RegisteredNames.responseModes, "a registered response mode, or \"other\"")

    static let responseType = registered(
        RegisteredNames.responseTypes, "a registered response type, or \"other\"")

    static let keyManagement = registered(
        RegisteredNames.keyManagementAlgorithms,
        "a registered JWE key management algorithm, or \"other\"")

    static let contentEncryption = registered(
        RegisteredNames.contentEncryptions,
        "a registered JWE content encryption, or \"other\"")

    static let keyID = text(
        "the id of an archived key, up to 128 printable ASCII characters, or \"other\"",
        bytesMax: 128, { $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } })

    static let acr = text(
        "up to 128 letters, digits and : ; = . _ / - without five digits in a row",
        bytesMax: 128, { RegisteredNames.isHarmlessACR($0) })
}

extension MemberKind where Value == Int {
    static func integer(
        _ range: ClosedRange<Int>, _ expectation: StaticString
    ) -> MemberKind {
        MemberKind(
            expectation: expectation,
            read: { value in
                guard let number = value.integerValue, range.contains(Int(number)) else {
                    return nil
                }
                return Int(number)
            },
            write: { .integer(Int64($0)) })
    }

    static let count = integer(0...1_000_000, "a whole number from 0 to 1000000")
    static let seconds = integer(0...31_536_000, "whole seconds from 0 to 31536000")
    static let milliseconds = integer(0...86_400_000, "whole milliseconds from 0 to 86400000")
    static let httpStatus = integer(100...599, "an HTTP status from 100 to 599")
    static let level = integer(0...9, "a level of assurance from 0 to 9")
    static let version = integer(1...1000, "a version from 1 to 1000")
}

extension MemberKind where Value == Bool {
    static let truth = MemberKind(
        expectation: "true or false", read: { $0.boolValue }, write: { .bool($0) })
}

extension MemberKind where Value == Digest {
    static let digest = MemberKind(
        expectation: "base64url of 32 bytes without padding",
        read: { $0.stringValue.flatMap(Digest.init(base64URL:)) },
        write: { .string($0.base64URL) })
}

extension MemberKind where Value == Instant {
    static let instant = MemberKind(
        expectation: "an RFC 3339 date-time",
        read: { $0.stringValue.flatMap { Instant(rfc3339: $0) } },
        write: { .string($0.rfc3339) })
}

extension MemberKind where Value: RawRepresentable & SendableMetatype, Value.RawValue == String {
    /// One of a fixed list of words.
    static func word(_ expectation: StaticString) -> MemberKind {
        MemberKind(
            expectation: expectation, read: { $0.stringValue.flatMap(Value.init(rawValue:)) },
            write: { .string($0.rawValue) })
    }
}

/// Which characters stand where.
enum CharacterSets {
    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    static func isNameCharacter(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || ".-_".utf8.contains(byte)
    }

    /// Space-separated entries of printable ASCII characters.
    static func isTokenList(_ text: String) -> Bool {
        let entries = text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
        return entries.allSatisfy { entry in
            !entry.isEmpty && entry.allSatisfy { (0x21...0x7E).contains($0) }
        }
    }

    static func isPlainURL(_ text: String) -> Bool {
        (text.hasPrefix("https://") || text.hasPrefix("http://")) && isPlainURI(text)
    }

    /// A URI with a scheme, and nothing in it that a browser's user could have put there.
    static func isPlainURI(_ text: String) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let scheme = text.utf8[..<colon]
        let rest = text.utf8[colon...].dropFirst()
        let isScheme =
            !scheme.isEmpty
            && scheme.allSatisfy { isLetterOrDigit($0) || "+-.".utf8.contains($0) }
        return isScheme && !rest.isEmpty
            && rest.allSatisfy { plainURICharacters[Int($0)] }
    }

    private static let plainURICharacters = (0..<256).map { byte in
        (0x21...0x7E).contains(byte) && !"?#@\"<>\\^`{|}".utf8.contains(UInt8(byte))
    }
}
