// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Hummingbird
internal import Logging
internal import OpenIDConnect
internal import Platform
internal import ServiceLifecycle

/// Waits on a loopback address for one callback of a login.
struct CallbackListener {
    private let host: String
    private let port: Int
    private let path: String

    /// - Parameters:
    ///   - redirectURI: the profile's; its path is the one that is answered.
    ///   - address: `host:port` to listen at instead of the redirect URI's.
    init(redirectURI: String, address: String?) throws {
        let parts = URLComponents(string: redirectURI)
        path = (parts?.path).flatMap { $0.isEmpty ? nil : $0 } ?? "/"
        if let address {
            let colon = address.lastIndex(of: ":") ?? address.endIndex
            guard let port = Int(address[colon...].dropFirst()), (0...65_535).contains(port) else {
                throw CommandError(.usage, "listen-malformed", "--listen takes host:port")
            }
            self.port = port
            host = String(address[..<colon])
        } else {
            host = parts?.host ?? ""
            port = parts?.port ?? (parts?.scheme == "http" ? 80 : 0)
        }
        guard EndpointURL.isLoopback(host) else {
            throw CommandError(
                .usage, "listen-refused", "a callback can only be waited for on loopback",
                hint: "use --listen 127.0.0.1:PORT or --callback-file")
        }
    }

    /// Listens, and then lets `announce` tell the user where to go; answers with the callback as
    /// path and query.
    ///
    /// The server is shut down, not cancelled: a connection accepted in that moment would otherwise
    /// end the process.
    ///
    /// - Throws: ``CommandError`` when nothing comes in time or the address is taken, and whatever
    ///   `announce` throws.
    func receive(
        timeoutSeconds: Int, announce: @escaping @Sendable () async throws -> Void
    ) async throws -> String {
        let (callbacks, arrival) = AsyncStream.makeStream(of: String.self)
        let (starts, started) = AsyncStream.makeStream(of: Void.self)
        let logger = Logger(label: "callback") { _ in SwiftLogNoOpLogHandler() }
        let services = ServiceGroup(
            configuration: .init(
                services: [
                    application(logger, onStart: { started.yield() }) { arrival.yield($0) }
                ], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer {
                    started.finish()
                    arrival.finish()
                }
                do {
                    try await services.run()
                } catch {
                    throw CommandError(
                        .inputOutput, "listen-failed", "cannot listen at the callback's address",
                        hint: "use --listen 127.0.0.1:PORT or --callback-file")
                }
            }
            let isListening = await starts.first { _ in true } != nil
            if isListening {
                group.addTask {
                    try await Task.sleep(for: .seconds(timeoutSeconds))
                    arrival.finish()
                }
                try await announce()
            }
            let callback = await callbacks.first { _ in true }
            if isListening { await services.triggerGracefulShutdown() }
            // The server's own end tells whether it could listen at all. When time was up, the
            // clock has ended before it.
            for _ in 0..<(callback == nil && isListening ? 2 : 1) {
                _ = try await group.next()
            }
            group.cancelAll()
            guard let callback else {
                throw CommandError(
                    .inputOutput, "callback-timeout", "no callback came in time",
                    hint: "finish with `authledger callback`, or begin a new login")
            }
            return callback
        }
    }

    private func application(
        _ logger: Logger, onStart: @escaping @Sendable () -> Void,
        _ arrived: @escaping @Sendable (String) -> Void
    ) -> some ApplicationProtocol {
        let router = Router()
        router.get(RouterPath(path)) { request, _ in
            // Any page in the browser can make it ask for this address; only what carries a state
            // can be the answer.
            guard request.uri.query?.contains("state=") ?? false else {
                return Response(status: .badRequest)
            }
            arrived(request.uri.description)
            return Response(
                status: .ok,
                headers: [
                    .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                    .contentSecurityPolicy: "default-src 'none'",
                ],
                body: ResponseBody(byteBuffer: ByteBuffer(string: Self.page)))
        }
        return Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { _ in onStart() }, logger: logger)
    }

    private static let page = """
        <!doctype html><html lang="en"><title>AuthLedger</title>
        <p>The answer arrived. You can close this page.</p></html>
        """
}

/// The user's browser.
enum Browser {
    static func open(_ url: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["xdg-open", url]
        do {
            try process.run()
        } catch {
            Notices.write("The browser could not be started; open the address yourself.")
        }
    }
}
