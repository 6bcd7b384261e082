// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import SessionEvents
import Sessions
import Testing

/// The decisions of a login in the order of BankID's guide: verify the state, then look for an
/// error, then exchange the code, then verify the token. Each branch that fails ends the session
/// there, and nothing behind it is looked at.
@Suite("Given a user who was sent away")
struct RedirectDecisionTests {
    typealias Code = CodeLogin

    private static func reasons(_ steps: [SessionStep]) -> [String] {
        steps.compactMap { step in
            if case .failed(let failed) = step.event { failed.reason.code } else { nil }
        }
    }

    private static let texts = [
        ReasonText(error: "access_denied", text: "C999", reason: .userCancelled)
    ]

    private static func when(_ query: String) throws -> [SessionStep] {
        try Session.decide(
            .receiveCallback(
                CallbackInput(
                    input: query, responseMode: .query, binding: .session, promisesIssuer: false,
                    reasonTexts: texts)), in: Code.state(.redirected))
    }

    @Test(
        "when the state is wrong, then neither an error nor a code counts",
        arguments: ["error=access_denied", "code=co", "error=access_denied&code=co"])
    func stateFirst(rest: String) throws {
        #expect(Self.reasons(try Self.when("state=other&" + rest)) == ["state-mismatch"])
        #expect(Self.reasons(try Self.when(rest)) == ["state-missing"])
    }

    @Test("when there is an error, then the code beside it is not exchanged")
    func errorSecond() throws {
        #expect(
            Self.reasons(try Self.when("state=st&error=access_denied&code=co")) == ["access-denied"]
        )
    }

    @Test("when the provider's text fixes it, then the reason is the finer one, and only then")
    func finerReason() throws {
        let known = "state=st&error=access_denied&error_description=bankid_error_codes:C999"
        let unknown = "state=st&error=access_denied&error_description=bankid_error_codes:C301"
        let elsewhere = "state=st&error=server_error&error_description=bankid_error_codes:C999"
        #expect(Self.reasons(try Self.when(known)) == ["user-cancelled"])
        #expect(Self.reasons(try Self.when(unknown)) == ["access-denied"])
        #expect(Self.reasons(try Self.when(elsewhere)) == ["broker-error"])
    }

    @Test("when all is well, then the session waits for tokens")
    func code() throws {
        let steps = try Self.when("state=st&code=co")
        #expect(steps.map(\.event.type) == [.callback])
        #expect(steps[0].sealed?["code"] == .string("co"))
    }

    @Test(
        "when the token endpoint refuses, then no token is verified",
        arguments: [
            ("invalid_grant", "code-refused"), ("invalid_client", "client-auth-failed"),
            ("server_error", "broker-error"),
        ])
    func exchange(error: String, reason: String) throws {
        let steps = try Session.decide(
            .receiveTokens(
                Code.tokens(Code.response(["error": .string(error)], status: 400))),
            in: Code.state(.callbackReceived))
        #expect(Self.reasons(steps) == [reason])
        #expect(steps.count == 1)
    }

    @Test("when an ID token is wrong, then the login fails at its verification")
    func token() throws {
        let keys = JSONWebKeySet([])
        let policy = VerificationPolicy(issuer: Code.issuer, audience: "rp")
        let steps = try Session.decide(
            .verifyToken(
                VerificationInput(
                    keys: keys, keySetDigest: Code.digest("k"), policy: policy,
                    policyDigest: Code.digest("p"))), in: Code.state(.tokenIssued))
        #expect(Self.reasons(steps) == ["token-malformed"])
    }
}

/// A signed response of the provider to a session whose state is `st`.
struct SignedAnswer {
    let key: PrivateKey
    let keys: JSONWebKeySet
    static let now = Instant(millisecondsSince1970: 1_700_000_000_000)

    init() throws {
        key = try PrivateKey(generating: .elliptic(.p256))
        keys = JSONWebKeySet([
            JSONWebKey(
                .object(JSONWebKey.members(of: key.publicKey, keyID: "k1", algorithm: .es256)))
        ])
    }

    static let sound: JSONObject = [
        "aud": .string("rp"), "code": .string("co"), "exp": .integer(1_700_000_300),
        "iss": .string(CodeLogin.issuer), "state": .string("st"),
    ]

    func token(_ changes: JSONObject = [:]) throws -> String {
        var claims = Self.sound
        for change in changes.members {
            claims[change.name] = change.value == .null ? nil : change.value
        }
        let token = try CompactJWS.sign(
            CanonicalJSON.encode(claims), header: ["kid": .string("k1")], algorithm: .es256,
            key: key)
        return String(decoding: token, as: UTF8.self)
    }

