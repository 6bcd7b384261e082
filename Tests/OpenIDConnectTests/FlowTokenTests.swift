// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import TestSupport
import Testing

@Suite("A token request")
struct FlowTokenRequestTests {
    private static func request(
        _ method: ClientRegistration.AuthenticationMethod, clientID: String = "urn:rp:1",
        secret: String? = "s", verifier: String? = "v", code: String = "c"
    ) throws -> HTTPRequest {
        var limits = HTTPRequest.Limits()
        limits.bodyBytesMax = 77
        let registration = ClientRegistration(
            clientID: clientID, authentication: method,
            redirectURI: "https://rp.example/cb?a=b", scope: "openid")
        let client = BackchannelClient(
            registration: registration,
            credential: secret.map { .secret(ClientSecret($0)) } ?? .none,
            issuer: "https://op.example", limits: limits)
        return try client.post(
            TokenExchange.form(
                code: code, redirectURI: registration.redirectURI, codeVerifier: verifier),
            to: "https://op.example/token?x=1",
            on: RequestOccasion(at: Instant(millisecondsSince1970: 0), uniqueID: "unique"))
    }

    private static func text(_ request: HTTPRequest) -> String {
        String(decoding: request.body, as: UTF8.self)
    }

    private static let body =
        "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Frp.example%2Fcb%3Fa%3Db"
    private static let fields = [
        HTTPField("Content-Type", "application/x-www-form-urlencoded"),
        HTTPField("Accept", "application/json"),
    ]

    @Test("of a public client names the client in the body")
    func none() throws {
        let request = try Self.request(.none, secret: nil)
        #expect(Self.text(request) == Self.body + "&code_verifier=v&client_id=urn%3Arp%3A1")
        #expect(request.fields == Self.fields)
        #expect(request.method == .post)
        #expect(request.url == "https://op.example/token?x=1")
        #expect(request.limits.bodyBytesMax == 77)
    }

    @Test("with client_secret_post has id and secret in the body, form-encoded")
    func post() throws {
        let request = try Self.request(.clientSecretPost, secret: "a b&c=d%\u{E9}")
        #expect(
            Self.text(request) == Self.body
                + "&code_verifier=v&client_id=urn%3Arp%3A1"
                + "&client_secret=a%20b%26c%3Dd%25%C3%A9")
        #expect(request.fields == Self.fields)
    }

    @Test(
        "with client_secret_basic form-encodes id and secret before they are joined",
        arguments: [
            ("rp", "s", "rp:s"), ("urn:rp:1", "a:b", "urn%3Arp%3A1:a%3Ab"),
            ("rp", "p+s w/%", "rp:p%2Bs%20w%2F%25"),
            ("r\u{E9}", "\u{1F511}", "r%C3%A9:%F0%9F%94%91"),
            ("rp", "", "rp:"), (":", ":", "%3A:%3A"),
        ])
    func basic(clientID: String, secret: String, pair: String) throws {
        let request = try Self.request(.clientSecretBasic, clientID: clientID, secret: secret)
        #expect(Self.text(request) == Self.body + "&code_verifier=v")
        #expect(
            request.fields == Self.fields + [
                HTTPField("Authorization", "Basic " + Base64.encode(Array(pair.utf8)))
            ])
    }

    @Test("without PKCE has no verifier, and takes any code as it is")
    func withoutVerifier() throws {
        #expect(try Self.text(Self.request(.clientSecretBasic, verifier: nil)) == Self.body)
        let odd = try Self.text(
            Self.request(.clientSecretBasic, verifier: nil, code: "a&b=c d+\u{E9}"))
        #expect(odd.contains("&code=a%26b%3Dc%20d%2B%C3%A9&"))
    }

    @Test("is made with a secret that no description shows")
    func secret() {
        let secret = ClientSecret("hidden-value")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(describing: secret), String(reflecting: secret), dumped] {
            #expect(!text.contains("hidden-value"))
        }
    }
}

@Suite("An authorization request")
struct FlowAuthorizationRequestTests {
    @Test("has the challenge of the verifier, and a query behind what the endpoint has already")
    func url() {
        var request = AuthorizationRequest(
            registration: ClientRegistration(
                clientID: "rp:1", authentication: .none, redirectURI: "https://rp.example/cb",
                scope: "openid profile"),
            state: "s t", nonce: "n",
            // RFC 7636, appendix B.
            codeVerifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", acrValues: "a b",
            extraParameters: [FormEncoding.Parameter("ui_locales", "nb")])
        let expected =
            "response_type=code&client_id=rp%3A1&redirect_uri=https%3A%2F%2Frp.example%2Fcb"
            + "&scope=openid%20profile&state=s%20t&nonce=n"
            + "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
            + "&code_challenge_method=S256&acr_values=a%20b&ui_locales=nb"
        #expect(request.url(endpoint: "https://op.example/a") == "https://op.example/a?" + expected)
        #expect(
            request.url(endpoint: "https://op.example/a?b=c")
                == "https://op.example/a?b=c&" + expected)
        request.codeVerifier = nil
        #expect(!request.parameters.contains { $0.name.hasPrefix("code_challenge") })
    }
}

