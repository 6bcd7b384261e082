// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import SessionEvents
import Sessions
import Testing

/// A provider's key, and tokens that it signs.
struct Signer {
    let key: PrivateKey
    let keyID: String
    let keySet: ArchivedDocument
    let keys: JSONWebKeySet

    init(keyID: String = "k1") throws {
        key = try PrivateKey(generating: .elliptic(.p256))
        self.keyID = keyID
        let members = JSONWebKey.members(of: key.publicKey, keyID: keyID, algorithm: .es256)
        let bytes = CanonicalJSON.encode(["keys": .array([.object(members)])])
        keySet = ArchivedDocument(digest: Digest(SHA256.hash(bytes)), bytes: bytes)
        keys = try JSONWebKeySet(parsing: bytes)
    }

    func token(_ changes: JSONObject = [:], keyID: String? = nil) throws -> String {
        let seconds = CodeLogin.now.millisecondsSince1970 / 1000
        var claims: JSONObject = [
            "iss": .string(CodeLogin.issuer), "sub": .string("person"), "aud": .string("rp"),
            "iat": .integer(seconds), "exp": .integer(seconds + 300), "nonce": .string("no"),
            "acr": .string("urn:example:low"),
            "at_hash": .string(LeftHalfHash.encode("access-1", algorithm: .es256)),
        ]
        for member in changes.members {
            claims[member.name] = member.value == .null ? nil : member.value
        }
        let token = try CompactJWS.sign(
            CanonicalJSON.encode(claims), header: ["kid": .string(keyID ?? self.keyID)],
            algorithm: .es256, key: key)
        return String(decoding: token, as: UTF8.self)
    }

    static let policy: VerificationPolicy = {
        var policy = VerificationPolicy(issuer: CodeLogin.issuer, audience: "rp")
        policy.algorithms = ["ES256"]
        return policy
    }()

    var input: VerificationInput {
        VerificationInput(
            keys: keys, keySetDigest: keySet.digest, policy: Self.policy,
            policyDigest: CodeLogin.digest("policy"))
    }

    /// The session after it received a token.
    func state(_ token: String, isSealed: Bool = false) throws -> SessionState {
        let step = try issue(CodeLogin.response(["id_token": .string(token)]))
        return Session.evolve(
            CodeLogin.state(.callbackReceived), by: step.event, at: CodeLogin.now,
            sealed: isSealed ? nil : step.sealed)
    }

    func issue(_ response: HTTPResponse) throws -> SessionStep {
        let steps = try Session.decide(
            .receiveTokens(CodeLogin.tokens(response, keySet: keySet)),
            in: CodeLogin.state(.callbackReceived))
        return try #require(steps.first)
    }
}

@Suite("Tokens that come")
struct TokenStepTests {
    private static func issued(_ step: SessionStep) throws -> TokenIssued {
        guard case .tokenIssued(let event) = step.event else {
            Issue.record("another event")
            throw FlowFailure(.responseMalformed)
        }
        return event
    }

