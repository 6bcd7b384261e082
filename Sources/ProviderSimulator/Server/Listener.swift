// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// The socket side: turns requests into values and answers into responses, and nothing else.
///
/// It is stopped by shutting it down, never by cancelling its task: a connection that has just
/// been accepted when the task is cancelled ends the whole process (`NIOAsyncWriter` insists on
/// being finished).
final class Listener: Sendable {
    /// No form that a login needs is larger.
    private static let bodyBytesMax = 262_144

    private let server = Mutex<ProviderServer?>(nil)
    private let makeServer: @Sendable (_ port: Int) -> ProviderServer

    /// - Parameter makeServer: Makes what answers, once the port is known.
    init(makeServer: @escaping @Sendable (_ port: Int) -> ProviderServer) {
        self.makeServer = makeServer
    }

    /// What runs until it is shut down.
    var services: ServiceGroup {
        let logger = Logger(label: "simulator") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            responder: CallbackResponder { (request: Request, connection: Connection) in
                try await self.respond(to: request, over: connection)
            },
            server: .http1(
                configuration: .init(additionalChannelHandlers: [ConnectionCloser()])),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                guard let port = channel.localAddress?.port else {
                    preconditionFailure("a bound socket has a port")
                }
                let server = self.makeServer(port)
                self.server.withLock { $0 = server }
            },
            logger: logger)
        return ServiceGroup(configuration: .init(services: [application], logger: logger))
    }

    private func respond(
        to request: Request, over connection: Connection
    ) async throws -> Response {
        guard let server = server.withLock({ $0 }) else {
            return Response(status: .serviceUnavailable)
        }
        guard let method = HTTPMessages.HTTPRequest.Method(rawValue: request.method.rawValue) else {
            return Response(status: .methodNotAllowed)
        }
        guard let body = try await Self.body(of: request) else {
            return Response(status: .contentTooLarge)
        }
        let answer = server.provider.answer(
            to: HTTPMessages.HTTPRequest(
                method, server.baseURL + (request.head.path ?? "/"),
                fields: request.headers.map { HTTPField($0.name.rawName, $0.value) }, body: body))
        if answer.delayMilliseconds > 0 {
            try await connection.whileOpen {
                try await server.provider.wait(answer.delayMilliseconds)
            }
        }
        return Self.response(answer.response)
    }

    /// The body; nil when it is too large. It is read to its end all the same: who is still
    /// sending does not listen.
    private static func body(of request: Request) async throws -> [UInt8]? {
        var body: [UInt8] = []
        var isTooLarge = false
        for try await part in request.body {
            isTooLarge = isTooLarge || body.count + part.readableBytes > bodyBytesMax
            if !isTooLarge { body += part.readableBytesView }
        }
        return isTooLarge ? nil : body
    }

    private static func response(_ answer: HTTPMessages.HTTPResponse) -> Response {
        var headers = HTTPFields()
        for field in answer.fields {
            guard let name = HTTPFields.Element.Name(field.name) else { continue }
            headers.append(HTTPFields.Element(name: name, value: field.value))
        }
        return Response(
            status: .init(code: answer.status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
}

/// The connection that a request came over.
private struct Connection: InitializableFromSource {
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
    }

    /// Does something that is cancelled when the connection is closed: nobody waits for it then.
    func whileOpen(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { try await body() }
        channel.closeFuture.whenComplete { _ in task.cancel() }
        try await task.value
    }
}

/// Closes a connection as soon as the server stops, whatever is happening on it.
private final class ConnectionCloser: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
