// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives
internal import SessionEvents

/// For how long documents of a provider are used, and how often it may be asked for them again.
enum DocumentTiming {
    /// No document counts as fresh for longer, whatever its provider says.
    static let freshSecondsMax = 3600
    /// A key set is the last good one for as long, from when it was last fetched with success.
    static let lastGoodSeconds = 86_400
    /// After an endpoint failed, the document that named it is asked for again this often at most.
    static let refetchSeconds = 30
    /// For keys that a token from the browser names, the key set is asked for again this often at
    /// most: anyone can make up such a token.
    static let strangerSeconds = 60
    /// A document that was fetched this long ago at most is still at hand for the login that goes
    /// on, also where its provider forbids to keep it.
    static let atHandSeconds = 60

    /// For how long a document is fresh whose provider says nothing, in seconds.
    ///
    /// A key set that lacks a key is asked for again at once, so its time bounds only how long a
    /// key that was withdrawn still counts. A discovery document has less: nothing tells when one
    /// is out of date but an endpoint that fails, and what else changes in it, algorithms above
    /// all, would go unnoticed. Five minutes still spare a busy service all but a dozen requests
    /// an hour.
    static func freshSecondsUnstated(_ kind: ProviderDocumentFetched.Kind) -> Int {
        switch kind {
        case .discovery: 300
        case .keySet: 600
        }
    }

    /// For how long an answer is fresh, in seconds from when it was asked for.
    static func freshSeconds(
        _ response: HTTPResponse, _ kind: ProviderDocumentFetched.Kind
    ) -> Int {
        ResponseFreshness(response).seconds(
            unstated: freshSecondsUnstated(kind), limit: freshSecondsMax)
    }
}

/// How old a document in memory is, by a clock that may be set.
///
/// It is the time by which the clock went forward between one look and the next. So a clock that
/// was set back makes nothing younger and holds no document at its age. How much time went by
/// while the clock was set nobody knows: the age is no longer certain then, but a lower bound.
struct DocumentAge: Equatable, Sendable {
    private var lastLook: Instant
    private(set) var milliseconds: Int64 = 0
    private(set) var isCertain = true

    /// The age of what was asked for at an instant.
    init(since instant: Instant) {
        lastLook = instant
    }

    /// Notes what the clock says now.
    mutating func look(_ now: Instant) {
        if now < lastLook {
            isCertain = false
        } else {
            milliseconds += now.millisecondsSince1970 - lastLook.millisecondsSince1970
        }
        lastLook = now
    }

    /// Whether it is known to be less than so many seconds.
    func isBelow(seconds: Int) -> Bool {
        isCertain && milliseconds < Int64(seconds) * 1000
    }
}
