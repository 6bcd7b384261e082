// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import Synchronization

/// The socket side: turns requests into values and answers into responses, and nothing else.
final class Listener: Sendable {
    /// No form that a login needs is larger.
    private static let bodyBytesMax = 262_144

    private let makeServer: @Sendable (_ port: Int) -> ProviderServer
    private let server = Mutex<ProviderServer?>(nil)

    /// - Parameter makeServer: Makes what answers, once the port is known.
    init(makeServer: @escaping @Sendable (_ port: Int) -> ProviderServer) {
        self.makeServer = makeServer
    }

    /// Listens until the task is cancelled.
    func run() async throws {
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in
                try await self.respond(to: request)
            },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                guard let port = channel.localAddress?.port else {
                    preconditionFailure("a bound socket has a port")
                }
                let server = self.makeServer(port)
                self.server.withLock { $0 = server }
            },
            logger: Logger(label: "simulator") { _ in SwiftLogNoOpLogHandler() })
        try await application.run()
    }

    private func respond(to request: Request) async throws -> Response {
        guard let server = server.withLock({ $0 }) else {
            return Response(status: .serviceUnavailable)
        }
        guard let method = HTTPMessages.HTTPRequest.Method(rawValue: request.method.rawValue) else {
            return Response(status: .methodNotAllowed)
        }
        let body = try await request.body.collect(upTo: Self.bodyBytesMax)
        let answer = try await server.provider.send(
            HTTPMessages.HTTPRequest(
                method, server.baseURL + (request.head.path ?? "/"),
                fields: request.headers.map { HTTPField($0.name.rawName, $0.value) },
                body: Array(body.readableBytesView)))
        return Self.response(answer)
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

extension Result {
    /// The error, if this is a failure.
    var failure: Failure? {
        guard case .failure(let error) = self else { return nil }
        return error
    }
}
