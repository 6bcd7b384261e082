// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents

/// A login that ends with a code, as the log would hold its events.
struct FailureStory {
    /// The events, each with the milliseconds that passed before it.
    private(set) var events: [(event: SessionEvent, after: Int64)] = []
    private(set) var isReported = false

    /// The same story, told by another program.
    func reported() -> FailureStory {
        var story = self
        story.isReported = true
        return story
    }

    func then(_ event: SessionEvent, after milliseconds: Int64) -> FailureStory {
        var story = self
        story.events.append((event, milliseconds))
        return story
    }

    /// The events as the log hands them out.
    func stream() throws -> Stream {
        var stream = Stream()
        for (event, milliseconds) in events {
            try stream.add(event, isReported: isReported, after: milliseconds)
        }
        return stream
    }
}

// MARK: - Steps

extension FailureStory {
    static let issuer = "https://op.example"

    static func begin(
        _ flow: Flow = .pkce, provider: String = "bank", scope: String? = "openid profile",
        acr: String? = nil, mode: String? = nil
    ) -> FailureStory {
        let digest = flow == .pkce || flow == .jarm ? Digest(InlineArray(repeating: 4)) : nil
        return FailureStory().then(
            .initiated(
                Initiated(
                    provider: provider, issuer: issuer, clientID: "urn:my:app", flow: flow,
                    scope: scope, acrValues: acr,
                    redirectURI: flow.usesRedirect ? "https://shop.example/callback" : nil,
                    responseMode: mode, codeChallenge: digest)), after: 0)
    }

    func sent(par: Bool = false) -> FailureStory {
        then(
            .redirected(Redirected(endpoint: Self.issuer + "/authorize", usedPAR: par)), after: 120)
    }

    func back(
        after milliseconds: Int64 = 9400, error: String? = nil, matched: Bool? = true,
        binding: StateBinding? = .session, mode: String? = nil, trace: String? = nil
    ) -> FailureStory {
        then(
            .callback(
                CallbackReceived(
                    responseMode: mode, error: error, stateMatched: matched, stateBinding: binding,
                    traceID: trace)), after: milliseconds)
    }

    func accepted(interval: Int? = 5) -> FailureStory {
        then(
            .polled(
                Polled(
                    status: .accepted, attempt: 0, intervalSeconds: interval,
                    expiresInSeconds: 120, httpStatus: 200, durationMilliseconds: 90)), after: 140)
    }

    func pending(_ attempts: ClosedRange<Int>, every milliseconds: Int64 = 5000) -> FailureStory {
        attempts.reduce(self) { story, attempt in
            story.then(
                .polled(
                    Polled(
                        status: .pending, attempt: attempt, error: "authorization_pending",
                        httpStatus: 400, durationMilliseconds: 40)), after: milliseconds)
        }
    }

    func poll(
        _ status: PollStatus, _ attempt: Int, _ error: String, after milliseconds: Int64 = 5000
    ) -> FailureStory {
        then(
            .polled(
                Polled(
                    status: status, attempt: attempt, error: error, httpStatus: 400,
                    durationMilliseconds: 40)), after: milliseconds)
    }

    func tokens(
        _ algorithm: String = "ES256", keyID: String? = "2026-a", keys: DocumentSource = .own,
        took: Int = 180, after milliseconds: Int64 = 210
    ) -> FailureStory {
        then(
            .tokenIssued(
                TokenIssued(
                    endpoint: Self.issuer + "/token", algorithm: algorithm, keyID: keyID,
                    keySetSource: keys, httpStatus: 200, durationMilliseconds: took,
                    traceID: "5c1f0a77")), after: milliseconds)
    }

    func end(
        _ stage: Stage, _ code: String, error: String? = nil, failed checks: [String]? = nil,
        exchange: Exchange? = nil, after milliseconds: Int64 = 2
    ) throws -> FailureStory {
        guard let reason = FailureReason(code) else { throw UnknownCode(code: code) }
        let checks = checks.map { $0.map { Check($0, .failed) } + [Check("exp", .passed)] }
        return then(
            .failed(
                Failed(
                    stage: stage, reason: reason, error: error, checks: checks,
                    exchanges: exchange.map { [$0] })), after: milliseconds)
    }

    /// The end at the checks of the ID token, of which some failed.
    func judged(_ code: String, _ checks: String...) throws -> FailureStory {
        try end(.verification, code, failed: checks)
    }

    static func request(_ purpose: String, _ status: Int?, took: Int = 41) -> Exchange {
        Exchange(
            purpose: purpose, endpoint: "\(issuer)/\(purpose)", status: status,
            durationMilliseconds: took, traceID: status == nil ? nil : "9be01d44")
    }

    /// A login that came to its tokens.
    static func upToTokens(acr: String? = nil) -> FailureStory {
        begin(acr: acr).sent().back().tokens()
    }

    private struct UnknownCode: Error {
        let code: String
    }
}
