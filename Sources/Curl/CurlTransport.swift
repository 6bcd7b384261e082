// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import Synchronization

/// Sends requests over libcurl, from any number of tasks.
///
/// It owns one thread, which runs all transfers, keeps connections and shares them between
/// requests: HTTP/2 where the server has it, HTTP/1.1 otherwise. What it takes is decided by each
/// request: https to public addresses unless it says otherwise. Redirects are answers like any
/// other; there are no cookies; certificates are always verified, with TLS 1.2 at least.
///
/// The targets are checked three times: in the URL, at each address before a socket is opened, and
/// at the connected address before the request leaves. Behind a proxy, which `https_proxy`,
/// `all_proxy` and `no_proxy` choose, names are looked up by the proxy, and only the URL is
/// checked. Nothing goes to loopback through a proxy.
///
/// A request may bring a client's certificate (RFC 8705). Its connection is used again by requests
/// with the same certificate and key alone, never by one with others or none.
public final class CurlTransport: Sendable {
    /// How a transport works.
    public struct Configuration: Sendable {
        /// The value of `User-Agent`.
        public var userAgent: String
        /// The largest number of connections to one host; further requests wait.
        public var connectionsPerHostMax = 8
        /// The largest number of connections, in use or kept.
        public var connectionsMax = 64
        /// How long a connection may rest before it is no longer used.
        public var idleSecondsMax = 30
        /// Names that are not looked up, as `name:port:address`; for tests.
        package var pinnedNames: [String] = []
        /// The variables of the environment; replaced in tests.
        package var environment: @Sendable (String) -> String? = { ProcessControl.environment($0) }

        /// The ordinary configuration.
        public init(userAgent: String) {
            self.userAgent = userAgent
        }

        var transferSettings: TransferSettings {
            TransferSettings(
                userAgent: userAgent, idleSecondsMax: idleSecondsMax, pinnedNames: pinnedNames,
                environment: environment)
        }
    }

    private let loop: TransferLoop
    private let thread: Mutex<WorkerThread?>

    /// Starts the thread.
    public init(_ configuration: Configuration) throws(CurlError) {
        let loop = try TransferLoop(configuration)
        self.loop = loop
        do {
            thread = Mutex(try WorkerThread { loop.run() })
        } catch {
            throw CurlError(.failed)
        }
    }

    deinit {
        close()
    }

    /// Sends a request and answers with the whole response, whatever its status.
    ///
    /// Cancelling the task ends the exchange at once. No request is sent twice unless it is a GET
    /// whose kept connection broke before an answer came.
    public func perform(_ request: CurlRequest) async throws(CurlError) -> CurlResponse {
        let ticket = Ticket()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.submit(ticket, request) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            loop.cancel(ticket)
        }
        return try outcome.get()
    }

    /// Gives up what is under way, closes every connection and waits until the thread is gone.
    /// Requests answer `closed` from then on.
    public func close() {
        loop.close()
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
    }
}
