// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Hummingbird
internal import Logging
internal import OpenIDConnect
internal import Platform
internal import Synchronization

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

    /// The callback as path and query.
    ///
    /// - Throws: ``CommandError`` when nothing comes in time or the address is taken.
    func receive(timeoutSeconds: Int) async throws -> String {
        let (callbacks, arrival) = AsyncStream.makeStream(of: String.self)
        let application = application { arrival.yield($0) }
        let callback = try await withThrowingTaskGroup(of: String?.self) { group in
            group.addTask {
                do {
                    try await application.run()
                } catch is CancellationError {
                    return nil
                } catch {
                    throw CommandError(
                        .inputOutput, "listen-failed", "cannot listen at the callback's address",
                        hint: "use --listen 127.0.0.1:PORT or --callback-file")
                }
                return nil
            }
            group.addTask { await callbacks.first { _ in true } }
            group.addTask {
                try await Task.sleep(for: .seconds(timeoutSeconds))
                return nil
            }
            let first = try await group.next() ?? nil
            // The answer has to reach the browser before the server goes.
            if first != nil { try await Task.sleep(for: .milliseconds(50)) }
            group.cancelAll()
            return first
        }
        guard let callback else {
            throw CommandError(
                .inputOutput, "callback-timeout", "no callback came in time",
                hint: "finish with `authledger callback`, or begin a new login")
        }
        return callback
    }

    private func application(
        _ arrived: @escaping @Sendable (String) -> Void
    ) -> some ApplicationProtocol {
        let router = Router()
        router.get(RouterPath(path)) { request, _ in
            arrived(request.uri.description)
            return Response(
                status: .ok,
                headers: [
                    .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                    .contentSecurityPolicy: "default-src 'none'",
                ],
                body: ResponseBody(byteBuffer: ByteBuffer(string: Self.page)))
        }
        var logger = Logger(label: "authledger.callback")
        logger.logLevel = .critical
        return Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            logger: logger)
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
