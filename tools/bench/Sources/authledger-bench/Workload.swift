// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import OpenSSL

/// Made-up logins as a relying party's backend would report them, a line of JSON an event.
///
/// The mix: five of eight logins by code with PKCE, the others by plain code, CIBA and Headless;
/// of those with a redirect 90 % end well, 7 % are broken off by the user, 3 % have a wrong nonce.
/// Signatures are random bytes of the right length, unless tokens are to be verified.
struct Workload {
    private var random: SeededGenerator
    private let keys: [JSONObject]
    /// The private keys behind `keys`; none where signatures are random bytes.
    private let signers: [PrivateKey]
    private let sessionsInAll: Int
    private var sessions = 0
    private var time: Int64 = 1_763_600_000_000

    /// - Parameter signed: whether tokens are signed, by keys that are new in every run.
    init(sessions: Int, seed: UInt64, signed: Bool = false) throws {
        var random = SeededGenerator(seed: seed)
        let signers =
            try signed
            ? (0..<4).map { _ in try PrivateKey(generating: .rsa(bits: 2048)) } : []
        keys = (0..<4).map { index in
            let keyID = Hexadecimal.encode(random.bytes(20)).uppercased()
            if signed {
                return JSONWebKey.members(
                    of: signers[index].publicKey, keyID: keyID, algorithm: .rs256)
            }
            return [
                "kty": "RSA", "use": "sig", "alg": "RS256", "n": .string(random.base64URL(256)),
                "e": "AQAB", "kid": .string(keyID),
            ]
        }
        self.signers = signers
        self.random = random
        sessionsInAll = sessions
    }

    /// The public keys of all providers.
    var keySet: JSONWebKeySet { JSONWebKeySet(keys.map { JSONWebKey(.object($0)) }) }

    /// The lines of the next session; nil after the last one.
    mutating func next() throws -> [[UInt8]]? {
        guard sessions < sessionsInAll else { return nil }
        time += Int64(random.number(50..<900))
        let keyIndex = min(keys.count - 1, sessions * keys.count / sessionsInAll)
        var login = Login(
            number: sessions, at: time, key: keys[keyIndex],
            olderKey: keyIndex > 0 ? keys[keyIndex - 1] : nil,
            signer: signers.isEmpty ? nil : signers[keyIndex], random: random)
        let lines = try login.run()
        random = login.random
        sessions += 1
        return lines
    }
}

/// One login.
private struct Login {
    private enum Outcome {
        case success
        case cancelled
        case wrongNonce
    }

    var random: SeededGenerator
    private let number: Int
    private let key: JSONObject
    private let olderKey: JSONObject?
    private let signer: PrivateKey?
    private let subject: String
    private let flow: String
    private let provider: String
    private let issuer: String
    private let clientID: String
    private let outcome: Outcome
    private let traceID: String
    private let nonce: String
    private let nationalID: String
    private var time: Int64
    private var lines: [[UInt8]] = []

    private static let issuers = [
        "idura": "https://example.idura.broker",
        "bankid-no": "https://auth.current.bankid.no/auth/realms/current",
        "idpartner": "https://idp.example.test",
    ]
    private static let surnames = [
        "Hansen", "Johansson", "Nguyen", "Paulsen", "Virtanen", "Olsen", "Berg", "Dahl", "Lund",
    ]
    private static let givenNames = [
        "Kari", "Ola", "Terne", "Elin", "Nils", "Aino", "Per", "Ingrid",
    ]

    init(
        number: Int, at time: Int64, key: JSONObject, olderKey: JSONObject?,
        signer: PrivateKey?, random: SeededGenerator
    ) {
        var random = random
        self.number = number
        self.key = key
        self.olderKey = olderKey
        self.signer = signer
        self.time = time
        subject = random.uuid(at: time)
        flow = random.pick(
            ["pkce", "pkce", "pkce", "pkce", "pkce", "code", "ciba", "headless"])
        let usesRedirect = flow == "pkce" || flow == "code"
        provider = usesRedirect ? random.pick(["idura", "bankid-no", "idpartner"]) : "idura"
        issuer = Self.issuers[provider] ?? ""
        clientID = "urn:my:application:\(random.number(0..<6))"
        let dice = random.number(0..<100)
        outcome = dice < 90 ? .success : dice < 97 ? .cancelled : .wrongNonce
        traceID = Hexadecimal.encode(random.bytes(16))
        nonce = random.base64URL(32)
        nationalID = "19\(random.number(10_000_000..<99_999_999))\(random.number(10..<100))"
        self.random = random
    }

