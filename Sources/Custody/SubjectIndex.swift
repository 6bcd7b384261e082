// SPDX-License-Identifier: Apache-2.0

public import EventLog
public import LedgerPrimitives
public import SessionEvents

/// The sessions and the records of accesses that concern one person.
public struct SubjectMatches: Equatable, Sendable {
    /// Sessions, in the order of their ids.
    public var sessions: [UUIDv7] = []
    /// Records of accesses: searches for the person.
    public var accesses: [UUIDv7] = []
}

/// Finds sessions by whom they are about.
///
/// The index holds keyed hashes alone, in `keys/`. It is made from the log: before each search it
/// takes in what was recorded since the last one. So it costs recording nothing, sessions of our
/// own and reported ones are in it alike, and none is missing because a crash came in between.
public struct SubjectIndex {
    /// How many events are read between two commits.
    private static let positionsPerCommit: UInt64 = 16_384
    private static let rememberedKeysMax = 4096

    private let log: EventLog
    private var keys: [String: DataKey] = [:]
    private var issuers: [String: String] = [:]

    /// An index of a log that is open for appending.
    public init(_ log: EventLog) {
        self.log = log
    }

    /// Takes in what was recorded since the index was used last.
    public mutating func catchUp(
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws {
        let size = try log.head().size
        let mark = try log.indexedTo()
        // A log that was put back to an earlier state is read anew.
        var position = mark <= size ? mark : 0
        while position < size {
            let end = min(size, position + Self.positionsPerCommit)
            var entries: [LookupEntry] = []
            try log.forEachEvent(in: position..<end) { event in
                for identifier in try identifiers(in: event) {
                    entries.append(
                        try log.lookupEntry(
                            .subject, identifier.lookupText, subject: event.envelope.subject))
                }
                return true
            }
            try log.storeIndex(entries, readTo: end)
            position = end
            progress(position, size)
        }
    }

    private mutating func identifiers(
        in event: RecordedEvent
    ) throws -> Set<SubjectIdentifier> {
        let subject = event.envelope.subject
        guard let type = SessionEventType(rawValue: event.envelope.type) else { return [] }
        if let issuer = event.data["issuer"]?.stringValue { issuers[subject] = issuer }
        defer {
            if type == .verified || type == .failed { forget(subject) }
        }
        switch type {
        case .initiated, .tokenIssued, .verified: break
        case .redirected, .callback, .polled, .failed: return []
        }
        guard let key = try key(of: subject),
            let sealed = try log.openSealed(event, dataKey: key)
        else { return [] }
        return SubjectIdentifier.all(inSealed: sealed, issuer: try issuer(of: subject))
    }

    /// The session's data key; nil once it was destroyed.
    private mutating func key(of subject: String) throws -> DataKey? {
        if let known = keys[subject] { return known }
        if keys.count >= Self.rememberedKeysMax { keys = [:] }
        let key = try log.dataKey(for: subject)
        keys[subject] = key
        return key
    }

    private mutating func issuer(of subject: String) throws -> String? {
        if let known = issuers[subject] { return known }
        if issuers.count >= Self.rememberedKeysMax { issuers = [:] }
        let first = try log.event(ofStream: subject, revision: 1)
        let issuer = first?.data["issuer"]?.stringValue
        issuers[subject] = issuer
        return issuer
    }

    private mutating func forget(_ subject: String) {
        keys[subject] = nil
        issuers[subject] = nil
    }

    /// What concerns a person, by one identifier. ``catchUp(progress:)`` comes before.
    public func matches(_ identifier: SubjectIdentifier) throws -> SubjectMatches {
        var matches = SubjectMatches()
        for name in try log.subjects(of: .subject, identifier.lookupText) {
            if let session = UUIDv7(name) {
                matches.sessions.append(session)
            } else if let access = AccessStream.access(name) {
                matches.accesses.append(access)
            }
        }
        matches.sessions.sort()
        return matches
    }

    /// The records of accesses to sessions.
    public func accesses(to sessions: [UUIDv7]) throws -> [UUIDv7] {
        let found = try sessions.flatMap {
            try log.subjects(of: .accessedSession, $0.description)
        }
        return Set(found.compactMap { AccessStream.access($0) }).sorted()
    }
}
