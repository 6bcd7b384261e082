// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import ProviderSimulator
internal import Synchronization

/// What lies between a relying party and the simulated provider: it writes down every exchange,
/// and lets a test step in before a request or after its answer.
public final class Wire: Sendable {
    /// A request and what came of it.
    public struct Exchange: Sendable {
        /// Which endpoint was asked.
        public let endpoint: ProviderEndpoint
        /// The request.
        public let request: HTTPRequest
        /// The answer; nil when there was none.
        public internal(set) var response: HTTPResponse?
    }

    /// Runs before a request reaches the provider: it may throw, or answer in its place.
    public typealias Before = @Sendable (Exchange) async throws -> HTTPResponse?
    /// Runs when the provider has answered, before the relying party learns of it.
    public typealias After = @Sendable (Exchange) async throws -> HTTPResponse?

    private struct State {
        var exchanges: [Exchange] = []
        var before: Before = { _ in nil }
        var after: After = { _ in nil }
    }

    private let provider: SharedProvider
    private let issuer: String
    private let state = Mutex(State())

    init(_ provider: SharedProvider, issuer: String) {
        self.provider = provider
        self.issuer = issuer
    }

    /// Everything that was asked, in order.
    public var exchanges: [Exchange] { state.withLock { $0.exchanges } }

    /// What was asked for, in order.
    public var endpoints: [ProviderEndpoint] { exchanges.map(\.endpoint) }

    /// Steps in before requests from now on.
    public func before(_ hook: @escaping Before) {
        state.withLock { $0.before = hook }
    }

    /// Steps in after answers from now on.
    public func after(_ hook: @escaping After) {
        state.withLock { $0.after = hook }
    }

    /// Lets everything through again.
    public func clear() {
        before { _ in nil }
        after { _ in nil }
    }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard request.url.hasPrefix(issuer), let endpoint = provider.endpoint(at: request.url)
        else { throw HTTPFailure(.unreachable, mayHaveBeenSent: false) }
        var exchange = Exchange(endpoint: endpoint, request: request)
        let (index, before, after) = state.withLock { state in
            state.exchanges.append(exchange)
            return (state.exchanges.count - 1, state.before, state.after)
        }
        let early = try await before(exchange)
        exchange.response = early
        if early == nil {
            let answer = try await provider.send(request)
            exchange.response = answer
            exchange.response = try await after(exchange) ?? answer
        }
        let response = exchange.response
        state.withLock { $0.exchanges[index].response = response }
        guard let response else { throw HTTPFailure(.interrupted, mayHaveBeenSent: true) }
        return response
    }
}