    @Test("are recorded with what they are checked with; the ID token sealed, the others gone")
    func good() throws {
        let signer = try Signer()
        let token = try signer.token()
        let step = try signer.issue(CodeLogin.response(["id_token": .string(token)]))
        #expect(
            try Self.issued(step)
                == TokenIssued(
                    endpoint: "https://op.example/token", tokenType: "Bearer",
                    expiresInSeconds: 300, algorithm: "ES256", keyID: "k1",
                    keySetDigest: signer.keySet.digest, keySetSource: .own,
                    policyDigest: CodeLogin.policy.digest, policySource: .own, httpStatus: 200,
                    durationMilliseconds: 7))
        #expect(step.documents == [signer.keySet.bytes, CodeLogin.policy.bytes])
        let sealed = try #require(step.sealed)
        #expect(
            sealed.members.map(\.name).sorted()
                == ["accessTokenHash", "codeHash", "idToken", "response"])
        #expect(sealed["codeHash"] == .string(LeftHalfHash.encode("co", algorithm: .es256)))
        #expect(sealed["idToken"] == .string(token))
        #expect(
            sealed["accessTokenHash"]
                == .string(LeftHalfHash.encode("access-1", algorithm: .es256)))
        let text = String(decoding: CanonicalJSON.encode(sealed), as: UTF8.self)
        #expect(!text.contains("access-1") && !text.contains("refresh-1"))
        let kept = try #require(sealed["response"]?.objectValue)
        #expect(kept["status"] == .integer(200))
        #expect(kept["mediaType"] == .string("application/json"))
        let body = try #require(kept["body"]?.stringValue.flatMap { Base64URL.decode($0) })
        let shown = String(decoding: body, as: UTF8.self)
        #expect(shown.contains(token))
        #expect(!shown.contains("access-1") && !shown.contains("refresh-1"))
    }

    @Test("of unknown types, with an unknown key or algorithm, are `other` in the clear")
    func unknownNames() throws {
        let signer = try Signer()
        let token = try signer.token(keyID: "01010112345")
        let step = try signer.issue(
            CodeLogin.response(["id_token": .string(token), "token_type": .string("0101")]))
        #expect(try Self.issued(step).tokenType == "other")
        #expect(try Self.issued(step).keyID == "other")
        #expect(step.sealed?["keyID"] == .string("01010112345"))
        let odd = Base64URL.encode(Array(#"{"alg":"0101","kid":"k1"}"#.utf8)) + ".e30.AA"
        let other = try signer.issue(CodeLogin.response(["id_token": .string(odd)]))
        #expect(try Self.issued(other).algorithm == "other")
        #expect(try Self.issued(other).keyID == "k1")
        #expect(other.sealed?["accessTokenHash"] == nil)
    }

    @Test("that are no tokens at all are recorded all the same, to be judged next")
    func unreadable() throws {
        let step = try Signer().issue(CodeLogin.good)
        #expect(try Self.issued(step).algorithm == nil)
        #expect(try Self.issued(step).keyID == nil)
        #expect(step.sealed?["idToken"] == .string("a.b.c"))
    }

    @Test("in a large answer are kept without the answer")
    func largeResponse() throws {
        let filler = String(repeating: "x", count: 65_536)
        let step = try Signer().issue(CodeLogin.response(["x": .string(filler)]))
        #expect(step.sealed?["response"] == nil)
        #expect(step.sealed?["idToken"] != nil)
    }

    @Test(
        "that did not come end the login at the stage `token`",
        arguments: [
            (CodeLogin.response([:], status: 503), FlowFailureReason.providerOutage, nil),
            (CodeLogin.response(["id_token": .null]), .idTokenMissing, nil),
            (CodeLogin.response(["token_type": .null]), .tokenResponseMalformed, nil),
            (
                CodeLogin.response(["error": .string("invalid_grant")], status: 400), .codeRefused,
                "invalid_grant"
            ),
            (CodeLogin.response(["error": .string("0101")]), .brokerError, "other"),
        ] as [(HTTPResponse, FlowFailureReason, String?)])
    func failures(response: HTTPResponse, reason: FlowFailureReason, error: String?) throws {
        let step = try Signer().issue(response)
        let exchange = Exchange(
            purpose: "token", endpoint: "https://op.example/token", status: response.status,
            durationMilliseconds: response.durationMilliseconds)
        #expect(
            step.event
                == .failed(
                    Failed(
                        stage: .token, reason: FailureReason(reason), error: error,
                        exchanges: [exchange])))
        #expect(step.sealed == (error == "other" ? ["error": .string("0101")] : nil))
    }
}

@Suite("The check of a session's ID token")
struct TokenVerificationTests {
    private static let backchannelChecks = ["auth_req_id", "subject", "replay"]

    private static func failed(_ step: SessionStep?) throws -> Failed {
        guard case .failed(let event)? = step?.event else {
            Issue.record("another event")
            throw FlowFailure(.responseMalformed)
        }
        return event
    }

    @Test("ends the login well, with the outcome of every check and the claims sealed")
    func verified() throws {
        let signer = try Signer()
        let state = try signer.state(try signer.token())
        let steps = try Session.decide(.verifyToken(signer.input), in: state)
        #expect(steps.count == 1)
        guard case .verified(let event)? = steps.first?.event else {
            Issue.record("another event")
            return
        }
        #expect(event.algorithm == "ES256")
        #expect(event.keyID == "k1")
        #expect(event.acr == "urn:example:low")
        #expect(event.tokenIssuedAt == CodeLogin.now)
        #expect(event.tokenExpiresAt == CodeLogin.now.advanced(byMilliseconds: 300_000))
        // Through a browser the nonce binds the token to its request.
        let names = TokenCheck.allCases.map(\.rawValue)
        #expect(event.checks.map(\.name) == names.filter { !Self.backchannelChecks.contains($0) })
        #expect(event.checks.contains(Check("at_hash", .passed)))
        #expect(event.checks.contains(Check("nonce", .passed)))
        #expect(event.checksVersion == TokenVerification.checksVersion)
        #expect(event.keySetDigest == signer.keySet.digest)
        #expect(event.policyDigest == CodeLogin.digest("policy"))
        #expect(event.discoveryDigest == CodeLogin.digest("d"))
        #expect(steps.first?.sealed?["subject"] == .string("person"))
        #expect(steps.first?.sealed?["claims"]?.objectValue?["sub"] == .string("person"))
        #expect(steps.first?.documents == [])
    }

