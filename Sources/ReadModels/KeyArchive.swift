// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL
public import Projections
internal import SessionEvents

/// Every key set that was ever seen: those that this program fetched, from the issuers' streams,
/// and those that came with reported tokens.
public struct KeyArchive: Sendable {
    /// What the keys of one issuer were used for.
    public struct Use: Equatable, Sendable {
        /// Sessions that ended well.
        public internal(set) var verified = 0
        /// Sessions that failed once they had the token.
        public internal(set) var failed = 0
    }

    /// The history of each issuer's keys, in the order of the issuers' names.
    public private(set) var histories: [KeyHistory] = []
    private var uses: [[UInt8]: [KeyUsage]] = [:]

    /// Reads the archive.
    ///
    /// - Parameter issuer: only this one; nil for all that sessions name.
    /// - Throws: ``ProjectionError`` or an error of the ledger.
    public init(_ store: ProjectionStore, issuer: String? = nil) throws {
        var issuers: [[UInt8]: String] = [:]
        if let issuer { issuers[Array(issuer.utf8)] = issuer }
        try store.forEachRow(KeyUsage.self) { row in
            guard let name = row.issuer, issuer.map(name.isIdentical(to:)) ?? true else { return }
            issuers[Array(name.utf8)] = name
            uses[Array(name.utf8), default: []].append(row)
        }
        if issuer == nil {
            try store.forEachSession(SessionQuery()) { session in
                if let name = session.issuer { issuers[Array(name.utf8)] = name }
                return true
            }
        }
        for name in issuers.values.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let history = KeyHistory(
                issuer: name,
                try Self.sightings(of: name, uses[Array(name.utf8)] ?? [], in: store))
            if !history.keys.isEmpty { histories.append(history) }
        }
    }

    /// What a key was used for, by the ids and sets that events name.
    public func use(of life: KeyHistory.Life, issuer: String) -> Use {
        var use = Use()
        for row in uses[Array(issuer.utf8)] ?? [] {
            guard let digest = row.key.keySetDigest, life.keySets.contains(digest) else { continue }
            let isNamed: Bool
            if let keyID = row.key.keyID, let own = life.key.keyID {
                isNamed = keyID.isIdentical(to: own)
            } else {
                isNamed = row.key.keyID == nil && life.key.keyID == nil
            }
            guard isNamed else { continue }
            use.verified += row.verified
            use.failed += row.failed
        }
        return use
    }

    private static func sightings(
        of issuer: String, _ uses: [KeyUsage], in store: ProjectionStore
    ) throws -> [KeyHistory.Sighting] {
        var sightings: [KeyHistory.Sighting] = []
        var own: Set<Digest> = []
        for event in try store.log.stream(issuer)
        where event.envelope.type == ProviderDocumentFetched.Kind.keySet.rawValue {
            guard let digest = ProviderDocumentFetched.documentDigest(in: event.data) else {
                continue
            }
            own.insert(digest)
            sightings.append(
                KeyHistory.Sighting(
                    time: event.envelope.time, position: event.position, digest: digest,
                    source: .own, keys: try keys(digest, in: store)))
        }
        for use in uses {
            guard let digest = use.key.keySetDigest, !own.contains(digest) else { continue }
            let found = try keys(digest, in: store)
            for time in use.firstAt == use.lastAt ? [use.firstAt] : [use.firstAt, use.lastAt] {
                sightings.append(
                    KeyHistory.Sighting(
                        time: time, position: nil, digest: digest, source: .reported, keys: found))
            }
        }
        return sightings
    }

    private static func keys(
        _ digest: Digest, in store: ProjectionStore
    ) throws -> [KeyHistory.Key] {
        guard let bytes = try store.log.blob(digest),
            let set = try? JSONWebKeySet(parsing: bytes)
        else { return [] }
        return set.keys.map { key in
            KeyHistory.Key(
                keyID: key.keyID.flatMap { RegisteredNames.isKeyID($0) ? $0 : nil },
                algorithm: key.algorithm?.rawValue ?? key.kind, thumbprint: key.thumbprint,
                flaw: key.unusableReason?.rawValue)
        }
    }
}

extension JSONWebKey {
    /// The kind of key, where it does not say what it signs with.
    fileprivate var kind: String {
        switch publicKey?.parameters {
        case .rsa(_, _)?: "RSA"
        case .elliptic(_, _, _)?: "EC"
        case .ed25519(_)?: "OKP"
        case nil: "unknown"
        }
    }
}
