// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// Fetches a provider's public documents and archives every one that is new.
struct ProviderDocuments {
    /// An unchanged document is recorded again after this time, in milliseconds.
    private static let repeatMilliseconds: Int64 = 86_400_000

    let log: EventLog
    let capabilities: Capabilities
    let profile: ProviderProfile

    /// The discovery document, and its name in the log.
    ///
    /// - Throws: ``FlowFailure`` when the provider is at fault, or an error of the ledger.
    func fetchDiscovery() async throws -> (DiscoveryDocument, ArchivedDocument) {
        let url = DiscoveryDocument.url(ofIssuer: profile.issuer)
        let response = try await get(url)
        let document = try DiscoveryDocument.process(
            response, issuer: profile.issuer, allowsLoopbackHTTP: profile.allowsLoopbackHTTP)
        return (document, try await archive(response, .discovery, url))
    }

    /// The key set, and its name in the log.
    ///
    /// - Throws: ``FlowFailure`` when the provider is at fault, or an error of the ledger.
    func fetchKeySet(_ discovery: DiscoveryDocument) async throws -> (
        JSONWebKeySet, ArchivedDocument
    ) {
        let response = try await get(discovery.keySetURL)
        let keys = try KeySetResponse.process(response)
        return (keys, try await archive(response, .keySet, discovery.keySetURL))
    }

    /// The discovery document under a digest, read from the log.
    func archivedDiscovery(_ digest: Digest) throws -> DiscoveryDocument {
        guard let bytes = try log.blob(digest) else {
            throw LedgerError.damaged("an archived discovery document is missing", position: nil)
        }
        return try DiscoveryDocument(
            bytes, issuer: profile.issuer, allowsLoopbackHTTP: profile.allowsLoopbackHTTP)
    }

    /// The policy under a digest, read from the log.
    func archivedPolicy(_ digest: Digest) throws -> VerificationPolicy {
        guard let bytes = try log.blob(digest),
            let members = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue
        else { throw LedgerError.damaged("an archived policy is missing", position: nil) }
        return try VerificationPolicy.complete(members).policy
    }

    private func get(_ url: String) async throws -> HTTPResponse {
        let request = HTTPRequest(
            .get, url, fields: [HTTPField("Accept", "application/json")], limits: profile.limits)
        do {
            return try await capabilities.send(request)
        } catch let failure as HTTPFailure {
            throw FlowFailure(fetching: failure)
        }
    }

    /// Records the document in the issuer's stream if it is new there, or a day has gone by.
    private func archive(
        _ response: HTTPResponse, _ kind: ProviderDocumentFetched.Kind, _ url: String
    ) async throws -> ArchivedDocument {
        let digest = Digest(ofDocument: response.body)
        let document = ArchivedDocument(digest: digest, bytes: response.body)
        while true {
            let now = capabilities.now()
            let stream = try log.stream(profile.issuer)
            if let last = stream.last(where: { $0.envelope.type == kind.rawValue }),
                ProviderDocumentFetched.documentDigest(in: last.data) == digest,
                now < last.envelope.time.advanced(byMilliseconds: Self.repeatMilliseconds)
            {
                return document
            }
            let fetched = ProviderDocumentFetched(
                kind: kind, url: EndpointURL.withoutQuery(url), status: response.status,
                documentDigest: digest, durationMilliseconds: response.durationMilliseconds)
            let draft = EventDraft(
                id: capabilities.makeUUIDv7(), source: log.info.origin, type: kind.rawValue,
                typeVersion: 1, subject: profile.issuer, time: now, clear: fetched.clearMembers,
                documents: [response.body])
            let head = stream.last.map {
                StreamHead(revision: $0.envelope.revision, leafHash: $0.leafHash)
            }
            let event = try log.prepare(draft, after: head, dataKey: nil)
            do {
                _ = try await log.append(AppendBatch(events: [event]))
                return document
            } catch is AppendConflict {
                // Another login recorded something for this issuer; look again.
            }
        }
    }
}

extension FlowFailure {
    /// What it means when a public document cannot be fetched.
    init(fetching failure: HTTPFailure) {
        switch failure.kind {
        case .refused: self.init(.hostRefused)
        case .tooLarge: self.init(.responseTooLarge)
        case .unreachable, .timedOut, .untrusted, .clientCertificate, .interrupted:
            self.init(.metadataUnavailable)
        }
    }

    /// What it means when a code was sent and no answer came. A code that may have left is spent.
    init(exchanging failure: HTTPFailure) {
        switch failure.kind {
        case .refused: self.init(.hostRefused)
        case .tooLarge: self.init(.responseTooLarge)
        case .clientCertificate: self.init(.clientAuthenticationFailed)
        case .unreachable, .timedOut, .untrusted, .interrupted:
            self.init(failure.mayHaveBeenSent ? .exchangeInterrupted : .providerOutage)
        }
    }
}
