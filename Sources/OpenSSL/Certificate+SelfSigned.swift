// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

extension Certificate {
    /// The last second that a certificate can name: the end of the year 9999 (RFC 5280 §4.1.2.5).
    private static let secondsMax: Int64 = 253_402_300_799

    /// Makes a certificate for a client or a server that vouches for itself, as mutual TLS with
    /// self-signed certificates takes it (RFC 8705 §2.2): no authority, signed with SHA-256 or
    /// Ed25519.
    ///
    /// - Parameters:
    ///   - key: The key that it is for, and that signs it.
    ///   - subjectCommonName: The one part of the subject's name, at most 64 characters.
    ///   - notBefore: The first second in which it is valid, counted from 1970.
    ///   - notAfter: The last one.
    ///   - serial: A positive number of at most 20 bytes, most significant byte first, that no
    ///     other certificate of the same name has; chosen at random (RFC 5280 §4.1.2.2).
    ///   - dnsNames: The hosts that it is for; none for a client.
    public static func selfSigned(
        key: PrivateKey, subjectCommonName: String, notBefore: Int64, notAfter: Int64,
        serial: [UInt8], dnsNames: [String] = []
    ) throws(OpenSSLError) -> Certificate {
        guard let made = unsafe X509_new() else { throw OpenSSLError("X509_new") }
        defer { unsafe X509_free(made) }
        guard unsafe X509_set_version(made, 2) == 1 else { throw OpenSSLError("X509_set_version") }
        try unsafe setSerial(serial, of: made)
        try unsafe setTimes(notBefore, notAfter, of: made)
        let name = unsafe X509_get_subject_name(made)
        try unsafe CertificateParts.fill(name, with: [("CN", subjectCommonName)])
        guard unsafe X509_set_issuer_name(made, name) == 1,
            unsafe X509_set_pubkey(made, key.pointer) == 1
        else { throw OpenSSLError("X509_set_pubkey") }
        try unsafe addExtensions(to: made, hosts: dnsNames)
        guard unsafe X509_sign(made, key.pointer, key.digestForSigning) > 0 else {
            throw OpenSSLError("X509_sign")
        }
        return try Certificate(der: unsafe der(of: made))
    }

    private static func setSerial(
        _ serial: [UInt8], of certificate: OpaquePointer
    ) throws(OpenSSLError) {
        let digits = serial.drop { $0 == 0 }
        // The first bit of twenty bytes would take a byte more.
        guard let first = digits.first, digits.count < 20 || (digits.count == 20 && first < 0x80)
        else { throw OpenSSLError("serial number") }
        let number = unsafe BN_bin2bn(Array(digits), Int32(digits.count), nil)
        defer { unsafe BN_free(number) }
        guard unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil else {
            throw OpenSSLError("BN_to_ASN1_INTEGER")
        }
    }

    private static func setTimes(
        _ notBefore: Int64, _ notAfter: Int64, of certificate: OpaquePointer
    ) throws(OpenSSLError) {
        guard notBefore >= 0, notBefore <= notAfter, notAfter <= secondsMax else {
            throw OpenSSLError("validity")
        }
        guard unsafe ASN1_TIME_set(X509_getm_notBefore(certificate), Int(notBefore)) != nil,
            unsafe ASN1_TIME_set(X509_getm_notAfter(certificate), Int(notAfter)) != nil
        else { throw OpenSSLError("ASN1_TIME_set") }
    }

    private static func addExtensions(
        to certificate: OpaquePointer, hosts: [String]
    ) throws(OpenSSLError) {
        var extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"),
            (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, "clientAuth,serverAuth"),
            (NID_subject_key_identifier, "hash"),
        ]
        if !hosts.isEmpty {
            extensions.append(
                (NID_subject_alt_name, try CertificateParts.alternativeNames(hosts)))
        }
        for (kind, value) in extensions {
            let made = try unsafe CertificateParts.makeExtension(kind, value, of: certificate)
            defer { unsafe X509_EXTENSION_free(made) }
            guard unsafe X509_add_ext(certificate, made, -1) == 1 else {
                throw OpenSSLError("X509_add_ext")
            }
        }
    }
}
