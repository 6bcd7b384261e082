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
import Testing

/// A case of the conformance suite's plan for CIBA, or a further one (`HX`), and a misbehaviour of
/// the simulated provider that stands for it in a login without a browser.
struct BackchannelCase: Sendable, CustomTestStringConvertible {
    let id: String
    let misbehaviour: Misbehaviour

    var testDescription: String { "\(id): \(misbehaviour.rawValue)" }

    /// Those that show in no other login, and those that the plan for CIBA has as well.
    static let all: [BackchannelCase] = Misbehaviour.allCases.flatMap { misbehaviour in
        let row = misbehaviour.row
        let isAtHome = !row.needs.isDisjoint(with: [.backchannel, .headless])
        let ids = row.matrix.filter { isAtHome || $0.hasPrefix("fapi-ciba-") || $0 == "HX21" }
        return (isAtHome && ids.isEmpty ? ["no case"] : ids)
            .map { BackchannelCase(id: $0, misbehaviour: misbehaviour) }
    }

    // MARK: - Setting

    var flow: Flow { misbehaviour.row.needs.contains(.headless) ? .headless : .ciba }

    /// A provider that would be asked for UserInfo, by a client that knows in which claim the
    /// person stands.
    func setup() -> LoginSetup {
        var setup = LoginSetup.generic
        setup.profileLines += ["userInfo: fetch", "hintClaims: [socialno, ssn]"]
        return setup
    }

    // MARK: - Expectation

    /// The last events of a login that ends where the misbehaviour has to be noticed.
    var lastWords: [String] {
        switch misbehaviour.detection {
        case .nowhere: ["token-issued", "verified"]
        case .backchannelRequest: ["initiated", "failed"]
        case .poll: ["polled", "failed"]
        case .idToken: ["token-issued", "failed"]
        default: []
        }
    }

    /// The stage at which the login ends; nil when it succeeds.
    var stage: Stage? {
        switch misbehaviour.detection {
        case .backchannelRequest: .authorizationRequest
        // The poll was answered, with tokens that are none.
        case .poll where Self.brokenTokens.contains(misbehaviour): .token
        case .poll: .polling
        case .idToken: .verification
        default: nil
        }
    }

    private static let brokenTokens: [Misbehaviour] = [
        .pollWithoutIDToken, .pollNotJSON, .pollPage,
    ]

    /// What must not have been asked when the login ended.
    var unasked: [ProviderEndpoint] {
        switch misbehaviour.detection {
        case .nowhere: []
        case .backchannelRequest: [.token, .userInfo]
        default: [.userInfo]
        }
    }

    /// Checks that cannot but fail as well: a token that has expired long ago was made before it
    /// was asked for.
    var alsoFailing: [TokenCheck] { misbehaviour == .expired ? [.iat] : [] }

    /// How many polls it takes: two that are pending and one with the answer, unless something
    /// comes between or ends it sooner.
    var pollCount: Int {
        switch misbehaviour {
        case .pollPage, .pollRedirect: 2
        case .pollSlowDown, .pollSlowDownWithInterval, .pollOutage, .pollTooMany, .pollSilence,
            .pollLostTokens:
            4
        default: misbehaviour.detection == .backchannelRequest ? 0 : 3
        }
    }

    /// The shortest pause that the polls have to keep, in seconds.
    var pauseSecondsMin: Int64 {
        switch misbehaviour {
        case .backchannelLongInterval: 31
        case .backchannelZeroInterval: 1
        default: 5
        }
    }
}

