// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// The claims of an ID token as a broker puts them there, those aside that every ID token has.
struct BrokerClaims {
    let settings: ProviderSettings
    let clientID: String
    let facts: LoginFacts
    let now: Instant

    private var person: SimulatedPerson { facts.person }

    /// What stands in the ID token.
    var ofIDToken: JSONObject {
        switch settings.broker {
        case .generic: person.claims.merging(generic)
        case .idura: idura
        case .idpartner: idpartner
        case .bankidNorway: bankID
        }
    }

    /// What UserInfo tells, beside `sub`.
    var ofUserInfo: JSONObject {
        switch settings.broker {
        case .generic, .idpartner: person.claims.merging(facts.scopeClaims)
        case .idura: idura
        case .bankidNorway: bankIDPerson.merging(facts.scopeClaims)
        }
    }

    /// Whether the ID token is bound to the access token by `at_hash`.
    var bindsAccessToken: Bool { settings.broker != .idura }

    /// `sub` of a person at this broker.
    ///
    /// - Parameter randomBytes: sixteen bytes for a broker whose subjects do not last.
    static func subject(
        of person: SimulatedPerson, settings: ProviderSettings, isStable: Bool,
        randomBytes: (Int) -> [UInt8]
    ) -> String {
        guard isStable else { return BrokerIdentifier.uuid(randomBytes(16)) }
        return switch settings.broker {
        case .generic, .idpartner: person.subject
        case .idura: "{\(BrokerIdentifier.uuid(person.subject))}"
        case .bankidNorway: BrokerIdentifier.uuid(person.subject)
        }
    }

    // MARK: - Generic

    private var generic: JSONObject {
        [
            "nbf": .integer(now.secondsSince1970),
            "auth_time": .integer(facts.authenticatedAt.secondsSince1970),
            "acr": .string(person.authenticationContext),
        ]
    }

    // MARK: - Idura

    /// No `acr`: `authenticationtype` says how the person logged in. Names stand twice, some values
    /// are null or the text `null`, and some names are URIs: all of that is documented.
    private var idura: JSONObject {
        let isNorwegian = person.nationalIDClaim.isIdentical(to: "socialno")
        // Each login has its own, also of those that end in the same moment.
        let sessionIndex = BrokerIdentifier.uuid(
            "\(person.subject) \(facts.nonce ?? facts.requestID ?? "") "
                + "\(facts.authenticatedAt.millisecondsSince1970)")
        let method =
            isNorwegian
            ? "urn:grn:authn:no:bankid:substantial" : "urn:grn:authn:se:bankid:another-device:qr"
        let asked = facts.acrValues.flatMap { $0.split(separator: " ").first.map(String.init) }
        var claims: JSONObject = [
            "nbf": .integer(now.secondsSince1970),
            "identityscheme": .string(isNorwegian ? "nobankid-oidc" : "sebankid"),
            "authenticationtype": .string(asked ?? method),
            "authenticationmethod": .string("python:urn:oasis:names:tc:SAML:2.0:ac:classes:X509"),
            "authenticationinstant": .string(facts.authenticatedAt.rfc3339),
            "nameidentifier": .string(facts.subject.filter { !"{-}".contains($0) }),
            "sessionindex": .string(sessionIndex),
            "http://schemas.example/claims/sessionindex": .string(sessionIndex),
            "uniqueuserid": .string("9578-6000-4-" + person.shortNumber),
            "name": .string("\(person.givenName) \(person.familyName)"),
            "givenname": .string(person.givenName), "given_name": .string(person.givenName),
            "surname": .string(person.familyName), "family_name": .string(person.familyName),
            "country": .string(isNorwegian ? "NO" : "SE"),
            "address": .null, "streetaddress": .string("null"), "isover18": .string("true"),
        ]
        claims["birthdate"] = person.birthdate.map(JSONValue.string)
        claims[person.nationalIDClaim] = .string(person.nationalID)
        return claims
    }

    // MARK: - IDPartner

    /// Who it is; address, telephone and payment details come in other ways.
    private var idpartner: JSONObject {
        var claims = person.claims
        claims[person.nationalIDClaim] = nil
        claims["acr"] = facts.acrValues.map(JSONValue.string)
        return claims
    }

    // MARK: - BankID

    private var bankID: JSONObject {
        let (context, methods) = authenticationContext
        return bankIDPerson.merging([
            "typ": .string("ID"), "azp": .string(clientID), "acr": .string(context),
            "amr": settings.bankID.listsMethods
                ? .array(methods.map(JSONValue.string)) : .string(methods[0].uppercased()),
            "auth_time": .integer(facts.authenticatedAt.secondsSince1970),
            "jti": .string(
                BrokerIdentifier.uuid(
                    "\(facts.subject) \(facts.nonce ?? "") \(now.millisecondsSince1970)")),
            "session_state": .string(BrokerIdentifier.uuid("\(facts.subject) session")),
            "originator": .string(
                "CN=BankID Test,OU=123456789,O=Prøvebank AS,C=NO;OrginatorId=9980"),
        ])
    }

    private var bankIDPerson: JSONObject {
        var claims: JSONObject = [
            "bankid_altsub": .string(person.bankIDNumber),
            "name": .string("\(person.givenName) \(person.familyName)"),
            "given_name": .string(person.givenName), "family_name": .string(person.familyName),
        ]
        claims["birthdate"] = person.birthdate.map(JSONValue.string)
        if facts.hasScope("nnin_altsub") { claims["nnin_altsub"] = .string(person.nationalID) }
        return claims
    }

    /// `acr` and `amr`: by code device where it was asked for, or else as the person does.
    private var authenticationContext: (acr: String, amr: [String]) {
        let hint = facts.loginHint ?? ""
        let asked = facts.acrValues ?? ""
        let wantsCodeDevice =
            hint.utf8.starts(with: "BID".utf8) || asked.utf8.starts(with: "urn:bankid:bid".utf8)
        guard wantsCodeDevice else {
            return (person.authenticationContext, ["bis", "bis-mfa", "bis-hwk"])
        }
        return ("urn:bankid:bid;LOA=4", ["bid", "bid-mfa", "bid-otp", "bid-pwd"])
    }
}

extension SimulatedPerson {
    /// The name by which BankID knows a person for good, `bankid_altsub`.
    var bankIDNumber: String { "9578-5999-4-" + shortNumber }

    fileprivate var shortNumber: String { BrokerIdentifier.digits(subject, count: 7) }
}
