// SPDX-License-Identifier: Apache-2.0

/// A header field.
public struct HTTPField: Hashable, Sendable {
    /// The name, in any case.
    public let name: String
    /// The value.
    public let value: String

    /// A header field.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Where a certificate lies with which a client makes itself known in TLS (RFC 8705), and the
/// private key to it. Both are files in PEM form; nothing of them is held here.
public struct ClientCertificateFiles: Equatable, Hashable, Sendable {
    /// The absolute path of the certificate, which the certificates between it and its authority
    /// may follow.
    public var certificateFile: String
    /// The absolute path of the private key, which has no passphrase.
    public var privateKeyFile: String

    /// The files of one certificate.
    public init(certificateFile: String, privateKeyFile: String) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
    }
}

/// A request to a provider, whole: whoever sends it adds nothing and follows no redirect.
public struct HTTPRequest: Equatable, Sendable {
    /// The method.
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    /// What the sender must keep to.
    public struct Limits: Equatable, Sendable {
        /// The largest body that is taken, in bytes, after decompression.
        public var bodyBytesMax = 1_048_576
        /// The largest sum of header bytes that is taken.
        public var headerBytesMax = 65_536
        /// How long the exchange may take as a whole, in milliseconds.
        public var durationMillisecondsMax = 15_000
        /// Plain http is taken to loopback addresses; never to anything else.
        public var allowsLoopbackHTTP = false
        /// Addresses that the public Internet does not know are taken: loopback, private,
        /// link-local.
        public var allowsPrivateTargets = false
        /// A PEM file with the certificate authorities that are trusted instead of the system's.
        public var trustedCAFile: String?
        /// The certificate that is shown to a server that asks for one; nil for none. A request in
        /// the clear, which cannot show it, is not sent.
        public var clientCertificate: ClientCertificateFiles?

        /// The limits of an ordinary exchange.
        public init() {}
    }

    /// The method.
    public var method: Method
    /// The absolute URL.
    public var url: String
    /// Header fields beyond those that the protocol itself needs.
    public var fields: [HTTPField]
    /// The body; empty for GET.
    public var body: [UInt8]
    /// What the sender must keep to.
    public var limits: Limits

    /// A request.
    public init(
        _ method: Method, _ url: String, fields: [HTTPField] = [], body: [UInt8] = [],
        limits: Limits = Limits()
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
        self.limits = limits
    }
}

/// What a provider answered.
public struct HTTPResponse: Equatable, Sendable {
    /// The status code.
    public var status: Int
    /// The header fields, in the order they came.
    public var fields: [HTTPField]
    /// The body, decompressed.
    public var body: [UInt8]
    /// How long the exchange took, in milliseconds.
    public var durationMilliseconds: Int
    /// The SHA-256 hash of each certificate that the server showed in DER form, its own first and
    /// in the order it sent them. Empty where that is not known: without TLS, and over a connection
    /// that was made for an earlier request.
    public var peerCertificates: [[UInt8]]

    /// A response.
    public init(
        status: Int, fields: [HTTPField] = [], body: [UInt8] = [], durationMilliseconds: Int = 0,
        peerCertificates: [[UInt8]] = []
    ) {
        self.status = status
        self.fields = fields
        self.body = body
        self.durationMilliseconds = durationMilliseconds
        self.peerCertificates = peerCertificates
    }

    /// The value of the first field with this name, whatever its case.
    public func field(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The media type without its parameters, in lower case.
    public var mediaType: String? {
        field("Content-Type")
            .flatMap { $0.split(separator: ";", omittingEmptySubsequences: false).first }
            .map { String($0.filter { $0 != " " }).lowercased() }
    }
}

/// Why there is no response.
public struct HTTPFailure: Error, Equatable, Sendable {
    /// What went wrong.
    public enum Kind: String, Sendable {
        /// No address, or nobody answers there.
        case unreachable
        /// It took too long.
        case timedOut = "timed-out"
        /// The peer's certificate or its TLS is not acceptable.
        case untrusted
        /// The client's own certificate cannot be used, the peer refuses it, or asks for one where
        /// there is none.
        case clientCertificate = "client-certificate"
        /// The URL may not be asked: not https, or a target that is refused.
        case refused
        /// The answer is larger than the limits allow.
        case tooLarge = "too-large"
        /// The peer broke off, or spoke no proper HTTP.
        case interrupted
    }

    /// What went wrong.
    public let kind: Kind
    /// Whether the request, or a part of it, may have reached the peer.
    public let mayHaveBeenSent: Bool

    /// A failure.
    public init(_ kind: Kind, mayHaveBeenSent: Bool) {
        self.kind = kind
        self.mayHaveBeenSent = mayHaveBeenSent
    }
}
