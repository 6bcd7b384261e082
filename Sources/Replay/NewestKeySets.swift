// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Synchronization

/// The newest key set that the log has of each issuer: what the provider publishes today, as far as
/// it was recorded.
///
/// What we fetched ourselves stands in the issuer's stream and counts. Of an issuer of which only
/// other programs reported, the key set of the last token that came counts.
public final class NewestKeySets: Sendable {
    private struct Findings {
        var digests: [String: Digest?] = [:]
        /// The key sets of reported tokens, by issuer; those from `readTo` on were looked at.
        var reported: [String: Digest] = [:]
        var readTo: UInt64
    }

    private static let eventsPerPart: UInt64 = 512

    private let log: EventLog
    private let size: UInt64
    private let findings: Mutex<Findings>

    /// - Parameter size: only the first events of the log count, so many.
    public init(_ log: EventLog, before size: UInt64 = .max) throws {
        self.log = log
        self.size = try min(size, log.head().size)
        findings = Mutex(Findings(readTo: self.size))
    }

    /// The digest of an issuer's newest key set; nil when the log has none.
    func digest(of issuer: String) throws -> Digest? {
        try findings.withLock { findings in
            if let known = findings.digests[issuer] { return known }
            let found =
                try fetched(issuer) ?? { try reported(issuer, &findings) }()
            findings.digests[issuer] = .some(found)
            return found
        }
    }

    private func fetched(_ issuer: String) throws -> Digest? {
        let type = ProviderDocumentFetched.Kind.keySet.rawValue
        return try log.stream(issuer, before: size).last { $0.envelope.type == type }
            .flatMap { ProviderDocumentFetched.documentDigest(in: $0.data) }
    }

    private func reported(_ issuer: String, _ findings: inout Findings) throws -> Digest? {
        let type = SessionEventType.tokenIssued.rawValue
        let documents = RecordedDocuments(LedgerSource(log: log))
        while findings.reported[issuer] == nil, findings.readTo > 0 {
            let end = findings.readTo
            let start = end - min(end, Self.eventsPerPart)
            let part = try log.placedEvents(in: start..<end, passingOver: ["sealed"])
            if let unreadable = part.unreadable { throw unreadable.error }
            for placed in part.events.reversed() where placed.event.envelope.type == type {
                guard case .tokenIssued(let token) = try SessionEventCodec.decode(placed.event),
                    let keySet = token.keySetDigest, let policyDigest = token.policyDigest,
                    let policy = try documents.policy(policyDigest),
                    findings.reported[policy.issuer] == nil
                else { continue }
                findings.reported[policy.issuer] = keySet
            }
            findings.readTo = start
        }
        return findings.reported[issuer]
    }
}
