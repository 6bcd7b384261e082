// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import JOSE
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import OpenSSL
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Testing

@Suite("A login with Idura Verify", .serialized)
struct IduraTests {
    @Test("is pushed beforehand, and its trace ids are recorded", arguments: [Flow.pkce, .code])
    func pushed(flow: Flow) async throws {
        let rig = try LoginRig(.idura)
        let log = try rig.open()
        let result = try await rig.wholeLogin(log, flow: flow)
        #expect(result.phase == .verified)
        #expect(
            try log.words(result.session)
                == ["initiated", "redirected", "callback", "token-issued", "verified"])
        #expect(rig.wire.endpoints == [.discovery, .pushedAuthorization, .keySet, .token])
        let events = try log.opened(result.session)
        guard case .redirected(let redirected) = events[1].event,
            case .tokenIssued(let issued) = events[3].event
        else {
            Issue.record("other events")
            return
        }
        #expect(redirected.usedPAR == true)
        #expect(redirected.traceID != nil)
        #expect(redirected.exchanges?.map(\.purpose) == ["par"])
        #expect(redirected.exchanges?.first?.status == 201)
        #expect(issued.traceID != nil)
        #expect(events[1].sealed?["requestURI"]?.stringValue?.isEmpty == false)
    }

    @Test("with a key of the client's names the issuer in its assertions, each used once")
    func privateKeyJWT() async throws {
        let key = try ClientFiles.signingKey.get()
        let published = JSONWebKey.members(of: key.publicKey, keyID: "c1", algorithm: .rs256)
        let setup = LoginSetup.idura.authenticating(
            RegisteredClient(
                id: "urn:rp", keys: JSONWebKeySet([JSONWebKey(.object(published))]),
                redirectURIs: [LoginRig.redirectURI]),
            ["method: private_key_jwt", "privateKeyFile: client.key", "keyID: c1"],
            files: [("client.key", try ClientFiles.pem(key))])
        let rig = try LoginRig(setup)
        let log = try rig.open()
        #expect(try await rig.wholeLogin(log, flow: .pkce).phase == .verified)
        let assertions = rig.wire.exchanges.compactMap { exchange -> JSONObject? in
            let form = FormEncoding.decode(String(decoding: exchange.request.body, as: UTF8.self))
            let text = form?.first { $0.name == "client_assertion" }?.value
            let jws = text.flatMap { try? CompactJWS(parsing: Array($0.utf8)) }
            return jws.flatMap {
                try? JSONReader.read($0.unverifiedPayload, numbers: .anyAsText).objectValue
            }
        }
        #expect(assertions.count == 2)
        #expect(assertions.allSatisfy { $0["aud"] == .string(LoginRig.issuer) })
        #expect(Set(assertions.compactMap { $0["jti"]?.stringValue }).count == 2)
    }

    @Test("in the implicit flow gets its token through the browser, and is marked as legacy")
    func implicit() async throws {
        let rig = try LoginRig(.idura)
        let log = try rig.open()
        let result = try await rig.wholeLogin(log, flow: .implicit)
        #expect(result.phase == .verified)
        #expect(
            try log.words(result.session)
                == ["initiated", "redirected", "callback", "token-issued", "verified"])
        guard case .initiated(let initiated) = try log.opened(result.session)[0].event else {
            Issue.record("another event")
            return
        }
        #expect(initiated.isLegacy == true)
        #expect(initiated.responseType == "id_token")
        #expect(initiated.responseMode == "fragment")
        #expect(rig.provider.requests(to: .token) == 0)
    }

    @Test("whose process died with the token at hand gets its verdict in a sweep")
    func implicitTakenForLostExchange() async throws {
        let rig = try LoginRig(.idura)
        let log = try rig.open()
        rig.wire.before { exchange in
            if exchange.endpoint == .keySet { throw Effects.Crash() }
            return nil
        }
        await #expect(throws: Effects.Crash.self) {
            try await rig.wholeLogin(log, flow: .implicit)
        }
        rig.wire.clear()
        let swept = try await rig.party(log).sweep(olderThan: 0)
        let ended = try #require(swept.ended.first)
        #expect(ended.phase == .verified)
        #expect(
            try log.words(ended.session)
                == ["initiated", "redirected", "callback", "token-issued", "verified"])
    }
}

