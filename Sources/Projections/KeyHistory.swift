// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// The key sets of one issuer as they were seen, and what that says of each key.
public struct KeyHistory: Equatable, Sendable {
    /// A key as a key set has it.
    public struct Key: Equatable, Sendable {
        /// `kid`; nil for a key without one.
        public let keyID: String?
        /// `alg`, or else the kind of key.
        public let algorithm: String
        /// RFC 7638; nil for a key that cannot be read.
        public let thumbprint: Digest?
        /// Why it is not used, or is weak; nil for a good one.
        public let flaw: String?

        /// A key.
        public init(keyID: String?, algorithm: String, thumbprint: Digest?, flaw: String?) {
            self.keyID = keyID
            self.algorithm = algorithm
            self.thumbprint = thumbprint
            self.flaw = flaw
        }

        /// The same key, whichever sets it stands in.
        public func isSame(as other: Key) -> Bool {
            if let thumbprint, let theirs = other.thumbprint { return thumbprint == theirs }
            switch (keyID, other.keyID) {
            case (let mine?, let theirs?): return mine.isIdentical(to: theirs)
            default: return keyID == nil && other.keyID == nil && algorithm == other.algorithm
            }
        }
    }

    /// A key set at a time.
    public struct Sighting: Equatable, Sendable {
        /// When.
        public let time: Instant
        /// Where it was recorded; nil for one that came with a token.
        public let position: UInt64?
        /// The archived key set.
        public let digest: Digest
        /// Who says that this was the issuer's key set.
        public let source: DocumentSource
        /// Its keys.
        public let keys: [Key]

        /// A sighting.
        public init(
            time: Instant, position: UInt64?, digest: Digest, source: DocumentSource, keys: [Key]
        ) {
            self.time = time
            self.position = position
            self.digest = digest
            self.source = source
            self.keys = keys
        }
    }

    /// What is known of one key.
    public struct Life: Equatable, Sendable {
        /// The key.
        public let key: Key
        /// When it was first seen.
        public internal(set) var firstSeen: Instant
        /// When it was last seen.
        public internal(set) var lastSeen: Instant
        /// Who saw it; both where we saw it ourselves as well.
        public internal(set) var sources: Set<DocumentSource>
        /// When it was gone from the issuer's key set; nil while it is there.
        public internal(set) var withdrawnAt: Instant?
        /// The key sets that it stood in.
        public internal(set) var keySets: [Digest]
    }

    /// How the key set changed.
    public struct Change: Equatable, Sendable {
        /// When the change was seen.
        public let time: Instant
        /// Where it was recorded.
        public let position: UInt64?
        /// The key set from then on.
        public let digest: Digest
        /// Who says so.
        public let source: DocumentSource
        /// Keys that came.
        public let added: [Key]
        /// Keys that went.
        public let withdrawn: [Key]
        /// How long nobody had looked before, in seconds, where that is longer than a day: what
        /// happened in between is not known.
        public let gapSeconds: Int64?
    }

    /// While logins go on, a key set is recorded once a day at least.
    static let dayMilliseconds: Int64 = 86_400_000

    /// The issuer.
    public let issuer: String
    /// Every key, in the order in which they were first seen.
    public private(set) var keys: [Life] = []
    /// How the key set changed, in order; gaps without a change among them.
    public private(set) var timeline: [Change] = []

    /// Folds the sightings of an issuer's key sets, in any order.
    public init(issuer: String, _ sightings: [Sighting]) {
        self.issuer = issuer
        var current: Sighting?
        for sighting in sightings.sorted(by: Self.isBefore) {
            fold(sighting, after: current)
            // What another program reports says nothing of what the issuer publishes otherwise.
            if sighting.source == .own || current == nil { current = sighting }
        }
    }

    private static func isBefore(_ one: Sighting, _ other: Sighting) -> Bool {
        (one.time, one.position ?? .max) < (other.time, other.position ?? .max)
    }

    private mutating func fold(_ sighting: Sighting, after current: Sighting?) {
        var added: [Key] = []
        for key in sighting.keys {
            if let index = keys.firstIndex(where: { $0.key.isSame(as: key) }) {
                keys[index].lastSeen = sighting.time
                keys[index].sources.insert(sighting.source)
                if sighting.source == .own { keys[index].withdrawnAt = nil }
                if !keys[index].keySets.contains(sighting.digest) {
                    keys[index].keySets.append(sighting.digest)
                }
            } else {
                keys.append(
                    Life(
                        key: key, firstSeen: sighting.time, lastSeen: sighting.time,
                        sources: [sighting.source], withdrawnAt: nil, keySets: [sighting.digest]))
            }
            let wasThere = current?.keys.contains { $0.isSame(as: key) } ?? false
            if !wasThere { added.append(key) }
        }
        var withdrawn: [Key] = []
        if sighting.source == .own, let current, current.source == .own {
            withdrawn = current.keys.filter { old in
                !sighting.keys.contains { $0.isSame(as: old) }
            }
            for key in withdrawn {
                for index in keys.indices where keys[index].key.isSame(as: key) {
                    keys[index].withdrawnAt = sighting.time
                }
            }
        }
        note(sighting, after: current, added, withdrawn)
    }

    private mutating func note(
        _ sighting: Sighting, after current: Sighting?, _ added: [Key], _ withdrawn: [Key]
    ) {
        let silence = current.map {
            sighting.time.millisecondsSince1970 - $0.time.millisecondsSince1970
        }
        let gap = silence.flatMap { $0 > Self.dayMilliseconds ? $0 / 1000 : nil }
        let isSame = current?.digest == sighting.digest
        guard !isSame || gap != nil else { return }
        timeline.append(
            Change(
                time: sighting.time, position: sighting.position, digest: sighting.digest,
                source: sighting.source, added: added, withdrawn: withdrawn, gapSeconds: gap))
    }
}
