// SPDX-License-Identifier: Apache-2.0

internal import Curl
public import HTTPMessages

/// The network as it is: sends requests over libcurl, from any number of tasks.
public struct LiveTransport: Sendable {
    private let transport: Result<CurlTransport, CurlError>

    /// A transport with a thread and connections of its own.
    ///
    /// - Parameter userAgent: under which name it sends.
    public init(userAgent: String) {
        transport = Result { () throws(CurlError) in
            try CurlTransport(CurlTransport.Configuration(userAgent: userAgent))
        }
    }

    /// The `send` of live capabilities. Throws ``HTTPFailure`` and nothing else.
    public func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        do {
            return HTTPResponse(try await transport.get().perform(CurlRequest(request)))
        } catch {
            throw HTTPFailure(error)
        }
    }
}

extension CurlRequest {
    init(_ request: HTTPRequest) {
        self.init(
            request.method == .post ? .post : .get, request.url,
            fields: request.fields.map { CurlField($0.name, $0.value) }, body: request.body)
        bodyBytesMax = request.limits.bodyBytesMax
        headerBytesMax = request.limits.headerBytesMax
        durationMillisecondsMax = request.limits.durationMillisecondsMax
        connectMillisecondsMax = min(connectMillisecondsMax, durationMillisecondsMax)
        allowsLoopbackHTTP = request.limits.allowsLoopbackHTTP
        allowsPrivateTargets = request.limits.allowsPrivateTargets
        trustedCAFile = request.limits.trustedCAFile
    }
}

extension HTTPResponse {
    init(_ response: CurlResponse) {
        self.init(
            status: response.status,
            fields: response.fields.map { HTTPField($0.name, $0.value) }, body: response.body,
            durationMilliseconds: response.durationMilliseconds)
    }
}

extension HTTPFailure {
    init(_ error: CurlError) {
        let kind: Kind =
            switch error.kind {
            case .invalidRequest, .refusedTarget: .refused
            case .unreachable: .unreachable
            case .timedOut: .timedOut
            case .untrusted: .untrusted
            case .tooLarge: .tooLarge
            case .interrupted, .cancelled, .closed, .failed: .interrupted
            }
        self.init(kind, mayHaveBeenSent: error.mayHaveBeenSent)
    }
}