    @Test("hides an authentication context class in which a number could stand")
    func acr() throws {
        let signer = try Signer()
        let state = try signer.state(try signer.token(["acr": .string("urn:01010112345")]))
        guard
            case .verified(let event)? = try Session.decide(
                .verifyToken(signer.input), in: state
            ).first?.event
        else {
            Issue.record("another event")
            return
        }
        #expect(event.acr == "other")
    }

    @Test(
        "ends the login for what is wrong with the token",
        arguments: [
            (["nonce": .string("other")], .nonceMismatch), (["nonce": .null], .claimMissing),
            (["aud": .string("other")], .audienceMismatch),
            (["iss": .string("https://op.example/")], .issuerMismatch),
            (["exp": .integer(1)], .tokenExpired), (["exp": .string("1")], .claimMalformed),
            (["at_hash": .string("AAAA")], .accessTokenHashMismatch),
            (["azp": .string("other")], .authorizedPartyMismatch),
        ] as [(JSONObject, TokenFailureReason)])
    func failures(changes: JSONObject, reason: TokenFailureReason) throws {
        let signer = try Signer()
        let state = try signer.state(try signer.token(changes))
        let steps = try Session.decide(.verifyToken(signer.input), in: state)
        let event = try Self.failed(steps.first)
        #expect(event.stage == .verification)
        #expect(event.reason == FailureReason(reason))
        #expect(event.checks?.contains { $0.outcome == .failed } ?? false)
        #expect(event.checksVersion == TokenVerification.checksVersion)
        #expect(event.keySetDigest == signer.keySet.digest)
        #expect(event.policyDigest == CodeLogin.digest("policy"))
        #expect(steps.first?.sealed == nil)
    }

    @Test("ends the login for a key that is not there or did not sign")
    func keys() throws {
        let signer = try Signer()
        let stranger = try Signer()
        let signature = try Session.decide(
            .verifyToken(stranger.input), in: try signer.state(try signer.token()))
        #expect(try Self.failed(signature.first).reason.code == "sig-invalid")
        let unknown = try Session.decide(
            .verifyToken(signer.input), in: try signer.state(try signer.token(keyID: "k2")))
        #expect(try Self.failed(unknown.first).reason.code == "kid-unknown")
        let malformed = try Session.decide(
            .verifyToken(signer.input), in: try signer.state("a.b.c"))
        #expect(try Self.failed(malformed.first).reason.code == "token-malformed")
    }

    @Test("needs the token opened and the instant of its receipt")
    func evidence() throws {
        let signer = try Signer()
        let state = try signer.state(try signer.token(), isSealed: true)
        #expect(throws: SessionRejection.evidenceMissing) {
            try Session.decide(.verifyToken(signer.input), in: state)
        }
        let timeless = Session.evolve(
            CodeLogin.state(.callbackReceived), by: .tokenIssued(TokenIssued()), at: nil,
            sealed: ["idToken": .string(try signer.token())])
        #expect(throws: SessionRejection.evidenceMissing) {
            try Session.decide(.verifyToken(signer.input), in: timeless)
        }
        #expect(throws: SessionRejection.evidenceMissing) {
            try Session.decide(.verifyToken(signer.input), in: SessionState())
        }
    }

    @Test("is made once", arguments: [SessionPhase.verified, .failed])
    func once(phase: SessionPhase) throws {
        let signer = try Signer()
        var state = try signer.state(try signer.token())
        let last = try #require(try Session.decide(.verifyToken(signer.input), in: state).first)
        state = Session.evolve(state, by: last.event, at: CodeLogin.now)
        if phase == .failed {
            state = Session.evolve(
                state, by: .failed(Failed(stage: .token, reason: FailureReason(.accessDenied))),
                at: nil)
        }
        #expect(throws: SessionRejection.transitionNotAllowed(from: phase, to: .verified)) {
            try Session.decide(.verifyToken(signer.input), in: state)
        }
    }

    @Test("says the same however often it is asked")
    func purity() throws {
        let signer = try Signer()
        let state = try signer.state(try signer.token())
        let first = try Session.decide(.verifyToken(signer.input), in: state)
        #expect(try Session.decide(.verifyToken(signer.input), in: state) == first)
    }
}
