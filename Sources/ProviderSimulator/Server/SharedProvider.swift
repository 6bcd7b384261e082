// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import LedgerPrimitives
internal import Synchronization

/// A simulated provider that many tasks may ask at once, with a clock and dice of its own.
///
/// ``send(_:)`` has the form of a transport: handed to whoever would send requests over the
/// network, it keeps a whole login inside the process and off every socket.
public final class SharedProvider: Sendable {
    private let provider: Mutex<SimulatedProvider>
    private let now: @Sendable () -> Instant
    private let randomBytes: @Sendable (_ count: Int) -> [UInt8]
    private let presentedCertificate: @Sendable (HTTPRequest) -> Digest?
    let wait: @Sendable (_ milliseconds: Int) async throws -> Void

    /// Shares a provider.
    ///
    /// - Parameters:
    ///   - provider: The provider.
    ///   - now: The clock.
    ///   - randomBytes: Gives so many random bytes.
    ///   - presentedCertificate: Tells the SHA-256 hash of the certificate, in DER, that a client
    ///     presents with a request; nil when it presents none.
    ///   - wait: Lets time pass before a slow answer.
    public init(
        _ provider: SimulatedProvider, now: @escaping @Sendable () -> Instant,
        randomBytes: @escaping @Sendable (_ count: Int) -> [UInt8],
        presentedCertificate: @escaping @Sendable (HTTPRequest) -> Digest? = { _ in nil },
        wait: @escaping @Sendable (_ milliseconds: Int) async throws -> Void = {
            try await Task.sleep(for: .milliseconds($0))
        }
    ) {
        self.provider = Mutex(provider)
        self.now = now
        self.randomBytes = randomBytes
        self.presentedCertificate = presentedCertificate
        self.wait = wait
    }

    /// Answers a request, after the time that the answer takes.
    ///
    /// - Throws: ``HTTPFailure`` for an answer that is larger than the request's limits allow.
    public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let answer = answer(to: request)
        if answer.delayMilliseconds > 0 { try await wait(answer.delayMilliseconds) }
        guard answer.response.body.count <= request.limits.bodyBytesMax else {
            throw HTTPFailure(.tooLarge, mayHaveBeenSent: true)
        }
        return answer.response
    }

    /// Answers a request at once; whoever asked still has to wait.
    func answer(to request: HTTPRequest) -> ProviderAnswer {
        let now = now()
        let certificate = presentedCertificate(request)
        return withProvider {
            $0.respond(
                to: request, at: now, presenting: certificate, randomBytes: randomBytes)
        }
    }

    /// Looks at the provider or changes it, while no request is being answered.
    public func withProvider<Result: Sendable>(
        _ body: (inout SimulatedProvider) throws -> Result
    ) rethrows -> Result {
        try provider.withLock { provider in try body(&provider) }
    }

    /// How many requests came to an endpoint, refused ones included.
    public func requests(to endpoint: ProviderEndpoint) -> Int {
        withProvider { $0.requests(to: endpoint) }
    }

    /// Which endpoint a URL leads to; see ``SimulatedProvider/endpoint(at:)``.
    public func endpoint(at url: String) -> ProviderEndpoint? {
        withProvider { $0.endpoint(at: url) }
    }

    /// What the token endpoint received, in order.
    public var tokenRequests: [ReceivedTokenRequest] { withProvider { $0.tokenRequests } }

    /// How well clients kept to the interval between polls.
    public var polls: PollStatistics { withProvider { $0.polls } }

    /// How often a request was polled; see ``SimulatedProvider/pollCount(of:)``.
    public func pollCount(of requestID: String) -> Int {
        withProvider { $0.pollCount(of: requestID) }
    }

    /// Signs with another key from now on; see ``SimulatedProvider/rotateKeys(to:keepingOld:)``.
    public func rotateKeys(to key: ProviderKey, keepingOld: Bool) {
        withProvider { $0.rotateKeys(to: key, keepingOld: keepingOld) }
    }

    /// Settles the next login; see ``SimulatedProvider/prepare(_:)``.
    public func prepare(_ login: SimulatedLogin) {
        withProvider { $0.prepare(login) }
    }
}
