// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import Testing

@Suite("The answer to a backchannel request")
struct BackchannelAcceptanceTests {
    private static let good: JSONObject = [
        "auth_req_id": .string("id-1"), "expires_in": .integer(120), "interval": .integer(7),
    ]

    private static func response(
        _ changes: JSONObject = [:], status: Int = 200, type: String = "application/json"
    ) -> HTTPResponse {
        var members = good
        for member in changes.members {
            members[member.name] = member.value == .null ? nil : member.value
        }
        return response(CanonicalJSON.encode(members), status: status, type: type)
    }

    private static func response(
        _ body: [UInt8], status: Int = 200, type: String = "application/json"
    ) -> HTTPResponse {
        HTTPResponse(status: status, fields: [HTTPField("Content-Type", type)], body: body)
    }

    private static func reason(_ response: HTTPResponse) -> String {
        do {
            _ = try BackchannelAcceptance.process(response, requestID: "auth_req_id")
            return "accepted"
        } catch {
            return error.reason.rawValue
        }
    }

    @Test("names the request, how long it is good and the pause between polls")
    func members() throws {
        let full = try BackchannelAcceptance.process(
            Self.response([
                "bindingMessage": .string("Blue Elephant"),
                "acr_data": .object(["qrData": .string("q"), "hintCode": .string("started")]),
            ]), requestID: "auth_req_id")
        #expect(full.requestID == "id-1")
        #expect(full.expiresInSeconds == 120)
        #expect(full.intervalSeconds == 7)
        #expect(full.bindingMessage == "Blue Elephant")
        #expect(full.acrData?["qrData"] == .string("q"))
        #expect(full.acrData.flatMap(AcrData.hintCode) == "started")
        let least = try BackchannelAcceptance.process(
            Self.response(["interval": .null]), requestID: "auth_req_id")
        #expect(least.intervalSeconds == nil)
        #expect(least.bindingMessage == nil)
        #expect(least.acrData == nil)
    }

    @Test("names the request by the member of its flow alone")
    func otherMember() throws {
        #expect(throws: FlowFailure(.responseMalformed)) {
            try BackchannelAcceptance.process(Self.response(), requestID: "headless_req_id")
        }
        let headless = try BackchannelAcceptance.process(
            Self.response(["headless_req_id": .string("h-1")]), requestID: "headless_req_id")
        #expect(headless.requestID == "h-1")
    }

    @Test(
        "is no acceptance without a request id that can be sent back",
        arguments: [
            .null, .string(""), .string("a b"), .string("a\n"), .string("\u{E9}"), .integer(7),
            .string(String(repeating: "i", count: 1025)),
        ] as [JSONValue])
    func requestIDs(id: JSONValue) {
        #expect(Self.reason(Self.response(["auth_req_id": id])) == "response-malformed")
    }

    @Test(
        "is taken with a lifetime and an interval that can be meant, also as texts",
        arguments: [
            ("expires_in", .integer(1), true), ("expires_in", .string("120"), true),
            ("expires_in", .null, false), ("expires_in", .integer(0), false),
            ("expires_in", .integer(-1), false), ("expires_in", .string("soon"), false),
            ("expires_in", .string(""), false), ("expires_in", .bool(true), false),
            ("expires_in", .integer(31_536_000), true),
            ("expires_in", .integer(31_536_001), false),
            ("expires_in", .string("99999999999999999999"), false),
            ("interval", .integer(0), true), ("interval", .string("5"), true),
            ("interval", .integer(3600), true), ("interval", .integer(3601), false),
            ("interval", .integer(-1), false), ("interval", .string("5.0"), false),
            ("interval", .array([]), false),
        ] as [(String, JSONValue, Bool)])
    func seconds(member: String, value: JSONValue, isTaken: Bool) {
        #expect(
            Self.reason(Self.response([member: value]))
                == (isTaken ? "accepted" : "response-malformed"))
    }

    @Test(
        "of an error says why, whatever its status",
        arguments: [
            ("unknown_user_id", 400, "unknown-user"),
            ("expired_login_hint_token", 400, "hint-refused"),
            ("expired_id_token_hint", 400, "hint-refused"),
            ("invalid_id_token_hint", 400, "hint-refused"),
            ("invalid_binding_message", 400, "binding-message-refused"),
            ("access_denied", 403, "access-denied"), ("invalid_client", 401, "client-auth-failed"),
            ("unauthorized_client", 400, "client-auth-failed"),
            ("temporarily_unavailable", 400, "provider-outage"),
            ("invalid_request", 400, "broker-error"), ("made_up", 200, "broker-error"),
        ])
    func errors(code: String, status: Int, reason: String) {
        let response = Self.response(
            CanonicalJSON.encode(["error": .string(code)]), status: status)
        #expect(Self.reason(response) == reason)
    }

    @Test(
        "without an error is judged by its status and its form",
        arguments: [
            (200, "text/html", "response-malformed"),
            (201, "application/json", "response-malformed"),
            (400, "application/json", "response-malformed"),
            (401, "application/json", "client-auth-failed"),
            (429, "application/json", "provider-outage"),
            (302, "application/json", "response-malformed"),
            (503, "application/json", "provider-outage"),
            (199, "application/json", "provider-outage"),
        ])
    func statuses(status: Int, type: String, reason: String) {
        #expect(Self.reason(Self.response(status: status, type: type)) == reason)
    }

    @Test(
        "that is no object of strict JSON is malformed",
        arguments: [
            "", "[]", "{", #"{"auth_req_id":"a","expires_in":5,}"#,
            #"{"auth_req_id":"a","auth_req_id":"b","expires_in":5}"#,
        ])
    func form(text: String) {
        #expect(Self.reason(Self.response(Array(text.utf8))) == "response-malformed")
    }

    @Test("passes over what nobody could show")
    func unshown() throws {
        let odd: [JSONObject] = [
            ["acr_data": .string("x")], ["acr_data": .object([:])],
            ["acr_data": .object(["q": .string(String(repeating: "q", count: 9000))])],
            ["bindingMessage": .string("")], ["bindingMessage": .integer(1)],
            ["bindingMessage": .string(String(repeating: "m", count: 1025))],
        ]
        for changes in odd {
            let accepted = try BackchannelAcceptance.process(
                Self.response(changes), requestID: "auth_req_id")
            #expect(accepted.acrData == nil)
            #expect(accepted.bindingMessage == nil)
        }
    }
}

