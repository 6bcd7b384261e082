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

    /// Those of logins that go through a browser.
    static let all: [ConformanceCase] = Misbehaviour.allCases.filter {
        $0.row.needs.isDisjoint(with: [.backchannel, .headless])
    }.flatMap { misbehaviour in
        let ids = misbehaviour.row.matrix.isEmpty ? ["no case"] : misbehaviour.row.matrix
        return ids.filter { !$0.hasPrefix("fapi-ciba-") }
            .map { ConformanceCase(id: $0, misbehaviour: misbehaviour) }
    }

    // MARK: - Setting

    /// What makes a case of those in which the provider does nothing wrong.
    private static let soundNeeds: [String: Set<Misbehaviour.Need>] = [
        "oidcc-client-test-userinfo-bearer-header": [.userInfo],
        "oidcc-client-test-userinfo-bearer-body": [.userInfo],
        "oidcc-client-test-scope-userinfo-claims": [.userInfo],
        "oidcc-client-test-userinfo-signed": [.signedUserInfo],
        "oidcc-client-test-mtls-endpoint-aliases": [.certificate],
        "fapi1-advanced-final-client-test": [.signedResponse],
        "fapi1-advanced-final-client-test-encrypted-idtoken": [.encryption],
        "fapi2-security-profile-final-client-test-happy-path": [.pushedRequest],
        "fapi2-security-profile-final-client-test-happy-path-no-dpop-nonce": [.pushedRequest],
    ]

    private var needs: Set<Misbehaviour.Need> {
        misbehaviour.row.needs.union(Self.soundNeeds[id] ?? [])
    }

    var flow: Flow {
        if id == "oidcc-client-test-nonce-unless-code-flow" { return .code }
        if needs.contains(.signedResponse) || needs.contains(.accountSelector) { return .jarm }
        return needs.contains(.frontChannelTokens) ? .implicit : .pkce
    }

    var wishes: LoginWishes { needs.contains(.permission) ? .payment : LoginWishes() }

    /// The provider and the client that the misbehaviour needs to show.
    func setup() throws -> LoginSetup {
        let isBankID = needs.contains(.permission) || needs.contains(.alternativeSubject)
        var setup =
            needs.contains(.accountSelector) ? LoginSetup.idpartner : isBankID ? .bankID : .generic
        if needs.contains(.certificate) {
            setup = try setup.withCertificate()
            setup.profileLines.append("certificateBoundTokens: true")
        }
        if id == "oidcc-client-test-idtoken-sig-rs256" { setup.algorithm = .rs256 }
        setup.settings.misbehaviour = misbehaviour
        if needs.contains(.encryption) { setup = try setup.withEncryption() }
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

    // MARK: - Expectation

    /// The last events of a login that ends where the misbehaviour has to be noticed.
    var lastWords: [String] {
        switch misbehaviour.detection {
        case .nowhere: ["token-issued", "verified"]
        case .discovery, .authorizationRequest, .backchannelRequest: ["initiated", "failed"]
        case .poll: ["polled", "failed"]
        case .absence: ["redirected", "failed"]
        case .accountSelector, .callback, .jarm, .keySet, .tokenResponse, .encryption:
            ["callback", "failed"]
        case .idToken, .userInfo: ["token-issued", "failed"]
        case .permission:
            isRefusedBeforehand ? ["initiated", "failed"] : ["token-issued", "failed"]
        }
    }

    /// The stage at which the login ends; nil when it succeeds.
    var stage: Stage? {
        switch misbehaviour.detection {
        case .nowhere: nil
        case .discovery: .discovery
        // Of a signed answer, the keys are asked for when it comes.
        case .keySet: flow == .jarm ? .callback : .discovery
        case .authorizationRequest, .backchannelRequest: .authorizationRequest
        case .poll: .polling
        case .absence, .accountSelector, .callback, .jarm: .callback
        case .tokenResponse, .encryption: .token
        case .idToken: .verification
        case .userInfo: .userinfo
        case .permission: isRefusedBeforehand ? .authorizationRequest : .verification
        }
    }

    /// Of a permission, whether it is refused before the user is sent away.
    private var isRefusedBeforehand: Bool { misbehaviour == .permissionRefused }

    /// What must not have been asked when the login ended.
    var unasked: [ProviderEndpoint] {
        switch misbehaviour.detection {
        case .discovery: [.keySet, .pushedAuthorization, .token, .userInfo]
        case .accountSelector: [.discovery, .keySet, .token, .userInfo]
        case .authorizationRequest, .backchannelRequest: [.keySet, .token, .userInfo]
        case .absence, .callback, .jarm, .keySet: [.token, .userInfo]
        case .tokenResponse, .encryption, .idToken, .poll: [.userInfo]
        case .permission:
            isRefusedBeforehand
                ? [.keySet, .pushedAuthorization, .permissionGrant, .userInfo] : [.userInfo]
        case .nowhere, .userInfo: []
        }
    }

    /// What must have been asked: what the case is about.
    var asked: [ProviderEndpoint] {
        guard misbehaviour.detection == .nowhere else { return [] }
        var endpoints: [ProviderEndpoint] = flow == .implicit ? [] : [.token]
        if !needs.isDisjoint(with: [.userInfo, .signedUserInfo]) { endpoints.append(.userInfo) }
        if needs.contains(.pushedRequest) { endpoints.append(.pushedAuthorization) }
        return endpoints
    }
}

extension Misbehaviour.Row {
    /// Of what has to be noticed in the ID token: the check that has to notice it failed, and none
    /// beside it but those that cannot help it.
    ///
    /// - Parameter others: checks that cannot help it in the flow at hand.
    func expectFailedChecks(_ failure: Failed?, besides others: [TokenCheck] = []) {
        guard case .idToken(let check) = detection else { return }
        let failed = failure?.checks?.filter { $0.outcome == .failed }.map(\.name) ?? []
        #expect(failed.contains(check.rawValue))
        #expect(Set(failed).isSubset(of: Set(([check] + alsoFailing + others).map(\.rawValue))))
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
        for endpoint in conformance.asked {
            #expect(rig.wire.endpoints.contains(endpoint), "\(endpoint.rawValue) was not asked")
        }
        let failure = try log.failure(result.session)
        #expect(failure?.stage == conformance.stage)
        #expect((result.claims == nil) == (row.reason != nil))
        row.expectFailedChecks(failure)
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
            rig.provider.withProvider { $0.settings.misbehaviour = misbehaviour }
            _ = try await rig.wholeLogin(log, flow: .pkce)
        }
        rig.provider.withProvider { $0.settings.misbehaviour = .none }
        // Key sets that were refused, and those that were huge, are not what counts now.
        rig.clock.advance(seconds: 3600)
        let good = try await rig.login(log)
        #expect(good.outcome.taken?.phase == .verified)
        let codes = rig.provider.tokenRequests.compactMap(\.code)
        #expect(codes.count > 1)
        #expect(Set(codes).count == codes.count)
    }
}
