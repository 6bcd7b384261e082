// SPDX-License-Identifier: Apache-2.0

import EventLog
import Foundation
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import Platform
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Synchronization
import Testing

/// Counts what a login does to the world, and stops it at one of these effects.
final class Effects: Sendable {
    struct Crash: Error {}

    private struct State {
        var count = 0
        var commits = 0
        var hasFired = false
    }

    private let fatal: Int
    private let stop: @Sendable () throws -> Void
    private let state = Mutex(State())

    init(fatal: Int, stop: @escaping @Sendable () throws -> Void = { throw Crash() }) {
        self.fatal = fatal
        self.stop = stop
    }

    var count: Int { state.withLock { $0.count } }
    var hasFired: Bool { state.withLock { $0.hasFired } }
    /// How many commits went through, whether or not anybody learnt of it.
    var commits: Int { state.withLock { $0.commits } }

    func reach() throws {
        let isFatal = state.withLock { state in
            state.count += 1
            if state.count == fatal { state.hasFired = true }
            return state.hasFired
        }
        if isFatal { try stop() }
    }

    /// Every request before it leaves and after it was answered, and every point of every commit.
    func arm(_ rig: LoginRig) {
        rig.wire.before { _ in
            try self.reach()
            return nil
        }
        rig.wire.after { _ in
            try self.reach()
            return nil
        }
        rig.onCommit { point in
            if point == .afterCommit { self.state.withLock { $0.commits += 1 } }
            try self.reach()
        }
    }

    static func disarm(_ rig: LoginRig) {
        rig.wire.clear()
        rig.onCommit { _ in }
    }
}

@Suite("A login that is cut off", .serialized)
struct CrashTests {
    /// How the login went on, by where it stood.
    private static func checkResumed(
        _ outcome: CallbackResult, from phase: String, asked: [ProviderEndpoint], effect: Int
    ) {
        switch phase {
        case "redirected":
            #expect(outcome.taken?.phase == .verified, "effect \(effect)")
            #expect(asked == [.keySet, .token], "effect \(effect)")
        case "callback":
            #expect(outcome.taken?.reason?.code == "exchange-interrupted", "effect \(effect)")
            #expect(asked == [], "effect \(effect)")
        case "token-issued":
            #expect(outcome.taken?.phase == .verified, "effect \(effect)")
            #expect(asked == [], "effect \(effect)")
        default:
            #expect(phase == "verified" && outcome.taken == nil, "effect \(effect)")
            #expect(asked == [], "effect \(effect)")
        }
    }

    @Test("at any of its effects has recorded what went before, and goes on or ends; no code twice")
    func everyEffect() async throws {
        var phases: Set<String> = []
        var effect = 0
        while true {
            effect += 1
            let rig = try LoginRig(seed: UInt64(effect))
            let effects = Effects(fatal: effect)
            effects.arm(rig)
            let handedOut = Mutex<(session: String, callback: String)?>(nil)
            do {
                let log = try rig.open()
                let party = rig.party(log)
                let started = try await party.start(rig.profile, flow: .pkce)
                let callback = try await rig.browse(started)
                handedOut.withLock { $0 = (started.session, callback) }
                _ = try await party.receiveCallback(callback, session: started.session)
            } catch is Effects.Crash {}
            Effects.disarm(rig)
            let log = try rig.open()
            #expect(try log.head().size == UInt64(effects.commits), "effect \(effect)")
            #expect(try log.check(.tree).findings == [], "effect \(effect)")
            if let login = handedOut.withLock({ $0 }) {
                let before = try log.stream(login.session).map(\.leaf)
                let phase = try #require(try log.words(login.session).last)
                phases.insert(phase)
                let asked = rig.wire.exchanges.count
                let outcome = try await rig.party(log).receiveCallback(
                    login.callback, session: login.session)
                Self.checkResumed(
                    outcome, from: phase, asked: Array(rig.wire.endpoints[asked...]),
                    effect: effect)
                let after = try log.stream(login.session).map(\.leaf)
                #expect(Array(after.prefix(before.count)) == before, "effect \(effect)")
                let again = try await rig.party(log).receiveCallback(login.callback, session: nil)
                #expect(again.taken == nil, "effect \(effect)")
            }
            #expect(try await rig.login(log).outcome.taken?.phase == .verified, "effect \(effect)")
            let codes = rig.provider.tokenRequests.compactMap(\.code)
            #expect(Set(codes).count == codes.count, "effect \(effect)")
            #expect(try log.check(.tree).findings == [], "effect \(effect)")
            if !effects.hasFired { break }
        }
        // 7 commits with 4 points each, 3 requests with 2 each.
        #expect(effect == 7 * 4 + 3 * 2 + 1)
        #expect(phases == ["redirected", "callback", "token-issued", "verified"])
    }

