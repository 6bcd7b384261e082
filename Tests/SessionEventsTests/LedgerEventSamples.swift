// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents

/// The smallest and the fullest payload of every type of event outside of sessions.
struct LedgerSample: Sendable, CustomStringConvertible {
    let extent: Sample.Extent
    let event: LedgerEvent

    /// The golden file of the sample.
    var file: String { "\(stem).\(extent.rawValue).json" }
    /// The schema that the payload must fit.
    var schema: String { "events/\(stem).schema.json" }

    private var stem: String { "\(event.type.rawValue).v\(event.type.currentVersion)" }

    var description: String { "\(event.type.rawValue), \(extent)" }

    static let all: [LedgerSample] = LedgerEventType.allCases.flatMap { type in
        [
            LedgerSample(extent: .smallest, event: smallest(type)),
            LedgerSample(extent: .fullest, event: fullest(type)),
        ]
    }

    private static let by = Operator(user: "anna.berg", uid: 1001)
    private static let nobody = Operator(user: "m\u{FC}ller", uid: 0)

    private static func smallest(_ type: LedgerEventType) -> LedgerEvent {
        switch type {
        case .erasureStarted:
            .erasureStarted(
                ErasureStarted(erasure: id(1), sessions: [], legalBasis: .other, by: nobody))
        case .erased:
            .erased(
                Erased(erasure: id(1), sessions: [], keysDestroyed: 0, rootKey: .kept))
        case .holdPlaced: .holdPlaced(LegalHold(session: id(2), by: nobody))
        case .holdReleased: .holdReleased(LegalHold(session: id(2), by: nobody))
        case .keysRotated: .keysRotated(KeysRotated(key: .root, by: nobody))
        case .revealed:
            .revealed(
                AccessRevealed(
                    command: "export", session: nil, count: 0, firstPosition: 0, lastPosition: 0,
                    by: nobody))
        case .searched: .searched(AccessSearched(command: "sessions", count: 0, by: nobody))
        case .discoveryFetched: .providerDocumentFetched(document(.discovery))
        case .keySetFetched: .providerDocumentFetched(document(.keySet))
        case .callbackRefused: .callbackRefused(CallbackRefused(reason: reason))
        }
    }

    private static func fullest(_ type: LedgerEventType) -> LedgerEvent {
        switch type {
        case .erasureStarted:
            .erasureStarted(
                ErasureStarted(
                    erasure: id(1), part: 2, parts: 3, sessions: [id(2), id(3)],
                    accesses: [id(4)], legalBasis: .notNecessary, by: by))
        case .erased:
            .erased(
                Erased(
                    erasure: id(1), part: 2, parts: 3, sessions: [id(2), id(3)],
                    accesses: [id(4)], keysDestroyed: 2, rootKey: .replaced))
        case .holdPlaced: .holdPlaced(LegalHold(session: id(2), by: by))
        case .holdReleased: .holdReleased(LegalHold(session: id(2), by: by))
        case .keysRotated: .keysRotated(KeysRotated(key: .bucket, by: by))
        case .revealed:
            .revealed(
                AccessRevealed(
                    command: "show", session: id(2), count: 3, firstPosition: 17,
                    lastPosition: 9_007_199_254_740_991, by: by))
        case .searched: .searched(AccessSearched(command: "erase", count: 12, by: by))
        case .discoveryFetched: .providerDocumentFetched(document(.discovery, isFullest: true))
        case .keySetFetched: .providerDocumentFetched(document(.keySet, isFullest: true))
        case .callbackRefused:
            .callbackRefused(CallbackRefused(reason: reason, session: id(2).description))
        }
    }

    private static func document(
        _ kind: ProviderDocumentFetched.Kind, isFullest: Bool = false
    ) -> ProviderDocumentFetched {
        ProviderDocumentFetched(
            kind: kind, url: "https://idp.example.test/.well-known/openid-configuration",
            status: 200, documentDigest: Digest(InlineArray(repeating: 7)),
            durationMilliseconds: 41, maxAgeSeconds: isFullest ? 3600 : nil,
            tlsChain: isFullest
                ? [Digest(InlineArray(repeating: 8)), Digest(InlineArray(repeating: 9))] : [])
    }

    private static var reason: FailureReason {
        guard let reason = FailureReason("callback-replayed") else {
            preconditionFailure("callback-replayed is a reason")
        }
        return reason
    }

    private static func id(_ number: Int) -> UUIDv7 {
        guard let id = UUIDv7("0198b0f2-6c1d-7c55-8e2a-5a3f1f0c9a0\(number)") else {
            preconditionFailure("a UUID of version 7")
        }
        return id
    }
}
