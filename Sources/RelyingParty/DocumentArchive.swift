// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

extension ProviderDocuments {
    /// An unchanged document is recorded again after this time, in milliseconds.
    private static let repeatMilliseconds: Int64 = 86_400_000
    /// How many events are looked at from the end of the issuer's stream before all of it is.
    private static let lookBackEvents = 32

    /// Keeps a document and records the fetch in the issuer's stream if document, address or
    /// certificates are new there, or a day has gone by.
    func archive(
        _ response: HTTPResponse, _ kind: ProviderDocumentFetched.Kind, _ url: String
    ) async throws -> ArchivedDocument {
        let fetched = ProviderDocumentFetched(
            kind: kind, url: EndpointURL.withoutQuery(url), status: response.status,
            documentDigest: Digest(ofDocument: response.body),
            durationMilliseconds: response.durationMilliseconds,
            maxAgeSeconds: DocumentTiming.freshSeconds(response, kind),
            tlsChain: response.peerCertificates.compactMap { Digest($0[...]) })
        let document = ArchivedDocument(digest: fetched.documentDigest, bytes: response.body)
        while true {
            let now = capabilities.now()
            let stream = try issuerStream(kind)
            if isRecorded(fetched, in: stream.events, at: now) { return document }
            let draft = EventDraft(
                id: capabilities.makeUUIDv7(), source: log.info.origin, type: kind.rawValue,
                typeVersion: 1, subject: issuer, time: now, clear: fetched.clearMembers,
                documents: [response.body])
            let event = try log.prepare(draft, after: stream.head, dataKey: nil)
            do {
                _ = try await log.append(AppendBatch(events: [event]))
                return document
            } catch is AppendConflict {
                // Another process recorded something for this issuer; look again.
            }
        }
    }

    /// When this ledger last recorded a fetch from an address, and what it brought; nil when the
    /// newest fetch of the kind was from another one.
    func lastRecorded(
        _ kind: ProviderDocumentFetched.Kind, url: String
    ) throws -> (digest: Digest, time: Instant)? {
        let newest = try issuerStream(kind).events.last
        guard let newest, let fetched = payload(of: newest),
            fetched.url.isIdentical(to: EndpointURL.withoutQuery(url))
        else { return nil }
        return (fetched.documentDigest, newest.envelope.time)
    }

    /// The end of the issuer's stream, and the events of a kind in it that this ledger observed
    /// itself, in order: the newest ones, or none if there are none in the whole stream.
    private func issuerStream(
        _ kind: ProviderDocumentFetched.Kind
    ) throws -> (head: StreamHead?, events: [RecordedEvent]) {
        let isWanted = { (event: RecordedEvent) in
            event.envelope.type == kind.rawValue && event.envelope.recordedTime == nil
        }
        let ends = try log.streamEnds(issuer, last: Self.lookBackEvents)
        var events = ends.events.suffix(Self.lookBackEvents).filter(isWanted)
        var last = ends.events.last
        if events.isEmpty && ends.count > Self.lookBackEvents {
            let all = try log.stream(issuer)
            events = all.filter(isWanted)
            last = all.last
        }
        let head = last.map { StreamHead(revision: $0.envelope.revision, leafHash: $0.leafHash) }
        return (head, events)
    }

    /// Whether the document is the one recorded last, and since it is there was recorded with these
    /// certificates within a day. A provider may have several servers with a certificate each.
    private func isRecorded(
        _ fetched: ProviderDocumentFetched, in events: [RecordedEvent], at now: Instant
    ) -> Bool {
        for event in events.reversed() {
            guard let earlier = payload(of: event),
                earlier.documentDigest == fetched.documentDigest,
                earlier.url.isIdentical(to: fetched.url)
            else { return false }
            let age = now.millisecondsSince1970 - event.envelope.time.millisecondsSince1970
            // Another process may be ahead by a moment; a clock that was set back by more than a
            // day must not keep the record from being made.
            // Over a connection that was there already, nothing is known of certificates.
            let isSameChain = fetched.tlsChain.isEmpty || earlier.tlsChain == fetched.tlsChain
            if isSameChain, abs(age) < Self.repeatMilliseconds { return true }
        }
        return false
    }

    private func payload(of event: RecordedEvent) -> ProviderDocumentFetched? {
        guard case .providerDocumentFetched(let payload) = try? LedgerEventCodec.decode(event)
        else { return nil }
        return payload
    }
}