    @Test("before its user was sent away is not taken up by a callback")
    func initiated() async throws {
        let rig = try LoginRig()
        // The fourth effect is the end of the first commit.
        Effects(fatal: 4).arm(rig)
        do {
            let log = try rig.open()
            await #expect(throws: Effects.Crash.self) {
                try await rig.party(log).start(rig.profile, flow: .pkce)
            }
        }
        Effects.disarm(rig)
        let log = try rig.open()
        let session = try #require(try log.streams(after: nil, limit: 2).first)
        #expect(try log.words(session) == ["initiated"])
        let state = try #require(try log.opened(session)[0].sealed?["state"]?.stringValue)
        let outcome = try await rig.party(log).receiveCallback(
            "code=c&state=\(state)", session: nil)
        #expect(outcome.taken == nil)
        #expect(try log.words(session) == ["initiated"])
        #expect(rig.wire.exchanges.isEmpty)
    }

    @Test("with its token recorded is judged by the policy that was recorded with it")
    func recordedPolicy() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let forgery = try Forgery(of: try await rig.login(log).session, in: log, rig)
        let policy = try #require(
            try JSONReader.read(try forgery.document("policyDigest"), numbers: .integersOnly)
                .objectValue)
        for (level, expected) in [(3, SessionPhase.verified), (4, .failed)] {
            // As if an earlier program had demanded a level by default.
            var demanding = policy
            demanding["levelOfAssuranceMin"] = .integer(Int64(level))
            let document = CanonicalJSON.encode(demanding)
            let session = try forgery.write(count: 4) {
                $0.replace("policyDigest", with: document)
            }
            let outcome = try await rig.party(log).receiveCallback("", session: session)
            #expect(outcome.taken?.phase == expected)
            #expect(outcome.taken?.reason?.code == (level == 4 ? "acr-too-low" : nil))
            let last = try #require(try log.opened(session).last?.event.clearMembers)
            #expect(last["policyDigest"] == .string(Digest(ofDocument: document).base64URL))
        }
    }

    // MARK: - By a signal

    /// Runs a login in this process and kills it at an effect. Callback and codes are written to
    /// files first, so that they outlive it.
    private static func run(_ directory: String, killAt fatal: Int) async throws {
        let rig = try LoginRig(sharing: directory, seed: 99)
        let effects = Effects(fatal: fatal) { ProcessControl.killSelf() }
        effects.arm(rig)
        rig.wire.before { exchange in
            try effects.reach()
            if exchange.endpoint == .token { try rig.write("sent", to: "code-sent") }
            return nil
        }
        let log = try rig.open()
        let party = rig.party(log)
        let started = try await party.start(rig.profile, flow: .pkce)
        let callback = try await rig.browse(started)
        try rig.write(started.session + "\n" + callback, to: "handed-out")
        _ = try await party.receiveCallback(callback, session: started.session)
    }

    @Test("by kill -9 at any of its effects has recorded what went before, and sends no code twice")
    func killed() async throws {
        var phases: Set<String> = []
        for effect in 1...34 {
            let owner = try LoginRig(seed: 5)
            let directory = owner.directory
            await #expect(processExitsWith: .signal(SIGKILL), "effect \(effect)") {
                [directory = directory as String, effect = effect as Int] in
                try await CrashTests.run(directory, killAt: effect)
            }
            let log = try owner.open()
            #expect(try log.check(.tree).findings == [], "effect \(effect)")
            guard let text = try? String(contentsOfFile: directory + "/handed-out", encoding: .utf8)
            else { continue }
            let lines = text.split(separator: "\n").map(String.init)
            let phase = try #require(try log.words(lines[0]).last)
            phases.insert(phase)
            let wasSent = FileManager.default.fileExists(atPath: directory + "/code-sent")
            let outcome = try await owner.party(log).receiveCallback(lines[1], session: lines[0])
            // This process's provider never heard of the code; what counts is whether it is sent.
            let isSent = !owner.provider.tokenRequests.isEmpty
            #expect(!(wasSent && isSent), "effect \(effect)")
            #expect(isSent == (phase == "redirected"), "effect \(effect)")
            let reasons: [String: String?] = [
                "redirected": "code-refused", "callback": "exchange-interrupted",
                "token-issued": nil, "verified": nil,
            ]
            #expect(
                outcome.taken?.reason?.code == reasons[phase, default: nil], "effect \(effect)")
            #expect((outcome.taken == nil) == (phase == "verified"), "effect \(effect)")
        }
        #expect(phases == ["redirected", "callback", "token-issued", "verified"])
    }
}
