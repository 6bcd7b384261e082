// SPDX-License-Identifier: Apache-2.0

/// How long to wait before the next poll (CIBA Core §7.3, §11).
public struct PollPace: Equatable, Sendable {
    /// By how much a `slow_down` lengthens every later pause, in seconds (CIBA Core §11).
    public static let slowDownSeconds = 5
    /// The shortest pause, whatever a provider allows, in seconds.
    public static let intervalSecondsMin = 1
    /// The longest pause while a provider is out, unless it asks for a longer one, in seconds.
    static let outagePauseSecondsMax = 60

    /// The pause between two polls, in seconds.
    public private(set) var intervalSeconds: Int
    /// How many answers in a row were missing or those of a server that is out.
    public private(set) var outages = 0
    /// What a server that is out asked for last.
    private var retryAfterSeconds: Int?

    /// The pace that an accepted request begins with.
    public init(intervalSeconds: Int) {
        self.intervalSeconds = max(intervalSeconds, Self.intervalSecondsMin)
    }

    /// The pause before the next poll, in seconds, counted from the last answer.
    public var pauseSeconds: Int {
        guard outages > 0 else { return intervalSeconds }
        let doubled = intervalSeconds << min(outages, 6)
        let backedOff = max(intervalSeconds, min(doubled, Self.outagePauseSecondsMax))
        return max(backedOff, retryAfterSeconds ?? 0)
    }

    /// The user has not answered yet.
    public mutating func noteWaiting() {
        outages = 0
    }

    /// The provider asked for longer pauses: by five seconds, or as long as it says.
    public mutating func slowDown(naming seconds: Int?) {
        outages = 0
        intervalSeconds = min(
            max(intervalSeconds + Self.slowDownSeconds, seconds ?? 0),
            BackchannelAcceptance.intervalSecondsMax)
    }

    /// The provider could not answer.
    public mutating func noteOutage(retryAfterSeconds: Int?) {
        outages += 1
        self.retryAfterSeconds = retryAfterSeconds
    }
}
