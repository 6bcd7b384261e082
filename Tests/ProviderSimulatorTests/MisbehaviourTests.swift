// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import ProviderSimulator
import Testing

@Suite("A misbehaviour of the simulated provider", .serialized)
struct MisbehaviourTests {
    @Test("is noticed in its own place and nowhere else", arguments: Misbehaviour.allCases)
    func detection(misbehaviour: Misbehaviour) throws {
        var party = try CarefulParty(misbehaviour)
        let findings = try party.run()
        let row = misbehaviour.row
        let wanted =
            row.reason == nil
            ? [] : [row.detection] + row.alsoFailing.map(Misbehaviour.Detection.idToken)
        #expect(findings.map(\.detection) == wanted)
        #expect(findings.first?.reason == row.reason)
        #expect((row.detection == .nowhere) == (row.reason == nil))
        #expect(Misbehaviour(name: misbehaviour.rawValue) == misbehaviour)
        #expect(!misbehaviour.summary.isEmpty)
    }

    /// Those that do not need a certain way back.
    private static let anyWay = Misbehaviour.allCases.filter {
        $0.row.needs.isSubset(of: [.levelOfAssurance, .encryption, .userInfo, .signedUserInfo])
    }

    @Test("is noticed in the same place when the answer is posted", arguments: anyWay)
    func formPost(misbehaviour: Misbehaviour) throws {
        var party = try CarefulParty(misbehaviour, way: .formPost)
        let findings = try party.run()
        #expect(findings.first?.detection ?? .nowhere == misbehaviour.detection)
        #expect(findings.first?.reason == misbehaviour.row.reason)
    }

    @Test(
        "of the ID token is noticed in the same place when it comes through the browser",
        arguments: anyWay.filter {
            guard case .idToken(let check) = $0.detection else {
                return $0.detection == .encryption
            }
            return check != .codeHash
        })
    func implicit(misbehaviour: Misbehaviour) throws {
        var party = try CarefulParty(misbehaviour, way: .implicit)
        let findings = try party.run()
        #expect(findings.first?.detection == misbehaviour.detection)
        #expect(findings.first?.reason == misbehaviour.row.reason)
        #expect(party.login.provider.requests(to: .token) == 0)
    }

    /// Those that concern what a poll brings, as far as a login without redirects can meet them.
    private static let ofPolls = anyWay.filter { misbehaviour in
        switch misbehaviour.detection {
        case .idToken(let check): ![.nonce, .codeHash, .stateHash].contains(check)
        case .nowhere, .discovery, .keySet, .encryption, .userInfo: true
        default: false
        }
    }

    @Test("is noticed in the same place when a poll brings the tokens", arguments: ofPolls)
    func polls(misbehaviour: Misbehaviour) throws {
        var party = try CarefulParty(misbehaviour, way: .polled)
        let findings = try party.run()
        #expect(findings.first?.detection ?? .nowhere == misbehaviour.detection)
        #expect(findings.first?.reason == misbehaviour.row.reason)
        #expect(party.login.provider.requests(to: .authorization) == 0)
    }

