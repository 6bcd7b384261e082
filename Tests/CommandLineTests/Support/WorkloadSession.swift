// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One made-up login, told as its backend would report it.
struct WorkloadSession {
    /// How a login goes.
    enum Story: CaseIterable {
        case code, pkce, jarm, implicit, ciba, headless
        case accountSelector
        case cancelled, wrongNonce, codeRefused, pollingExpired, discoveryFailed, requestRefused
        case unregisteredValues, largeSealedData, abandoned
    }

    private let story: Story
    private let number: Int
    private let subject: String
    private let issuer: String
    private let provider: String
    private let clientID: String
    private let traceID: String
    private let state: String
    private let nonce: String
    private let verifier: String
    private let code: String
    private let nationalID: String
    private let name: String
    private var now: Int

    private(set) var events: [Workload.Event] = []
    private(set) var secrets: [String] = []

    init(_ story: Story, start: Int, number: Int, _ generator: inout SeededGenerator) {
        self.story = story
        self.number = number
        now = start
        subject = generator.uuid7(start)
        (provider, issuer) = generator.pick(Self.providers)
        clientID = "urn:example:application:\(generator.number(1..<7))"
        traceID = generator.hexadecimal(16)
        state = generator.base64URL(24)
        nonce = generator.base64URL(32)
        verifier = generator.base64URL(32)
        code = generator.base64URL(24)
        nationalID = "19" + generator.digits(9)
        let family = generator.pick(["Ødegård", "Lindström", "O'Brien", "Virtanen", "Nguyễn"])
        name = "Åse \(family)-\(generator.hexadecimal(3))"
        secrets = [state, nonce, verifier, code, nationalID, name]
    }

    private static let providers = [
        ("idura", "https://example.idura.broker"),
        ("bankid-no", "https://auth.example.no/realms/x"),
        ("idpartner", "https://idp.example.test"),
    ]

    private var flow: String {
        switch story {
        case .code, .codeRefused: "code"
        case .jarm, .accountSelector: "jarm"
        case .implicit: "implicit"
        case .ciba, .pollingExpired: "ciba"
        case .headless: "headless"
        default: "pkce"
        }
    }

    // MARK: - The stories

    mutating func tell(_ generator: inout SeededGenerator) {
        switch story {
        case .ciba, .headless, .pollingExpired: tellBackchannel(&generator)
        case .discoveryFailed:
            initiate(&generator)
            fail("discovery", "metadata-unavailable", after: 900, &generator)
        case .requestRefused:
            initiate(&generator)
            let exchange: JSON = [
                "purpose": "par", "endpoint": .string(issuer + "/par"), "status": 400,
                "durationMs": 41, "traceID": .string(traceID),
            ]
            fail(
                "authorization-request", "client-auth-failed", after: 60, &generator,
                ["error": "invalid_client", "exchanges": [exchange]])
        default: tellRedirect(&generator)
        }
    }

    private mutating func tellRedirect(_ generator: inout SeededGenerator) {
        initiate(&generator)
        if story == .accountSelector {
            add(
                "redirected",
                ["to": "account-selector", "endpoint": "https://select.example.test/"],
                after: 5, &generator)
            add(
                "callback", ["from": "account-selector", "responseMode": "query"], after: 4000,
                &generator, sealed: ["response": .string("visitor=" + generator.base64URL(18))])
        }
        add(
            "redirected",
            [
                "endpoint": .string(issuer + "/oauth2/authorize"), "par": .bool(flow == "jarm"),
                "traceID": .string(traceID),
            ], after: 20, &generator)
        if story == .abandoned { return }
        if story == .cancelled {
            add(
                "callback",
                ["responseMode": "query", "error": "access_denied", "stateMatched": true],
                after: 9000, &generator,
                sealed: [
                    "state": .string(state),
                    "errorDescription": .string(secret("cancelled by " + generator.base64URL(9))),
                ])
            fail("callback", "access-denied", after: 1, &generator)
            return
        }
        let mode = ["jarm": "jwt", "implicit": "fragment"][flow] ?? "query"
        add(
            "callback", ["responseMode": .string(mode), "stateMatched": true], after: 12_000,
            &generator, sealed: ["state": .string(state), "code": .string(code)])
        if story == .codeRefused {
            fail(
                "token", "code-refused", after: 90, &generator, ["error": "invalid_grant"],
                sealed: ["body": .string(secret("refused: " + generator.base64URL(12)))])
            return
        }
        receiveTokens(&generator)
    }

    private mutating func tellBackchannel(_ generator: inout SeededGenerator) {
        initiate(&generator)
        let requestID = secret(generator.base64URL(16))
        add(
            "polled",
            [
                "status": "accepted", "attempt": 0, "interval": 3, "expiresIn": 120,
                "httpStatus": 200, "traceID": .string(traceID),
            ], after: 150, &generator, sealed: ["requestID": .string(requestID)])
        for attempt in 1..<generator.number(2..<6) {
            add(
                "polled",
                [
                    "status": .string(attempt == 3 ? "slow-down" : "pending"),
                    "attempt": .integer(attempt), "httpStatus": 400, "durationMs": 38,
                    "error": .string(attempt == 3 ? "slow_down" : "authorization_pending"),
                    "hint": .string(attempt == 2 ? name : "userSign"),
                ], after: 3000, &generator)
        }
        if story == .pollingExpired {
            add(
                "polled", ["status": "error", "attempt": 9, "error": "expired_token", "gap": true],
                after: 3000, &generator)
            fail("polling", "poll-timeout", after: 1, &generator)
        } else {
            receiveTokens(&generator)
        }
    }

    // MARK: - The steps

