// SPDX-License-Identifier: Apache-2.0

internal import Curl
public import HTTPMessages
internal import LedgerPrimitives
internal import OpenSSL

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
        clientCertificate = request.limits.clientCertificate.map {
            CurlClientCertificate(
                certificateFile: $0.certificateFile, privateKeyFile: $0.privateKeyFile)
        }
    }
}

extension HTTPResponse {
    init(_ response: CurlResponse) {
        self.init(
            status: response.status,
            fields: response.fields.map { HTTPField($0.name, $0.value) }, body: response.body,
            durationMilliseconds: response.durationMilliseconds,
            peerCertificates: Self.thumbprints(response.peerCertificates))
    }

    /// The hashes of all certificates, or none: a list with a gap would name the wrong ones.
    private static func thumbprints(_ certificates: [String]) -> [[UInt8]] {
        let hashes = certificates.compactMap { pem in
            // One line for each end, and the DER form in base64 between them (RFC 7468).
            let lines = pem.split(separator: "\n").dropFirst().dropLast()
            return Base64.decode(lines.joined()).map { HashFunction.sha256.hash($0[...]) }
        }
        return hashes.count == certificates.count ? hashes : []
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
            case .clientCertificate: .clientCertificate
            case .tooLarge: .tooLarge
            case .interrupted, .cancelled, .closed, .failed: .interrupted
            }
        self.init(kind, mayHaveBeenSent: error.mayHaveBeenSent)
    }
}
