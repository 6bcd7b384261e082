// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Glibc

/// An X.509 certificate (RFC 5280), as it was read. It may be used from any thread.
///
/// Nothing is verified here: not who signed it, nor whether its time has come or gone. That is for
/// the caller, who has a clock, and for TLS.
@safe public final class Certificate: @unchecked Sendable {
    /// The most bytes of a certificate, in either form, that are looked at.
    public static let bytesMax = 65_536

    /// The certificate in DER, which is what hashes and signatures are made of.
    public let der: [UInt8]
    /// The first and the last second in which it is valid, counted from 1970.
    public let notBefore: Int64, notAfter: Int64
    /// The subject's distinguished name as RFC 4514 writes it, in ASCII: other characters, and
    /// control characters, are escaped. Empty when the subject has no name.
    public let subject: String
    /// The key that the certificate is for.
    public let publicKey: PublicKey

    private let pointer: OpaquePointer

    /// Reads the first certificate of a PEM text (RFC 7468); what else stands there is ignored.
    ///
    /// Throws when there is none, or when its key is of no kind that this module knows.
    public convenience init(pem: [UInt8]) throws(OpenSSLError) {
        guard pem.count <= Self.bytesMax else { throw OpenSSLError("PEM size") }
        guard let source = unsafe BIO_new_mem_buf(pem, Int32(pem.count)) else {
            throw OpenSSLError("BIO_new_mem_buf")
        }
        defer { unsafe BIO_free(source) }
        let read = unsafe PEM_read_bio_X509(source, nil, { _, _, _, _ in -1 }, nil)
        guard let certificate = unsafe read else { throw OpenSSLError("PEM_read_bio_X509") }
        try unsafe self.init(owning: certificate)
    }

    /// Reads a certificate in DER and nothing behind it. Throws as ``init(pem:)`` does.
    public convenience init(der: [UInt8]) throws(OpenSSLError) {
        guard der.count <= Self.bytesMax else { throw OpenSSLError("DER size") }
        var length = 0
        let read = unsafe der.withUnsafeBufferPointer { bytes in
            var next = bytes.baseAddress
            let certificate = unsafe d2i_X509(nil, &next, bytes.count)
            length = unsafe next.map { unsafe $0 - (bytes.baseAddress ?? $0) } ?? 0
            return unsafe certificate
        }
        guard let certificate = unsafe read else { throw OpenSSLError("d2i_X509") }
        guard length == der.count else {
            unsafe X509_free(certificate)
            throw OpenSSLError("DER length")
        }
        try unsafe self.init(owning: certificate)
    }

    private init(owning certificate: OpaquePointer) throws(OpenSSLError) {
        unsafe pointer = certificate
        do throws(OpenSSLError) {
            der = try unsafe Self.der(of: certificate)
            notBefore = try unsafe Self.seconds(X509_get0_notBefore(certificate))
            notAfter = try unsafe Self.seconds(X509_get0_notAfter(certificate))
            subject = try unsafe Self.text(of: X509_get_subject_name(certificate))
            publicKey = try unsafe PublicKey(reading: X509_get0_pubkey(certificate))
        } catch {
            unsafe X509_free(certificate)
            throw error
        }
    }

    deinit {
        unsafe X509_free(pointer)
    }

    /// SHA-256 of the certificate in DER, 32 bytes: `x5t#S256` (RFC 8705 §3.1, RFC 7515 §4.1.8).
    public var thumbprintSHA256: [UInt8] { HashFunction.sha256.hash(der[...]) }

    /// Whether a private key is the one to this certificate.
    public func matches(_ key: PrivateKey) -> Bool {
        let isPair = unsafe X509_check_private_key(pointer, key.pointer) == 1
        if !isPair { ERR_clear_error() }
        return isPair
    }

    /// The certificate as a PEM text.
    public func pem() throws(OpenSSLError) -> [UInt8] {
        guard let target = unsafe BIO_new(BIO_s_mem()) else { throw OpenSSLError("BIO_new") }
        defer { unsafe BIO_free(target) }
        guard unsafe PEM_write_bio_X509(target, pointer) == 1 else {
            throw OpenSSLError("PEM_write_bio_X509")
        }
        return unsafe target.contents
    }
}

// MARK: - Reading the parts

extension Certificate {
    static func der(of certificate: OpaquePointer) throws(OpenSSLError) -> [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509(certificate, &bytes)
        guard count > 0, let bytes = unsafe bytes else { throw OpenSSLError("i2d_X509") }
        defer { unsafe CRYPTO_free(bytes, #file, #line) }
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    private static func seconds(
        _ time: UnsafePointer<ASN1_TIME>?
    ) throws(OpenSSLError) -> Int64 {
        var parts = unsafe tm()
        guard unsafe time != nil, unsafe ASN1_TIME_to_tm(time, &parts) == 1 else {
            throw OpenSSLError("ASN1_TIME_to_tm")
        }
        return Int64(unsafe timegm(&parts))
    }

    private static func text(of name: OpaquePointer?) throws(OpenSSLError) -> String {
        guard let target = unsafe BIO_new(BIO_s_mem()) else { throw OpenSSLError("BIO_new") }
        defer { unsafe BIO_free(target) }
        guard unsafe authledger_name_print(target, name) >= 0 else {
            throw OpenSSLError("X509_NAME_print_ex")
        }
        return String(decoding: unsafe target.contents, as: UTF8.self)
    }
}

extension PublicKey {
    /// Copies the numbers of a key that libcrypto has read.
    fileprivate convenience init(reading key: OpaquePointer?) throws(OpenSSLError) {
        guard let key = unsafe key, let kind = unsafe PrivateKey.kind(of: key) else {
            throw OpenSSLError("key type")
        }
        try self.init(unsafe PrivateKey.publicParameters(of: key, kind))
    }
}
