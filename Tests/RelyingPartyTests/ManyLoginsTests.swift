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

/// What becomes of a login by what its provider and its user do.
private enum Fate: Hashable {
    case good
    /// The provider does one thing wrong.
    case misbehaving(Misbehaviour)
    /// The answer to the code never arrives.
    case cutOff
    /// The user never comes back.
    case abandoned
    /// The user comes back to a process that does not know which session the browser has.
    case unbound
    /// The browser brings its answer twice, at the same time.
    case doubled

    /// What a provider does wrong for the clients of these logins. Discovery is not among it: it
    /// does not know who asks.
    private static let misbehaviours: [Misbehaviour] = [
        .accessDenied, .stateMismatch, .wrongCallbackIssuer, .missingCallbackIssuer, .tokenError,
        .tokenServerError, .missingIDToken, .badSignature, .algNone, .algHS256, .unknownKeyID,
        .headerJWK, .duplicateClaims, .wrongIssuer, .missingSubject, .wrongAudience, .expired,
        .issuedInFuture, .wrongNonce,
    ]

    static let allCases: [Fate] =
        [.good, .cutOff, .abandoned, .unbound, .doubled] + misbehaviours.map { .misbehaving($0) }

    static func roll(_ dice: inout SeededGenerator) -> Fate {
        switch Int.random(in: 0..<10, using: &dice) {
        case 0..<5: .good
        case 5: .abandoned
        case 6: [.cutOff, .unbound, .doubled][Int.random(in: 0..<3, using: &dice)]
        default: .misbehaving(misbehaviours[Int.random(in: misbehaviours.indices, using: &dice)])
        }
    }

    /// A client for each: its registration says what the provider does wrong.
    var clientID: String {
        switch self {
        case .misbehaving(let misbehaviour): "rp-\(misbehaviour.rawValue)"
        default: "rp-\(self)"
        }
    }

    var misbehaviour: Misbehaviour? {
        guard case .misbehaving(let misbehaviour) = self else { return nil }
        return misbehaviour
    }

    /// The reason code; nil for a login that succeeds.
    var reason: String? {
        switch self {
        case .good, .unbound, .doubled: nil
        case .cutOff: "exchange-interrupted"
        case .abandoned: "abandoned"
        case .misbehaving(let misbehaviour): misbehaviour.row.reason
        }
    }

    var events: [String] {
        switch self {
        case .good, .unbound, .doubled:
            ["initiated", "redirected", "callback", "token-issued", "verified"]
        case .cutOff: ["initiated", "redirected", "callback", "failed"]
        case .abandoned: ["initiated", "redirected", "failed"]
        case .misbehaving(let misbehaviour):
            switch misbehaviour.detection {
            case .discovery: ["initiated", "failed"]
            case .idToken:
                ["initiated", "redirected", "callback", "token-issued", "failed"]
            default: ["initiated", "redirected", "callback", "failed"]
            }
        }
    }

    /// Whether a code goes to the provider.
    var spendsCode: Bool {
        switch self {
        case .good, .unbound, .doubled, .cutOff: true
        case .abandoned: false
        case .misbehaving(let misbehaviour):
            switch misbehaviour.detection {
            case .discovery, .callback: false
            default: true
            }
        }
    }
}

@Suite("Very many logins", .serialized, .timeLimit(.minutes(5)))
struct ManyLoginsTests {
    private static let logins = 1000
    private static let atOnce = 64

