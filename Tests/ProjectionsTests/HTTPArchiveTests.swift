// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Projections
import SessionEvents
import TestSupport
import Testing

@Suite("A login as an HTTP Archive")
struct HTTPArchiveTests {
    private static func archive(_ story: FailureStory) throws -> JSONObject {
        try archive(try story.stream())
    }

    private static func archive(_ stream: Stream, erasedAt: Instant? = nil) throws -> JSONObject {
        let archive = try #require(try HTTPArchive(stream.events, erasedAt: erasedAt))
        let object = archive.object(version: "1.2.3")
        #expect(object.entries.count == archive.count)
        return object
    }

    private static func archive(_ events: [SessionEvent]) throws -> JSONObject {
        var stream = Stream()
        for event in events { try stream.add(event) }
        return try archive(stream)
    }

    private static func initiated(
        _ flow: Flow, _ change: (inout Initiated) -> Void = { _ in }
    ) -> SessionEvent {
        var payload = Initiated(
            provider: "bank", issuer: "https://op.example", clientID: "rp", flow: flow,
            scope: "openid", redirectURI: "https://rp.example/callback")
        change(&payload)
        return .initiated(payload)
    }

    private static func schemaCase(_ archive: HTTPArchive) -> Schemas.Case {
        Schemas.Case("har.v1.schema.json", .object(archive.object(version: "1")))
    }

    /// A login whose request was pushed beforehand, refused at UserInfo.
    private static func fullLogin() throws -> FailureStory {
        try FailureStory.begin(acr: "urn:x;LOA=3", mode: "query")
            .then(
                .redirected(
                    Redirected(
                        endpoint: "https://op.example/authorize", usedPAR: true,
                        traceID: "77aa", exchanges: [FailureStory.request("par", 201, took: 55)])),
                after: 120
            )
            .back(mode: "query", trace: "77ab").tokens()
            .end(
                .userinfo, "userinfo-subject-mismatch", failed: [],
                exchange: FailureStory.request("userinfo", 200), after: 60)
    }

    // MARK: - The document

    @Test("has page and entries as the golden file has them")
    func golden() throws {
        let bytes = PrettyJSON.encode(.object(try Self.archive(try Self.fullLogin())))
        let path = "Tests/ProjectionsTests/Golden/login.har"
        let expected = try Golden.expected(at: path, now: bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
    }

    @Test("fits its schema whatever the login ended with, reported or not, and at every event")
    func schema() throws {
        var cases: [Schemas.Case] = []
        for code in FailureReason.catalogue.sorted() {
            guard let story = try FailureStory.of(code) else { continue }
            for stream in [try story.stream(), try story.reported().stream()] {
                let archive = try #require(
                    try HTTPArchive(stream.events, erasedAt: Stream.time(9000)))
                cases.append(Self.schemaCase(archive))
            }
        }
        let events = try Self.fullLogin().stream().events
        for count in 1...events.count {
            let archive = try #require(try HTTPArchive(Array(events.prefix(count))))
            cases.append(Self.schemaCase(archive))
        }
        #expect(cases.count > 100)
        for (verdict, item) in zip(try Schemas.verdicts(on: cases), cases) {
            let title = item.instance.objectValue?.page["title"]?.stringValue ?? ""
            #expect(verdict.isValid, "\(title): \(verdict)")
        }
    }