@Suite("A backchannel request")
struct BackchannelRequestTests {
    private static func pairs(_ request: BackchannelRequest) -> [String] {
        request.parameters.map { "\($0.name)=\($0.value)" }
    }

    @Test("of CIBA has one hint, and what was asked for")
    func ciba() {
        let full = BackchannelRequest(
            .ciba(.loginHint("sub:ssn:1")), scope: "openid", acrValues: "a b",
            bindingMessage: "W4SCT", requestedExpirySeconds: 90,
            authorizationDetails: .array([.object(["type": .string("phoneAuth")])]),
            extraParameters: [.init("ui_locales", "nb")])
        #expect(
            Self.pairs(full) == [
                "scope=openid", "login_hint=sub:ssn:1", "acr_values=a b", "binding_message=W4SCT",
                "requested_expiry=90", #"authorization_details=[{"type":"phoneAuth"}]"#,
                "ui_locales=nb",
            ])
        for (hint, pair) in [
            (BackchannelHint.loginHintToken("t"), "login_hint_token=t"),
            (.idTokenHint("i"), "id_token_hint=i"),
        ] {
            #expect(
                Self.pairs(BackchannelRequest(.ciba(hint), scope: "openid"))
                    == ["scope=openid", pair])
        }
    }

    @Test("of Headless has the address of the device, and no hint")
    func headless() {
        let request = BackchannelRequest(.headless(endUserIP: "203.0.113.7"), scope: "openid")
        #expect(Self.pairs(request) == ["scope=openid", "end_user_ip=203.0.113.7"])
    }

    @Test("that is signed has everything in the request object and nothing beside it")
    func signed() throws {
        let key = try PrivateKey(generating: .elliptic(.p256))
        let request = BackchannelRequest(
            .ciba(.loginHint("sub:ssn:1")), scope: "openid", bindingMessage: "W4SCT",
            requestedExpirySeconds: 90,
            authorizationDetails: .array([.object(["type": .string("phoneAuth")])]))
        let parameters = try RequestObject.backchannelParameters(
            signing: request.parameters,
            with: ClientSigningKey(keyID: "c1", algorithm: .es256, key: key), clientID: "rp",
            issuer: "https://op.example",
            on: RequestOccasion(
                at: Instant(millisecondsSince1970: 1_700_000_000_000), uniqueID: "id-1"))
        #expect(parameters.map(\.name) == ["request"])
        let token = try CompactJWS(parsing: Array(parameters[0].value.utf8))
        #expect(token.header.keyID == "c1")
        let claims = try JSONReader.read(token.unverifiedPayload, numbers: .integersOnly)
        #expect(
            claims.objectValue == [
                "aud": .string("https://op.example"),
                "authorization_details": .array([.object(["type": .string("phoneAuth")])]),
                "binding_message": .string("W4SCT"), "exp": .integer(1_700_000_300),
                "iat": .integer(1_700_000_000), "iss": .string("rp"), "jti": .string("id-1"),
                "login_hint": .string("sub:ssn:1"), "nbf": .integer(1_700_000_000),
                "requested_expiry": .string("90"), "scope": .string("openid"),
            ])
    }
}
