// SPDX-License-Identifier: Apache-2.0

public import EventLog
public import LedgerPrimitives
internal import SessionEvents
public import SignedNote

/// What an erasure leaves behind for the person who asked for it: what the log says of it, and
/// what it did not reach. See `Schemas/key-custody.md`.
public struct ErasureCertificate: Sendable {
    /// Something that an erasure does not reach, by a fixed code.
    public enum Remainder: String, CaseIterable, Sendable {
        case clearMembers = "clear-members"
        case earlierCopies = "earlier-copies"
        case freedBlocks = "freed-disk-blocks"
        case foreignRootKey = "root-key-kept"

        /// One sentence for a person.
        public var words: String {
            switch self {
            case .clearMembers:
                "The clear members of the events stay for ever. They are pseudonymous: session "
                    + "id, times, provider, outcome."
            case .earlierCopies:
                "Exports, reports, evidence bundles and copies of the keys that were made earlier "
                    + "are where they were taken; backups of log/ alone cannot be opened any more."
            case .freedBlocks:
                "The old keys were written over where they lay. A file system or a disk that "
                    + "writes elsewhere may keep the old blocks for a time."
            case .foreignRootKey:
                "The root key is kept outside of the ledger and was not replaced: together with "
                    + "an older copy of keys/ it still opens what was erased. Replace it there."
            }
        }
    }

    private let info: LedgerInfo
    private let erasure: UUIDv7
    private let begun: [(event: RecordedEvent, payload: ErasureStarted)]
    private let attested: [(event: RecordedEvent, payload: Erased)]

    /// Reads an erasure from the log; nil when the log does not attest it.
    public init?(of erasure: UUIDv7, in log: EventLog) throws {
        var begun: [(RecordedEvent, ErasureStarted)] = []
        var attested: [(RecordedEvent, Erased)] = []
        for event in try log.stream(log.info.ledgerID.description) {
            switch try? LedgerEventCodec.decode(event) {
            case .erasureStarted(let part) where part.erasure == erasure:
                begun.append((event, part))
            case .erased(let part) where part.erasure == erasure: attested.append((event, part))
            default: break
            }
        }
        guard !begun.isEmpty, begun.count == attested.count else { return nil }
        self.begun = begun
        self.attested = attested
        self.erasure = erasure
        info = log.info
    }

    /// How many data keys of sessions were destroyed.
    public var keysDestroyed: Int { attested.reduce(0) { $0 + $1.payload.keysDestroyed } }

    /// What stays.
    public var remainders: [Remainder] {
        let isKept = attested.contains { $0.payload.rootKey == .kept }
        return [.clearMembers, .earlierCopies, .freedBlocks] + (isKept ? [.foreignRootKey] : [])
    }

    /// The certificate as a document.
    ///
    /// - Parameter checkpoint: a signed checkpoint of a tree that has all the events, with which
    ///   the document proves that they are in the log; without it the document is our word alone.
    /// - Throws: an error of the ledger.
    public func document(in log: EventLog, under checkpoint: SignedCheckpoint?) throws -> JSONObject
    {
        let events = try attested.map { part in
            let proof = try checkpoint.map {
                try log.inclusionProof(of: part.event.position, size: $0.checkpoint.size)
            }
            return JSONValue.object(Self.object(part.event, proof))
        }
        var object: JSONObject = [
            "erasure": .string(erasure.description),
            "events": .array(events),
            "keysDestroyed": .integer(Int64(keysDestroyed)),
            "ledger": .object([
                "ledgerID": .string(info.ledgerID.description), "origin": .string(info.origin),
                "verifierKey": .string(info.verifierKey.description),
            ]),
            "sessions": .array(
                attested.flatMap(\.payload.sessions).map { .string($0.description) }),
            "stays": .array(
                remainders.map {
                    .object(["code": .string($0.rawValue), "text": .string($0.words)])
                }),
            "type": .string("authledger.erasure-certificate"), "version": .integer(1),
        ]
        object["checkpoint"] = checkpoint.map { .string($0.note.description) }
        if let first = begun.first, let last = attested.last {
            object["begunAt"] = .string(first.event.envelope.time.rfc3339)
            object["by"] = .object([
                "uid": .integer(Int64(first.payload.by.uid)),
                "user": .string(first.payload.by.user),
            ])
            object["erasedAt"] = .string(last.event.envelope.time.rfc3339)
            object["legalBasis"] = .string(first.payload.legalBasis.rawValue)
            object["rootKey"] = .string(last.payload.rootKey.rawValue)
        }
        return object
    }

    private static func object(_ event: RecordedEvent, _ proof: [Digest]?) -> JSONObject {
        var object: JSONObject = [
            "leaf": .string(String(decoding: event.leaf, as: UTF8.self)),
            "leafHash": .string(event.leafHash.base64URL),
            "position": .integer(Int64(event.position)),
        ]
        object["proof"] = proof.map { .array($0.map { .string($0.base64) }) }
        return object
    }
}