    @Test("does not fit its schema with a query in a URL, or with a member that nobody knows")
    func schemaRefuses() throws {
        let good = try Self.archive(try Self.fullLogin())
        let text = String(decoding: CanonicalJSON.encode(good), as: UTF8.self)
        let changes = [
            (#""url":"https://op.example/par""#, #""url":"https://op.example/par?code=1""#),
            (#""cookies":[]"#, #""cookies":[{"name":"a","value":"b"}]"#),
            (#""_seq":2"#, #""_seq":2,"_token":"x""#), (#""_type":"callback""#, #""_type":"x""#),
            (#""size":0"#, #""size":0,"text":"x""#), (#""version":"1.2""#, #""version":"1.1""#),
        ]
        for (old, new) in changes {
            let bad = text.replacing(old, with: new)
            #expect(bad != text, "\(old)")
            let value = try JSONReader.read(Array(bad.utf8), numbers: .integersOnly)
            let verdicts = try Schemas.verdicts(on: [Schemas.Case("har.v1.schema.json", value)])
            #expect(verdicts.allSatisfy { !$0.isValid }, "\(new)")
        }
    }

    @Test("says nothing but what is clear in the events, and fixed words")
    func byConstruction() throws {
        for code in FailureReason.catalogue.sorted() {
            guard let story = try FailureStory.of(code) else { continue }
            var stream = Stream()
            for (event, milliseconds) in story.events {
                try stream.add(event, isSealed: true, after: milliseconds)
            }
            let clear = Set(stream.events.flatMap { JSONValue.object($0.data).texts })
            let fields = try Self.archive(stream).entries.flatMap { entry in
                [entry["request"]?.objectValue?["url"]?.stringValue].compactMap(\.self)
                    + entry.parameters.map(\.value)
            }
            let fixed: Set<String> = [
                "(withheld)", "about:blank", "authorization_code", "client_credentials", "code",
                "S256", "urn:openid:params:grant-type:ciba",
            ]
            for text in fields { #expect(clear.contains(text) || fixed.contains(text), "\(text)") }
            #expect(!fields.contains("box"))
        }
    }

    @Test("is made of sessions only, and names what the login came to with the last entry")
    func verdict() throws {
        #expect(try HTTPArchive([]) == nil)
        var other = Stream()
        try other.add(
            "authledger.erasure.started", [:], to: "018f0000-0000-7000-8000-000000000009")
        #expect((try? HTTPArchive(other.events)) == nil)
        let open = try Self.archive(FailureStory.upToTokens())
        #expect(open.page["_verdict"] == nil && open.page["_state"] == .string("token-issued"))
        #expect(open.entries.allSatisfy { $0["_verdict"] == nil })
        let failed = try Self.archive(
            try FailureStory.upToTokens().judged("nonce-mismatch", "nonce", "aud"))
        #expect(failed.page["_verdict"] == .string("failed"))
        #expect(failed.page["_failedChecks"] == .array([.string("nonce"), .string("aud")]))
        #expect(failed.entries.map { $0["_verdict"] } == [nil, nil, .string("failed")])
        #expect(failed.entries.map { $0["_reason"] } == [nil, nil, .string("nonce-mismatch")])
        // Where nothing was sent there is no entry, and the page says it all.
        let early = try Self.archive(
            try FailureStory.begin().end(.discovery, "discovery-issuer-mismatch"))
        #expect(early.entries.isEmpty)
        #expect(early.page["_reason"] == .string("discovery-issuer-mismatch"))
    }

    @Test("of a session that was erased says so and has what is clear")
    func erased() throws {
        let stream = try FailureStory.upToTokens().stream()
        let archive = try Self.archive(stream, erasedAt: Stream.time(500))
        #expect(archive.page["_erasedAt"] == .string(Stream.time(500).rfc3339))
        #expect(archive.entries.count == 3)
    }

    // MARK: - Flows

    @Test("has the names that a flow's parameters have, and values only where they are clear")
    func parameters() throws {
        let digest = Digest(InlineArray(repeating: 4))
        let login = try Self.archive([
            Self.initiated(.pkce) {
                $0.codeChallenge = digest
                $0.acrValues = "urn:x"
            },
            Stream.redirected, Stream.callback,
            .tokenIssued(TokenIssued(endpoint: "https://op.example/token")),
        ]).entries
        #expect(
            login[0].parameters == [
                Field("response_type", "code"), Field("client_id", "rp"),
                Field("redirect_uri", "https://rp.example/callback"), Field("scope", "openid"),
                Field("state"), Field("nonce"), Field("code_challenge", digest.base64URL),
                Field("code_challenge_method", "S256"), Field("acr_values", "urn:x"),
            ])
        #expect(login[1].parameters == [Field("code"), Field("state")])
        #expect(
            login[2].parameters == [
                Field("grant_type", "authorization_code"), Field("code"),
                Field("redirect_uri", "https://rp.example/callback"), Field("code_verifier"),
            ])
        let pushed = try Self.archive([
            Self.initiated(.code),
            .redirected(
                Redirected(
                    endpoint: "https://op.example/a", usedPAR: true,
                    exchanges: [Exchange(purpose: "par", endpoint: "https://op.example/par")])),
        ]).entries
        #expect(pushed.map(\.purpose) == ["par", "authorization"])
        #expect(pushed[0].parameters.map(\.name).contains("nonce"))
        #expect(pushed[1].parameters == [Field("client_id", "rp"), Field("request_uri")])
    }

    @Test("tells callbacks apart: an error, a form, a signed answer, the account selector")
    func callbacks() throws {
        func callback(
            _ payload: CallbackReceived, _ begun: SessionEvent = Self.initiated(.code)
        ) throws -> JSONObject {
            try #require(try Self.archive([begun, .callback(payload)]).entries.first)
        }
        let refused = try callback(CallbackReceived(error: "access_denied", stateMatched: true))
        #expect(refused.parameters == [Field("error", "access_denied"), Field("state")])
        #expect(refused["_error"] == .string("access_denied"))
        let form = try callback(CallbackReceived(responseMode: "form_post", stateMatched: false))
        #expect(form.method == "POST")
        #expect(form["request"]?.objectValue?["queryString"] == .array([]))
        #expect(form.parameters == [Field("code"), Field("state")])
        let signed = try callback(CallbackReceived(stateMatched: true, algorithm: "PS256"))
        #expect(signed.parameters == [Field("response")])
        let chosen = try callback(CallbackReceived(from: .accountSelector, stateMatched: true))
        #expect(chosen.parameters.isEmpty)
        let both = Self.initiated(.implicit) { $0.responseType = "id_token token" }
        let tokens = try callback(CallbackReceived(stateMatched: true), both)
        #expect(tokens.parameters == [Field("id_token"), Field("access_token"), Field("state")])
        let nowhere = try callback(
            CallbackReceived(), Self.initiated(.implicit) { $0.redirectURI = nil })
        #expect(nowhere["request"]?.objectValue?["url"] == .string("about:blank"))
        #expect(nowhere.parameters == [Field("id_token")])
    }

    @Test("has no exchange for tokens that came with the callback")
    func implicit() throws {
        let entries = try Self.archive([
            Self.initiated(.implicit), Stream.redirected, Stream.callback, Stream.issued,
            Stream.verified,
        ]).entries
        #expect(entries.map(\.purpose) == ["authorization", "callback"])
        #expect(entries.last?["_verdict"] == .string("verified"))
    }

    @Test(
        "has the request and every poll of a login without a browser",
        arguments: [(Flow.ciba, "auth_req_id"), (.headless, "headless_req_id")])
    func polls(flow: Flow, name: String) throws {
        let entries = try Self.archive([
            Self.initiated(flow) { $0.requestedExpirySeconds = 90 },
            .polled(
                Polled(
                    status: .accepted, attempt: 0, endpoint: "https://op.example/ciba",
                    httpStatus: 200)),
            .polled(
                Polled(
                    status: .pending, attempt: 1, error: "authorization_pending", hint: "started",
                    httpStatus: 400)),
            .polled(Polled(status: .unavailable, attempt: 2, hasGap: true)),
            .tokenIssued(
                TokenIssued(endpoint: "https://op.example/token", attempt: 3, httpStatus: 200)),
        ]).entries
        #expect(entries.map(\.purpose) == ["backchannel", "poll", "poll", "token"])
        #expect(entries.map { $0["_attempt"] } == (0...3).map { .integer($0) })
        #expect(
            entries[0].parameters == [Field("scope", "openid"), Field("requested_expiry", "90")])
        for poll in entries.dropFirst() {
            #expect(poll.parameters.last == Field(name))
            #expect(poll["request"]?.objectValue?["url"] == .string("https://op.example/token"))
        }
        #expect(entries.map(\.status) == [200, 400, 0, 200])
        #expect(entries[1]["_hint"] == .string("started"))
        #expect(entries[1]["_error"] == .string("authorization_pending"))
        #expect(entries[2]["_gap"] == .bool(true))
        #expect(entries[2]["response"]?.objectValue?["comment"] != nil)
    }

    @Test("has requests beside the flow that it knows, and those that it does not")
    func beside() throws {
        let known = [
            ("permission-token", "POST"), ("permission-issuer", "GET"), ("permission", "POST"),
            ("grant", "GET"), ("grant-keys", "GET"), ("userinfo", "GET"), ("token", "POST"),
            ("backchannel", "POST"), ("made-up", "UNKNOWN"),
        ]
        let entries = try Self.archive([
            Self.initiated(.code),
            .redirected(
                Redirected(
                    endpoint: "https://op.example/a",
                    exchanges: known.map {
                        Exchange(purpose: $0.0, endpoint: "https://op.example/\($0.0)")
                    })),
        ]).entries
        #expect(entries.map(\.purpose) == known.map(\.0) + ["authorization"])
        #expect(entries.dropLast().map(\.method) == known.map(\.1))
        #expect(entries.allSatisfy { $0.status == 0 })
    }

    // MARK: - Times

    @Test("begins exchanges so long before their ends as they took, one after the other")
    func times() throws {
        let archive = try Self.archive(try Self.fullLogin())
        // Begun at 0, redirected at 120, back at 9520, tokens at 9730, UserInfo by 9790.
        let expected: [(purpose: String, start: Int64, time: Int64)] = [
            ("par", 65, 55), ("authorization", 120, 9400), ("callback", 9520, 0),
            ("token", 9550, 180), ("userinfo", 9749, 41),
        ]
        #expect(archive.entries.map(\.purpose) == expected.map(\.purpose))
        #expect(
            archive.entries.map { $0["startedDateTime"] }
                == expected.map {
                    .string(Stream.time(0).advanced(byMilliseconds: $0.start).rfc3339)
                })
        #expect(archive.entries.map { $0["time"] } == expected.map { .integer($0.time) })
        for entry in archive.entries {
            let timings = try #require(entry["timings"]?.objectValue)
            #expect(timings["wait"] == entry["time"])
            #expect((timings["comment"] != nil) == (entry.purpose == "callback"))
        }
        #expect(archive.page["pageTimings"]?.objectValue?["onLoad"] == .integer(9790))
    }

    @Test("has no negative times when the clock was put back")
    func clockPutBack() throws {
        let archive = try Self.archive(FailureStory.begin().sent().back(after: -60_000))
        #expect(archive.entries.map { $0["time"] } == [.integer(0), .integer(0)])
        #expect(archive.page["pageTimings"]?.objectValue?["onLoad"] == .integer(-1))
    }
}

/// A parameter; without a value one that is withheld.
private struct Field: Equatable {
    let name: String
    let value: String