    func decide(
        _ input: String, token: String?, obstacle: FlowFailure? = nil
    ) throws -> [SessionStep] {
        let expectations = AuthorizationResponseExpectations(
            issuer: CodeLogin.issuer, clientID: "rp", algorithms: [.es256])
        var callback = CallbackInput(
            input: input, responseMode: .jwt, binding: .session, promisesIssuer: true,
            obstacle: obstacle)
        if let token, obstacle == nil {
            callback.signed = CallbackInput.Signed(
                response: OpenedToken(token: token), keys: keys,
                keySetDigest: CodeLogin.digest("keys"), expectations: expectations,
                policy: CodeLogin.document("policy"), instant: Self.now)
        }
        return try Session.decide(
            .receiveCallback(callback), in: CodeLogin.state(.redirected, flow: .jarm))
    }
}

@Suite("A signed response")
struct SignedResponseTests {
    private static func reason(_ steps: [SessionStep]) -> String? {
        guard case .failed(let failed)? = steps.last?.event else { return nil }
        return failed.reason.code
    }

    @Test("that is in order is recorded with its checks, its key and what it was checked with")
    func sound() throws {
        let answer = try SignedAnswer()
        let token = try answer.token()
        let steps = try answer.decide("response=" + token, token: token)
        #expect(steps.count == 1)
        guard case .callback(let event) = steps[0].event else {
            Issue.record("another event")
            return
        }
        #expect(event.algorithm == "ES256")
        #expect(event.keyID == "k1")
        #expect(event.stateMatched == true)
        #expect(event.keySetDigest == CodeLogin.digest("keys"))
        #expect(event.checks?.first { $0.name == "aud" }?.outcome == .passed)
        #expect(steps[0].sealed?["response"] == .string(token))
        #expect(steps[0].sealed?["code"] == .string("co"))
        #expect(steps[0].documents == [CodeLogin.document("policy").bytes])
    }

    @Test(
        "is refused for what is wrong with it, and its code is never seen",
        arguments: [
            ("iss", .string("https://op.example1"), "iss-mismatch"),
            ("iss", .null, "iss-missing"), ("aud", .string("rp1"), "jarm-invalid"),
            ("aud", .null, "jarm-invalid"), ("exp", .integer(1_699_999_640), "jarm-invalid"),
            ("exp", .null, "jarm-invalid"), ("exp", .string("1700000300"), "jarm-invalid"),
            ("state", .string("st1"), "state-mismatch"), ("state", .null, "state-missing"),
            ("code", .string(""), "callback-malformed"), ("code", .null, "callback-malformed"),
            ("code", .array([.string("co")]), "jarm-invalid"),
            ("error", .string("access_denied"), "access-denied"),
        ] as [(String, JSONValue, String)])
    func wrong(member: String, value: JSONValue, reason: String) throws {
        let answer = try SignedAnswer()
        let token = try answer.token([member: value])
        let steps = try answer.decide("response=" + token, token: token)
        #expect(Self.reason(steps) == reason)
        #expect(steps.count == 2)
    }

    @Test("by another key, or changed in one bit, is refused with the check that failed")
    func signature() throws {
        let answer = try SignedAnswer()
        var bytes = Array(try answer.token().utf8)
        bytes[bytes.count - 10] = bytes[bytes.count - 10] == 65 ? 66 : 65
        for token in [String(decoding: bytes, as: UTF8.self), try SignedAnswer().token()] {
            let steps = try answer.decide("response=" + token, token: token)
            #expect(Self.reason(steps) == "jarm-invalid")
            guard case .failed(let failed)? = steps.last?.event else { continue }
            #expect(failed.checks?.filter { $0.outcome == .failed }.map(\.name) == ["signature"])
            #expect(failed.stage == .callback)
        }
    }

    @Test(
        "that is missing, or has beside it what it should hold, is refused",
        arguments: [
            "code=co&state=st", "state=st", "", "response=", "response=R&code=co",
            "response=R&error=access_denied", "response=R&id_token=x", "response=R&access_token=x",
            "response=R&response=R",
        ])
    func downgrade(input: String) throws {
        let answer = try SignedAnswer()
        let token = try answer.token()
        let steps = try answer.decide(input.replacing("R", with: token), token: token)
        #expect(Self.reason(steps) == "callback-malformed")
    }

    @Test("goes by the state inside, whatever stands beside it")
    func stateInside() throws {
        let answer = try SignedAnswer()
        let token = try answer.token(["state": .null])
        let steps = try answer.decide("state=st&response=" + token, token: token)
        #expect(Self.reason(steps) == "state-missing")
        let sound = try answer.token()
        let beside = try answer.decide("state=other&response=" + sound, token: sound)
        #expect(Self.reason(beside) == nil)
    }

    @Test(
        "that cannot be opened, or whose keys cannot be had, ends the login and is kept",
        arguments: [FlowFailureReason.jweDecryptFailed, .metadataUnavailable])
    func obstacle(reason: FlowFailureReason) throws {
        let answer = try SignedAnswer()
        let steps = try answer.decide(
            "response=a.b.c.d.e", token: nil, obstacle: FlowFailure(reason))
        #expect(Self.reason(steps) == reason.rawValue)
        #expect(steps[0].sealed?["response"] == .string("a.b.c.d.e"))
    }
}
