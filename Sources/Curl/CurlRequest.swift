// SPDX-License-Identifier: Apache-2.0

/// A header field.
public struct CurlField: Equatable, Sendable {
    /// The name, as it was written.
    public let name: String
    /// The value, without the spaces around it.
    public let value: String

    /// A header field.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Where a client's certificate lies, and the private key to it: files in PEM form.
public struct CurlClientCertificate: Equatable, Sendable {
    /// The certificate, which the certificates between it and its authority may follow.
    public let certificateFile: String
    /// The private key, which has no passphrase.
    public let privateKeyFile: String

    /// The files of one certificate.
    public init(certificateFile: String, privateKeyFile: String) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
    }
}

/// A request and what its exchange must keep to. Nothing of it is ever written anywhere but to
/// the peer.
public struct CurlRequest: Sendable {
    /// The methods there are.
    public enum Method: Sendable {
        case get
        case post
    }

    /// The method.
    public var method: Method
    /// The absolute URL, without user name and password.
    public var url: String
    /// Header fields beyond those that the protocol itself needs.
    public var fields: [CurlField]
    /// The body; empty for GET.
    public var body: [UInt8]
    /// The largest body that is taken, in bytes, after decompression.
    public var bodyBytesMax = 1_048_576
    /// The largest sum of header bytes that is taken, interim responses and trailers included.
    public var headerBytesMax = 65_536
    /// How long the exchange may take as a whole, waiting for a free connection included.
    public var durationMillisecondsMax = 15_000
    /// How long it may take to look up the name, connect and agree on TLS.
    public var connectMillisecondsMax = 10_000
    /// Plain http is taken to `localhost`, 127.0.0.0/8 and ::1; never to anything else.
    public var allowsLoopbackHTTP = false
    /// Addresses that the public Internet does not know are taken: loopback, private, link-local.
    public var allowsPrivateTargets = false
    /// A PEM file with the certificate authorities that are trusted instead of the system's.
    /// Read for each new connection; a kept one stays as it was.
    public var trustedCAFile: String?
    /// The certificate that is shown to a server that asks for one. Read for each request: what
    /// was replaced in the files counts at once. A request in the clear, which cannot show it, is
    /// not sent.
    public var clientCertificate: CurlClientCertificate?

    /// A request with the limits of an ordinary exchange.
    public init(_ method: Method, _ url: String, fields: [CurlField] = [], body: [UInt8] = []) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
    }
}

/// What the peer answered.
public struct CurlResponse: Equatable, Sendable {
    /// The status code.
    public let status: Int
    /// The header fields of the final response, in the order they came, without trailers.
    public let fields: [CurlField]
    /// The body, decompressed.
    public let body: [UInt8]
    /// How long the exchange took, in milliseconds.
    public let durationMilliseconds: Int
    /// Whether HTTP/2 was spoken; HTTP/1 otherwise.
    public let isHTTP2: Bool
    /// Whether no new connection was made for it.
    public let isConnectionReused: Bool
    /// The certificates that the server showed, each as a PEM text, its own first and in the order
    /// it sent them. Only the first is certain to have been looked at. Empty when the connection
    /// was made for an earlier request, and in the clear.
    public let peerCertificates: [String]
}

extension CurlRequest {
    /// Fields that say how the message is framed or who it is for: these are the transport's.
    private static let reservedNames: Set<String> = [
        "accept-encoding", "connection", "content-length", "expect", "host", "http2-settings",
        "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// Throws when a part of the request could be read as something else than it was meant to be.
    func checkShape() throws(CurlError) {
        let isWhole =
            fields.allSatisfy(\.isWellFormed)
            && !fields.contains { Self.reservedNames.contains($0.name.lowercased()) }
            && (method == .post || body.isEmpty)
            && !texts.contains { $0.utf8.contains(0) }
            && bodyBytesMax >= 0 && headerBytesMax > 0
            && Self.milliseconds.contains(durationMillisecondsMax)
            && Self.milliseconds.contains(connectMillisecondsMax)
        guard isWhole else { throw CurlError(.invalidRequest) }
    }

    /// What reaches libcurl or the system as a text that ends with a zero byte.
    private var texts: [String] {
        [
            url, trustedCAFile, clientCertificate?.certificateFile,
            clientCertificate?.privateKeyFile,
        ].compactMap { $0 }
    }

    /// What a time limit may be: up to a day. libcurl takes 0 for no limit.
    private static let milliseconds = 1...86_400_000
}

extension CurlField {
    /// The name is a token (RFC 9110, 5.6.2) and the value has no control characters but the tab.
    fileprivate var isWellFormed: Bool {
        !name.isEmpty && name.utf8.allSatisfy(Self.isTokenByte)
            && value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
