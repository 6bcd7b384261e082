public final class Certificate: Sendable {
    public let thumbprintSHA256: [UInt8] = []
    public init(pem: [UInt8]) throws(OpenSSLError) { }
}
