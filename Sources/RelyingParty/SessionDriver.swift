// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// One session of our own, while it is driven: decides, records, and only then goes on.
struct SessionDriver {
    let subject: String
    private let log: EventLog
    private let capabilities: Capabilities
    private let key: DataKey
    private var newKey: NewDataKey?
    private var head: StreamHead?
    private(set) var state = SessionState()
    private(set) var eventCount = 0
    /// Whether another program runs the session and reports its steps, so that it is not ours to
    /// drive.
    private(set) var isReported = false
    /// Why the session failed, if it did.
    private(set) var reason: FailureReason?
    /// What the user is at, as the provider said last while we polled.
    private(set) var hint: String?

    /// A session that begins.
    init(beginningIn log: EventLog, capabilities: Capabilities) throws {
        subject = capabilities.makeUUIDv7().description
        self.log = log
        self.capabilities = capabilities
        let fresh = try log.makeDataKey(for: subject)
        newKey = fresh
        key = fresh.key
    }

    /// A session as the log has it.
    ///
    /// - Throws: ``LedgerError`` when there is no such session or it cannot be read.
    init(resuming subject: String, in log: EventLog, capabilities: Capabilities) throws {
        let key = try log.existingDataKey(for: subject)
        self.subject = subject
        self.log = log
        self.capabilities = capabilities
        self.key = key
        for recorded in try log.stream(subject) {
            let event = try SessionEventCodec.decode(recorded)
            isReported = isReported || recorded.envelope.recordedTime != nil
            state = Session.evolve(
                state, by: event, at: recorded.envelope.time,
                sealed: try log.openSealed(recorded, dataKey: key))
            head = StreamHead(
                revision: recorded.envelope.revision, leafHash: recorded.leafHash)
            note(event)
        }
    }

    /// Decides on a command and records what it leads to, in one commit.
    ///
    /// - Parameter instant: when what the command speaks of happened; nil for now.
    /// - Returns: the steps, which are on disk now.
    /// - Throws: ``SessionRejection``, ``AppendConflict`` when another process was faster, or an
    ///   error of the ledger.
    @discardableResult
    mutating func apply(
        _ command: SessionCommand, at instant: Instant? = nil, lookups: [LookupEntry] = []
    ) async throws -> [SessionStep] {
        let steps = try Session.decide(command, in: state)
        let time = instant ?? capabilities.now()
        var batch = AppendBatch(
            events: [], newDataKeys: newKey.map { [$0] } ?? [], lookups: lookups)
        var next = head
        for step in steps {
            let draft = EventDraft(
                id: capabilities.makeUUIDv7(), source: log.info.origin,
                type: step.event.type.rawValue, typeVersion: step.event.type.currentVersion,
                subject: subject, time: time, clear: step.event.clearMembers,
                sealed: step.sealed, documents: step.documents)
            let event = try log.prepare(draft, after: next, dataKey: key)
            next = event.head
            batch.events.append(event)
        }
        _ = try await log.append(batch)
        head = next
        newKey = nil
        for step in steps {
            state = Session.evolve(state, by: step.event, at: time, sealed: step.sealed)
            note(step.event)
        }
        return steps
    }

    /// Subject and claims, once the login is verified.
    var claims: JSONObject? {
        guard state.phase == .verified, let claims = state.secrets.claims else { return nil }
        return ["claims": .object(claims), "subject": claims["sub"] ?? .null]
    }

    private mutating func note(_ event: SessionEvent) {
        eventCount += 1
        switch event {
        case .failed(let payload): reason = payload.reason
        case .polled(let payload):
            // One that is not registered was sealed.
            hint =
                payload.hint.map {
                    $0.isIdentical(to: RegisteredNames.other)
                        ? state.secrets.pollDescription ?? $0 : $0
                } ?? hint
        default: break
        }
    }
}
