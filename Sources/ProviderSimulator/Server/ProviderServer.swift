// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import LedgerPrimitives
internal import ServiceLifecycle

/// A simulated provider on a port of the loopback interface that the system chose.
///
/// ```swift
/// var settings = ProviderSettings(clients: [client])
/// settings.misbehaviour = .wrongNonce
/// try await ProviderServer.run(settings, now: now, randomBytes: randomBytes) { server in
///     let callback = try await SimulatedBrowser(send: send).visit(authorizationURL)
///     #expect(server.provider.requests(to: .token) == 0)
/// }
/// ```
public struct ProviderServer: Sendable {
    /// The URL of the server: scheme, address and port.
    public let baseURL: String
    /// The provider, which counts what it is asked and may be changed while it runs.
    public let provider: SharedProvider

    /// The issuer: ``baseURL`` and the path that was asked for.
    public var issuer: String { provider.withProvider { $0.issuer } }

    /// Why there is no server.
    public struct StartFailure: Error {
        /// What the server said.
        public let underlying: (any Error)?
    }

    /// Starts a provider, lets something happen with it, and stops it. On return nobody listens
    /// any more and every connection is closed, also when `body` throws.
    ///
    /// - Parameters:
    ///   - settings: How the provider is set up.
    ///   - key: What it signs with at first; a new one for the broker's algorithm unless given.
    ///   - issuerPath: The issuer's path, beginning with a slash; empty for none.
    ///   - now: The clock.
    ///   - randomBytes: Gives so many random bytes.
    ///   - presentedCertificate: Tells the hash of a client's certificate; see ``SharedProvider``.
    ///   - body: What happens meanwhile.
    public static func run<Result>(
        _ settings: ProviderSettings, key: ProviderKey? = nil, issuerPath: String = "",
        now: @escaping @Sendable () -> Instant,
        randomBytes: @escaping @Sendable (_ count: Int) -> [UInt8],
        presentedCertificate: @escaping @Sendable (HTTPRequest) -> Digest? = { _ in nil },
        isolation: isolated (any Actor)? = #isolation,
        body: (ProviderServer) async throws -> Result
    ) async throws -> Result {
        let key = try key ?? ProviderKey(generatingFor: settings.broker.signatureAlgorithm)
        let (servers, started) = AsyncStream.makeStream(of: ProviderServer.self)
        let listener = Listener { port in
            let baseURL = "http://127.0.0.1:\(port)"
            let provider = SimulatedProvider(
                issuer: baseURL + issuerPath, key: key, settings: settings)
            let server = ProviderServer(
                baseURL: baseURL,
                provider: SharedProvider(
                    provider, now: now, randomBytes: randomBytes,
                    presentedCertificate: presentedCertificate))
            started.yield(server)
            return server
        }
        let services = listener.services
        // Not a child of this task: its cancellation must not reach the server.
        let serving = Task {
            defer { started.finish() }
            try await services.run()
        }
        let stop = { () async -> (any Error)? in
            await services.triggerGracefulShutdown()
            guard case .failure(let error) = await serving.result else { return nil }
            return error
        }
        guard let server = await servers.first(where: { _ in true }) else {
            throw StartFailure(underlying: await stop())
        }
        do {
            let result = try await body(server)
            _ = await stop()
            return result
        } catch {
            _ = await stop()
            throw error
        }
    }
}
