// SPDX-License-Identifier: Apache-2.0

public import Capabilities
public import LedgerPrimitives
internal import OpenSSL
internal import Platform
public import SessionEvents

/// What an erasure is asked to do.
public struct ErasureRequest: Sendable {
    /// The sessions, each of which must be there.
    public var sessions: [UUIDv7]
    /// Records of accesses to these sessions and of searches for the same person, whose data keys
    /// go as well.
    public var accesses: [UUIDv7]
    /// On what ground.
    public var legalBasis: LegalBasis
    /// Why, and on what ground, in a person's words; sealed.
    public var words: JSONObject
    /// Who asks for it.
    public var by: Operator

    /// A request to erase sessions.
    public init(
        sessions: [UUIDv7], accesses: [UUIDv7] = [], legalBasis: LegalBasis,
        words: JSONObject, by operator: Operator
    ) {
        self.sessions = sessions
        self.accesses = accesses
        self.legalBasis = legalBasis
        self.words = words
        by = `operator`
    }
}

/// What an erasure did.
public struct ErasureOutcome: Sendable {
    /// The erasure.
    public let erasure: UUIDv7
    /// How many data keys are destroyed.
    public let keysDestroyed: Int
    /// The events that say that it began.
    public let begun: [RecordedEvent]
    /// The events that attest it.
    public let attested: [RecordedEvent]
    /// What became of the root key.
    public let rootKey: Erased.RootKeyFate
}

/// A ledger that this process has to itself, to change its keys.
public struct LedgerCustody {
    private let care: KeyCare

    /// Takes a ledger exclusively, and finishes what an earlier change of keys left unfinished.
    ///
    /// - Parameter waitMilliseconds: how long others may take to close it.
    /// - Throws: ``LedgerError/inUse(_:)`` when others have it open.
    public init(
        _ directory: String, keyRoot: String, capabilities: Capabilities,
        waitMilliseconds: UInt32
    ) throws {
        try self.init(
            directory, keyRoot: keyRoot, capabilities: capabilities,
            waitMilliseconds: waitMilliseconds, reached: { _ in })
    }

    /// Takes a ledger exclusively, with a hook for tests of crash safety.
    package init(
        _ directory: String, keyRoot: String, capabilities: Capabilities,
        waitMilliseconds: UInt32, reached: @escaping (ErasurePoint) throws -> Void
    ) throws {
        let paths = try LedgerPaths(Path.absolute(directory))
        let lock = try paths.openLock()
        try paths.lockExclusively(lock, waitMilliseconds: waitMilliseconds)
        try KeyCare(
            paths: paths, keyRoot: keyRoot, lock: lock, capabilities: capabilities
        ).finish()
        care = try KeyCare(
            paths: paths, keyRoot: keyRoot, lock: lock, capabilities: capabilities,
            reached: reached)
    }

    /// Runs `body` with the log, which is closed again when it returns; it must not be kept.
    public func withLog<Result>(_ body: (EventLog) throws -> Result) throws -> Result {
        try body(
            EventLog(
                care.paths, keyRoot: care.keyRoot, lock: care.lock,
                rootKeys: try care.directory.readRootKeys(), access: .appending,
                capabilities: care.capabilities))
    }

    // MARK: - Erasure

    /// Destroys the data keys of sessions.
    ///
    /// - Throws: ``LedgerError/sessionUnknown(_:)`` or ``LedgerError/held(session:hold:)``; then
    ///   nothing was changed.
    public func erase(_ request: ErasureRequest) throws -> ErasureOutcome {
        let erasure = care.capabilities.makeUUIDv7()
        let first = try withLog { try $0.beginErasure(request, erasure) }
        try care.reached(.begun)
        try care.finish()
        return try withLog { try $0.outcome(of: erasure, from: first) }
    }

    // MARK: - Rotation

