// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import TestSupport
import Testing

@Suite("A good login", .serialized)
struct LoginTests {
    @Test("is recorded step by step, from the first to the verdict", arguments: [Flow.pkce, .code])
    func sequence(flow: Flow) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let login = try await rig.login(log, flow: flow)
        let result = try #require(login.outcome.taken)
        #expect(result.phase == .verified)
        #expect(result.reason == nil)
        #expect(result.events == 5)
        #expect(result.authorizationURL == nil)
        #expect(result.claims?["subject"] == .string("person-no-1"))
        #expect(
            try log.words(login.session) == [
                "initiated", "redirected", "callback", "token-issued", "verified",
            ])
        #expect(rig.wire.endpoints == [.discovery, .keySet, .token])
        #expect(try log.refusals() == [])
        #expect(try log.check(.tree).findings == [])
        let token = try #require(rig.provider.tokenRequests.first)
        #expect(token.authentication == .clientSecretBasic)
        #expect((token.codeVerifier == nil) == (flow == .code))
    }

    @Test("names every document by digest, and the log has each of them")
    func documents() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let session = try await rig.login(log).session
        let served = rig.wire.exchanges.map { $0.response?.body ?? [] }
        let policy = CanonicalJSON.encode(
            rig.profile.policy(
                try DiscoveryDocument(
                    served[0], issuer: LoginRig.issuer, allowsLoopbackHTTP: false), .pkce
            ).object)
        for opened in try log.opened(session) {
            switch opened.event {
            case .initiated(let event):
                let digest = try #require(event.profileDigest)
                #expect(try log.blob(digest) == CanonicalJSON.encode(rig.profile.object))
            case .redirected(let event):
                #expect(try log.blob(try #require(event.discoveryDigest)) == served[0])
            case .tokenIssued(let event):
                #expect(try log.blob(try #require(event.keySetDigest)) == served[1])
                #expect(try log.blob(try #require(event.policyDigest)) == policy)
                #expect(event.keySetSource == .own)
            case .verified(let event):
                #expect(event.keySetDigest == Digest(ofDocument: served[1]))
                #expect(event.policyDigest == Digest(ofDocument: policy))
                #expect(event.discoveryDigest == Digest(ofDocument: served[0]))
                #expect(event.keyID == "key-1")
                #expect(event.checks.allSatisfy { $0.outcome != .failed })
                let passed = Set(event.checks.filter { $0.outcome == .passed }.map(\.name))
                #expect(passed.isSuperset(of: ["signature", "nonce", "at_hash", "aud", "iss"]))
            default:
                break
            }
        }
        let fetched = try log.stream(LoginRig.issuer)
        #expect(
            fetched.map(\.envelope.type) == ProviderDocumentFetched.Kind.allCases.map(\.rawValue))
        #expect(
            fetched.map { ProviderDocumentFetched.documentDigest(in: $0.data) } == [
                Digest(ofDocument: served[0]), Digest(ofDocument: served[1]),
            ])
    }

    @Test("seals what is secret or personal, and shows none of it", arguments: [true, false])
    func secrets(isBound: Bool) async throws {
        let rig = try LoginRig(seed: 7)
        let log = try rig.open()
        let login = try await rig.login(log, isBound: isBound)
        let opened = try log.opened(login.session)
        let sealed = opened.compactMap(\.sealed)
        #expect(sealed.count == 4)
        #expect(opened[1].sealed == nil)
        let answer = try JSONReader.read(
            try #require(rig.wire.exchanges.last?.response?.body), numbers: .anyAsText)
        let accessToken = try #require(answer.objectValue?["access_token"]?.stringValue)
        let idToken = try #require(answer.objectValue?["id_token"]?.stringValue)
        let code = try #require(rig.provider.tokenRequests.first?.code)
        let chosen = ["state", "nonce", "codeVerifier"].compactMap { opened[0].sealed?[$0] }
        #expect(chosen.count == 3)
        #expect(opened[2].sealed?["code"] == .string(code))
        #expect(opened[2].sealed?["state"] == opened[0].sealed?["state"])
        #expect(opened[3].sealed?["idToken"] == .string(idToken))
        #expect(opened[4].sealed?["subject"] == .string("person-no-1"))
        // In no leaf and in no document is any of it, and the access token is not even sealed.
        let secrets =
            [accessToken, idToken, code, LoginRig.secret, "person-no-1", "01819010001", "Kari"]
            + chosen.compactMap(\.stringValue)
        var readable = try log.everything().map(\.leaf)
        readable += rig.wire.exchanges.dropLast().compactMap(\.response?.body)
        for bytes in readable {
            let text = String(decoding: bytes, as: UTF8.self)
            for secret in secrets { #expect(!text.contains(secret)) }
        }
        for object in sealed {
            let text = String(decoding: CanonicalJSON.encode(object), as: UTF8.self)
            #expect(!text.contains(accessToken))
        }
        for exchange in rig.wire.exchanges {
            for secret in secrets { #expect(!exchange.request.url.contains(secret)) }
        }
    }

    @Test("is found by its state, and says whether anything tied it to the user's own session")
    func binding() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        for (isBound, binding) in [(true, StateBinding.session), (false, StateBinding.none)] {
            let session = try await rig.login(log, isBound: isBound).session
            let opened = try log.opened(session)
            guard case .callback(let event) = opened[2].event else {
                Issue.record("another event")
                continue
            }
            #expect(event.stateBinding == binding)
            #expect(event.stateMatched == true)
            let state = try #require(opened[0].sealed?["state"]?.stringValue)
            #expect(try log.subject(of: .state, state) == session)
            #expect(try log.subject(of: .state, state + "1") == nil)
        }
    }

    @Test("archives a document again when it is new, or when a day has gone by")
    func archive() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        func fetched() throws -> Int { try log.stream(LoginRig.issuer).count }
        _ = try await rig.login(log)
        #expect(try fetched() == 2)
        _ = try await rig.login(log)
        #expect(try fetched() == 2)
        rig.provider.rotateKeys(to: try LoginRig.newKey("key-2"), keepingOld: true)
        _ = try await rig.login(log)
        #expect(try fetched() == 3)
        rig.clock.advance(seconds: 86_400)
        _ = try await rig.login(log)
        #expect(try fetched() == 5)
        #expect(try log.check(.tree).findings == [])
    }

    @Test("is the same for the same seed, but for signatures")
    func determinism() async throws {
        var logins: [[String?]] = []
        for seed: UInt64 in [11, 11, 12] {
            let rig = try LoginRig(seed: seed)
            let log = try rig.open()
            let started = try await rig.party(log).start(rig.profile, flow: .pkce)
            let callback = try await rig.browse(started)
            logins.append([started.session, started.authorizationURL, callback])
        }
        #expect(logins[0] == logins[1])
        #expect(zip(logins[0], logins[2]).allSatisfy { $0 != $1 })
    }

    @Test("begins only with a flow that the profile has", arguments: Flow.allCases)
    func flows(flow: Flow) async throws {
        let rig = try LoginRig(profileLines: ["flows: [code]"])
        let log = try rig.open()
        if flow == .code {
            #expect(try await rig.party(log).start(rig.profile, flow: flow).phase == .redirected)
            return
        }
        await #expect(throws: ProfileError.self) {
            try await rig.party(log).start(rig.profile, flow: flow)
        }
        #expect(try log.head().size == 0)
        #expect(rig.wire.exchanges.isEmpty)
    }
}
