// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import LedgerPrimitives

/// What the token endpoint answered to a poll (CIBA Core §11).
public enum PollAnswer: Equatable, Sendable {
    /// The user has not answered yet.
    case pending(Waiting)
    /// As pending, and the pauses are to be longer from now on.
    case slowDown(Waiting)
    /// The provider could not answer now; the request goes on.
    case unavailable(retryAfterSeconds: Int?)
    /// Tokens, which have yet to be read.
    case tokens
    /// The request is over without any.
    case over(FlowFailure)

    /// What comes with an answer that asks for patience.
    public struct Waiting: Equatable, Sendable {
        /// What the provider says of it; from outside.
        public var description: String?
        /// The pause that it names, in seconds.
        public var intervalSeconds: Int?
        /// What the caller shows the user (Headless).
        public var acrData: JSONObject?

        /// Nothing beside the answer itself.
        public init() {}
    }

    /// The longest pause that a server that is out may ask for, in seconds.
    static let retryAfterSecondsMax = 600

    /// The parameters of a poll, beside the client's authentication.
    ///
    /// - Parameters:
    ///   - grantType: the flow's grant type.
    ///   - name: the parameter that names the request: `auth_req_id` or `headless_req_id`.
    public static func form(
        grantType: String, requestID name: String, _ value: String
    ) -> [FormEncoding.Parameter] {
        [.init("grant_type", grantType), .init(name, value)]
    }

    /// The grant type of CIBA (CIBA Core §10.1).
    public static let cibaGrantType = "urn:openid:params:grant-type:ciba"

    /// Reads an answer.
    ///
    /// - Parameter instant: when it came, to tell how long a date in `Retry-After` is away.
    public static func process(_ response: HTTPResponse, at instant: Instant) -> PollAnswer {
        if response.status >= 500 || response.status == 429 || response.status == 408 {
            return .unavailable(retryAfterSeconds: retryAfter(response, instant))
        }
        let members = try? JSONReader.read(response.body, numbers: .anyAsText).objectValue
        guard let members, let error = ProviderError(in: members) else {
            // What a good answer holds is for the reader of tokens to say.
            guard response.status == 200 else {
                return .over(
                    FlowFailure(wordless: response.status, otherwise: .tokenResponseMalformed))
            }
            return .tokens
        }
        switch error.code {
        case "authorization_pending", "slow_down":
            var waiting = Waiting()
            waiting.description = error.description
            waiting.acrData = AcrData.read(in: members)
            // One that cannot be read is no reason to give the user up: the pause stays.
            waiting.intervalSeconds = try? BackchannelAcceptance.interval(in: members)
            return error.code == "slow_down" ? .slowDown(waiting) : .pending(waiting)
        case "temporarily_unavailable":
            return .unavailable(retryAfterSeconds: retryAfter(response, instant))
        default:
            return .over(.poll(error))
        }
    }

    /// `Retry-After`, in seconds or as a date (RFC 9110 §10.2.3).
    private static func retryAfter(_ response: HTTPResponse, _ instant: Instant) -> Int? {
        guard let text = response.field("Retry-After"), text.utf8.count <= 64 else { return nil }
        if let seconds = Int(text) { return min(max(seconds, 0), retryAfterSecondsMax) }
        guard let date = Instant(httpDate: text) else { return nil }
        let seconds = date.secondsSince1970 - instant.secondsSince1970
        return Int(min(max(seconds, 0), Int64(retryAfterSecondsMax)))
    }
}
