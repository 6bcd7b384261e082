// SPDX-License-Identifier: Apache-2.0

import Ingestion

extension RefusedLine {
    /// One for each reason there is to refuse a line.
    static let all =
        malformedJSON + envelope + places + ledgerMembers + keySets + policies + payloads + members
        + lists + transitions + conflicts + sizes

    /// What someone could try to leave behind in a message: it looks like a national id.
    private static let planted: JSON = "19121299999 planted"

    private static let malformedJSON: [RefusedLine] = [
        RefusedLine(raw: "a byte order mark", says: "byte order mark") {
            [0xEF, 0xBB, 0xBF] + $0.utf8
        },
        RefusedLine(raw: "a member twice", says: "twice") {
            Array($0.utf8.dropLast()) + Array(#","source":"other"}"#.utf8)
        },
        RefusedLine(raw: "a member twice, once escaped", says: "twice") {
            Array($0.utf8.dropLast()) + Array(#","s\u006Furce":"other"}"#.utf8)
        },
        RefusedLine(raw: "half a line", says: "ends too early") { Array($0.utf8.dropLast(40)) },
        RefusedLine(raw: "half a surrogate pair", says: "surrogate") {
            Array($0.replacing("openid", with: #"\uD83D"#).utf8)
        },
        RefusedLine(raw: "deep nesting", says: "deeply") {
            let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
            return Array($0.replacing("\"openid\"", with: deep).utf8)
        },
        RefusedLine(raw: "two events on one line", says: "follows the value") {
            Array(($0 + $0).utf8)
        },
        RefusedLine(raw: "a trailing comma", says: "cannot stand here") {
            Array(($0.dropLast() + ",}").utf8)
        },
        RefusedLine(raw: "no JSON at all", says: "cannot stand here") { _ in Array("event".utf8) },
        RefusedLine(raw: "a number with a leading zero", says: "not a JSON number") {
            Array($0.replacing("\"typeversion\":1", with: "\"typeversion\":01").utf8)
        },
        RefusedLine(raw: "a control character", says: "control character") {
            Array($0.replacing("openid", with: "open\u{1}id").utf8)
        },
        RefusedLine(raw: "an unknown escape", says: "unknown escape") {
            Array($0.replacing("openid", with: #"open\xid"#).utf8)
        },
        RefusedLine(raw: "bytes that are no UTF-8", says: "not UTF-8") {
            Array($0.utf8).replacing(Array("openid".utf8), with: [0xC3, 0x28])
        },
        RefusedLine(raw: "an array", says: "not a JSON object") { Array("[\($0)]".utf8) },
        RefusedLine(raw: "a text", says: "not a JSON object") { _ in Array("\"event\"".utf8) },
    ]

    private static let envelope: [RefusedLine] = [
        RefusedLine(
            .memberUnknown, "an attribute of another", says: "attribute", set: "planted", planted),
        RefusedLine(
            .memberUnknown, "recordedtime", says: "`recordedtime`", set: "recordedtime",
            "2026-11-20T09:15:02.114Z"),
        RefusedLine(
            .memberMalformed, "another content type", says: "`datacontenttype`",
            set: "datacontenttype", "application/xml"),
        RefusedLine(
            .memberMissing, "no specversion", says: "`specversion`", set: "specversion", nil),
        RefusedLine(
            .memberMalformed, "an old specversion", says: "`specversion`", set: "specversion", "0.3"
        ),
        RefusedLine(
            .memberMalformed, "a number as specversion", says: "`specversion`", set: "specversion",
            1),
        RefusedLine(.memberMissing, "no type", says: "`type`", set: "type", nil),
        RefusedLine(.memberMalformed, "a number as type", says: "`type`", set: "type", 7),
        RefusedLine(.typeUnknown, "a type of nobody", says: "`type`", set: "type", planted),
        RefusedLine(
            .typeUnknown, "a type that the ledger alone writes", says: "`type`", set: "type",
            "authledger.access.revealed"),
        RefusedLine(
            .memberMissing, "no typeversion", says: "`typeversion`", set: "typeversion", nil),
        RefusedLine(.versionUnknown, "version 0", says: "`typeversion`", set: "typeversion", 0),
        RefusedLine(
            .versionUnknown, "a later version", says: "`typeversion`", set: "typeversion", 2),
        RefusedLine(
            .versionUnknown, "a text as version", says: "`typeversion`", set: "typeversion", "1"),
        RefusedLine(.memberMissing, "no id", says: "`id`", set: "id", nil),
        RefusedLine(
            .memberMalformed, "a random UUID as id", says: "`id`", set: "id",
            "6f1de5c0-97b1-4c8e-9d6b-0f6f3f0c9a01"),
        RefusedLine(
            .memberMalformed, "an id in capitals", says: "`id`", set: "id",
            "0198B0F2-6C1E-7A44-9D6B-0F6F3F0C9A01"),
        RefusedLine(.memberMissing, "no subject", says: "`subject`", set: "subject", nil),
        RefusedLine(
            .memberMalformed, "a name as subject", says: "`subject`", set: "subject", planted),
        RefusedLine(.memberMissing, "no source", says: "`source`", set: "source", nil),
        RefusedLine(.memberMalformed, "an empty source", says: "`source`", set: "source", ""),
        RefusedLine(
            .memberMalformed, "a source with spaces", says: "`source`", set: "source", planted),
        RefusedLine(
            .memberMalformed, "a source that is too long", says: "`source`", set: "source",
            .string(String(repeating: "s", count: 201))),
        RefusedLine(.memberMissing, "no time", says: "`time`", set: "time", nil),
        RefusedLine(.memberMalformed, "a time in words", says: "`time`", set: "time", planted),
        RefusedLine(
            .memberMalformed, "a time without offset", says: "`time`", set: "time",
            "2026-11-20T09:15:02"),
        RefusedLine(
            .memberMalformed, "the 30th of February", says: "`time`", set: "time",
            "2026-02-30T09:15:02Z"),
        RefusedLine(.memberMalformed, "no data", says: "`data`", set: "data", nil),
        RefusedLine(.memberMalformed, "a text as data", says: "`data`", set: "data", planted),
        RefusedLine(
            .memberMalformed, "sealed data that are sealed already", says: "`data.sealed`",
            set: "data.sealed", "eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"),
    ]

    /// Source, revision and previous.
    private static let places: [RefusedLine] = [
        RefusedLine(
            .sourceRefused, "the ledger's own origin", says: "origin", set: "source",
            .string(RefusedLine.origin)),
        RefusedLine(
            .sourceRefused, "another source than the session's", "redirected", says: "another",
            set: "source", "other-backend"),
        RefusedLine(.memberMalformed, "revision 0", says: "`revision`", set: "revision", 0),
        RefusedLine(
            .memberMalformed, "a text as revision", says: "`revision`", set: "revision", planted),
        RefusedLine(
            .memberMalformed, "half a revision", says: "`revision`", set: "revision", .raw("1.5")),
        RefusedLine(
            .revisionMismatch, "a revision that leaves a gap", "callback", says: "`revision`",
            set: "revision", 1_912_129_999),
        RefusedLine(
            .memberMalformed, "a previous that is no hash", "redirected", says: "`previous`",
            set: "previous", planted),
        RefusedLine(
            .revisionMismatch, "a previous of a first event", says: "`previous`", set: "previous",
            hash),
        RefusedLine(
            .revisionMismatch, "a previous of another event", "callback", says: "`previous`",
            set: "previous", hash),
    ]

    /// The origin of the ledger in which the lines are tried.
    static let origin = "example.org/refused-lines"

    private static let hash: JSON = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

    private static let ledgerMembers: [RefusedLine] =
        [
            "keySetDigest", "keySetSource", "policyDigest", "policySource", "policyCompleted",
            "discoveryDigest", "profileDigest", "keyCommitment", "sealedBlob",
        ].map {
            RefusedLine(
                .memberUnknown, $0, "token-issued", says: "`data.\($0)` is set by the ledger",
                set: "data.\($0)", hash)
        } + [
            RefusedLine(
                .memberUnknown, "withheld values", says: "`data.sealed.withheld`",
                set: "data.sealed.withheld", ["error": planted])
        ]

    private static func keySet(_ name: String, _ value: JSON) -> RefusedLine {
        RefusedLine(
            .memberMalformed, name, "token-issued", says: "`data.keySet`", set: "data.keySet", value
        )
    }

    private static let keySets: [RefusedLine] =
        [
            keySet("a text as key set", planted), keySet("a key set without keys", [:]),
            keySet("a text as keys", ["keys": planted]),
            keySet("a text as key", ["keys": [planted]]),
            keySet("too many keys", ["keys": .array(.init(repeating: [:], count: 257))]),
            keySet("a key with a fraction", ["keys": [["kty": "RSA", "x": .raw("1.25")]]]),
            RefusedLine(
                .memberUnknown, "a key set where no tokens are", "callback", says: "`keySet`",
                set: "data.keySet", ["keys": []]),
        ]
        + ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].map {
            keySet(
                "a private key with \($0)", ["keys": [.object([.init(name: $0, value: planted)])]])
        }

    private static func policy(
        _ code: Code, _ name: String, _ member: String, _ value: JSON?
    ) -> RefusedLine {
        RefusedLine(
            code, "policy: " + name, "token-issued",
            says: code == .memberUnknown ? "`data.policy`" : "`data.policy.\(member)`",
            set: "data.policy.\(member)", value)
    }

    private static let policies: [RefusedLine] = [
        RefusedLine(
            .memberMalformed, "a text as policy", "token-issued", says: "`data.policy`",
            set: "data.policy", planted),
        policy(.memberUnknown, "an unknown member", "19121299999", planted),
        policy(.memberMissing, "no issuer", "issuer", nil),
        policy(.memberMissing, "no audience", "audience", nil),
        policy(.memberMalformed, "an empty issuer", "issuer", ""),
        policy(.memberMalformed, "a list as audience", "audience", [planted]),
        policy(.memberMalformed, "a text as algorithms", "algorithms", planted),
        policy(.memberMalformed, "a number among algorithms", "algorithms", ["RS256", 1]),
        policy(.memberMalformed, "a number as trusted audience", "trustedAudiences", [1]),
        policy(.memberMalformed, "too much skew", "clockSkewSeconds", 301),
        policy(.memberMalformed, "too much skew of a claim", "clockSkewSeconds", ["exp": 301]),
        policy(.memberMalformed, "skew of another claim", "clockSkewSeconds", ["jti": 3]),
        policy(.memberMalformed, "no age at all", "issuedAtAgeSecondsMax", 0),
        policy(.memberMalformed, "an unknown nonce rule", "nonce", planted),
        policy(.memberMalformed, "an impossible level", "levelOfAssuranceMin", 10),
        policy(.memberMalformed, "a text as table", "levelsOfAssurance", planted),
        policy(.memberMalformed, "a text in the table", "levelsOfAssurance", ["acr": planted]),
        policy(.memberMalformed, "weak keys", "rsaBitsMin", 1024),
        policy(.memberMalformed, "tiny tokens", "tokenBytesMax", 10),
    ]

    private static func missing(_ step: String, _ member: String) -> RefusedLine {
        RefusedLine(
            .memberMissing, "\(step) without \(member)", step,
            flow: step == "polled" ? "ciba" : "pkce", says: "`\(member)` is missing",
            set: "data.\(member)", nil)
    }

    /// What each of the events must have, and what none has.
    private static let payloads: [RefusedLine] =
        [
            missing("initiated", "provider"), missing("initiated", "clientID"),
            missing("initiated", "flow"), missing("redirected", "endpoint"),
            missing("polled", "status"), missing("polled", "attempt"),
            missing("verified", "algorithm"), missing("verified", "checks"),
            failed(.memberMissing, "failed without stage", "`stage`", "stage", nil),
            failed(.memberMissing, "failed without reason", "`reason`", "reason", nil),
            failed(.memberMalformed, "an unknown stage", "`stage`", "stage", planted),
            failed(.memberMalformed, "a reason of nobody", "`reason`", "reason", planted),
            RefusedLine(
                .memberUnknown, "a member whose name is a number", says: "(unprintable name)",
                set: "data.19121299999", "x"),
        ]
        + ["initiated", "redirected", "callback", "token-issued", "verified"].map {
            RefusedLine(
                .memberUnknown, "\($0) with another's member", $0, says: "`nationality`",
                set: "data.nationality", planted)
        }

    private static func failed(
        _ code: Code, _ name: String, _ message: String, _ member: String, _ value: JSON?
    ) -> RefusedLine {
        RefusedLine(code, name, "callback", says: message) { _, session in
            session.further("failed", ["stage": "callback", "reason": "access-denied"])
                .setting("data.\(member)", value)
        }
    }

    private static func malformed(
        _ member: String, _ value: JSON, _ step: String = "initiated", _ name: String = ""
    ) -> RefusedLine {
        RefusedLine(
            .memberMalformed, name.isEmpty ? "\(member): \(value.text.prefix(40))" : name, step,
            flow: step == "polled" ? "ciba" : "pkce", says: "`\(member)` must be",
            set: "data.\(member)", value)
    }

    /// Every kind of clear member with something that it does not take.
    private static let members: [RefusedLine] = [
        malformed("provider", planted), malformed("provider", ""), malformed("provider", 5),
        malformed("provider", .string(String(repeating: "p", count: 65))),
        malformed("clientID", "with space"), malformed("clientID", "caf\u{E9}"),
        malformed("issuer", "https://example.org/?login_hint=19121299999"),
        malformed("issuer", "https://user@example.org/"), malformed("issuer", "ftp://example.org"),
        malformed("issuer", "https://example.org/#19121299999"), malformed("issuer", .null),
        malformed("redirectURI", "app:?x=19121299999"), malformed("redirectURI", "no-scheme"),
        malformed("scope", "openid  profile"), malformed("scope", " openid"),
        malformed("scope", "caf\u{E9}"), malformed("acrValues", ""),
        malformed("flow", planted), malformed("codeChallenge", planted),
        malformed("codeChallenge", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFV"),
        malformed("responseMode", 5, "callback"), malformed("error", 5, "callback"),
        malformed("from", planted, "callback"), malformed("stateMatched", "true", "callback"),
        malformed("stateBinding", planted, "callback"), malformed("traceID", planted, "callback"),
        malformed("traceID", .string(String(repeating: "a", count: 65)), "callback"),
        malformed("to", planted, "redirected"), malformed("par", 1, "redirected"),
        malformed("status", planted, "polled"), malformed("attempt", -1, "polled"),
        malformed("attempt", 1_912_129_999, "polled"), malformed("attempt", .raw("1.5"), "polled"),
        malformed("interval", "3", "polled"), malformed("expiresIn", 31_536_001, "polled"),
        malformed("httpStatus", 600, "polled"), malformed("durationMs", 86_400_001, "polled"),
        malformed("gap", "no", "polled"), malformed("algorithm", [], "verified"),
        malformed("levelOfAssurance", 10, "verified"), malformed("checksVersion", 0, "verified"),
        malformed("tokenIssuedAt", planted, "verified"), malformed("acr", 3, "verified"),
    ]

    private static let lists: [RefusedLine] = [
        malformed("checks", planted, "verified"),
        malformed(
            "checks", .array(.init(repeating: ["name": "alg", "outcome": "passed"], count: 65)),
            "verified", "too many checks"),
        RefusedLine(
            .memberMalformed, "a text as check", "verified", says: "`checks[0]`",
            set: "data.checks", [planted]),
        RefusedLine(
            .memberMissing, "a check without name", "verified", says: "`checks[1].name`",
            set: "data.checks",
            [["name": "alg", "outcome": "passed"], ["outcome": "passed"]]),
        RefusedLine(
            .memberMalformed, "a check with a name in capitals", "verified",
            says: "`checks[0].name`", set: "data.checks", [["name": planted, "outcome": "passed"]]),
        RefusedLine(
            .memberMalformed, "a check with another outcome", "verified",
            says: "`checks[0].outcome`", set: "data.checks", [["name": "alg", "outcome": planted]]),
        RefusedLine(
            .memberUnknown, "a check with a detail", "verified", says: "`checks[0].detail`",
            set: "data.checks", [["name": "alg", "outcome": "passed", "detail": planted]]),
        RefusedLine(
            .memberMalformed, "an exchange with a query", "redirected",
            says: "`exchanges[0].endpoint`", set: "data.exchanges",
            [["purpose": "par", "endpoint": "https://example.org/par?id=19121299999"]]),
        RefusedLine(
            .memberMalformed, "an exchange with another purpose", "redirected",
            says: "`exchanges[0].purpose`", set: "data.exchanges",
            [["purpose": planted, "endpoint": "https://example.org/par"]]),
        RefusedLine(
            .memberUnknown, "an exchange with its body", "redirected",
            says: "`exchanges[0].body`", set: "data.exchanges",
            [["purpose": "par", "endpoint": "https://example.org/par", "body": planted]]),
    ]

    private static func transition(
        _ name: String, _ step: String, flow: String = "pkce", afterOriginal: Bool = false,
        says message: String, _ word: String, _ data: JSON
    ) -> RefusedLine {
        RefusedLine(
            .transitionRefused, name, step, flow: flow, afterOriginal: afterOriginal, says: message
        ) { _, session in session.further(word, data) }
    }

    private static let failure: JSON = ["stage": "callback", "reason": "access-denied"]
    private static let poll: JSON = ["status": "pending", "attempt": 1]
    private static let redirect: JSON = ["endpoint": "https://example.org/authorize"]
    private static let verdict: JSON = ["algorithm": "RS256", "checks": []]

    private static let transitions: [RefusedLine] = [
        transition(
            "a session that begins with its end", "initiated", says: "begins", "failed", failure),
        transition(
            "a session that begins with a callback", "initiated", says: "begins", "callback", [:]),
        transition(
            "a second beginning", "redirected", says: "`initiated`", "initiated",
            ["provider": "idura", "clientID": "a", "flow": "pkce"]),
        transition(
            "a callback before the redirect", "redirected", says: "`callback`", "callback", [:]),
        transition(
            "tokens before the callback", "callback", says: "`token-issued`", "token-issued", [:]),
        transition(
            "a verdict before the tokens", "token-issued", says: "`verified`", "verified", verdict),
        transition(
            "a second redirect", "token-issued", says: "`redirected`", "redirected", redirect),
        transition(
            "something after the end", "verified", afterOriginal: true, says: "ended", "failed",
            failure),
        transition("a poll in a redirect flow", "redirected", says: "flow", "polled", poll),
        transition(
            "a redirect in CIBA", "polled", flow: "ciba", says: "flow", "redirected", redirect),
        transition(
            "a redirect in headless", "polled", flow: "headless", says: "flow", "redirected",
            redirect),
    ]

    private static func conflict(
        _ name: String, _ step: String = "initiated",
        _ change: @escaping @Sendable (JSON) -> JSON
    ) -> RefusedLine {
        RefusedLine(.idConflict, name, step, afterOriginal: true, says: "`id`") { event, _ in
            change(event)
        }
    }

    private static let conflicts: [RefusedLine] = [
        conflict("another clear member") { $0.setting("data.scope", "openid profile") },
        conflict("another sealed member") { $0.setting("data.sealed.state", planted) },
        conflict("no sealed part any more") { $0.setting("data.sealed", nil) },
        conflict("another time") { $0.setting("time", "2026-11-20T09:15:02.999Z") },
        conflict("another revision") { $0.setting("revision", 1_912_129) },
        conflict("another type", "redirected") {
            $0.setting("type", "authledger.session.failed").setting("data", failure)
        },
        conflict("another key set", "token-issued") {
            $0.setting("data.keySet", ["keys": [["kty": "EC", "kid": "key-1"]]])
        },
        conflict("another policy", "token-issued") { $0.setting("data.policy.nonce", "always") },
    ]

    private static let sizes: [RefusedLine] = [
        RefusedLine(
            .eventTooLarge, "clear members beyond the size of a leaf", "redirected",
            says: "fit in the log", set: "data.exchanges",
            .array(
                .init(
                    repeating: [
                        "purpose": "par",
                        "endpoint": .string(
                            "https://example.org/" + .init(repeating: "a", count: 1500)),
                    ], count: 60))),
        RefusedLine(
            .eventTooLarge, "a key set beyond 1 MiB", "token-issued", says: "1 MiB",
            set: "data.keySet.keys", [["n": .string(.init(repeating: "a", count: 1_048_577))]]),
        RefusedLine(
            .lineTooLong, "a line beyond 4 MiB", says: "4194304", set: "data.sealed.response",
            .string(.init(repeating: "a", count: 4_194_304))),
    ]
}