    private var usesRedirect: Bool { flow == "pkce" || flow == "code" }

    mutating func run() throws -> [[UInt8]] {
        let isAuthorized = usesRedirect ? redirect() : poll()
        if isAuthorized { try finish() }
        return lines
    }

    /// Adds an event some milliseconds after the one before.
    private mutating func add(_ type: String, after milliseconds: Int, _ data: JSONObject) {
        time += Int64(milliseconds)
        let event: JSONObject = [
            "specversion": "1.0", "id": .string(random.uuid(at: time)),
            "source": "shop-backend", "type": .string("authledger.session.\(type)"),
            "typeversion": 1, "subject": .string(subject), "time": .string(timestamp(time)),
            "data": .object(data),
        ]
        lines.append(CanonicalJSON.encode(event))
    }

    private func timestamp(_ milliseconds: Int64) -> String {
        Instant(millisecondsSince1970: milliseconds).rfc3339
    }

    // MARK: - By redirect

    /// Answers whether a code came back.
    private mutating func redirect() -> Bool {
        let state = random.base64URL(24)
        let verifier = random.base64URL(32)
        var initiated = common(acr: "urn:grn:authn:no:bankid")
        initiated["codeChallenge"] = .string(
            Digest(SHA256.hash(Array(verifier.utf8))).base64URL)
        initiated["redirectURI"] = "https://shop.example.test/callback"
        var sealed = browser()
        sealed["nonce"] = .string(nonce)
        sealed["state"] = .string(state)
        sealed["codeVerifier"] = .string(verifier)
        initiated["sealed"] = .object(sealed)
        add("initiated", after: 0, initiated)
        add(
            "redirected", after: random.number(3..<40),
            [
                "endpoint": .string(issuer + "/oauth2/authorize"),
                "par": .bool(provider == "idpartner"), "traceID": .string(traceID),
            ])
        let thinking = random.number(5000..<60_000)
        if outcome == .cancelled {
            add(
                "callback", after: thinking,
                [
                    "responseMode": "query", "error": "access_denied", "stateMatched": true,
                    "sealed": ["state": .string(state), "errorDescription": "User cancelled"],
                ])
            add("failed", after: 1, ["stage": "callback", "reason": "access-denied"])
            return false
        }
        add(
            "callback", after: thinking,
            [
                "responseMode": provider == "idpartner" ? "jwt" : "query", "stateMatched": true,
                "sealed": ["state": .string(state), "code": .string(random.base64URL(24))],
            ])
        return true
    }

    private func common(acr: String) -> JSONObject {
        [
            "provider": .string(provider), "issuer": .string(issuer),
            "clientID": .string(clientID), "flow": .string(flow), "scope": "openid profile",
            "acrValues": .string(acr),
        ]
    }

