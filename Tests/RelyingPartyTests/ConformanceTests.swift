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

/// A case of the OpenID conformance suite for relying parties, or a further one (`HX`), and a
/// misbehaviour of the simulated provider that stands for it.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    let id: String
    let misbehaviour: Misbehaviour

    var testDescription: String { "\(id): \(misbehaviour.rawValue)" }

    static let all: [ConformanceCase] = Misbehaviour.allCases.flatMap { misbehaviour in
        let ids = misbehaviour.row.matrix.isEmpty ? ["no case"] : misbehaviour.row.matrix
        return ids.map { ConformanceCase(id: $0, misbehaviour: misbehaviour) }
    }

    // MARK: - Setting

    private var needs: Set<Misbehaviour.Need> { misbehaviour.row.needs }

    var flow: Flow {
        if needs.contains(.signedResponse) || needs.contains(.accountSelector) { return .jarm }
        return needs.contains(.frontChannelTokens) ? .implicit : .pkce
    }

    var wishes: LoginWishes {
        var wishes = LoginWishes()
        if needs.contains(.permission) {
            wishes.permission = [
                "type": .string("payment.v1"), "loa": .integer(3),
                "intents": .array([.string("payment")]),
                "permission": .string(Base64URL.encode(Array("{}".utf8))),
            ]
        }
        return wishes
    }

    /// The provider and the client that the misbehaviour needs to show.
    func setup() throws -> LoginSetup {
        let isBankID = needs.contains(.permission) || needs.contains(.alternativeSubject)
        var setup =
            needs.contains(.accountSelector) ? LoginSetup.idpartner : isBankID ? .bankID : .generic
        if needs.contains(.certificate) { setup = try Self.withCertificate(setup) }
        setup.settings.misbehaviour = misbehaviour
        if needs.contains(.encryption) {
            let key = try ClientFiles.encryptionKey.get()
            setup.settings.clients[0].encryptionKey = ClientEncryptionKey(
                keyID: "enc-1", key: key.publicKey)
            setup.files.append(("enc.key", try ClientFiles.pem(key)))
            setup.profileLines += ["decryption:", "  - { privateKeyFile: enc.key, keyID: enc-1 }"]
        }
        if needs.contains(.signedUserInfo) {
            setup.settings.clients[0].userInfoAlgorithm = .es256
        }
        if !needs.contains(.accountSelector) {
            let fetches = needs.contains(.userInfo) || needs.contains(.signedUserInfo)
            setup.profileLines.append("userInfo: \(fetches ? "fetch" : "none")")
        }
        guard setup.settings.broker == .generic else { return setup }
        setup.profileLines += [
            "flows: [pkce, code, implicit, jarm]",
            #"implicitResponseType: "id_token token""#,
        ]
        if needs.contains(.pushedRequest) {
            setup.profileLines.append("pushedAuthorization: required")
        }
        if needs.contains(.levelOfAssurance) {
            setup.profileLines.append("levelOfAssuranceMin: 3")
        }
        return setup
    }

    private static func withCertificate(_ setup: LoginSetup) throws -> LoginSetup {
        let key = try ClientFiles.signingKey.get()
        let certificate = try ClientFiles.certificate(key)
        let thumbprint = try required(Digest(certificate.thumbprintSHA256[...]))
        var setup = setup.authenticating(
            RegisteredClient(
                id: "urn:rp", certificateThumbprint: thumbprint,
                redirectURIs: ["https://rp.example/callback"]),
            [
                "method: tls_client_auth", "privateKeyFile: client.key",
                "certificateFile: client.crt",
            ],
            files: [
                ("client.key", try ClientFiles.pem(key)),
                ("client.crt", String(decoding: try certificate.pem(), as: UTF8.self)),
            ])
        setup.profileLines.append("certificateBoundTokens: true")
        return setup
    }

    // MARK: - Expectation

    /// The last events of a login that ends where the misbehaviour has to be noticed.
    var lastWords: [String] {
        switch misbehaviour.detection {
        case .nowhere: ["token-issued", "verified"]
        case .discovery, .authorizationRequest: ["initiated", "failed"]
        case .absence: ["redirected", "failed"]
        case .accountSelector, .callback, .jarm, .tokenResponse, .encryption:
            ["callback", "failed"]
        case .keySet: ["callback", "failed"]
        case .idToken, .userInfo: ["token-issued", "failed"]
        case .permission: []
        }
    }

    /// What must not have been asked when the login ended.
    var unasked: [ProviderEndpoint] {
        switch misbehaviour.detection {
        case .discovery: [.keySet, .pushedAuthorization, .token, .userInfo]
        case .accountSelector: [.discovery, .keySet, .token, .userInfo]
        case .authorizationRequest: [.keySet, .token, .userInfo]
        case .absence, .callback, .jarm, .keySet: [.token, .userInfo]
        case .tokenResponse, .encryption, .idToken: [.userInfo]
        case .nowhere, .userInfo, .permission: []
        }
    }
}

