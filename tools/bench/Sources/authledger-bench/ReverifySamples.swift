// SPDX-License-Identifier: Apache-2.0

import EventLog
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import Platform
import Replay
import SessionEvents
import Synchronization

/// Good tokens of a ledger, taken apart as far as the stages of their check take them in.
struct ReverifySamples: Sendable {
    struct Item: Sendable {
        let session: String
        let evidence: TokenEvidence
        let token: [UInt8]
        let key: PublicKey
        /// The part of the token that is signed.
        let signed: ArraySlice<UInt8>
        let signature: [UInt8]
    }

    /// One stage on the way to a verdict, over all tokens.
    struct Stage {
        let name: String
        let body: () throws -> Void
    }

    private static let sessionsPerBatch = 64

    let items: [Item]
    let keys: JSONWebKeySet
    private let log: EventLog

    init(_ log: EventLog, countMax: Int) throws {
        self.log = log
        keys = try Self.keys(of: log)
        let reverification = try Reverification(log)
        let verifier = SignatureVerifier(algorithms: [.rs256])
        var items: [Item] = []
        var last: String?
        while items.count < countMax {
            let sessions = try log.streams(after: last, limit: Self.sessionsPerBatch)
            guard let end = sessions.last else { break }
            last = end
            let keys = self.keys
            try reverification.forEachEvidence(sessions) { evidence in
                guard try reverification.judge(evidence).result == .verified,
                    let token = evidence.idToken.map({ Array($0.utf8) }),
                    let key = verifier.examine(token, keys: keys).jws?.key.publicKey,
                    let dot = token.lastIndex(of: UInt8(ascii: ".")),
                    let signature = Base64URL.decode(token[(dot + 1)...])
                else { return }
                items.append(
                    Item(
                        session: evidence.session, evidence: evidence, token: token, key: key,
                        signed: token[..<dot], signature: signature))
            }
        }
        self.items = items
    }

    /// The keys of all archived key sets.
    private static func keys(of log: EventLog) throws -> JSONWebKeySet {
        var digests: Set<Digest> = []
        try log.forEachEvent(in: 0..<log.head().size) { event in
            guard case .tokenIssued(let token)? = try? SessionEventCodec.decode(event),
                let digest = token.keySetDigest
            else { return true }
            digests.insert(digest)
            return digests.count < TokenLedger.keySets
        }
        var keys: [JSONWebKey] = []
        for digest in digests {
            guard let bytes = try log.blob(digest) else { continue }
            for key in try JSONWebKeySet(parsing: bytes).keys
            where !keys.contains(where: { $0.thumbprint == key.thumbprint }) {
                keys.append(key)
            }
        }
        return JSONWebKeySet(keys)
    }

    func signaturesPerSecond(threads count: Int) throws -> Double {
        let failed = FailureCount()
        let size = (items.count + count - 1) / count
        let start = ProcessControl.monotonicNanoseconds
        let threads = try stride(from: 0, to: items.count, by: size).map { first in
            let part = items[first..<min(items.count, first + size)]
            let keys = keys
            return try WorkerThread {
                let verifier = SignatureVerifier(algorithms: [.rs256])
                for item in part where verifier.examine(item.token, keys: keys).jws == nil {
                    failed.add()
                }
            }
        }
        for thread in threads { thread.join() }
        if failed.value > 0 { throw BenchError("a signature is not valid") }
        let seconds = Double(ProcessControl.monotonicNanoseconds - start) / 1e9
        return Double(items.count) / seconds
    }

    func stages() throws -> [Stage] {
        let sessions = items.map(\.session)
        let batches = stride(from: 0, to: sessions.count, by: Self.sessionsPerBatch).map {
            Array(sessions[$0..<min(sessions.count, $0 + Self.sessionsPerBatch)])
        }
        let reader = try StreamEndsReader(log)
        let reverification = try Reverification(log)
        let verifier = SignatureVerifier(algorithms: [.rs256])
        let (items, keys) = (items, keys)
        let nothing = ExcerptRequest(members: [], opensBoxOf: nil)
        return [
            Stage(name: "find, read, restore and hash three events, unwrap the data key") {
                for batch in batches { try reader.read(batch, { _ in nothing }) { _, _ in } }
            },
            Stage(name: "the same, boxes opened, payloads read: the evidence") {
                for batch in batches { try reverification.forEachEvidence(batch) { _ in } }
            },
            Stage(name: "the signature alone") {
                for item in items
                where !item.key.verify(
                    item.signature, over: item.signed, scheme: .rsaPKCS1(.sha256))
                {
                    throw BenchError("a signature is not valid")
                }
            },
            Stage(name: "take the token apart, choose the key, check the signature") {
                for item in items { _ = verifier.examine(item.token, keys: keys) }
            },
            Stage(name: "the whole judgement, claims and all") {
                for item in items { _ = try reverification.judge(item.evidence) }
            },
        ]
    }
}

/// Counts on one thread, to be read when that has ended.
private final class FailureCount: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }

    func add() {
        count.add(1, ordering: .relaxed)
    }
}
