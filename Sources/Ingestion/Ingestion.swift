// SPDX-License-Identifier: Apache-2.0

public import Capabilities
public import EventLog
internal import LedgerPrimitives
internal import SessionEvents
internal import Sessions

/// What became of a line of input.
public enum LineOutcome: Equatable, Sendable {
    /// It is recorded, at this position.
    case accepted(position: UInt64)
    /// It had been recorded before, with the same content.
    case duplicate
    /// It is not recorded.
    case rejected(LineRejection)
}

/// Records the steps of logins that another program ran.
///
/// Lines are taken in batches; when ``record(_:)`` returns, what it accepted is on disk. Feeding
/// the same lines again changes nothing, so a run that broke off is simply repeated.
public struct Ingestion {
    /// The longest line, in bytes.
    public static let lineBytesMax = 4_194_304
    /// Sessions remembered between batches.
    private static let contextsMax = 8192
    /// How often a batch is made anew because other processes wrote to the same sessions.
    private static let attemptsMax = 1000

    private let log: EventLog
    private let capabilities: Capabilities
    private var contexts: [String: StreamContext] = [:]

    /// Records into a log that is open for appending.
    public init(into log: EventLog, capabilities: Capabilities) {
        self.log = log
        self.capabilities = capabilities
    }

    /// Records a batch of lines, in order, in one commit.
    ///
    /// - Returns: an outcome for each line.
    /// - Throws: an error of the ledger; then nothing of the batch is recorded.
    public mutating func record(_ lines: [[UInt8]]) throws -> [LineOutcome] {
        let parsed = lines.map { line in
            Result { () throws(LineRejection) in try ReportedEvent(line: line) }
        }
        for _ in 0..<Self.attemptsMax {
            var batch = Batch(recordedTime: capabilities.now())
            for line in parsed {
                try add(line, to: &batch)
            }
            // Duplicates are on disk already, and rejected lines need no commit.
            guard !batch.append.events.isEmpty else {
                settle(batch)
                return batch.outcomes(AppendReceipt(positions: [], written: 0))
            }
            do {
                let receipt = try log.appendAndWait(batch.append)
                settle(batch)
                return batch.outcomes(receipt)
            } catch is AppendConflict {
                forget(batch)
            } catch is DataKeyConflict {
                forget(batch)
            }
        }
        throw LedgerError.locked(log.paths.root)
    }

    private mutating func add(
        _ line: Result<ReportedEvent, LineRejection>, to batch: inout Batch
    ) throws {
        do {
            let reported = try line.get()
            do {
                try add(reported, to: &batch)
            } catch let rejection as LineRejection {
                guard try isBehind(reported.subject) else { throw rejection }
                contexts[reported.subject] = nil
                try add(reported, to: &batch)
            }
        } catch let rejection as LineRejection {
            batch.pending.append(.outcome(.rejected(rejection)))
        }
    }

    private mutating func add(_ reported: ReportedEvent, to batch: inout Batch) throws {
        // Taken out while it changes: what is held twice would be copied.
        var context =
            try contexts.removeValue(forKey: reported.subject)
            ?? StreamContext(subject: reported.subject, in: log)
        defer { contexts[reported.subject] = context }
        batch.subjects.insert(reported.subject)
        guard let prepared = try prepare(reported, &context, batch.recordedTime) else {
            batch.pending.append(.outcome(.duplicate))
            return
        }
        if context.head == nil, let key = context.newDataKey {
            batch.append.newDataKeys.append(key)
        }
        context.head = prepared.head
        batch.append.events.append(prepared)
        batch.pending.append(.event)
    }

    /// Whether another process has recorded events of a session since we read it. An event that we
    /// take on such knowledge meets a conflict when it is appended; one that we refuse does not.
    private func isBehind(_ subject: String) throws -> Bool {
        guard let context = contexts[subject], context.unwritten.isEmpty else { return false }
        return try log.streamHead(subject) != context.head
    }

    /// Checks a reported event against its session; nil when it is there already.
    private func prepare(
        _ reported: ReportedEvent, _ context: inout StreamContext, _ recordedTime: Instant
    ) throws -> PreparedEvent? {
        try checkSource(reported, context)
        let known = context.revisions[reported.id]
        let intake = try Intake(reported, tokenKeyID: context.state.tokenKeyID)
        let content = EventContent(reported, intake)
        if let revision = known {
            try checkSame(content, reported, revision, context)
            return nil
        }
        let revision = (context.head?.revision ?? 0) + 1
        try checkPlace(reported, revision: revision, previous: context.head?.leafHash)
        let state = try stateAfter(intake.event, in: context.state)
        let draft = EventDraft(
            id: reported.id, source: reported.source, type: reported.type.rawValue,
            typeVersion: reported.typeVersion, subject: reported.subject, time: reported.time,
            recordedTime: recordedTime, clear: content.clear, sealed: content.sealed,
            documents: intake.documents)
        // From here on nothing is refused, so what is remembered of the session may change.
        let prepared = try prepare(draft, after: context.head, context.dataKey)
        context.state = state
        context.source = reported.source
        context.revisions[reported.id] = revision
        context.unwritten[reported.id] = KnownEvent(
            content: content, previous: prepared.expected?.leafHash)
        return prepared
    }

