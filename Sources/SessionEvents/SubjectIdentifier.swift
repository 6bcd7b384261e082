// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// By what a person can be found again: a kind of identifier, whose it is, and the value in its
/// normal form, in which the same identifier always has the same bytes.
public struct SubjectIdentifier: Hashable, Sendable {
    /// What an identifier is.
    public enum Kind: String, CaseIterable, Sendable {
        /// The `sub` that an issuer gives; its scope is the issuer.
        case subject = "sub"
        /// A national identity number; its scope is the country, in two lower-case letters, or
        /// nothing where that is not known.
        case nationalID = "national-id"
        /// An e-mail address; without scope.
        case email
        /// A telephone number; without scope.
        case phone
        /// Any of these, or a login hint, by its value alone.
        case any
    }

    /// What it is.
    public let kind: Kind
    /// Whose it is.
    public let scope: String
    /// The value in its normal form.
    public let value: String

    /// An identifier; nil when nothing is left of the value.
    public init?(_ kind: Kind, scope: String = "", value: String) {
        let value = Self.normalized(value, kind, scope)
        guard !value.isEmpty, value.utf8.count <= 1024 else { return nil }
        self.kind = kind
        self.scope = scope
        self.value = value
    }

    /// What is looked up: kind, scope and value, one a line.
    public var lookupText: String { "\(kind.rawValue)\n\(scope)\n\(value)" }

    /// Spaces around a value never count. Numbers lose the signs between their digits; a Swedish
    /// one its century, which some providers leave out. E-mail addresses lose their case.
    private static func normalized(_ text: String, _ kind: Kind, _ scope: String) -> String {
        let trimmed = trimmed(text)
        switch kind {
        case .subject: return trimmed
        case .email: return trimmed.lowercased()
        case .any, .nationalID, .phone:
            let bare = trimmed.utf8.filter { !" -".utf8.contains($0) }
            let digits = bare.first == UInt8(ascii: "+") ? bare.dropFirst() : bare[...]
            guard digits.count >= 6, digits.allSatisfy({ CharacterSets.isDigit($0) }) else {
                return kind == .any ? trimmed : trimmed.uppercased()
            }
            let isSwedish = kind == .nationalID && scope == "se" && bare.count == 12
            return String(
                decoding: isSwedish ? Array(bare.dropFirst(2)) : Array(bare), as: UTF8.self)
        }
    }

    private static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let isSpace: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
        let rest = scalars.drop(while: isSpace)
        let end = rest.lastIndex { !isSpace($0) }
        return end.map { String(rest[...$0]) } ?? ""
    }
}

// MARK: - Finding identifiers

extension SubjectIdentifier {
    private static let nationalIDClaims = [
        "ssn": "", "socialno": "", "national_id": "", "personal_number": "se",
        "personalNumber": "se", "nnin": "no", "sub_nnin": "no", "pid": "no",
        "cprNumberIdentifier": "dk", "cpr": "dk", "hetu": "fi",
    ]

    /// Whom an event of a session is about, by what is sealed in it. The words of a token count
    /// whether or not it is genuine: who was named must be found.
    ///
    /// - Parameter issuer: the session's issuer, where it is known.
    public static func all(inSealed sealed: JSONObject, issuer: String?) -> Set<SubjectIdentifier> {
        var found: Set<SubjectIdentifier> = []
        if let claims = sealed["claims"]?.objectValue {
            found.formUnion(all(inClaims: claims, issuer: issuer))
        }
        if let subject = sealed["subject"]?.stringValue {
            found.formUnion(both(.subject, issuer ?? "", subject))
        }
        if let claims = sealed["idToken"]?.stringValue.flatMap(claims(ofToken:)) {
            found.formUnion(all(inClaims: claims, issuer: issuer))
        }
        if let hint = sealed["loginHint"]?.stringValue { found.formUnion(all(inHint: hint)) }
        return found
    }

    private static func all(
        inClaims claims: JSONObject, issuer: String?
    ) -> Set<SubjectIdentifier> {
        var found: Set<SubjectIdentifier> = []
        let country = claims["country"]?.stringValue.map { $0.lowercased() }
            .flatMap { $0.utf8.count == 2 ? $0 : nil }
        for (name, value) in claims.members.map({ ($0.name, $0.value.stringValue) }) {
            guard let value else { continue }
            switch name {
            case "sub":
                found.formUnion(
                    both(.subject, claims["iss"]?.stringValue ?? issuer ?? "", value))
            case "email": found.formUnion(both(.email, "", value))
            case "phone_number": found.formUnion(both(.phone, "", value))
            default:
                guard let scope = nationalIDClaims[name] else { continue }
                found.formUnion(both(.nationalID, scope.isEmpty ? country ?? "" : scope, value))
            }
        }
        return found
    }

    /// A login hint names a person in one of several ways; its last part is the value.
    private static func all(inHint hint: String) -> Set<SubjectIdentifier> {
        let parts = hint.split(separator: ":", omittingEmptySubsequences: false)
        let whole = SubjectIdentifier(.any, value: hint)
        let last =
            parts.count > 1 ? SubjectIdentifier(.any, value: String(parts[parts.count - 1])) : nil
        return Set([whole, last].compactMap { $0 })
    }

    /// An identifier by what it is, and by its value alone.
    private static func both(
        _ kind: Kind, _ scope: String, _ value: String
    ) -> [SubjectIdentifier] {
        [
            SubjectIdentifier(kind, scope: scope, value: value),
            SubjectIdentifier(.any, value: value),
        ].compactMap { $0 }
    }

    private static func claims(ofToken token: String) -> JSONObject? {
        let parts = Array(token.utf8).split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = Base64URL.decode(parts[1]) else { return nil }
        return (try? JSONReader.read(payload, numbers: .anyAsText))?.objectValue
    }
}

// MARK: - Input

extension SubjectIdentifier {
    /// Reads what a person hands over to search by: a value alone on a line, or a JSON object with
    /// `kind`, `value` and, where the kind has one, `scope`. Nil when it is neither.
    public init?(input: [UInt8]) {
        guard let text = String(validating: input, as: UTF8.self) else { return nil }
        if Self.trimmed(text).hasPrefix("{\"") {
            guard let object = (try? JSONReader.read(input, numbers: .anyAsText))?.objectValue,
                Set(object.members.map(\.name)).isSubset(of: ["kind", "scope", "value"]),
                let kind = object["kind"]?.stringValue.flatMap(Kind.init(rawValue:)),
                let value = object["value"]?.stringValue
            else { return nil }
            self.init(kind, scope: object["scope"]?.stringValue ?? "", value: value)
        } else {
            guard !Self.trimmed(text).utf8.contains(0x0A) else { return nil }
            self.init(.any, value: text)
        }
    }
}