@Suite("A login that the conformance suite, or worse, is played with", .serialized)
struct ConformanceTests {
    @Test("ends as it must, is recorded, and asks for nothing more", arguments: ConformanceCase.all)
    func outcome(conformance: ConformanceCase) async throws {
        let row = conformance.misbehaviour.row
        let rig = try LoginRig(try conformance.setup())
        let log = try rig.open()
        var result = try await rig.wholeLogin(log, flow: conformance.flow, conformance.wishes)
        if conformance.misbehaviour.detection == .absence {
            result = try #require(try await rig.party(log).sweep(olderThan: 0).ended.first)
        }
        #expect(result.reason?.code == row.reason)
        #expect(result.phase == (row.reason == nil ? .verified : .failed))
        let words = try log.words(result.session)
        #expect(Array(words.suffix(conformance.lastWords.count)) == conformance.lastWords)
        for endpoint in conformance.unasked {
            #expect(!rig.wire.endpoints.contains(endpoint), "\(endpoint.rawValue) was asked")
        }
        let failure = try log.failure(result.session)
        switch row.detection {
        case .idToken(let check):
            let failed = failure?.checks?.filter { $0.outcome == .failed }.map(\.name) ?? []
            #expect(failed.contains(check.rawValue))
            #expect(
                Set(failed).isSubset(of: Set(([check] + row.alsoFailing).map(\.rawValue))))
        case .userInfo: #expect(failure?.stage == .userinfo)
        case .callback, .jarm, .accountSelector: #expect(failure?.stage == .callback)
        case .authorizationRequest: #expect(failure?.stage == .authorizationRequest)
        default: break
        }
        try await expectSilence(rig, log, result)
        #expect(try log.check(.tree).findings == [])
    }

    /// Whatever comes for a session that ended is refused and asks for nothing.
    private func expectSilence(
        _ rig: LoginRig, _ log: EventLog, _ result: LoginResult
    ) async throws {
        let asked = rig.wire.exchanges.count
        let events = try log.words(result.session)
        let again = try await rig.party(log).receiveCallback(
            "code=c&state=s", session: result.session)
        #expect(again.taken == nil)
        #expect(rig.wire.exchanges.count == asked)
        #expect(try log.words(result.session) == events)
    }

    @Test("leaves the next login untouched")
    func recovery() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        for misbehaviour in Misbehaviour.allCases where misbehaviour.row.needs.isEmpty {
            _ = try? await rig.login(log, misbehaving: misbehaviour)
        }
        // Key sets that were refused, and those that were huge, are not what counts now.
        rig.clock.advance(seconds: 3600)
        let good = try await rig.login(log)
        #expect(good.outcome.taken?.phase == .verified)
        let codes = rig.provider.tokenRequests.compactMap(\.code)
        #expect(Set(codes).count == codes.count)
    }
}
