// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import HTTPMessages
import LMDB
import LedgerPrimitives
import LoginSupport
import ProviderSimulator
import RelyingParty
import Replay
import SessionEvents
import Sessions
import Testing

@Suite("A token checked again", .serialized)
struct ReverificationTests {
    /// Those that concern a token, and one that ends before there is any.
    private static let judged = Misbehaviour.allCases.filter { misbehaviour in
        switch misbehaviour.detection {
        case .idToken, .nowhere: misbehaviour.row.needs.isEmpty
        default: misbehaviour == .accessDenied
        }
    }

    @Test("is judged as it was when it came", arguments: judged)
    func sameVerdict(misbehaviour: Misbehaviour) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let login = try await rig.login(log, misbehaving: misbehaviour)
        let opened = try log.opened(login.session)
        // Years later, with the provider long gone.
        rig.clock.advance(seconds: 10 * 365 * 86_400)
        let outcome = try Reverification(log).reverify(session: login.session)
        guard let issued = opened.first(where: { $0.event.type == .tokenIssued }) else {
            #expect(outcome == nil)
            return
        }
        let found = try #require(outcome)
        let isGood = login.outcome.taken?.phase == .verified
        #expect(found.session == login.session)
        #expect(found.position == issued.recorded.position)
        #expect(found.result == (isGood ? .verified : .failed))
        #expect(found.reason == login.outcome.taken?.reason)
        #expect(found.verdictThen == isGood)
        #expect(!found.isMismatch)
    }

    @Test("is checked with the keys that its verdict names, not those that came with it")
    func rotatedKeys() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let newKey = try LoginRig.newKey("key-2")
        rig.wire.before { exchange in
            if exchange.endpoint == .token {
                rig.provider.rotateKeys(to: newKey, keepingOld: false)
            }
            return nil
        }
        let session = try await rig.login(log).session
        let outcome = try #require(try Reverification(log).reverify(session: session))
        #expect(outcome.result == .verified)
        #expect(!outcome.isMismatch)
    }

    @Test("without a recorded verdict gets its first one")
    func withoutVerdict() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        for misbehaviour in [Misbehaviour.none, .wrongNonce] {
            let session = try await rig.login(log, misbehaving: misbehaviour).session
            let copy = try Forgery(of: session, in: log, rig).write(count: 4) { _ in }
            let outcome = try #require(try Reverification(log).reverify(session: copy))
            #expect(outcome.result == (misbehaviour == .none ? .verified : .failed))
            #expect(outcome.verdictThen == nil)
            #expect(!outcome.isMismatch)
        }
    }

    @Test("differs from a verdict that was forged, either way")
    func forgedVerdict() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let good = try await rig.login(log).session
        let bad = try await rig.login(log, misbehaving: .wrongNonce).session
        let token = try Forgery(of: bad, in: log, rig).idToken()
        let stolen = try Forgery(of: good, in: log, rig).write { part in
            if part.type == .tokenIssued { part.sealed?["idToken"] = .string(token) }
        }
        let outcome = try #require(try Reverification(log).reverify(session: stolen))
        #expect(outcome.result == .failed)
        #expect(outcome.reason?.code == "nonce-mismatch")
        #expect(outcome.verdictThen == true)
        #expect(outcome.isMismatch)
        let last = try log.opened(bad)[4].event.clearMembers
        let denied = try Forgery(of: good, in: log, rig).write(count: 4) { _ in }
        let head = try log.streamHead(denied)
        let failed = try log.prepare(
            EventDraft(
                id: rig.capabilities.makeUUIDv7(), source: "forger",
                type: SessionEventType.failed.rawValue, typeVersion: 1, subject: denied,
                time: rig.clock.now(), clear: last), after: head, dataKey: nil)
        _ = try await log.append(AppendBatch(events: [failed]))
        let other = try #require(try Reverification(log).reverify(session: denied))
        #expect(other.result == .verified)
        #expect(other.verdictThen == false)
        #expect(other.isMismatch)
    }

    @Test(
        "keeps its good verdict when UserInfo or a permission was refused after it",
        arguments: [ProviderEndpoint.userInfo, .permissionGrant], [404, 503])
    func laterRefusal(endpoint: ProviderEndpoint, status: Int) async throws {
        let asksPermission = endpoint == .permissionGrant
        let rig = try LoginRig(asksPermission ? .bankID : .idpartner)
        let log = try rig.open()
        rig.wire.before { $0.endpoint == endpoint ? HTTPResponse(status: status) : nil }
        let result =
            asksPermission
            ? try await rig.wholeLogin(log, flow: .pkce, .payment)
            : try await rig.wholeLogin(log, flow: .jarm)
        #expect(result.phase == .failed)
        #expect(rig.wire.endpoints.contains(endpoint))
        let outcome = try #require(try Reverification(log).reverify(session: result.session))
        #expect(outcome.result == .verified)
        #expect(outcome.verdictThen == true)
        #expect(!outcome.isMismatch)
    }

    @Test("that never came is not counted")
    func noToken() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let denied = try await rig.login(log, misbehaving: .accessDenied).session
        #expect(try Reverification(log).reverify(session: denied) == nil)
        #expect(try Reverification(log).reverify(session: "not-there") == nil)
    }

    @Test("is counted by its outcome")
    func summary() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        var summary = ReverificationSummary()
        let reverification = try Reverification(log)
        for misbehaviour in [Misbehaviour.none, .none, .expired, .badSignature, .accessDenied] {
            let session = try await rig.login(log, misbehaving: misbehaviour).session
            if let outcome = try reverification.reverify(session: session) {
                summary.count(outcome)
            }
        }
        #expect(summary.tokens == 4)
        #expect(summary.verified == 2)
        #expect(summary.failed == 2)
        #expect(summary.mismatches == 0)
        #expect(summary.withoutVerdict == 0)
        #expect(summary.inconclusive == 0)
        #expect(summary.erased == 0)
    }

    // MARK: - What is missing

    @Test(
        "without its key set or its policy is inconclusive",
        arguments: ["keySetDigest", "policyDigest"])
    func missingDocument(member: String) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let session = try await rig.login(log).session
        let unknown = Digest(ofDocument: Array("nowhere".utf8)).base64URL
        let copy = try Forgery(of: session, in: log, rig).write { part in
            if part.clear[member] != nil { part.clear[member] = .string(unknown) }
        }
        let outcome = try #require(try Reverification(log).reverify(session: copy))
        #expect(outcome.result == .inconclusive)
        #expect(outcome.reason == nil)
        #expect(!outcome.isMismatch)
        let nameless = try Forgery(of: session, in: log, rig).write { $0.clear[member] = nil }
        #expect(try Reverification(log).reverify(session: nameless)?.result == .inconclusive)
    }

    @Test("that was not kept is inconclusive")
    func missingToken() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let session = try await rig.login(log).session
        let copy = try Forgery(of: session, in: log, rig).write { part in
            if part.type == .tokenIssued { part.sealed?["idToken"] = nil }
        }
        let outcome = try #require(try Reverification(log).reverify(session: copy))
        #expect(outcome.result == .inconclusive)
        #expect(outcome.verdictThen == true)
        #expect(!outcome.isMismatch)
    }

    @Test("with documents that are none is inconclusive")
    func malformedDocuments() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let forgery = try Forgery(of: try await rig.login(log).session, in: log, rig)
        for member in ["keySetDigest", "policyDigest"] {
            for text in ["", "{", "[]", "null", #"{"keys":1}"#, #"{"issuer":1}"#] {
                let copy = try forgery.write { $0.replace(member, with: Array(text.utf8)) }
                let outcome = try #require(try Reverification(log).reverify(session: copy))
                #expect(outcome.result == .inconclusive, "\(member): \(text)")
            }
        }
    }

    @Test("whose data key is gone is an error, not an outcome")
    func missingKey() async throws {
        let rig = try LoginRig()
        let session: String
        do {
            let log = try rig.open()
            session = try await rig.login(log).session
            #expect(try Reverification(log).reverify(session: session)?.result == .verified)
        }
        do {
            let keys = try LMDBEnvironment(
                directory: rig.ledger + "/keys", access: .readWrite, mapBytes: 1 << 30,
                databasesMax: 8)
            let dataKeys = try keys.database("data-keys")
            try keys.write { transaction in
                let names = try transaction.withCursor(dataKeys) { cursor in
                    var names: [[UInt8]] = []
                    while let name = try cursor.move(.next, { key, _ in key.copied() }) {
                        names.append(name)
                    }
                    return names
                }
                for name in names { _ = try transaction.delete(.bytes(name), in: dataKeys) }
            }
        }
        let log = try rig.open()
        #expect(throws: LedgerError.keyMissing(subject: session)) {
            try Reverification(log).reverify(session: session)
        }
        await #expect(throws: LedgerError.keyMissing(subject: session)) {
            try await rig.party(log).receiveCallback("code=c&state=s", session: session)
        }
    }

    @Test("in a log that is open for reading alone is an error")
    func reading() async throws {
        let rig = try LoginRig()
        let session: String
        do {
            let log = try rig.open()
            session = try await rig.login(log).session
        }
        let log = try rig.open(.reading)
        #expect(throws: LedgerError.notWritable) {
            try Reverification(log).reverify(session: session)
        }
    }
}
