// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import NIOCore
import NIOPosix

/// The smallest HTTP client that will do: one connection per request, redirects not followed.
enum Network {
    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private static func connect(port: Int) async throws -> Connection {
        do {
            return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Connection(wrappingChannelSynchronously: channel)
                    }
                }
        } catch is NIOConnectionError {
            throw HTTPFailure(.unreachable, mayHaveBeenSent: false)
        }
    }

    /// Sends a request over a connection of its own.
    static func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let (port, target) = try split(request.url)
        var head = "\(request.method.rawValue) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n"
        for field in request.fields { head += "\(field.name): \(field.value)\r\n" }
        head += "Connection: close\r\nContent-Length: \(request.body.count)\r\n\r\n"
        return try response(
            try await exchange(Array(head.utf8) + request.body, port: port))
    }

    /// Sends bytes over a connection of their own and reads until the other side closes it.
    ///
    /// - Parameter answered: Called when the first bytes came.
    static func exchange(
        _ bytes: [UInt8], port: Int, answered: @Sendable () -> Void = {}
    ) async throws -> [UInt8] {
        try await connect(port: port).executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            var received: [UInt8] = []
            for try await part in inbound {
                if received.isEmpty { answered() }
                received += part.readableBytesView
            }
            return received
        }
    }

    /// The port of a URL, and what stands behind it.
    static func split(_ url: String) throws -> (port: Int, target: String) {
        let start = "http://127.0.0.1:"
        let digits = url.dropFirst(start.count).prefix { $0 != "/" }
        guard url.hasPrefix(start), let port = Int(digits) else {
            throw HTTPFailure(.refused, mayHaveBeenSent: false)
        }
        return (port, String(url.dropFirst(start.count + digits.count)))
    }

    private static func response(_ bytes: [UInt8]) throws -> HTTPResponse {
        let end = Array("\r\n\r\n".utf8)
        guard let split = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else {
            throw HTTPFailure(.interrupted, mayHaveBeenSent: true)
        }
        let lines = String(decoding: bytes[..<split], as: UTF8.self).split(separator: "\r\n")
        let fields = lines.dropFirst().map { line in
            let name = line.prefix { $0 != ":" }
            return HTTPField(
                String(name), String(line.dropFirst(name.count + 1).drop { $0 == " " }))
        }
        let response = HTTPResponse(
            status: Int(lines[0].split(separator: " ")[1]) ?? 0, fields: fields,
            body: Array(bytes[(split + end.count)...]))
        guard response.field("Content-Length") == String(response.body.count) else {
            throw HTTPFailure(.interrupted, mayHaveBeenSent: true)
        }
        return response
    }
}
