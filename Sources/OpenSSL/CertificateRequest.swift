// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Requests for a certificate (PKCS #10, RFC 2986), which a client sends to an authority.
public enum CertificateRequest {
    /// Makes a request in PEM, signed by the key that the certificate shall be for: with SHA-256,
    /// or Ed25519.
    ///
    /// - Parameters:
    ///   - key: The client's key. Nothing of its private half is in the request.
    ///   - subject: The parts of the name in their order, at least one, as `CN`, `O`, `C`,
    ///     `serialNumber` or an object identifier with their value. Throws for types that libcrypto
    ///     does not know and values that are too long for theirs.
    ///   - dnsNames: Hosts that are asked for as alternative names.
    public static func make(
        key: PrivateKey, subject: [(name: String, value: String)], dnsNames: [String] = []
    ) throws(OpenSSLError) -> [UInt8] {
        guard let request = unsafe X509_REQ_new() else { throw OpenSSLError("X509_REQ_new") }
        defer { unsafe X509_REQ_free(request) }
        try unsafe CertificateParts.fill(X509_REQ_get_subject_name(request), with: subject)
        guard unsafe X509_REQ_set_version(request, 0) == 1,
            unsafe X509_REQ_set_pubkey(request, key.pointer) == 1
        else { throw OpenSSLError("X509_REQ_set_pubkey") }
        if !dnsNames.isEmpty {
            try unsafe add(CertificateParts.alternativeNames(dnsNames), to: request)
        }
        guard unsafe X509_REQ_sign(request, key.pointer, key.digestForSigning) > 0 else {
            throw OpenSSLError("X509_REQ_sign")
        }
        guard let target = unsafe BIO_new(BIO_s_mem()) else { throw OpenSSLError("BIO_new") }
        defer { unsafe BIO_free(target) }
        guard unsafe PEM_write_bio_X509_REQ(target, request) == 1 else {
            throw OpenSSLError("PEM_write_bio_X509_REQ")
        }
        return unsafe target.contents
    }

    private static func add(
        _ alternativeNames: String, to request: OpaquePointer
    ) throws(OpenSSLError) {
        let made = try unsafe CertificateParts.makeExtension(
            NID_subject_alt_name, alternativeNames)
        defer { unsafe X509_EXTENSION_free(made) }
        var list: OpaquePointer?
        defer { unsafe authledger_extensions_free(list) }
        guard unsafe X509v3_add_ext(&list, made, -1) != nil,
            unsafe X509_REQ_add_extensions(request, list) == 1
        else { throw OpenSSLError("X509_REQ_add_extensions") }
    }
}
