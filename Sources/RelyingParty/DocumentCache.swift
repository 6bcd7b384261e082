// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import Sessions
internal import Synchronization

/// The documents of providers that are at hand: discovery and key sets, shared by all logins of a
/// relying party and safe to use from many tasks.
///
/// What it gives out as a provider's present document was fetched by this process; nothing is read
/// from the ledger for that, and errors never get in.
public final class ProviderDocumentCache: Sendable {
    /// Whose document, and whom we would talk to about it: a document that was fetched by looser
    /// rules is not one for a profile with stricter ones.
    struct Owner: Hashable {
        private let ledger: UUIDv7
        private let issuer: [UInt8]
        private let trustedCAFile: [UInt8]?
        private let allowsLoopbackHTTP: Bool
        private let allowsPrivateTargets: Bool

        init(ledger: UUIDv7, issuer: String, limits: HTTPRequest.Limits) {
            self.ledger = ledger
            self.issuer = Array(issuer.utf8)
            trustedCAFile = limits.trustedCAFile.map { Array($0.utf8) }
            allowsLoopbackHTTP = limits.allowsLoopbackHTTP
            allowsPrivateTargets = limits.allowsPrivateTargets
        }
    }

    private struct Shelf {
        let discovery = CachedDocument<ArchivedDocument>()
        /// By the address in the discovery document; the one used last stands last.
        var keySets: [(url: [UInt8], document: CachedDocument<FetchedKeySet>)] = []
    }

    /// How many key sets of a provider are kept. It has one and, while it moves, two; one that
    /// names another address every time must not fill the memory.
    private static let keySetsMax = 4

    private let shelves = Mutex<[Owner: Shelf]>([:])
    /// What documents of the ledger say, by their digests.
    let readings = DocumentReadings()

    /// An empty cache.
    public init() {}

    /// The profile that a session began with.
    func profile(of state: SessionState, in log: EventLog) throws -> ProviderProfile {
        let missing = LedgerError.damaged(
            "the archived profile of a session is missing", position: nil)
        guard let digest = state.profileDigest else { throw missing }
        return try readings.profiles.value(of: digest) {
            guard let bytes = try log.blob(digest),
                let members = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue
            else { throw missing }
            return try ProviderProfile(members, relativeTo: "/")
        }
    }

    /// The discovery document of a provider.
    func discovery(of owner: Owner) -> CachedDocument<ArchivedDocument> {
        shelves.withLock { shelves in
            let shelf = shelves[owner] ?? Shelf()
            shelves[owner] = shelf
            return shelf.discovery
        }
    }

    /// The key set of a provider at an address.
    func keySet(of owner: Owner, at url: String) -> CachedDocument<FetchedKeySet> {
        let url = Array(url.utf8)
        return shelves.withLock { shelves in
            var shelf = shelves[owner] ?? Shelf()
            let index = shelf.keySets.firstIndex { $0.url == url }
            let entry =
                index.map { shelf.keySets.remove(at: $0) }
                ?? (url: url, document: CachedDocument())
            shelf.keySets.append(entry)
            if shelf.keySets.count > Self.keySetsMax { shelf.keySets.removeFirst() }
            shelves[owner] = shelf
            return entry.document
        }
    }
}

/// A key set as it was fetched.
struct FetchedKeySet: Sendable {
    let keys: JSONWebKeySet
    let archived: ArchivedDocument
}

/// One document of a provider: the copy at hand, the fetch under way and the one behind it.
///
/// At most one fetch is under way. Whoever comes meanwhile waits for it or, if it has to be a
/// younger one, for the next, which all who come in that time share. A fetch belongs to nobody: a
/// caller that is cancelled takes it from no other, and waits for it as long as a request may take.
/// What a fetch brings replaces the copy as a whole; one that fails fails for all who wait, leaves
/// the copy as it is, and the next caller begins another.
actor CachedDocument<Content: Sendable> {
    /// What a fetch brought.
    struct Fetched: Sendable {
        let content: Content
        /// For how long it is fresh, from when it was asked for.
        let freshSeconds: Int
    }

    /// Where the document comes from.
    struct Source: Sendable {
        /// Asked only while nobody else asks, so that the time goes forward from look to look.
        let now: @Sendable () -> Instant
        let fetch: @Sendable () async throws -> Fetched
    }

    private struct Copy {
        let fetched: Fetched
        let asked: Instant
        var age: DocumentAge

        /// The content, while it is fresh.
        var fresh: Content? {
            age.isBelow(seconds: fetched.freshSeconds) ? fetched.content : nil
        }
    }

    private typealias Fetch = Task<Content, any Error>

    private var copy: Copy?
    private var underWay: Fetch?
    private var next: Fetch?
    private var lastRefetch: Instant?

    /// The copy while it is fresh, else what the fetch under way brings, or a new one.
    func current(_ source: Source) async throws -> Content {
        if let content = look(source)?.fresh { return content }
        return try await (underWay ?? begin(source)).value
    }

    /// What a fetch brings that begins from now on.
    ///
    /// - Parameter isEnough: whether the copy will do while it is fresh.
    func newest(
        _ source: Source, unless isEnough: @Sendable (Content) -> Bool
    ) async throws -> Content {
        if let content = look(source)?.fresh, isEnough(content) { return content }
        guard let underWay else { return try await begin(source).value }
        if let next { return try await next.value }
        let fetch = Fetch {
            _ = await underWay.result
            return try await self.run(source)
        }
        next = fetch
        return try await fetch.value
    }

    /// What the fetch under way brings, or a new one unless such a one began a short time ago.
    ///
    /// - Parameters:
    ///   - seconds: the time between two of these fetches.
    ///   - isEnough: whether the copy will do while it is fresh.
    /// - Returns: nil when it is too early for another.
    func newest(
        _ source: Source, atMostEvery seconds: Int,
        unless isEnough: @Sendable (Content) -> Bool = { _ in false }
    ) async throws -> Content? {
        let now = source.now()
        if let content = look(now)?.fresh, isEnough(content) { return content }
        if let underWay { return try await underWay.value }
        // A clock that was set back must not make this wait for longer than the time between two.
        if let last = lastRefetch, last <= now,
            now < last.advanced(byMilliseconds: Int64(seconds) * 1000)
        {
            return nil
        }
        lastRefetch = now
        return try await begin(source).value
    }

    /// The copy if it is fresh or was asked for so many seconds ago at most.
    func atHand(_ source: Source, withinSeconds seconds: Int) -> Content? {
        guard let copy = look(source), copy.fresh != nil || copy.age.isBelow(seconds: seconds)
        else { return nil }
        return copy.fetched.content
    }

    /// The copy, however old, if it was asked for so many seconds ago at most, and when that was.
    func lastGood(
        _ source: Source, withinSeconds seconds: Int
    ) -> (content: Content, asked: Instant)? {
        guard let copy = look(source), copy.age.milliseconds < Int64(seconds) * 1000 else {
            return nil
        }
        return (copy.fetched.content, copy.asked)
    }

    private func look(_ source: Source) -> Copy? {
        look(source.now())
    }

    private func look(_ now: Instant) -> Copy? {
        copy?.age.look(now)
        return copy
    }

    private func begin(_ source: Source) -> Fetch {
        let fetch = Fetch { try await self.run(source) }
        underWay = fetch
        return fetch
    }

    private func run(_ source: Source) async throws -> Content {
        defer {
            underWay = next
            next = nil
        }
        let asked = source.now()
        let fetched = try await source.fetch()
        copy = Copy(fetched: fetched, asked: asked, age: DocumentAge(since: asked))
        return fetched.content
    }
}