@Suite("A login with IDPartner", .serialized)
struct IDPartnerTests {
    static let sequence = [
        "initiated", "redirected", "callback", "redirected", "callback", "token-issued", "verified",
    ]

    @Test("goes over the account selector and a signed response, to claims from three places")
    func whole() async throws {
        let rig = try LoginRig(.idpartner)
        let log = try rig.open()
        let result = try await rig.wholeLogin(log, flow: .jarm)
        #expect(result.phase == .verified)
        #expect(try log.words(result.session) == Self.sequence)
        #expect(
            rig.wire.endpoints
                == [.discovery, .pushedAuthorization, .keySet, .token, .userInfo])
        let events = try log.opened(result.session)
        guard case .initiated(let initiated) = events[0].event,
            case .redirected(let toSelector) = events[1].event,
            case .callback(let selection) = events[2].event,
            case .redirected(let toProvider) = events[3].event,
            case .callback(let callback) = events[4].event
        else {
            Issue.record("other events")
            return
        }
        #expect(initiated.issuer == nil)
        #expect(toSelector.to == .accountSelector)
        #expect(selection.from == .accountSelector)
        #expect(selection.stateMatched == true)
        #expect(toProvider.issuer == LoginRig.issuer)
        #expect(callback.responseMode == "jwt")
        #expect(callback.algorithm == "PS256")
        #expect(callback.checks?.allSatisfy { $0.outcome != .failed } == true)
        let verified = try #require(events.last?.sealed)
        let origins = verified["claimOrigins"]?.objectValue
        #expect(origins?["sub"] == .string("id-token"))
        #expect(origins?["payment_details"] == .string("token-response"))
        let unsigned = verified["unsignedClaims"]?.arrayValue
        #expect(unsigned?.contains(.string("payment_details")) == true)
    }

    @Test("is bound to the visitor: another's selection ends it before anything is asked")
    func otherVisitor() async throws {
        let rig = try LoginRig(.idpartner)
        let log = try rig.open()
        let party = rig.party(log)
        let started = try await party.start(rig.profile, flow: .jarm)
        let other = try await party.start(rig.profile, flow: .jarm)
        let answer = try await rig.answer(at: try #require(other.authorizationURL))
        let outcome = try await party.receiveCallback(
            try #require(answer), session: started.session)
        #expect(outcome.taken?.reason?.code == "state-mismatch")
        #expect(rig.wire.endpoints == [])
    }

    @Test("never asks an issuer that the profile does not list")
    func foreignIssuer() async throws {
        let rig = try LoginRig(.idpartner)
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .jarm)
        let url = try #require(started.authorizationURL)
        let answer = try #require(try await rig.answer(at: url))
        let outcome = try await rig.party(log).receiveCallback(
            answer.replacing("iss=https", with: "iss=https%3A%2F%2Fevil.example%2F"),
            session: started.session)
        #expect(outcome.taken?.reason?.code == "iss-not-allowed")
        #expect(
            try log.words(started.session) == ["initiated", "redirected", "callback", "failed"])
        #expect(rig.wire.endpoints == [])
    }

    @Test("takes a selection once; the same answer again touches nothing")
    func replayedSelection() async throws {
        let rig = try LoginRig(.idpartner)
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .jarm)
        let url = try #require(started.authorizationURL)
        let answer = try #require(try await rig.answer(at: url))
        let first = try await rig.party(log).receiveCallback(answer, session: nil)
        let next = try #require(first.taken?.authorizationURL)
        let again = try await rig.party(log).receiveCallback(answer, session: started.session)
        let reason = try #require(FailureReason("callback-replayed"))
        #expect(again == .refused(reason, session: started.session))
        let callback = try #require(try await rig.answer(at: next))
        let done = try await rig.party(log).receiveCallback(callback, session: nil)
        #expect(done.taken?.phase == .verified)
    }

    @Test(
        "opens responses and ID tokens that are encrypted to the client, and keeps what is inside")
    func encrypted() async throws {
        let rig = try LoginRig(try LoginSetup.idpartner.withEncryption())
        let log = try rig.open()
        let result = try await rig.wholeLogin(log, flow: .jarm)
        #expect(result.phase == .verified)
        let wanted = Encryption(
            algorithm: "RSA-OAEP", contentEncryption: "A256CBC-HS512", keyID: "enc-1")
        for opened in try log.opened(result.session) {
            switch opened.event {
            case .callback(let event) where event.from == nil:
                #expect(event.encryption == wanted)
                let response = opened.sealed?["response"]?.stringValue
                #expect(response?.split(separator: ".").count == 3)
            case .tokenIssued(let event):
                #expect(event.encryption == wanted)
                #expect(opened.sealed?["idToken"]?.stringValue?.split(separator: ".").count == 3)
            default: break
            }
        }
    }

    @Test("signs its requests where the client has a key for it, and the provider wants them so")
    func requestObject() async throws {
        let key = try ClientFiles.signingKey.get()
        var setup = LoginSetup.idpartner
        let published = JSONWebKey.members(of: key.publicKey, keyID: "r1", algorithm: .ps256)
        setup.settings.clients[0].keys = JSONWebKeySet([JSONWebKey(.object(published))])
        setup.settings.clients[0].requiresRequestObject = true
        setup.files = [("request.key", try ClientFiles.pem(key))]
        setup.profileLines.append(
            "requestObject: { privateKeyFile: request.key, keyID: r1, algorithm: PS256 }")
        let rig = try LoginRig(setup)
        let log = try rig.open()
        #expect(try await rig.wholeLogin(log, flow: .jarm).phase == .verified)
        let pushed = try #require(
            rig.wire.exchanges.first { $0.endpoint == .pushedAuthorization }?.request)
        let form = FormEncoding.decode(String(decoding: pushed.body, as: UTF8.self)) ?? []
        #expect(form.contains { $0.name == "request" })
        #expect(!form.contains { ["state", "nonce", "redirect_uri"].contains($0.name) })
    }

    @Test("finds the session of an encrypted response only with the keys of its profile")
    func encryptedHint() async throws {
        let rig = try LoginRig(try LoginSetup.idpartner.withEncryption())
        let log = try rig.open()
        let party = rig.party(log)
        let started = try await party.start(rig.profile, flow: .jarm)
        let selection = try #require(try await rig.answer(at: started.authorizationURL ?? ""))
        let chosen = try await party.receiveCallback(selection, session: nil)
        let response = try #require(
            try await rig.answer(at: chosen.taken?.authorizationURL ?? ""))
        let blind = try await party.receiveCallback(response, session: nil)
        #expect(blind.taken == nil)
        #expect(try log.refusals() == ["state-missing"])
        let seen = try await party.receiveCallback(response, session: nil, profile: rig.profile)
        #expect(seen.taken?.phase == .verified)
    }

    @Test("does not take what came to another redirect URI, and stays open for the right one")
    func otherRedirectURI() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .pkce)
        let callback = try await rig.browse(started)
        let moved = callback.replacing(LoginRig.redirectURI, with: "https://rp.example/b")
        let refused = try await rig.party(log).receiveCallback(moved, session: started.session)
        let reason = try #require(FailureReason("redirect-uri-mismatch"))
        #expect(refused == .refused(reason, session: started.session))
        let taken = try await rig.party(log).receiveCallback(callback, session: started.session)
        #expect(taken.taken?.phase == .verified)
    }

    @Test("in production shows the client's certificate, to which the access token is bound")
    func mutualTLS() async throws {
        var production = try LoginSetup.idpartner.withCertificate()
        production.profileLines.insert("environment: production", at: 1)
        let rig = try LoginRig(production)
        #expect(rig.profile.checks.demandsCertificateBinding)
        let log = try rig.open()
        let result = try await rig.wholeLogin(log, flow: .jarm)
        #expect(result.phase == .verified)
        let bound = try log.opened(result.session).compactMap { opened -> Bool? in
            guard case .tokenIssued(let event) = opened.event else { return nil }
            return event.isCertificateBound
        }
        #expect(bound == [true])
        let asked = rig.wire.exchanges.filter { $0.endpoint == .token }.map(\.request)
        #expect(asked.allSatisfy { $0.url.contains("/mtls/") })
        #expect(asked.allSatisfy { $0.limits.clientCertificate != nil })
    }
}