    /// Replaces keys by new ones and records it.
    ///
    /// - Parameter newRootKey: the text of the new root key where it is not ours to make.
    /// - Throws: ``LedgerError/rootKeyWrong(_:)`` when that is no key.
    public func rotate(
        _ kind: KeysRotated.Kind, newRootKey: [UInt8]? = nil, by operator: Operator
    ) throws {
        let old = try care.directory.readRootKey()
        var fresh = old
        if kind == .root {
            guard let next = newRootKey.map(RootKey.read) ?? care.makeRootKey() else {
                throw LedgerError.rootKeyWrong("the new root key")
            }
            fresh = next
        }
        // Recorded before: under a root key that is not ours, the ledger may not open again until
        // its keeper hands out the new one.
        _ = try withLog { log in
            try log.appendToOwnStream(.keysRotated(KeysRotated(key: kind, by: `operator`)))
        }
        try care.replaceKeys(old, by: fresh, dropping: [], kind == .root ? .none : .all)
    }

    /// Whether the ledger makes and keeps its root key itself.
    public func keepsRootKey() throws -> Bool { try care.directory.source() == .own }
}

extension EventLog {
    /// Appends the events that begin an erasure.
    ///
    /// - Returns: the revision of the first of them in the ledger's own stream.
    fileprivate func beginErasure(_ request: ErasureRequest, _ erasure: UUIDv7) throws -> Int {
        let holds = try history().holds
        for session in request.sessions {
            guard try streamHead(session.description) != nil else {
                throw LedgerError.sessionUnknown(session.description)
            }
            if let hold = holds[session] {
                throw LedgerError.held(session: session.description, hold: hold)
            }
        }
        let size = ErasureStarted.streamsMax
        let parts = (max(request.sessions.count, request.accesses.count, 1) + size - 1) / size
        let events = (0..<parts).map { part in
            LedgerEvent.erasureStarted(
                ErasureStarted(
                    erasure: erasure, part: part + 1, parts: parts,
                    sessions: Array(request.sessions.dropFirst(part * size).prefix(size)),
                    accesses: Array(request.accesses.dropFirst(part * size).prefix(size)),
                    legalBasis: request.legalBasis, by: request.by))
        }
        return try appendToOwnStream(events, sealed: request.words)
    }

    /// Appends an event to the ledger's own stream.
    ///
    /// - Parameter sealed: what is sealed with it, under the key of that stream, which is never
    ///   erased.
    /// - Returns: its revision.
    @discardableResult
    public func appendToOwnStream(_ event: LedgerEvent, sealed: JSONObject? = nil) throws -> Int {
        try appendToOwnStream([event], sealed: sealed)
    }

    private func appendToOwnStream(_ events: [LedgerEvent], sealed: JSONObject?) throws -> Int {
        let subject = info.ledgerID.description
        while true {
            var head = try streamHead(subject)
            let stored = try dataKey(for: subject)
            let fresh = stored == nil ? try makeDataKey(for: subject) : nil
            // A stream that goes on gets no other key than the one it was begun with.
            let key = try head == nil ? stored ?? fresh?.key : hadKey(subject) ? stored : nil
            guard key != nil || sealed == nil else {
                throw LedgerError.keyMissing(subject: subject)
            }
            var batch = AppendBatch(
                events: [], newDataKeys: head == nil ? fresh.map { [$0] } ?? [] : [])
            let first = (head?.revision ?? 0) + 1
            for event in events {
                let prepared = try prepare(
                    draft(event, subject: subject, sealed: sealed), after: head,
                    dataKey: key)
                head = prepared.head
                batch.events.append(prepared)
            }
            do {
                _ = try appendAndWait(batch)
                return first
            } catch is AppendConflict {
                // Another process wrote to the stream; look again.
            } catch is DataKeyConflict {
                // Another process has begun the stream; look again.
            }
        }
    }

    fileprivate func outcome(of erasure: UUIDv7, from first: Int) throws -> ErasureOutcome {
        let events = try stream(info.ledgerID.description).dropFirst(first - 1)
        var begun: [RecordedEvent] = []
        var attested: [RecordedEvent] = []
        var keysDestroyed = 0
        var fate = Erased.RootKeyFate.kept
        for event in events {
            switch try? LedgerEventCodec.decode(event) {
            case .erasureStarted(let part) where part.erasure == erasure: begun.append(event)
            case .erased(let part) where part.erasure == erasure:
                attested.append(event)
                keysDestroyed += part.keysDestroyed
                fate = part.rootKey
            default: break
            }
        }
        return ErasureOutcome(
            erasure: erasure, keysDestroyed: keysDestroyed, begun: begun, attested: attested,
            rootKey: fate)
    }
}