    init(_ name: String, _ value: String = HTTPArchive.withheld) {
        self.name = name
        self.value = value
    }
}

extension JSONObject {
    private var log: JSONObject { self["log"]?.objectValue ?? [:] }

    fileprivate var entries: [JSONObject] {
        (log["entries"]?.arrayValue ?? []).compactMap(\.objectValue)
    }

    fileprivate var page: JSONObject { log["pages"]?.arrayValue?.first?.objectValue ?? [:] }

    fileprivate var purpose: String { self["_purpose"]?.stringValue ?? "" }
    fileprivate var method: String {
        self["request"]?.objectValue?["method"]?.stringValue ?? ""
    }
    fileprivate var status: Int64? { self["response"]?.objectValue?["status"]?.integerValue }

    /// What an entry has in its query, or else in its form.
    fileprivate var parameters: [Field] {
        let request = self["request"]?.objectValue ?? [:]
        let query = request["queryString"]?.arrayValue ?? []
        let form = request["postData"]?.objectValue?["params"]?.arrayValue ?? []
        return (query + form).compactMap(\.objectValue).map {
            Field($0["name"]?.stringValue ?? "", $0["value"]?.stringValue ?? "")
        }
    }
}

extension JSONValue {
    /// Every text and number in it, as text.
    fileprivate var texts: [String] {
        switch self {
        case .string(let text): [text]
        case .integer(let number): ["\(number)"]
        case .array(let elements): elements.flatMap(\.texts)
        case .object(let object): object.members.flatMap { $0.value.texts }
        case .null, .bool, .number: []
        }
    }
}