    @Test(
        "of a poll lets nobody poll too early, and nobody poll on",
        arguments: Misbehaviour.allCases.filter {
            !$0.row.needs.isDisjoint(with: [.backchannel, .headless])
        })
    func patience(misbehaviour: Misbehaviour) throws {
        var party = try CarefulParty(misbehaviour)
        _ = try party.run()
        let polls = party.login.provider.polls
        #expect(polls.early == 0)
        #expect((polls.count == 0) == (misbehaviour.detection == .backchannelRequest))
        let id = try #require(
            party.accepted?.id ?? (polls.count == 0 ? "nobody" : nil))
        let wanted: [Misbehaviour: Int] = [
            .pollPage: 2, .pollRedirect: 2, .pollSlowDown: 4, .pollSlowDownWithInterval: 4,
            .pollOutage: 4, .pollTooMany: 4, .pollSilence: 4, .pollLostTokens: 4,
        ]
        let count = polls.count == 0 ? 0 : wanted[misbehaviour] ?? 3
        #expect(party.login.provider.pollCount(of: id) == count)
    }

    /// Those that have to do with the key.
    private static let ofKeys = Misbehaviour.allCases.filter { misbehaviour in
        switch misbehaviour.detection {
        case .idToken(.key), .idToken(.alg), .idToken(.signature), .nowhere, .keySet: true
        case .jarm(let check): [.key, .alg, .signature].contains(check)
        default: false
        }
    }

    @Test(
        "is noticed in the same place whatever the key is for", arguments: ofKeys,
        [SignatureAlgorithm.ps256, .es256, .edDSA])
    func algorithms(misbehaviour: Misbehaviour, algorithm: SignatureAlgorithm) throws {
        var party = try CarefulParty(misbehaviour, key: try Self.key(for: algorithm))
        let findings = try party.run()
        #expect(findings.first?.detection ?? .nowhere == misbehaviour.detection)
        #expect(findings.first?.reason == misbehaviour.row.reason)
    }

    private static let elliptic = Result { try ProviderKey(generatingFor: .es256, keyID: "es") }
    private static let edwards = Result { try ProviderKey(generatingFor: .edDSA, keyID: "ed") }

    private static func key(for algorithm: SignatureAlgorithm) throws -> ProviderKey {
        switch algorithm {
        case .es256: try elliptic.get()
        case .edDSA: try edwards.get()
        default: try ClientKit.ps256
        }
    }

    /// The members that change, where they are not just the one that the check is named after.
    private static let changes: [Misbehaviour: [String]] = [
        .expired: ["auth_time", "exp", "iat", "nbf"], .issuedInFuture: ["exp", "iat"],
        .foreignParty: ["aud", "azp"], .hugeToken: ["evidence"], .hugeKeyID: ["kid"],
        .headerJWK: ["jwk"], .headerJKU: ["jku"], .headerX5U: ["x5u"], .headerX5C: ["x5c"],
        .headerB64: ["b64"], .headerZip: ["zip"], .longKeyID: ["kid"], .listKeyID: ["kid"],
        .headerCrit: ["crit", "https://op.example/extension"],
        .kidAbsent: ["kid"], .audienceList: ["aud"], .expirationFraction: ["exp"],
        .expirationExponent: ["exp"], .largeToken: ["evidence"], .levelHigher: ["acr"],
        .withoutAccessTokenHash: ["at_hash"],
    ]

    /// The members that a check looks at, where it has another name.
    private static let members: [TokenCheck: [String]] = [
        .signature: [], .key: ["kid"], .claims: [], .token: [],
    ]

    @Test("changes nothing in the ID token but what it names", arguments: anyWay)
    func oneThing(misbehaviour: Misbehaviour) throws {
        let check: TokenCheck? =
            if case .idToken(let check) = misbehaviour.detection { check } else { nil }
        let isReadable = check != nil && check != .claims && check != .token
        let isKeyed = misbehaviour.rawValue.hasPrefix("key-")
        let isEncrypted = misbehaviour.row.needs.contains(.encryption)
        guard isReadable && !isKeyed && !isEncrypted || Self.changes[misbehaviour] != nil else {
            return
        }
        var login = try Login(misbehaviour: misbehaviour)
        var soundLogin = try Login()
        let token = try CompactJWS(parsing: try login.idToken())
        let sound = try CompactJWS(parsing: try soundLogin.idToken())
        let changes =
            differences(token.header.members, sound.header.members)
            + differences(
                try #require(
                    try JSONReader.read(token.unverifiedPayload, numbers: .anyAsText).objectValue),
                try #require(
                    try JSONReader.read(sound.unverifiedPayload, numbers: .anyAsText).objectValue))
        let member = check.flatMap { Self.members[$0] ?? [$0.rawValue] }
        #expect(changes == Self.changes[misbehaviour] ?? member)
    }

    private func differences(_ left: JSONObject, _ right: JSONObject) -> [String] {
        Set((left.members + right.members).map(\.name)).filter { left[$0] != right[$0] }.sorted()
    }

    @Test(
        "of a key is the one that it is named after",
        arguments: [
            (Misbehaviour.keyShort, UnusableKeyReason.modulusTooSmall),
            (.keyExponentOne, .exponentUnsuitable), (.keyEvenModulus, .modulusFactored),
            (.keyROCA, .rocaFingerprint), (.keyOffCurve, .pointNotOnCurve),
            (.keyPrivate, .privateMember), (.keySymmetric, .symmetric),
            (.keyDuplicateID, .duplicateKeyID), (.keyForEncryption, .useNotSignature),
        ])
    func keys(misbehaviour: Misbehaviour, reason: UnusableKeyReason) throws {
        var login = try Login(misbehaviour: misbehaviour)
        let keys = try login.publishedKeys().keys
        #expect(keys.allSatisfy { $0.unusableReason == reason && $0.keyID == "rsa" })
        #expect(keys.count == (misbehaviour == .keyDuplicateID ? 2 : 1))
    }

    @Test("that is only unusual is there all the same")
    func unusual() throws {
        let response = { (misbehaviour: Misbehaviour) in
            var login = try Login(misbehaviour: misbehaviour)
            return try login.exchange().members
        }
        #expect(try response(.stringLifetime)["expires_in"] == .string("300"))
        #expect(try response(.tokenTypeInOtherCase)["token_type"] == .string("bEARER"))
        let bare = try response(.bareTokenResponse)
        #expect(bare["expires_in"] == nil)
        #expect(bare["scope"] == nil)
        #expect(bare["id_token"] != nil)
        var login = try Login(misbehaviour: .movingKeySet)
        let url = login.get(.discovery).members["jwks_uri"]?.stringValue
        #expect(url == Login.issuer + "/jwks?generation=7")
        #expect(login.provider.endpoint(at: try #require(url)) == .keySet)
    }

    @Test("of changing keys publishes another one in each login")
    func rotations() throws {
        for misbehaviour in [Misbehaviour.keyRotation, .keyRotationBeforeSigning] {
            var login = try Login(misbehaviour: misbehaviour)
            _ = try login.idToken()
            _ = try login.idToken()
            let keyIDs = try login.publishedKeys().keys.compactMap(\.keyID)
            #expect(keyIDs.count == 3)
            #expect(Set(keyIDs).count == 3)
        }
    }

    @Test("of the subject leaves the person's other name alone")
    func subjects() throws {
        var login = try BankIDTests.login()
        login.provider.settings.misbehaviour = .changingSubject
        let claims = try (0..<2).map { _ in
            try ClientKit.claims(
                of: String(decoding: try login.idToken(), as: UTF8.self),
                keys: try login.publishedKeys())
        }
        #expect(claims[0]["sub"] != claims[1]["sub"])
        #expect(claims[0]["bankid_altsub"] == claims[1]["bankid_altsub"])
    }

    @Test("is chosen by the login, or else the client, or else the settings")
    func choice() throws {
        var login = try Login(misbehaviour: .stateMismatch)
        login.provider.settings.clients[0].misbehaviour = .wrongCallbackIssuer
        login.provider.prepare(SimulatedLogin(misbehaviour: .accessDenied))
        login.provider.prepare(SimulatedLogin(misbehaviour: Misbehaviour.none))
        let denied = try login.callback()
        #expect(denied["error"] == "access_denied")
        #expect(denied["state"] == "st+&é")
        #expect(denied["iss"] == Login.issuer)
        let sound = try login.callback()
        #expect(sound["state"] == "st+&é")
        #expect(sound["iss"] == Login.issuer)
        #expect(try login.callback()["iss"] == Login.issuer + "1")
        login.provider.settings.clients[0].misbehaviour = nil
        #expect(try login.callback()["state"] == "st+&é1")
    }

    @Test("stays with the login that it was chosen for")
    func bound() throws {
        var login = try Login(misbehaviour: .wrongNonce)
        let code = try #require(try login.callback()["code"])
        login.provider.settings.misbehaviour = .none
        let tokens = login.answer(login.tokenRequest(code)).response.members
        let token = Array(try #require(tokens["id_token"]?.stringValue).utf8)
        #expect(try login.verdict(token).failures == [.nonce])
    }

    @Test("with HS256 signs with the client secret")
    func clientSecretSignature() throws {
        var login = try Login(misbehaviour: .algHS256)
        let parts = try login.idToken().split(separator: UInt8(ascii: "."))
        let text = Array(parts[0]) + [UInt8(ascii: ".")] + Array(parts[1])
        let code = hmacSHA256(key: SecretBytes(Array(Login.secret.utf8)), text)
        #expect(Base64URL.decode(parts[2]) == code)
    }

    @Test("with two subjects leaves both in the text")
    func duplicates() throws {
        var login = try Login(misbehaviour: .duplicateClaims)
        let payload = try CompactJWS(parsing: try login.idToken()).unverifiedPayload
        let text = String(decoding: payload, as: UTF8.self)
        #expect(text.contains(#""sub":"person-no-1""#))
        #expect(text.hasSuffix(#","sub":"person-no-11"}"#))
    }

    @Test("of the token endpoint uses the code up and is seen in the received requests")
    func tokenEndpoint() throws {
        let wanted: [(Misbehaviour, Int, String?)] = [
            (.tokenError, 400, "invalid_grant"), (.tokenServerError, 503, nil),
            (.slowToken, 200, nil), (.missingIDToken, 200, nil),
        ]
        for (misbehaviour, status, error) in wanted {
            var login = try Login(misbehaviour: misbehaviour)
            let code = try #require(try login.callback()["code"])
            let answer = login.answer(login.tokenRequest(code))
            #expect(answer.response.status == status)
            #expect(answer.response.error == error)
            #expect(answer.delayMilliseconds == (misbehaviour == .slowToken ? 20_000 : 0))
            #expect(login.provider.tokenRequests.map(\.status) == [status])
            #expect(login.provider.tokenRequests.map(\.error) == [error])
            #expect(login.answer(login.tokenRequest(code)).response.error == "invalid_grant")
        }
    }
}
