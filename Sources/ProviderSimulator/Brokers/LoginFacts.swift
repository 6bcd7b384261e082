// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// What a login came to: who it was, and what was asked for.
struct LoginFacts: Sendable {
    let person: SimulatedPerson
    /// `sub`.
    let subject: String
    let scope: String
    /// `acr_values` as requested.
    let acrValues: String?
    /// `login_hint` as requested.
    let loginHint: String?
    let nonce: String?
    /// The name of the request, without redirects.
    var requestID: String?
    var authenticatedAt: Instant

    /// Whether a scope was asked for.
    func hasScope(_ name: String) -> Bool {
        scope.split(separator: " ").contains { $0.utf8.elementsEqual(name.utf8) }
    }

    /// What the scopes beside `profile` are for (OpenID Connect Core §5.4).
    var scopeClaims: JSONObject {
        var claims = JSONObject()
        if hasScope("email"), let address = person.emailAddress {
            claims["email"] = .string(address)
            claims["email_verified"] = .bool(true)
        }
        if hasScope("phone"), let number = person.phoneNumber {
            claims["phone_number"] = .string(number)
            claims["phone_number_verified"] = .bool(true)
        }
        if hasScope("address"), let address = person.postalAddress {
            claims["address"] = .object(["formatted": .string(address)])
        }
        if hasScope("birthdate") || hasScope("profile") {
            claims["birthdate"] = person.birthdate.map(JSONValue.string)
        }
        return claims
    }
}

extension JSONObject {
    /// This object with the members of another, which win.
    func merging(_ other: JSONObject) -> JSONObject {
        other.members.reduce(into: self) { $0[$1.name] = $1.value }
    }
}