@Suite("A token response")
struct FlowTokenResponseTests {
    private static let good: JSONObject = [
        "access_token": .string("at-1"), "expires_in": .integer(300), "id_token": .string("a.b.c"),
        "refresh_token": .string("rt-1"), "token_type": .string("Bearer"),
    ]

    private static func response(
        _ changes: JSONObject = [:], status: Int = 200, type: String? = "application/json"
    ) -> HTTPResponse {
        var members = good
        for member in changes.members {
            members[member.name] = member.value == .null ? nil : member.value
        }
        return HTTPResponse(
            status: status, fields: type.map { [HTTPField("content-type", $0)] } ?? [],
            body: CanonicalJSON.encode(members))
    }

    private static func reason(_ response: HTTPResponse) -> String {
        do {
            _ = try TokenExchange.process(response)
            return "taken"
        } catch {
            return error.reason.rawValue + (error.error.map { " (\($0))" } ?? "")
        }
    }

    private static func reason(text: String, status: Int = 200) -> String {
        reason(
            HTTPResponse(
                status: status, fields: [HTTPField("Content-Type", "application/json")],
                body: Array(text.utf8)))
    }

    @Test("gives the tokens")
    func members() throws {
        let tokens = try TokenExchange.process(Self.response())
        #expect(tokens.idToken == "a.b.c")
        #expect(tokens.accessToken == "at-1")
        #expect(tokens.refreshToken == "rt-1")
        #expect(tokens.tokenType == "Bearer")
        #expect(tokens.expiresInSeconds == 300)
        let least = try TokenExchange.process(
            Self.response(["access_token": .null, "refresh_token": .null, "expires_in": .null]))
        #expect(least.accessToken == nil)
        #expect(least.refreshToken == nil)
        #expect(least.expiresInSeconds == nil)
    }

    @Test(
        "is JSON by its media type, in any case and with parameters",
        arguments: [
            ("application/json", "taken"), ("application/json;charset=UTF-8", "taken"),
            ("Application/JSON ; charset=utf-8", "taken"),
            ("text/html", "token-response-malformed"),
            ("application/jsonp", "token-response-malformed"),
            ("application/jwt", "token-response-malformed"), ("", "token-response-malformed"),
            ("json", "token-response-malformed"), (nil, "token-response-malformed"),
        ])
    func mediaType(type: String?, expected: String) {
        #expect(Self.reason(Self.response(type: type)) == expected)
    }

    @Test(
        "is good with the status 200 alone",
        arguments: [
            (200, "taken"), (201, "token-response-malformed"), (204, "token-response-malformed"),
            (302, "token-response-malformed"), (400, "token-response-malformed"),
            (401, "client-auth-failed"), (403, "token-response-malformed"),
            (429, "token-response-malformed"), (499, "token-response-malformed"),
            (500, "provider-outage"), (502, "provider-outage"), (503, "provider-outage"),
            (599, "provider-outage"), (199, "provider-outage"),
        ])
    func status(status: Int, expected: String) {
        #expect(Self.reason(Self.response(status: status)) == expected)
    }

    @Test(
        "that is an error says which",
        arguments: [
            ("invalid_grant", "code-refused"), ("invalid_client", "client-auth-failed"),
            ("unauthorized_client", "client-auth-failed"),
            ("temporarily_unavailable", "provider-outage"), ("invalid_request", "broker-error"),
            ("unsupported_grant_type", "broker-error"), ("invalid_scope", "broker-error"),
            ("Invalid_Grant", "broker-error"), ("01010112345", "broker-error"),
            ("", "broker-error"),
        ])
    func errors(error: String, reason: String) {
        for status in [200, 400, 401, 403] {
            #expect(
                Self.reason(text: #"{"error":"\#(error)"}"#, status: status)
                    == "\(reason) (\(error))")
        }
        // The error counts, also with a token beside it and whatever media type it has.
        #expect(
            Self.reason(Self.response(["error": .string(error)], status: 400, type: "text/html"))
                == "\(reason) (\(error))")
        #expect(
            Self.reason(Self.response(["error": .string(error)])) == "\(reason) (\(error))")
        // A server error is one, whatever it says.
        #expect(
            Self.reason(text: #"{"error":"\#(error)"}"#, status: 500) == "provider-outage")
    }

    @Test(
        "without what it must have is refused",
        arguments: [
            (["id_token": .null], "id-token-missing"),
            (["id_token": .null, "token_type": .null], "id-token-missing"),
            (["id_token": .integer(1)], "token-response-malformed"),
            (["id_token": .array([])], "token-response-malformed"),
            (["token_type": .null], "token-response-malformed"),
            (["token_type": .integer(1)], "token-response-malformed"),
            (["token_type": .string("")], "taken"), (["token_type": .string("N_A")], "taken"),
            (["id_token": .string("")], "taken"), (["error": .integer(1)], "taken"),
        ] as [(JSONObject, String)])
    func members(changes: JSONObject, expected: String) {
        #expect(Self.reason(Self.response(changes)) == expected)
    }

    @Test(
        "says in whole seconds how long the access token is good, as a number or a text",
        arguments: [
            (.integer(0), 0), (.integer(31_536_000), 31_536_000), (.string("300"), 300),
            (.string("0"), 0), (.integer(31_536_001), nil), (.integer(-1), nil),
            (.string("-1"), nil), (.string("3.5"), nil), (.string("1e3"), nil),
            (.string(""), nil), (.string(" 5"), nil), (.string("99999999999999999999"), nil),
            (.number("300.0"), nil), (.number("3e2"), nil), (.bool(true), nil),
            (.array([.integer(300)]), nil),
        ] as [(JSONValue, Int?)])
    func expiry(value: JSONValue, seconds: Int?) {
        let response = Self.response(["expires_in": value])
        if let seconds {
            #expect((try? TokenExchange.process(response))?.expiresInSeconds == seconds)
        } else {
            #expect(Self.reason(response) == "token-response-malformed")
        }
    }

    @Test(
        "that is not strict JSON is refused",
        arguments: [
            "", "null", "[]", "{", #"{"id_token":"a","id_token":"b","token_type":"Bearer"}"#,
            #"{"id_token":"a","token_type":"Bearer",}"#,
            "\u{FEFF}" + #"{"id_token":"a","token_type":"Bearer"}"#,
            #"{"id_token":"a","token_type":"Bearer"}{}"#,
            #"{"id_token":"a","\u0069d_token":"b","token_type":"Bearer"}"#,
        ])
    func notJSON(text: String) {
        #expect(Self.reason(text: text) == "token-response-malformed")
        #expect(Self.reason(text: text, status: 400) == "token-response-malformed")
    }
}

