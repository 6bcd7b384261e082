// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// A provider's public documents: from the cache while they are fresh, else fetched, and archived
/// before anybody uses them.
///
/// | asked for | fetched | when it cannot be had |
/// |---|---|---|
/// | discovery | when not fresh | the login fails |
/// | discovery after an endpoint failed | once in 30 s | it fails; others keep what is fresh |
/// | key set | when not fresh | the last good one for 24 h, see ``keySet(_:)`` |
/// | key set lacking a key, token endpoint | always | what is at hand |
/// | key set lacking a key, browser | once in 60 s | what is at hand |
///
/// Errors are not remembered: after a failed fetch the next login asks again. Keys that a provider
/// withdrew are gone with the next key set fetched, which takes the former's place as a whole; no
/// archived one is used for a login but as the last good one.
struct ProviderDocuments: Sendable {
    let log: EventLog
    let capabilities: Capabilities
    /// Whose documents they are: the profile's issuer, or the one that a user chose.
    let issuer: String
    let profile: ProviderProfile
    let cache: ProviderDocumentCache

    private var owner: ProviderDocumentCache.Owner {
        ProviderDocumentCache.Owner(
            ledger: log.info.ledgerID, issuer: issuer, limits: profile.limits)
    }

    // MARK: - Discovery

    /// The discovery document, and its name in the log.
    ///
    /// - Throws: ``FlowFailure`` when the provider is at fault, or an error of the ledger.
    func discovery() async throws -> (DiscoveryDocument, ArchivedDocument) {
        let document = cache.discovery(of: owner)
        let archived = try await blamingProvider { try await document.current(discoverySource) }
        return (try read(archived), archived)
    }

    /// The discovery document as it is now, for a login that found an endpoint of it failing.
    ///
    /// At most every 30 s it is fetched for this; in between the caller gets what that fetch
    /// brought.
    ///
    /// - Throws: ``FlowFailure`` when it could not be fetched just now, or an error of the ledger.
    func refetchDiscovery() async throws -> (DiscoveryDocument, ArchivedDocument) {
        let document = cache.discovery(of: owner)
        let source = discoverySource
        let fetched = try await blamingProvider {
            try await document.newest(source, atMostEvery: DocumentTiming.refetchSeconds)
        }
        if let fetched { return (try read(fetched), fetched) }
        let atHand = await document.atHand(source, withinSeconds: DocumentTiming.refetchSeconds)
        guard let atHand else { throw FlowFailure(.metadataUnavailable) }
        return (try read(atHand), atHand)
    }

    private var discoverySource: CachedDocument<ArchivedDocument>.Source {
        CachedDocument.Source(now: capabilities.now) {
            let url = DiscoveryDocument.url(ofIssuer: issuer)
            let response = try await get(url)
            do throws(FlowFailure) {
                _ = try DiscoveryDocument.process(
                    response, issuer: issuer,
                    allowsLoopbackHTTP: profile.transport.allowsLoopbackHTTP, hosts: profile.hosts)
            } catch {
                throw FetchFailure(error, status: response.status)
            }
            return CachedDocument.Fetched(
                content: try await archive(response, .discovery, url),
                freshSeconds: DocumentTiming.freshSeconds(response, .discovery))
        }
    }

    private func read(_ archived: ArchivedDocument) throws -> DiscoveryDocument {
        try read(archived.digest) { archived.bytes }
    }

    /// Every profile reads a document by its own rules, whoever fetched it.
    private func read(
        _ digest: Digest, _ bytes: () throws -> [UInt8]
    ) throws -> DiscoveryDocument {
        let source = DocumentReadings.DiscoveryReading(digest, issuer: issuer, profile: profile)
        return try cache.readings.discoveries.value(of: source) {
            try DiscoveryDocument(
                try bytes(), issuer: issuer,
                allowsLoopbackHTTP: profile.transport.allowsLoopbackHTTP, hosts: profile.hosts)
        }
    }

    // MARK: - Key set