    private func stateAfter(
        _ event: SessionEvent, in state: SessionState
    ) throws(LineRejection) -> SessionState {
        do {
            return try Session.decide(.recordReported(event), in: state)
                .reduce(state) { Session.evolve($0, by: $1.event, at: nil) }
        } catch {
            throw LineRejection(error)
        }
    }

    private func prepare(
        _ draft: EventDraft, after head: StreamHead?, _ key: DataKey
    ) throws -> PreparedEvent {
        do {
            return try log.prepare(draft, after: head, dataKey: key)
        } catch LedgerError.eventTooLarge(let bytes) {
            throw LineRejection(
                .eventTooLarge,
                "the event comes to \(bytes) bytes; \(LedgerLimits.leafBytesMax) fit in the log")
        } catch LedgerError.blobTooLarge(let bytes) {
            throw LineRejection(
                .eventTooLarge,
                "the sealed data come to \(bytes) bytes; \(LedgerLimits.blobBytesMax) fit")
        }
    }

    // MARK: - Checks

    private func checkSource(_ reported: ReportedEvent, _ context: StreamContext) throws {
        guard !reported.source.isIdentical(to: log.info.origin) else {
            throw LineRejection(
                .sourceRefused,
                "`source` is this ledger's own origin; name the program that reports")
        }
        if let source = context.source, !source.isIdentical(to: reported.source) {
            throw LineRejection(
                .sourceRefused, "the session was begun by another `source` than this event's")
        }
    }

    private func checkPlace(
        _ reported: ReportedEvent, revision: Int, previous: Digest?
    ) throws(LineRejection) {
        if let given = reported.revision, given != revision {
            throw LineRejection(
                .revisionMismatch, "`revision` is not the session's next, which is \(revision)")
        }
        if let given = reported.previous, given != previous {
            throw LineRejection(
                .revisionMismatch, "`previous` is not the hash of the session's last event")
        }
    }

    /// Refuses an event whose id is there with other content, or in another place.
    private func checkSame(
        _ content: EventContent, _ reported: ReportedEvent, _ revision: Int,
        _ context: StreamContext
    ) throws {
        let recorded = try context.unwritten[reported.id] ?? recorded(revision, of: context)
        guard recorded.content == content, reported.revision ?? revision == revision,
            reported.previous == nil || reported.previous == recorded.previous
        else {
            throw LineRejection(
                .idConflict,
                "the session has an event with this `id` and other content; an event never changes"
            )
        }
    }

    private func recorded(_ revision: Int, of context: StreamContext) throws -> KnownEvent {
        let subject = context.dataKey.subject
        let stream = try log.stream(subject)
        guard stream.count >= revision else {
            throw LedgerError.damaged("an event of the stream \(subject) is gone", position: nil)
        }
        let event = stream[revision - 1]
        let sealed = try log.openSealed(event, dataKey: context.dataKey)
        return KnownEvent(
            content: EventContent(event, sealed: sealed), previous: event.envelope.previous)
    }

    // MARK: - After a batch

    /// What is to be recorded of the batch is on disk.
    private mutating func settle(_ batch: Batch) {
        for subject in batch.subjects {
            contexts[subject]?.unwritten = [:]
            // A session of which everything was refused has its key still to be stored.
            if contexts[subject]?.head != nil { contexts[subject]?.newDataKey = nil }
        }
        if contexts.count > Self.contextsMax {
            contexts = contexts.filter { batch.subjects.contains($0.key) }
        }
    }

    /// Another process wrote to one of the sessions; what we know of them is not true any more.
    private mutating func forget(_ batch: Batch) {
        for subject in batch.subjects {
            contexts[subject] = nil
        }
    }
}

/// A batch in the making.
private struct Batch {
    /// What will be known of a line once the batch is written.
    enum Pending {
        case event
        case outcome(LineOutcome)
    }

    let recordedTime: Instant
    var append = AppendBatch(events: [])
    var pending: [Pending] = []
    var subjects: Set<String> = []

    init(recordedTime: Instant) {
        self.recordedTime = recordedTime
    }

    func outcomes(_ receipt: AppendReceipt) -> [LineOutcome] {
        var positions = receipt.positions[...]
        // What this append wrote has the highest positions. Another process that was fed the same
        // line in the same millisecond may have written the very same bytes before.
        let before = receipt.positions.count - receipt.written
        let firstWritten = receipt.positions.sorted().dropFirst(before).first ?? .max
        return pending.compactMap { pending in
            switch pending {
            case .event:
                positions.popFirst().map {
                    $0 < firstWritten ? .duplicate : .accepted(position: $0)
                }
            case .outcome(let outcome): outcome
            }
        }
    }
}