    @Test(
        "64 at a time end each as its user and its provider make it end, and none is lost",
        arguments: Seeds.all.prefix(1))
    func thousand(seed: UInt64) async throws {
        let rig = try LoginRig()
        prepare(rig)
        let log = try rig.open()
        let party = rig.party(log)
        let fates = try await logIn(party, rig, seed)
        #expect(fates.count == Self.logins)

        rig.clock.advance(seconds: Int64(rig.profile.abandonedAfterSeconds))
        let abandoned = Set(fates.filter { $0.value == .abandoned }.keys)
        let swept = try await party.sweep()
        #expect(Set(swept.ended.map(\.session)) == abandoned)
        #expect(swept.waiting == 0)
        #expect(try await party.sweep().ended.isEmpty)

        let sessions = try recorded(in: log)
        #expect(Set(sessions.keys) == Set(fates.keys))
        for (session, fate) in fates {
            #expect(sessions[session]?.words == fate.events, "\(fate), \(Seeds.hint(seed))")
            #expect(sessions[session]?.reason == fate.reason, "\(fate), \(Seeds.hint(seed))")
        }
        let codes = rig.provider.tokenRequests.compactMap(\.code)
        #expect(codes.count == fates.values.count(where: \.spendsCode))
        #expect(Set(codes).count == codes.count)
        let doubled = fates.values.count { $0 == .doubled }
        #expect(try log.refusals() == [String](repeating: "callback-replayed", count: doubled))
        #expect(try log.check(.tree).findings == [])
    }

    /// Registers a client for each fate.
    private func prepare(_ rig: LoginRig) {
        let clients = Fate.allCases.map { fate in
            RegisteredClient(
                id: fate.clientID, secret: LoginRig.secret, authentication: .clientSecretPost,
                redirectURIs: [rig.profile.registration.redirectURI],
                misbehaviour: fate.misbehaviour)
        }
        rig.provider.withProvider { $0.settings.clients = clients }
        rig.wire.after { exchange in
            let body = String(decoding: exchange.request.body, as: UTF8.self)
            guard exchange.endpoint == .token, body.contains("=\(Fate.cutOff.clientID)&") else {
                return nil
            }
            throw HTTPFailure(.interrupted, mayHaveBeenSent: true)
        }
    }

    // MARK: - Logging in

    /// What was to become of each session.
    private func logIn(
        _ party: RelyingParty, _ rig: LoginRig, _ seed: UInt64
    ) async throws -> [String: Fate] {
        var dice = SeededGenerator(seed: seed)
        let rolled = (0..<Self.logins).map { _ in Fate.roll(&dice) }
        return try await withThrowingTaskGroup(of: [String: Fate].self) { group in
            for task in 0..<Self.atOnce {
                group.addTask {
                    var fates: [String: Fate] = [:]
                    for number in stride(from: task, to: rolled.count, by: Self.atOnce) {
                        fates[try await logIn(party, rig, rolled[number])] = rolled[number]
                    }
                    return fates
                }
            }
            return try await group.reduce(into: [:]) { all, fates in
                all.merge(fates) { first, _ in first }
            }
        }
    }

    /// One login; gives its session.
    private func logIn(
        _ party: RelyingParty, _ rig: LoginRig, _ fate: Fate
    ) async throws -> String {
        var profile = rig.profile
        profile.registration.clientID = fate.clientID
        profile.registration.authentication = .clientSecretPost
        let started = try await party.start(profile, flow: .pkce)
        guard fate != .abandoned else { return started.session }
        let callback = try await rig.browse(started)
        let session = fate == .unbound ? nil : started.session
        if fate == .doubled {
            async let first = party.receiveCallback(callback, session: session)
            async let second = party.receiveCallback(callback, session: session)
            let taken = [try await first, try await second].compactMap(\.taken)
            #expect(taken.map(\.phase) == [.verified])
            return started.session
        }
        let outcome = try await party.receiveCallback(callback, session: session)
        let result = try required(outcome.taken)
        #expect(result.session == started.session)
        #expect(result.phase == (fate.reason == nil ? .verified : .failed), "\(fate)")
        return started.session
    }

    // MARK: - What was recorded

    private struct Recorded {
        var words: [String] = []
        var reason: String?
    }

    /// Every session of the log, by its name.
    private func recorded(in log: EventLog) throws -> [String: Recorded] {
        var sessions: [String: Recorded] = [:]
        for event in try log.everything() {
            guard let type = SessionEventType(rawValue: event.envelope.type) else { continue }
            let session = event.envelope.subject
            sessions[session, default: Recorded()].words.append(type.word)
            sessions[session]?.reason = event.data["reason"]?.stringValue
        }
        return sessions
    }
}