    private mutating func browser() -> JSONObject {
        let address = random.bytes(3)
        return [
            "ipAddress": .string("10.\(address[0]).\(address[1]).\(address[2])"),
            "userAgent": .string(
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_\(random.number(0..<6)) like Mac OS X) "
                    + "AppleWebKit/605.1.15"),
        ]
    }

    // MARK: - By polling

    /// Answers whether the user agreed.
    private mutating func poll() -> Bool {
        var initiated = common(acr: "urn:grn:authn:se:bankid")
        var sealed = browser()
        sealed["loginHint"] = .string("sub:ssn:\(nationalID)")
        sealed["bindingMessage"] = .string("Order \(number)")
        initiated["sealed"] = .object(sealed)
        add("initiated", after: 0, initiated)
        add(
            "polled", after: 150,
            [
                "status": "accepted", "attempt": 0, "expiresIn": 120, "interval": 3,
                "httpStatus": 200, "traceID": .string(traceID),
                "sealed": ["requestID": .string(random.randomUUID())],
            ])
        for attempt in 1...random.number(1..<9) {
            add(
                "polled", after: 3000,
                [
                    "status": "pending", "attempt": .integer(Int64(attempt)),
                    "error": "authorization_pending", "interval": 3, "httpStatus": 400,
                    "traceID": .string(traceID),
                ])
        }
        guard outcome == .cancelled else { return true }
        add("failed", after: 3000, ["stage": "polling", "reason": "access-denied"])
        return false
    }

    // MARK: - Tokens

    private mutating func finish() throws {
        let issuedAt = time / 1000
        let (token, claims) = try makeToken(issuedAt)
        let keySet = [key, olderKey].compactMap { $0 }.map { JSONValue.object($0) }
        add(
            "token-issued", after: random.number(80..<400),
            [
                "endpoint": .string(issuer + "/oauth2/token"), "tokenType": "Bearer",
                "expiresIn": 120, "algorithm": "RS256", "keyID": key["kid"] ?? .null,
                "traceID": .string(traceID),
                "policy": [
                    "issuer": .string(issuer), "audience": .string(clientID),
                    "algorithms": ["RS256"], "clockSkewSeconds": 60,
                ],
                "keySet": ["keys": .array(keySet)], "sealed": ["idToken": .string(token)],
            ])
        if outcome == .wrongNonce, usesRedirect {
            add(
                "failed", after: 2,
                [
                    "stage": "verification", "reason": "nonce-mismatch",
                    "checks": [["name": "nonce", "outcome": "failed"]],
                ])
        } else {
            verify(issuedAt, claims)
        }
    }

    private mutating func verify(_ issuedAt: Int64, _ claims: JSONObject) {
        let checks =
            ["signature", "alg", "iss", "aud", "exp", "iat"] + (usesRedirect ? ["nonce"] : [])
        add(
            "verified", after: 2,
            [
                "algorithm": "RS256", "keyID": key["kid"] ?? .null,
                "acr": "urn:grn:authn:no:bankid",
                "tokenIssuedAt": .string(timestamp(issuedAt * 1000)),
                "tokenExpiresAt": .string(timestamp((issuedAt + 1200) * 1000)),
                "checks": .array(
                    checks.map { ["name": .string($0), "outcome": "passed"] }),
                "sealed": [
                    "subject": claims["sub"] ?? .null,
                    "claims": ["name": claims["name"] ?? .null, "ssn": .string(nationalID)],
                ],
            ])
    }

    private mutating func makeToken(
        _ issuedAt: Int64
    ) throws -> (token: String, claims: JSONObject) {
        let given = random.pick(Self.givenNames)
        let family = random.pick(Self.surnames)
        var claims: JSONObject = [
            "iss": .string(issuer), "aud": .string(clientID), "identityscheme": "nobankid",
            "authenticationtype": "urn:grn:authn:no:bankid",
            "sub": .string("{\(random.randomUUID())}"),
            "sessionindex": .string(random.randomUUID()), "ssn": .string(nationalID),
            "name": .string("\(given) \(family)"), "given_name": .string(given),
            "family_name": .string(family), "country": "NO", "iat": .integer(issuedAt),
            "nbf": .integer(issuedAt), "exp": .integer(issuedAt + 1200),
        ]
        if usesRedirect {
            claims["nonce"] = .string(outcome == .success ? nonce : random.base64URL(32))
        }
        if let signer {
            let token = try CompactJWS.sign(
                CanonicalJSON.encode(claims), header: ["typ": "JWT", "kid": key["kid"] ?? .null],
                algorithm: .rs256, key: signer)
            return (String(decoding: token, as: UTF8.self), claims)
        }
        let header: JSONObject = ["typ": "JWT", "alg": "RS256", "kid": key["kid"] ?? .null]
        let parts = [CanonicalJSON.encode(header), CanonicalJSON.encode(claims), random.bytes(256)]
        return (parts.map(Base64URL.encode).joined(separator: "."), claims)
    }
}