    private mutating func initiate(_ generator: inout SeededGenerator) {
        var clear: JSON = [
            "provider": .string(provider), "clientID": .string(clientID), "flow": .string(flow),
            "scope": "openid profile", "acrValues": "urn:grn:authn:no:bankid",
        ]
        if story != .accountSelector { clear["issuer"] = .string(issuer) }
        var sealed: JSON = [
            "ipAddress": .string("2001:db8:" + generator.hexadecimal(2) + "::1"),
            "userAgent": .string(secret("Mozilla/5.0 (\(generator.hexadecimal(6)))")),
        ]
        if ["ciba", "headless"].contains(flow) {
            sealed["loginHint"] = .string("sub:ssn:" + nationalID)
            sealed["bindingMessage"] = .string(secret("Order \(number) of \(generator.digits(8))"))
        } else {
            clear["redirectURI"] = "https://shop.example.test/callback"
            clear["codeChallenge"] = .string(generator.base64URL(32))
            sealed["state"] = .string(state)
            sealed["nonce"] = .string(nonce)
            sealed["codeVerifier"] = .string(verifier)
        }
        if story == .unregisteredValues { clear["responseMode"] = .string(planted(&generator)) }
        add("initiated", clear, after: 0, &generator, sealed: sealed)
    }

    private mutating func receiveTokens(_ generator: inout SeededGenerator) {
        let keyID = "key-\(number % 4)"
        let token = idToken(keyID, &generator)
        var sealed: JSON = ["idToken": .string(token)]
        if story == .largeSealedData {
            sealed["response"] = .string(secret(generator.base64URL(30_000)))
        }
        var clear: JSON = [
            "endpoint": .string(issuer + "/oauth2/token"), "tokenType": "Bearer",
            "expiresIn": 120, "algorithm": "RS256", "keyID": .string(keyID),
            "traceID": .string(traceID), "keySet": keySet,
            "policy": [
                "issuer": .string(issuer), "audience": .string(clientID),
                "algorithms": ["RS256"], "clockSkewSeconds": 60,
            ],
        ]
        if story == .unregisteredValues {
            clear["tokenType"] = .string(planted(&generator))
            clear["algorithm"] = .string(planted(&generator))
            clear["keyID"] = .string(planted(&generator))
        }
        add("token-issued", clear, after: 210, &generator, sealed: sealed)
        if story == .wrongNonce {
            fail(
                "verification", "nonce-mismatch", after: 2, &generator,
                ["checks": [["name": "nonce", "outcome": "failed"]]])
            return
        }
        let checks: [JSON] = ["signature", "alg", "iss", "aud", "exp", "iat", "nonce"].map {
            ["name": .string($0), "outcome": "passed"]
        }
        let acr = story == .unregisteredValues ? planted(&generator) : "urn:grn:authn:no:bankid"
        add(
            "verified",
            [
                "algorithm": "RS256", "keyID": .string(keyID), "acr": .string(acr),
                "levelOfAssurance": 3, "tokenIssuedAt": .string(Workload.time(now, form: 0)),
                "checks": .array(checks), "checksVersion": 1,
            ], after: 2, &generator,
            sealed: [
                "subject": .string(secret("sub-" + generator.hexadecimal(12))),
                "claims": ["name": .string(name), "socialno": .string(nationalID)],
            ])
    }

    private mutating func fail(
        _ stage: String, _ reason: String, after milliseconds: Int,
        _ generator: inout SeededGenerator, _ more: JSON = [:], sealed: JSON? = nil
    ) {
        let clear: JSON = ["stage": .string(stage), "reason": .string(reason)]
        add("failed", clear.adding(more), after: milliseconds, &generator, sealed: sealed)
    }

    // MARK: - Parts

    /// Public keys; the modulus is made from the name, so that few different sets come often.
    private var keySet: JSON {
        let keys: [JSON] = (0...number % 4).map { index in
            let modulus = [UInt8](repeating: UInt8(index + 65), count: 256)
            return [
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": .string("key-\(index)"),
                "n": .string(SeededGenerator.base64URL(modulus)), "e": "AQAB",
            ]
        }
        return ["keys": .array(keys)]
    }

    private mutating func idToken(_ keyID: String, _ generator: inout SeededGenerator) -> String {
        let header: JSON = ["alg": "RS256", "typ": "JWT", "kid": .string(keyID)]
        let claims: JSON = [
            "iss": .string(issuer), "aud": .string(clientID), "name": .string(name),
            "socialno": .string(nationalID), "nonce": .string(nonce), "iat": .integer(now / 1000),
            "exp": .integer(now / 1000 + 1200),
        ]
        let signature = secret(generator.base64URL(256))
        let parts = [header, claims].map { SeededGenerator.base64URL(Array($0.text.utf8)) }
        return secret(parts.joined(separator: ".") + "." + signature)
    }

    /// A national id where a registered value belongs: anyone can put one into a callback.
    private mutating func planted(_ generator: inout SeededGenerator) -> String {
        secret("id" + generator.digits(11))
    }

    private mutating func secret(_ text: String) -> String {
        secrets.append(text)
        return text
    }

    private mutating func add(
        _ word: String, _ clear: JSON, after milliseconds: Int,
        _ generator: inout SeededGenerator, sealed: JSON? = nil
    ) {
        now += milliseconds
        let id = generator.uuid7(now)
        var data = clear
        if let sealed { data["sealed"] = sealed }
        let event: JSON = [
            "specversion": "1.0", "id": .string(id), "source": "shop-backend",
            "type": .string("authledger.session." + word), "typeversion": 1,
            "subject": .string(subject), "time": .string(Workload.time(now, form: number)),
            "data": data,
        ]
        events.append(
            Workload.Event(id: id, session: subject, milliseconds: now, json: event))
    }
}