    /// The key set, and its name in the log.
    ///
    /// Where it cannot be had because the provider is not reached, breaks off, or answers 429 or
    /// 5xx, the last good one counts for 24 hours from when it was last fetched with success: of
    /// this process, or of another if the log has a later one. Cache-Control does not matter for
    /// this: it says what may be used without asking, and here the answer did not come. Any other
    /// answer, 404 or one that is no key set, is the provider's word that there are no keys, and
    /// fails; so does a peer that cannot show who it is.
    ///
    /// - Throws: ``FlowFailure`` when the provider is at fault, or an error of the ledger.
    func keySet(_ discovery: DiscoveryDocument) async throws -> (JSONWebKeySet, ArchivedDocument) {
        let document = cache.keySet(of: owner, at: discovery.keySetURL)
        do {
            return try await document.current(keySetSource(discovery)).parts
        } catch let failure as FetchFailure {
            guard failure.isOutage, let good = try await lastGood(document, discovery) else {
                throw failure.flowFailure
            }
            return good.parts
        }
    }

    /// A key set that was fetched after this call began, for a token from the token endpoint whose
    /// key is not in the one that the caller has.
    ///
    /// Only if the set at hand is fresh and has that key by now it is taken instead. Where none can
    /// be had, the set at hand comes back, which mostly is the one that the caller has.
    ///
    /// - Throws: ``FlowFailure`` when there is none at hand either, or an error of the ledger.
    func keySet(
        _ discovery: DiscoveryDocument, lacking keyID: String
    ) async throws -> (JSONWebKeySet, ArchivedDocument) {
        let document = cache.keySet(of: owner, at: discovery.keySetURL)
        do {
            return try await document.newest(keySetSource(discovery)) { $0.keys.has(keyID: keyID) }
                .parts
        } catch let failure as FetchFailure {
            return try await keySetAtHand(document, discovery, after: failure).parts
        }
    }

    /// The same for a token that came through the browser, in which anybody can name a key: at
    /// most every 60 s it makes a fetch, in between the set at hand comes back.
    ///
    /// - Throws: ``FlowFailure`` when there is none at hand either, or an error of the ledger.
    func keySetThrottled(
        _ discovery: DiscoveryDocument, lacking keyID: String
    ) async throws -> (JSONWebKeySet, ArchivedDocument) {
        let document = cache.keySet(of: owner, at: discovery.keySetURL)
        let source = keySetSource(discovery)
        do {
            let newest = try await document.newest(
                source, atMostEvery: DocumentTiming.strangerSeconds,
                unless: { $0.keys.has(keyID: keyID) })
            if let newest { return newest.parts }
        } catch let failure as FetchFailure {
            return try await keySetAtHand(document, discovery, after: failure).parts
        }
        if let atHand = await document.atHand(source, withinSeconds: DocumentTiming.atHandSeconds) {
            return atHand.parts
        }
        return try await keySet(discovery)
    }

    private func keySetSource(
        _ discovery: DiscoveryDocument
    ) -> CachedDocument<FetchedKeySet>.Source {
        let url = discovery.keySetURL
        return CachedDocument.Source(now: capabilities.now) {
            let response = try await get(url)
            let keys: JSONWebKeySet
            do throws(FlowFailure) {
                keys = try KeySetResponse.process(response)
            } catch {
                throw FetchFailure(error, status: response.status)
            }
            let archived = try await archive(response, .keySet, url)
            return CachedDocument.Fetched(
                content: FetchedKeySet(keys: keys, archived: archived),
                freshSeconds: DocumentTiming.freshSeconds(response, .keySet))
        }
    }

    /// What there is when a younger key set cannot be had.
    private func keySetAtHand(
        _ document: CachedDocument<FetchedKeySet>, _ discovery: DiscoveryDocument,
        after failure: FetchFailure
    ) async throws -> FetchedKeySet {
        let atHand = await document.atHand(
            keySetSource(discovery), withinSeconds: DocumentTiming.atHandSeconds)
        if let atHand { return atHand }
        guard failure.isOutage, let good = try await lastGood(document, discovery) else {
            throw failure.flowFailure
        }
        return good
    }

