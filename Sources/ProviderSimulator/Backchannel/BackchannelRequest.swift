// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenSSL

/// A request for a login without redirects, waiting for its user.
struct BackchannelRequest: Sendable {
    /// What the answer to a poll is about.
    enum Step: Equatable {
        case pending
        case slowDown
        case interlude(BackchannelScript.Interlude)
        case expired
        case ending(BackchannelScript.Ending)
    }

    /// How much longer the interval is after each `slow_down` (CIBA Core §11).
    static let slowDownSeconds = 5

    /// Where it was made: `backchannelAuthentication` or `headless`.
    let endpoint: ProviderEndpoint
    let clientID: String
    var facts: LoginFacts
    let misbehaviour: Misbehaviour
    let script: BackchannelScript
    let acceptedAt: Instant
    let expiresAt: Instant
    /// What is said of it while it waits, the last one again and again.
    let pendingDescriptions: [String]
    /// The QR code of a Headless login.
    var code: QRCode?
    /// The permission that the user gives with the login.
    var permissionID: [UInt8]?
    /// How long the client waits between an answer and its next poll.
    var intervalSeconds: Int
    /// Before this no poll should come.
    var dueAt: Instant
    /// Polls, whatever they were answered.
    var pollCount = 0
    /// Polls that were answered `authorization_pending`.
    private(set) var pendingCount = 0

    /// What `error_description` says of a request that waits.
    var pendingDescription: String {
        let index = min(max(pendingCount - 1, 0), pendingDescriptions.count - 1)
        return pendingDescriptions[index]
    }

    /// Counts a poll and decides on its answer.
    ///
    /// - Parameter isHasty: whether it is to be slowed down.
    mutating func takePoll(isHasty: Bool, at now: Instant) -> Step {
        pollCount += 1
        guard now < expiresAt else { return .expired }
        if isHasty {
            intervalSeconds += Self.slowDownSeconds
            return .slowDown
        }
        if let interlude = script.interludes[pollCount] {
            guard interlude == .slowDown else { return .interlude(interlude) }
            intervalSeconds += Self.slowDownSeconds
            return .slowDown
        }
        guard script.ending != .neverAnswers, pendingCount >= script.pendingPolls else {
            pendingCount += 1
            return .pending
        }
        return .ending(script.ending)
    }
}

/// What is kept of a request that is over.
struct FinishedRequest: Sendable {
    var pollCount: Int32
    /// Whether it waited too long, rather than being answered.
    let hasExpired: Bool
}

/// The animated QR code of Swedish BankID: another text each second, which nobody can make up.
struct QRCode: Sendable {
    let startToken: String
    let startSecret: String

    init(in moment: Moment) {
        startToken = BrokerIdentifier.uuid(moment.randomBytes(16))
        startSecret = BrokerIdentifier.uuid(moment.randomBytes(16))
    }

    /// What the code says so many seconds after the start.
    func text(seconds: Int64) -> String {
        let key = SecretBytes(Array(startSecret.utf8))
        let code = Hexadecimal.encode(hmacSHA256(key: key, Array("\(seconds)".utf8)))
        return "bankid.\(startToken).\(seconds).\(code)"
    }
}
