// SPDX-License-Identifier: Apache-2.0

/// How logins without redirects go: CIBA (OpenID CIBA Core 1.0) in poll mode, and Idura's Headless.
public struct BackchannelSettings: Sendable, Hashable {
    /// `interval`: how long a client waits before each poll, in seconds. Nil leaves the member out;
    /// the client then waits five seconds (CIBA Core §7.3).
    public var intervalSeconds: Int? = 5
    /// `expires_in`: how long a request waits for its user, in seconds.
    public var lifetimeSeconds = 120
    /// Whether `expires_in` is written as a text, as some brokers do.
    public var writesLifetimeAsText = false
    /// Whether a poll that comes earlier than told is answered `slow_down`. The interval is five
    /// seconds longer from then on, for good (CIBA Core §11).
    public var slowsHaste = true
    /// Whether ID tokens name the request in `urn:openid:params:jwt:claim:auth_req_id`. Idura's
    /// never do, nor those of Headless.
    public var namesRequestInToken = true
    /// `grant_type` of a poll for a Headless login.
    public var headlessGrantType = "urn:grn:params:grant-type:headless"
    /// How users answer: taken in turn by the requests that are accepted, those aside for which a
    /// prepared login says it. When all were taken the first one follows again.
    public var scripts = [BackchannelScript()]

    /// The usual.
    public init() {}
}

/// What happens between a request that was accepted and its end, told by polls.
///
/// Every poll of the request has a number, from 1, whatever is answered. One that comes too early
/// is answered `slow_down`; one with an interlude by that; and neither tries the patience of the
/// user, who answers when ``pendingPolls`` polls were answered `authorization_pending`.
public struct BackchannelScript: Sendable, Hashable {
    /// How the user answers.
    public enum Ending: Sendable, Hashable {
        /// The user logs in.
        case approves
        /// The user declines: `access_denied`.
        case declines
        /// The user does nothing, and the request expires.
        case neverAnswers
        /// The login fails with an error of the provider's choice.
        case fails(code: String, description: String?)
    }

    /// What comes in place of an answer that says something.
    public enum Interlude: Sendable, Hashable {
        /// `slow_down`, though the poll came in time. The interval grows as for one that did not.
        case slowDown
        /// Status 503, and when to come back.
        case outage(retryAfterSeconds: Int?)
        /// Status 429, and when to come back.
        case tooMany(retryAfterSeconds: Int?)
        /// An answer for which no client waits: it takes
        /// ``ProviderSettings/slowTokenMilliseconds``.
        case silence
        /// A page for people with status 200.
        case page
    }

    /// How many polls are answered `authorization_pending` before the user answers.
    public var pendingPolls: Int
    /// What comes in between, by the number of the poll, from 1.
    public var interludes: [Int: Interlude]
    /// How the user answers in the end.
    public var ending: Ending

    /// A script; without more, a user who logs in after two polls.
    public init(
        pendingPolls: Int = 2, interludes: [Int: Interlude] = [:], ending: Ending = .approves
    ) {
        self.pendingPolls = pendingPolls
        self.interludes = interludes
        self.ending = ending
    }
}