    /// The newest key set of the last 24 hours, of this process or of the log.
    private func lastGood(
        _ document: CachedDocument<FetchedKeySet>, _ discovery: DiscoveryDocument
    ) async throws -> FetchedKeySet? {
        let own = await document.lastGood(
            keySetSource(discovery), withinSeconds: DocumentTiming.lastGoodSeconds)
        let recorded = try lastRecorded(.keySet, url: discovery.keySetURL)
        if let own {
            // What was fetched and found unchanged is not recorded each time: the log has a later
            // set only if it has another one.
            guard let recorded, recorded.time > own.asked,
                recorded.digest != own.content.archived.digest
            else { return own.content }
        }
        // A time to come says nothing of the age.
        let now = capabilities.now()
        guard let recorded, recorded.time <= now,
            now
                < recorded.time.advanced(
                    byMilliseconds: Int64(DocumentTiming.lastGoodSeconds) * 1000),
            let bytes = try log.blob(recorded.digest),
            let keys = try? JSONWebKeySet(parsing: bytes)
        else { return nil }
        return FetchedKeySet(
            keys: keys, archived: ArchivedDocument(digest: recorded.digest, bytes: bytes))
    }

    // MARK: - Archive

    /// The discovery document under a digest, read from the log.
    func archivedDiscovery(_ digest: Digest) throws -> DiscoveryDocument {
        try read(digest) {
            guard let bytes = try log.blob(digest) else {
                throw LedgerError.damaged(
                    "an archived discovery document is missing", position: nil)
            }
            return bytes
        }
    }

    /// The policy under a digest, read from the log.
    func archivedPolicy(_ digest: Digest) throws -> VerificationPolicy {
        try cache.readings.policies.value(of: digest) {
            guard let bytes = try log.blob(digest),
                let members = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue
            else { throw LedgerError.damaged("an archived policy is missing", position: nil) }
            return try VerificationPolicy.complete(members).policy
        }
    }

    /// The key set under a digest, read from the log, with keys held to a policy's limits.
    func archivedKeySet(
        _ digest: Digest, _ limits: JSONWebKeyLimits
    ) throws -> JSONWebKeySet {
        let source = DocumentReadings.KeySetReading(digest: digest, limits: limits)
        return try cache.readings.keySets.value(of: source) {
            guard let bytes = try log.blob(digest) else {
                throw LedgerError.damaged("an archived key set is missing", position: nil)
            }
            return try JSONWebKeySet(parsing: bytes, limits: limits)
        }
    }

    // MARK: - Network

    private func get(_ url: String) async throws -> HTTPResponse {
        do {
            return try await capabilities.send(profile.documentRequest(url))
        } catch let failure as HTTPFailure {
            throw FetchFailure(failure)
        }
    }

    private func blamingProvider<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let failure as FetchFailure {
            throw failure.flowFailure
        }
    }
}

extension FetchedKeySet {
    fileprivate var parts: (JSONWebKeySet, ArchivedDocument) { (keys, archived) }
}

/// Why a document could not be had.
private struct FetchFailure: Error {
    /// What it means for a login.
    let flowFailure: FlowFailure
    /// Whether the provider was not there, or not able to answer, so that its last word counts.
    let isOutage: Bool

    init(_ failure: HTTPFailure) {
        flowFailure = FlowFailure(fetching: failure)
        switch failure.kind {
        case .unreachable, .timedOut, .interrupted: isOutage = true
        case .untrusted, .refused, .tooLarge, .clientCertificate: isOutage = false
        }
    }

    init(_ failure: FlowFailure, status: Int) {
        flowFailure = failure
        isOutage = status == 429 || status >= 500
    }
}

extension FlowFailure {
    /// What it means when a public document cannot be fetched.
    init(fetching failure: HTTPFailure) {
        switch failure.kind {
        case .refused: self.init(.hostRefused)
        case .tooLarge: self.init(.responseTooLarge)
        case .unreachable, .timedOut, .untrusted, .interrupted, .clientCertificate:
            self.init(.metadataUnavailable)
        }
    }
}