@Suite("A login without a browser that the suite, or worse, is played with", .serialized)
struct BackchannelConformanceTests {
    @Test("ends as it must, is recorded, and polls no more", arguments: BackchannelCase.all)
    func outcome(conformance: BackchannelCase) async throws {
        let misbehaviour = conformance.misbehaviour
        let rig = try LoginRig(conformance.setup())
        let log = try rig.open()
        if misbehaviour.row.needs.contains(.earlierLogin) {
            let earlier = try await rig.backchannelLogin(
                log, flow: conformance.flow, misbehaving: misbehaviour)
            // It only counts when nothing is wrong with it.
            #expect(earlier.phase == .verified)
        }
        let before = (asked: rig.wire.exchanges.count, polls: rig.provider.polls.count)
        let result = try await rig.backchannelLogin(
            log, flow: conformance.flow, misbehaving: misbehaviour)
        try expectEnd(conformance, log, result)
        let asked = rig.wire.endpoints.dropFirst(before.asked)
        for endpoint in conformance.unasked {
            #expect(!asked.contains(endpoint), "\(endpoint.rawValue) was asked")
        }
        let polls = rig.provider.polls.count - before.polls
        #expect(polls == conformance.pollCount)
        #expect(try log.recordedPolls(result.session) == polls)
        #expect(rig.provider.polls.early == 0)
        let times = rig.provider.tokenRequests.suffix(polls)
            .map(\.receivedAt.millisecondsSince1970)
        for (one, next) in zip(times, times.dropFirst()) {
            #expect(next - one >= conformance.pauseSecondsMin * 1000)
        }
        try await expectSilence(rig, log, result.session)
        try expectSecrecy(rig, log)
        #expect(try log.check(.tree).findings == [])
    }

    private func expectEnd(
        _ conformance: BackchannelCase, _ log: EventLog, _ result: LoginResult
    ) throws {
        let row = conformance.misbehaviour.row
        #expect(result.reason?.code == row.reason)
        #expect(result.phase == (row.reason == nil ? .verified : .failed))
        let words = try log.words(result.session)
        #expect(Array(words.suffix(2)) == conformance.lastWords)
        let failure = try log.failure(result.session)
        #expect(failure?.stage == conformance.stage)
        #expect((result.claims == nil) == (row.reason != nil))
        row.expectFailedChecks(failure, besides: conformance.alsoFailing)
    }

    /// Whoever polls for a session that ended asks for nothing and records nothing.
    private func expectSilence(_ rig: LoginRig, _ log: EventLog, _ session: String) async throws {
        let asked = rig.wire.exchanges.count
        let events = try log.words(session)
        let again = try await rig.party(log).poll(session)
        #expect(again.phase.isTerminal)
        try await rig.party(log).pollAll()
        #expect(try await rig.party(log).sweep(olderThan: 0).ended.isEmpty)
        #expect(rig.wire.exchanges.count == asked)
        #expect(try log.words(session) == events)
    }

    /// Nothing of what a provider or a caller keeps to itself stands in the log.
    private func expectSecrecy(_ rig: LoginRig, _ log: EventLog) throws {
        let names: Set = [
            "auth_req_id", "headless_req_id", "id_token", "access_token", "refresh_token",
            "error_description", "acr_data", "qrData", "autoStartToken",
        ]
        let answers = rig.wire.exchanges.compactMap(\.response).compactMap {
            try? JSONReader.read($0.body, numbers: .anyAsText).objectValue
        }
        let texts = answers.flatMap { answer in
            (answer.members + (answer["acr_data"]?.objectValue?.members ?? []))
                .filter { names.contains($0.name) }.compactMap(\.value.stringValue)
        }
        let secrets =
            texts.filter { (8..<10_000).contains($0.utf8.count) }
            + [LoginRig.secret, LoginWishes.personNumber, "203.0.113.7"]
        for event in try log.everything() {
            let leaf = String(decoding: event.leaf, as: UTF8.self)
            for secret in secrets { #expect(!leaf.contains(secret), "\(event.envelope.type)") }
        }
    }

    @Test("stands for every case of the plan for CIBA, and is about polling from there on")
    func complete() {
        let cases = BackchannelCase.all
        #expect(Set(cases.map(\.testDescription)).count == cases.count)
        let planned = Set(Misbehaviour.allCases.flatMap(\.row.matrix)).filter {
            $0.hasPrefix("fapi-ciba-")
        }
        #expect(planned.subtracting(cases.map(\.id)) == [])
        #expect(cases.allSatisfy { !$0.lastWords.isEmpty })
    }

    @Test("leaves the next login untouched")
    func recovery() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        for conformance in BackchannelCase.all {
            _ = try await rig.backchannelLogin(
                log, flow: conformance.flow, misbehaving: conformance.misbehaviour)
        }
        for flow in [Flow.ciba, .headless] {
            #expect(try await rig.backchannelLogin(log, flow: flow).phase == .verified)
        }
        #expect(rig.provider.polls.early == 0)
    }
}