@Suite("What is kept of a token response")
struct FlowRedactionTests {
    private static func redacted(_ body: String) throws -> String? {
        let tokens = try TokenExchange.process(
            HTTPResponse(
                status: 200, fields: [HTTPField("Content-Type", "application/json")],
                body: Array(body.utf8)))
        return tokens.redacted(Array(body.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    private static let rest = #""token_type":"Bearer","id_token":"a.b.c""#

    @Test("has neither access nor refresh token in it, and everything else as it was")
    func replaces() throws {
        #expect(
            try Self.redacted(
                #"{ "access_token":"at-1","refresh_token" : "rt-2",\#(Self.rest),"x":"at-1y"}"#)
                == #"{ "access_token":"withheld","refresh_token" : "withheld",\#(Self.rest),"#
                + #""x":"withheldy"}"#)
        #expect(try Self.redacted("{\(Self.rest)}") == "{\(Self.rest)}")
        #expect(
            try Self.redacted(#"{"access_token":"","refresh_token":"r-2",\#(Self.rest)}"#)
                == #"{"access_token":"","refresh_token":"withheld",\#(Self.rest)}"#)
        #expect(
            try Self.redacted(#"{"access_token":"same-1","refresh_token":"same-1",\#(Self.rest)}"#)
                .map { !$0.contains("same-1") } ?? true)
    }

    @Test(
        "is nothing when a token is spelled in a way in which it cannot be found",
        arguments: [
            #"{"access_token":"a\/t",R}"#, #"{"access_token":"\u0061t-1",R}"#,
            #"{"access_token":"at-1","refresh_token":"r\/t",R}"#,
            #"{"access_token":"abc","refresh_token":"xabcx",R}"#,
        ])
    func escaped(template: String) throws {
        #expect(
            try Self.redacted(template.replacing("R", with: Self.rest)) == nil)
    }

    @Test("never has a secret in it, however it was spelled", arguments: Seeds.all)
    func property(seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        let alphabet = Array("ab/.-\u{E9}\"\\")
        func token() -> String {
            String(
                (0..<Int.random(in: 4...9, using: &dice)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &dice)]
                })
        }
        func spelled(_ text: String) -> String {
            text.unicodeScalars.map { scalar in
                let escape = "\\u" + String(0x10000 + scalar.value, radix: 16).dropFirst()
                let must = scalar == "\"" || scalar == "\\"
                return must || Bool.random(using: &dice) ? escape : String(scalar)
            }.joined()
        }
        for _ in 0..<400 {
            let access = token()
            let refresh = token()
            let body =
                #"{"access_token":"\#(spelled(access))","other":"\#(spelled(access))","#
                + #""refresh_token":"\#(spelled(refresh))",\#(Self.rest)}"#
            guard let redacted = try Self.redacted(body) else { continue }
            let members = try JSONReader.read(Array(redacted.utf8), numbers: .anyAsText)
            for member in members.objectValue?.members ?? [] {
                let text = member.value.stringValue ?? ""
                let isFree = ![access, refresh].contains { text.isIdentical(to: $0) }
                #expect(isFree, "\(member.name) of \(body) \(Seeds.hint(seed))")
            }
        }
    }

    // MARK: - What went wrong before

    @Test("is nothing when a token is found elsewhere, but not where it was given")
    func decoy() throws {
        #expect(
            try Self.redacted(#"{"access_token":"\u0061t-1","x":"at-1",\#(Self.rest)}"#) == nil)
    }
}
