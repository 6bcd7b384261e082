// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import LedgerPrimitives
public import OpenIDConnect
public import SessionEvents

/// What a login without a browser begins with.
public struct BackchannelParameters: Sendable {
    /// The profile's name.
    public var provider: String
    /// Which of the provider's environments it is.
    public var environment: String?
    /// The issuer.
    public var issuer: String
    /// The client's id.
    public var clientID: String
    /// The request that will be sent.
    public var request: BackchannelRequest
    /// The profile, to be archived.
    public var profile: ArchivedDocument
    /// Personal data of the user agent, as far as the caller knows them; sealed.
    public var userAgent: JSONObject

    /// Parameters of a login.
    public init(
        provider: String, environment: String? = nil, issuer: String, clientID: String,
        request: BackchannelRequest, profile: ArchivedDocument,
        userAgent: JSONObject = JSONObject()
    ) {
        self.provider = provider
        self.environment = environment
        self.issuer = issuer
        self.clientID = clientID
        self.request = request
        self.profile = profile
        self.userAgent = userAgent
    }

    /// How the login goes.
    public var flow: Flow {
        switch request.kind {
        case .ciba: .ciba
        case .headless: .headless
        }
    }
}

/// The provider's answer to a backchannel request.
public struct AcceptanceInput: Sendable {
    /// How the login goes.
    public var flow: Flow
    /// Where the request went.
    public var endpoint: String
    /// What came.
    public var response: HTTPResponse
    /// The archived discovery document that names the endpoints.
    public var discoveryDigest: Digest
    /// The pause between polls where the provider names none, in seconds.
    public var standardIntervalSeconds: Int
    /// Requests that were made on the way here.
    public var exchanges: [Exchange]
    /// The provider's id for the request.
    public var traceID: String?
    /// Descriptions of errors that fix a finer reason.
    public var reasonTexts: [ReasonText]

    /// An answer.
    public init(
        flow: Flow, endpoint: String, response: HTTPResponse, discoveryDigest: Digest,
        standardIntervalSeconds: Int = BackchannelAcceptance.standardIntervalSeconds,
        exchanges: [Exchange] = [], traceID: String? = nil, reasonTexts: [ReasonText] = []
    ) {
        self.flow = flow
        self.endpoint = endpoint
        self.response = response
        self.discoveryDigest = discoveryDigest
        self.standardIntervalSeconds = standardIntervalSeconds
        self.exchanges = exchanges
        self.traceID = traceID
        self.reasonTexts = reasonTexts
    }
}

/// What a poll brought.
public struct PollInput: Sendable {
    /// What came.
    public enum Outcome: Sendable {
        /// An answer. Where it holds tokens, with what they are taken in with, or why they cannot
        /// be.
        case answered(HTTPResponse, Result<TokenInput, FlowFailure>?)
        /// None.
        case unanswered(FlowFailure)
    }

    /// Which poll it was: 1, 2, 3 …
    public var attempt: Int
    /// Whether an earlier one may have left unrecorded.
    public var hasGap: Bool
    /// What came.
    public var outcome: Outcome
    /// When it came.
    public var instant: Instant
    /// Whether the request had run out by then, or our patience had.
    public var isLate: Bool
    /// The provider's id for the exchange.
    public var traceID: String?
    /// Descriptions of errors that fix a finer reason.
    public var reasonTexts: [ReasonText]

    /// A poll.
    public init(
        attempt: Int, hasGap: Bool, _ outcome: Outcome, at instant: Instant, isLate: Bool,
        traceID: String? = nil, reasonTexts: [ReasonText] = []
    ) {
        self.attempt = attempt
        self.hasGap = hasGap
        self.outcome = outcome
        self.instant = instant
        self.isLate = isLate
        self.traceID = traceID
        self.reasonTexts = reasonTexts
    }
}

/// How polling stands, from the events alone.
public struct PollingState: Equatable, Sendable {
    /// When the provider accepted the request.
    public internal(set) var acceptedAt: Instant?
    /// How long the request is good, in seconds.
    public internal(set) var expiresInSeconds: Int?
    /// The pauses that count; nil before the request was accepted.
    public internal(set) var pace: PollPace?
    /// The number of the last poll that was recorded.
    public internal(set) var attempt = 0
    /// Whether a poll since the last sign that the request is open got no answer, or may have left
    /// unrecorded: its answer may have been the tokens.
    public internal(set) var mayHaveMissedTokens = false

    /// Nothing was asked yet.
    public init() {}

    /// When the request runs out, or our patience does if that is shorter; nil before the
    /// request was accepted.
    public func deadline(patienceSeconds: Int) -> Instant? {
        guard let acceptedAt else { return nil }
        let seconds = min(expiresInSeconds ?? patienceSeconds, patienceSeconds)
        return acceptedAt.advanced(byMilliseconds: Int64(seconds) * 1000)
    }

    mutating func note(_ event: Polled, at time: Instant?) {
        attempt = max(attempt, event.attempt)
        switch event.status {
        case .accepted:
            mayHaveMissedTokens = false
            acceptedAt = time
            expiresInSeconds = event.expiresInSeconds
            pace = PollPace(
                intervalSeconds: event.intervalSeconds
                    ?? BackchannelAcceptance.standardIntervalSeconds)
        case .pending:
            mayHaveMissedTokens = false
            pace?.noteWaiting()
        case .slowDown:
            mayHaveMissedTokens = false
            pace?.slowDown(naming: event.intervalSeconds)
        case .unavailable:
            if event.httpStatus == nil || event.hasGap == true { mayHaveMissedTokens = true }
            pace?.noteOutage(retryAfterSeconds: event.intervalSeconds)
        case .error:
            break
        }
    }
}
