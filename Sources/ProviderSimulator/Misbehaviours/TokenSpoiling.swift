// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

extension TokenDraft {
    /// How long ago a token expired that is expired. No tolerance is that large.
    private static let expiredSeconds: Int64 = 360
    /// How old such a token is: its age alone must not be a reason to refuse it.
    private static let expiredAgeSeconds: Int64 = 480
    /// How far ahead the time of issue is when it is.
    private static let futureSeconds: Int64 = 3600

    /// Leaves the signature out, and says so.
    mutating func becomeUnsigned(saying algorithm: String = "none") {
        header["alg"] = .string(algorithm)
        signature = .none
    }

    /// Puts a code made with the client's secret in place of the signature.
    mutating func signWithSecret() {
        header["alg"] = .string("HS256")
        signature = .secret
    }

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

    /// Moves all dates into the past.
    mutating func expire() {
        claims["exp"] = .integer(now.seconds - Self.expiredSeconds)
        for name in ["iat", "nbf", "auth_time"] where claims[name] != nil {
            claims[name] = .integer(now.seconds - Self.expiredAgeSeconds)
        }
    }

    /// Moves the time of issue into the future.
    mutating func issueInFuture() {
        let lifetime = (claims["exp"]?.integerValue ?? 0) - now.seconds
        claims["iat"] = .integer(now.seconds + Self.futureSeconds)
        claims["exp"] = .integer(now.seconds + Self.futureSeconds + lifetime)
    }
}

extension JSONObject {
    /// Puts `1` behind a text.
    mutating func appendOne(to name: String) {
        self[name] = .string((self[name]?.stringValue ?? "") + "1")
    }
}
