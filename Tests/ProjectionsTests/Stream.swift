// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents

/// Events of made-up sessions, as a log would hand them out.
struct Stream {
    static let session = "018f0000-0000-7000-8000-000000000001"
    private static let start: Int64 = 1_790_000_000_000
    private static let hash = Digest(InlineArray(repeating: 0))

    private(set) var events: [RecordedEvent] = []
    private var revisions: [String: Int] = [:]
    private var now: Int64 = Self.start

    /// Adds an event, by default a second after the last one.
    mutating func add(
        _ event: SessionEvent, to session: String = session, isSealed: Bool = false,
        isReported: Bool = false, after milliseconds: Int64 = 1000
    ) throws {
        var data = event.clearMembers
        if isSealed { data["sealed"] = .string("box") }
        try add(
            event.type.rawValue, data, to: session, isReported: isReported, after: milliseconds)
    }

    /// Adds an event of any type.
    mutating func add(
        _ type: String, _ data: JSONObject, version: Int = 1, to session: String = session,
        isReported: Bool = false, after milliseconds: Int64 = 1000
    ) throws {
        let revision = (revisions[session] ?? 0) + 1
        revisions[session] = revision
        if !events.isEmpty { now += milliseconds }
        let time = Instant(millisecondsSince1970: now)
        let envelope = EventEnvelope(
            id: UUIDv7(at: time, random: [UInt8](repeating: 1, count: 10)), source: "test",
            type: type, typeVersion: version, subject: session, revision: revision,
            previous: revision == 1 ? nil : Self.hash, time: time,
            recordedTime: isReported ? time : nil)
        events.append(
            try RecordedEvent(
                position: UInt64(events.count), leafHash: Self.hash,
                leaf: envelope.leaf(data: CanonicalJSON.encode(data))))
    }

    static func time(_ position: Int64) -> Instant {
        Instant(millisecondsSince1970: start + position * 1000)
    }

    static let initiated = SessionEvent.initiated(
        Initiated(
            provider: "bank", issuer: "https://op.example", clientID: "rp", flow: .pkce,
            scope: "openid"))
    static let redirected = SessionEvent.redirected(Redirected(endpoint: "https://op.example/a"))
    static let callback = SessionEvent.callback(
        CallbackReceived(stateMatched: true, stateBinding: .session))
    static let issued = SessionEvent.tokenIssued(TokenIssued(algorithm: "ES256"))
    static let verified = SessionEvent.verified(
        Verified(algorithm: "ES256", acr: "urn:x;LOA=3", checks: [Check("nonce", .passed)]))
}
