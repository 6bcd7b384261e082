// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

extension TokenDraft {
    /// How long ago a token expired that is expired. No tolerance is that large.
    private static let expiredSeconds: Int64 = 360
    /// How old such a token is: its age alone must not be a reason to refuse it.
    private static let expiredAgeSeconds: Int64 = 480
    /// How far ahead the time of issue is when it is.
    private static let futureSeconds: Int64 = 3600
    /// How old a token is that is too old.
    private static let weekSeconds: Int64 = 604_800

    /// How old a token is that was made before it was asked for, but is not too old for itself.
    private static let earlierSeconds: Int64 = 300

    // MARK: - Signature

    /// Leaves the signature out, and says so.
    mutating func becomeUnsigned(saying algorithm: String = "none") {
        header["alg"] = .string(algorithm)
        signature = .none
    }

    /// Puts a code made with the client's secret in place of the signature.
    mutating func signWithSecret(isFlipped: Bool = false) {
        header["alg"] = .string("HS256")
        signature = isFlipped ? .secretFlipped : .secret
    }

    /// Signs properly, with a published key, but in another way than was agreed on.
    mutating func signOtherwise() {
        let other: SignatureAlgorithm =
            switch key.algorithm {
            case .rs256: .ps256
            case .rs384: .ps384
            case .rs512: .ps512
            case .ps256: .rs256
            case .ps384: .rs384
            case .ps512: .rs512
            case .es256, .es384, .es512: .edDSA
            case .edDSA: .es256
            }
        header["alg"] = .string(other.rawValue)
        if other.fits(key.privateKey.publicKey.parameters) {
            key = ProviderKey(key.privateKey, algorithm: other, keyID: key.keyID)
        } else if let stranger = try? StrangerKeys.key(for: other, keyID: StrangerKeys.keyID) {
            key = stranger
            header["kid"] = .string(stranger.keyID)
        }
    }

    /// Lets somebody else sign under the name of the provider's key.
    mutating func letStrangerSign() {
        if let stranger = try? StrangerKeys.key(for: key.algorithm, keyID: key.keyID) {
            key = stranger
        }
    }

    /// Signs with a short key under the name of the provider's, where it can.
    mutating func signWithShortKey() {
        guard [.rs256, .ps256].contains(key.algorithm),
            let short = try? StrangerKeys.weakRSA.get()
        else { return }
        key = ProviderKey(short, algorithm: key.algorithm, keyID: key.keyID)
    }

    // MARK: - Text

    /// Lets a claim stand twice, the second one being another.
    ///
    /// - Parameter spelling: how the second name is written between its quotation marks.
    mutating func repeatClaim(_ name: String, spelled spelling: String? = nil) {
        var second = claims
        second.appendOne(to: name)
        let value = CanonicalJSON.encode(second[name] ?? .null)
        let member = Array(",\"\(spelling ?? name)\":".utf8) + value + Array("}".utf8)
        editPayload = { $0.dropLast() + member }
    }

    /// Lets `alg` stand twice in the header, with the same value.
    mutating func repeatAlgorithm() {
        let member = Array(",\"alg\":\"\(key.algorithm.rawValue)\"}".utf8)
        editHeader = { $0.dropLast() + member }
    }

    // MARK: - Dates

    /// Moves all dates into the past.
    mutating func expire() {
        claims["exp"] = .integer(now.secondsSince1970 - Self.expiredSeconds)
        for name in ["iat", "nbf", "auth_time"] where claims[name] != nil {
            claims[name] = .integer(now.secondsSince1970 - Self.expiredAgeSeconds)
        }
    }

    /// Moves the time of issue into the future.
    mutating func issueInFuture() {
        let lifetime = (claims["exp"]?.integerValue ?? 0) - now.secondsSince1970
        claims["iat"] = .integer(now.secondsSince1970 + Self.futureSeconds)
        claims["exp"] = .integer(now.secondsSince1970 + Self.futureSeconds + lifetime)
    }

    /// Moves the time of issue a week back.
    mutating func issueWeekAgo() {
        claims["iat"] = .integer(now.secondsSince1970 - Self.weekSeconds)
    }

    /// Moves the time of issue back behind the request.
    mutating func issueBeforeRequest() {
        claims["iat"] = .integer(now.secondsSince1970 - Self.earlierSeconds)
    }

    /// Moves the beginning of validity into the future.
    mutating func beginLater() {
        claims["nbf"] = .integer(now.secondsSince1970 + Self.futureSeconds)
    }
}

extension JSONObject {
    /// Puts `1` behind a text.
    mutating func appendOne(to name: String) {
        self[name] = .string((self[name]?.stringValue ?? "") + "1")
    }

    /// Replaces a text by one that looks the same but has other bytes.
    mutating func useOtherForm(of name: String) {
        self[name] = .string(UnicodeTwin.of(self[name]?.stringValue ?? ""))
    }
}

/// Texts that Swift and many databases take for equal although their bytes differ.
enum UnicodeTwin {
    /// The twin of a text: letters with marks are taken apart, and a K becomes the sign for kelvin,
    /// which is canonically the same. Where a text has neither there is no twin, and it gets a mark
    /// at its end, so that the bytes differ in any case.
    static func of(_ text: String) -> String {
        var twin = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "K": twin.append("\u{212A}")
            case "\u{E5}": twin.append(contentsOf: "a\u{30A}".unicodeScalars)
            case "\u{E9}": twin.append(contentsOf: "e\u{301}".unicodeScalars)
            default: twin.append(scalar)
            }
        }
        let result = String(twin)
        return result.isIdentical(to: text) ? text + "\u{301}" : result
    }
}
