// SPDX-License-Identifier: Apache-2.0

import ProviderSimulator

/// How the users of `polls` answer: their logins end over about two minutes, in every way there
/// is, and with what comes in between.
enum PollScripts {
    /// The pause between polls, in seconds.
    static let intervalSeconds = 5
    /// The most polls that are answered `authorization_pending`.
    private static let pendingPollsMax = 22
    /// Half as many where the interval became ten seconds.
    private static let kinds = 50

    static func settings(lifetimeSeconds: Int) -> BackchannelSettings {
        var settings = BackchannelSettings()
        settings.intervalSeconds = intervalSeconds
        settings.lifetimeSeconds = lifetimeSeconds
        settings.scripts = (0..<pendingPollsMax * kinds).map { number in
            script(pendingPolls: 1 + number % pendingPollsMax, kind: number / pendingPollsMax)
        }
        return settings
    }

    private static func script(pendingPolls: Int, kind: Int) -> BackchannelScript {
        switch kind % 10 {
        case 0: BackchannelScript(pendingPolls: pendingPolls, ending: .declines)
        case 1:
            BackchannelScript(
                pendingPolls: pendingPolls, ending: .fails(code: "expired_token", description: nil))
        case 2 where kind == 2:
            BackchannelScript(ending: .neverAnswers)
        case 3:
            BackchannelScript(pendingPolls: (pendingPolls + 1) / 2, interludes: [2: .slowDown])
        // The client backs off to twice its pause; the provider asks for the same, or the client's
        // patience would count as lateness.
        case 4, 5:
            BackchannelScript(
                pendingPolls: pendingPolls,
                interludes: [
                    1 + pendingPolls / 2: .outage(retryAfterSeconds: 2 * intervalSeconds)
                ])
        default: BackchannelScript(pendingPolls: pendingPolls)
        }
    }
}
