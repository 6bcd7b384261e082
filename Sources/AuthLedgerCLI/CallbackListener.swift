// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import Hummingbird
internal import LedgerPrimitives
internal import Logging
internal import OpenIDConnect
internal import OpenSSL
internal import Platform
internal import RelyingParty
internal import ServiceLifecycle
internal import Synchronization

/// What becomes of the browser after a callback.
enum CallbackReply: Sendable {
    /// It goes to the next address of the same login.
    case goOn(String)
    /// The login is over.
    case done(CallbackResult)
}

/// Waits on a loopback address for the callbacks of one login.
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

    /// Listens, lets `announce` tell the user where to go, and takes callbacks one by one until one
    /// ends the login: path and query of a GET, the form of a POST.
    ///
    /// The server is shut down, not cancelled: a connection accepted in that moment would otherwise
    /// end the process.
    ///
    /// - Throws: ``CommandError`` when nothing comes in time or the address is taken, and whatever
    ///   `announce` and `taking` throw.
    func serve(
        timeoutSeconds: Int, announce: @escaping @Sendable () async throws -> Void,
        taking take: @escaping @Sendable (String) async throws -> CallbackReply
    ) async throws -> CallbackResult {
        let (ends, ended) = AsyncStream.makeStream(of: Result<CallbackResult, any Error>.self)
        let (starts, started) = AsyncStream.makeStream(of: Void.self)
        let logger = Logger(label: "callback") { _ in SwiftLogNoOpLogHandler() }
        let desk = CallbackDesk(take) { ended.yield($0) }
        let services = ServiceGroup(
            configuration: .init(
                services: [application(logger, desk) { started.yield() }], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer {
                    started.finish()
                    ended.finish()
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
                    ended.finish()
                }
                try await announce()
            }
            let end = await ends.first { _ in true }
            if isListening { await services.triggerGracefulShutdown() }
            // The server's own end tells whether it could listen at all. When time was up, the
            // clock has ended before it.
            for _ in 0..<(end == nil && isListening ? 2 : 1) {
                _ = try await group.next()
            }
            group.cancelAll()
            // A callback that came in time counts, also when its exchange went on for longer.
            guard let end = end ?? desk.outcome else {
                throw CommandError(
                    .inputOutput, "callback-timeout", "no callback came in time",
                    hint: "finish with `authledger callback`, or begin a new login")
            }
            return try end.get()
        }
    }

    private func application(
        _ logger: Logger, _ desk: CallbackDesk, onStart: @escaping @Sendable () -> Void
    ) -> some ApplicationProtocol {
        let router = Router()
        router.get(RouterPath(path)) { request, _ in
            // Any page in the browser can make it ask for this address; only what carries an answer
            // can be one. An answer in the fragment does not reach a server by itself.
            guard request.uri.query.map(CallbackDesk.isAnswer) ?? false else {
                return CallbackPage.forFragment
            }
            return await desk.take(request.uri.description)
        }
        router.post(RouterPath(path)) { request, _ in
            let body = try await request.body.collect(upTo: CallbackFile.bytesMax)
            let form = String(buffer: body)
            guard CallbackDesk.isAnswer(form) else { return CallbackPage.refused }
            return await desk.take(form)
        }
        return Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { _ in onStart() }, logger: logger)
    }
}

/// Takes the callbacks of one login, one at a time.
private final class CallbackDesk: Sendable {
    private enum Standing {
        case waiting
        case busy
        case over(Result<CallbackResult, any Error>)
    }

    private let standing = Mutex(Standing.waiting)
    private let process: @Sendable (String) async throws -> CallbackReply
    private let end: @Sendable (Result<CallbackResult, any Error>) -> Void

    init(
        _ process: @escaping @Sendable (String) async throws -> CallbackReply,
        end: @escaping @Sendable (Result<CallbackResult, any Error>) -> Void
    ) {
        self.process = process
        self.end = end
    }

    /// How the login ended; nil while it has not.
    var outcome: Result<CallbackResult, any Error>? {
        standing.withLock { if case .over(let outcome) = $0 { outcome } else { nil } }
    }

    /// Whether parameters can be those of a callback.
    static func isAnswer(_ parameters: String) -> Bool {
        ["state=", "response=", "idp_id=", "error="].contains { parameters.contains($0) }
    }

    func take(_ input: String) async -> Response {
        let isFree = standing.withLock { standing in
            guard case .waiting = standing else { return false }
            standing = .busy
            return true
        }
        guard isFree else { return CallbackPage.refused }
        do {
            switch try await process(input) {
            case .goOn(let url):
                standing.withLock { $0 = .waiting }
                return CallbackPage.redirect(to: url)
            case .done(let result):
                finish(.success(result))
            }
        } catch {
            finish(.failure(error))
        }
        return CallbackPage.arrived
    }

    private func finish(_ outcome: Result<CallbackResult, any Error>) {
        standing.withLock { $0 = .over(outcome) }
        end(outcome)
    }
}

/// The pages that the user's browser sees at the end of a login.
private enum CallbackPage {
    /// Sends what stands behind the number sign to this same address, where only a script can
    /// read it; it leaves no trace in the browser's history.
    private static let script = """
        const f=document.forms[0],h=location.hash.slice(1);\
        history.replaceState(null,"",location.pathname);\
        if(h){for(const [n,v] of new URLSearchParams(h)){const i=document.createElement("input");\
        i.type="hidden";i.name=n;i.value=v;f.append(i)}f.submit()}\
        else{document.body.append("There is no answer in this address.")}
        """

    private static let scriptHash = Base64.encode(Digest(SHA256.hash(Array(script.utf8))).array)

    static var forFragment: Response {
        page(
            "<form method=\"post\"></form><script>\(script)</script>",
            policy: "default-src 'none'; form-action 'self'; script-src 'sha256-\(scriptHash)'")
    }

    static var arrived: Response {
        page("<p>The answer arrived. You can close this page.</p>")
    }

    static var refused: Response {
        page("<p>Nothing is waited for here.</p>", status: .badRequest)
    }

    static func redirect(to url: String) -> Response {
        Response(status: .seeOther, headers: [.location: url, .cacheControl: "no-store"])
    }

    private static func page(
        _ content: String, policy: String = "default-src 'none'",
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let text = """
            <!doctype html><html lang="en"><meta charset="utf-8"><title>AuthLedger</title>
            <body>\(content)</body></html>
            """
        return Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: policy,
            ], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

/// The user's browser.
enum Browser {
    static func open(_ url: String) {
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
