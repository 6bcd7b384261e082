// SPDX-License-Identifier: Apache-2.0

/// One plain session whose every event is taken; tests change one thing about it.
struct SampleSession {
    /// The events in order; a step is found by the last word of its type.
    let events: [JSON]
    let subject: String
    private let start: Int
    private var generator: SeededGenerator

    init(_ number: Int, flow: String = "pkce") {
        generator = SeededGenerator(seed: UInt64(number) &+ 77)
        start = 1_795_166_100_000 + number * 60_000
        subject = generator.uuid7(start)
        let isRedirect = !["ciba", "headless"].contains(flow)
        var steps: [(String, JSON)] = [("initiated", Self.initiated(flow, &generator))]
        if isRedirect {
            steps.append(("redirected", Self.redirected))
            steps.append(("callback", Self.callback(&generator)))
        } else {
            steps.append(("polled", ["status": "accepted", "attempt": 0, "interval": 3]))
        }
        steps.append(("token-issued", Self.tokenIssued(&generator)))
        steps.append(("verified", Self.verified))
        var events: [JSON] = []
        for (word, data) in steps {
            events.append(
                Self.event(word, data, subject, start + events.count * 1000, &generator))
        }
        self.events = events
    }

    var lines: [String] { events.map(\.text) }

    /// The first event of a type.
    func event(_ word: String) -> JSON {
        events[index(of: word)]
    }

    func index(of word: String) -> Int {
        events.firstIndex { Self.word(of: $0) == word } ?? 0
    }

    /// A further event of this session, `after` seconds from its start.
    func further(_ word: String, _ data: JSON, after seconds: Int = 30) -> JSON {
        var generator = SeededGenerator(seed: UInt64(start + seconds))
        return Self.event(word, data, subject, start + seconds * 1000, &generator)
    }

    private static func word(of event: JSON) -> String {
        guard case .string(let type)? = event["type"] else { return "" }
        return String(type.dropFirst("authledger.session.".count))
    }

    private static func event(
        _ word: String, _ data: JSON, _ subject: String, _ milliseconds: Int,
        _ generator: inout SeededGenerator
    ) -> JSON {
        [
            "specversion": "1.0", "id": .string(generator.uuid7(milliseconds)),
            "source": "shop-backend", "type": .string("authledger.session." + word),
            "typeversion": 1, "subject": .string(subject),
            "time": .string(Workload.time(milliseconds, form: 0)), "data": data,
        ]
    }

    private static func initiated(_ flow: String, _ generator: inout SeededGenerator) -> JSON {
        [
            "provider": "idura", "issuer": "https://example.idura.broker",
            "clientID": "urn:example:application:1", "flow": .string(flow), "scope": "openid",
            "sealed": [
                "state": .string(generator.base64URL(24)),
                "nonce": .string(generator.base64URL(32)),
            ],
        ]
    }

    private static let redirected: JSON = [
        "endpoint": "https://example.idura.broker/oauth2/authorize", "par": false,
    ]

    private static func callback(_ generator: inout SeededGenerator) -> JSON {
        [
            "responseMode": "query", "stateMatched": true,
            "sealed": ["code": .string(generator.base64URL(24))],
        ]
    }

    private static func tokenIssued(_ generator: inout SeededGenerator) -> JSON {
        [
            "endpoint": "https://example.idura.broker/oauth2/token", "tokenType": "Bearer",
            "algorithm": "RS256", "keyID": "key-1",
            "keySet": ["keys": [["kty": "RSA", "kid": "key-1", "n": "AQAB", "e": "AQAB"]]],
            "policy": [
                "issuer": "https://example.idura.broker", "audience": "urn:example:application:1",
            ],
            "sealed": ["idToken": .string(generator.base64URL(300))],
        ]
    }

    private static let verified: JSON = [
        "algorithm": "RS256", "keyID": "key-1",
        "checks": [["name": "signature", "outcome": "passed"]],
    ]
}