@Suite("A login with BankID", .serialized)
struct BankIDTests {
    @Test("reaches its level of assurance, and knows people by a claim that stays")
    func whole() async throws {
        var setup = LoginSetup.bankID
        setup.settings.bankID.changesSubjects = true
        let rig = try LoginRig(setup)
        let log = try rig.open()
        var subjects: [JSONValue?] = []
        for _ in 0..<2 {
            let result = try await rig.wholeLogin(log, flow: .pkce)
            #expect(result.phase == .verified)
            let last = try #require(try log.opened(result.session).last)
            guard case .verified(let verified) = last.event else {
                Issue.record("another event")
                return
            }
            #expect(verified.levelOfAssurance == 3)
            #expect(verified.subjectClaim == "bankid_altsub")
            subjects.append(last.sealed?["subject"])
        }
        #expect(subjects[0] != nil)
        #expect(subjects[0] == subjects[1])
    }

    @Test("pushes a hint with a national id number, so that no URL ever has it")
    func personalHint() async throws {
        let rig = try LoginRig(.bankID)
        let log = try rig.open()
        var wishes = LoginWishes()
        wishes.loginHint = "BIS:01819010001"
        let started = try await rig.party(log).start(rig.profile, flow: .pkce, wishes)
        let url = try #require(started.authorizationURL)
        #expect(!url.contains("01819010001") && url.contains("request_uri="))
        #expect(rig.wire.exchanges.allSatisfy { !$0.request.url.contains("01819010001") })
        for event in try log.everything() {
            #expect(!String(decoding: event.leaf, as: UTF8.self).contains("01819010001"))
        }
        var unpushed = rig.profile
        unpushed.request.pushedAuthorization = .never
        await #expect(throws: ProfileError.self) {
            try await rig.party(log).start(unpushed, flow: .pkce, wishes)
        }
    }

    @Test("asks for a permission at one issuer with the other's token, and keeps the signed grant")
    func permission() async throws {
        let rig = try LoginRig(.bankID)
        let log = try rig.open()
        let result = try await rig.wholeLogin(log, flow: .pkce, .payment)
        #expect(result.phase == .verified)
        let events = try log.opened(result.session)
        guard case .redirected(let redirected) = events[1].event,
            case .verified(let verified)? = events.last?.event
        else {
            Issue.record("other events")
            return
        }
        #expect(
            redirected.exchanges?.map(\.purpose)
                == ["permission-token", "permission-issuer", "permission", "par"])
        #expect(
            verified.exchanges?.map(\.purpose)
                == ["permission-token", "permission-issuer", "grant", "grant-keys"])
        let grant = try #require(events.last?.sealed?["grant"]?.stringValue)
        #expect(grant.split(separator: ".").count == 3)
        let raw = try log.everything().map { String(decoding: $0.leaf, as: UTF8.self) }
        let permissionID = try #require(events[1].sealed?["permissionID"]?.stringValue)
        #expect(!raw.contains { $0.contains(permissionID) })
    }

    @Test("whose user never returns is ended by a sweep, when the time has passed")
    func abandoned() async throws {
        let rig = try LoginRig(.bankID)
        let log = try rig.open()
        rig.provider.prepare(SimulatedLogin(returns: false))
        let result = try await rig.wholeLogin(log, flow: .pkce)
        #expect(result.phase == .redirected)
        let early = try await rig.party(log).sweep()
        #expect(early.ended.isEmpty && early.waiting == 1)
        rig.clock.advance(seconds: 1801)
        let dry = try await rig.party(log).sweep(isDry: true)
        #expect(dry.ended.map(\.session) == [result.session])
        #expect(try log.words(result.session) == ["initiated", "redirected"])
        let late = try await rig.party(log).sweep()
        #expect(late.ended.map(\.reason?.code) == ["abandoned"])
        #expect(try log.failure(result.session)?.stage == .callback)
        #expect(try await rig.party(log).sweep().ended.isEmpty)
    }
}
