// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// What certificates and requests for them are put together from.
enum CertificateParts {
    /// The most names of either kind that one may have.
    private static let namesMax = 100

    /// Adds entries to a distinguished name, each with the type's short name in libcrypto, long
    /// name or object identifier: `CN`, `O`, `C`, `serialNumber`, `2.5.4.97`.
    static func fill(
        _ name: OpaquePointer?, with entries: [(name: String, value: String)]
    ) throws(OpenSSLError) {
        guard !entries.isEmpty, entries.count <= namesMax else {
            throw OpenSSLError("number of names")
        }
        for entry in entries {
            let value = Array(entry.value.utf8)
            let isText = value.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            guard isText, !value.isEmpty, !entry.name.utf8.contains(0) else {
                throw OpenSSLError("name")
            }
            guard
                unsafe X509_NAME_add_entry_by_txt(
                    name, entry.name, authledger_utf8(), value, Int32(clamping: value.count), -1, 0)
                    == 1
            else { throw OpenSSLError("X509_NAME_add_entry_by_txt") }
        }
    }

    /// The value of a subjectAltName extension with these names, in libcrypto's notation, where a
    /// comma would begin another entry: only what can stand in a host's name is taken.
    static func alternativeNames(_ hosts: [String]) throws(OpenSSLError) -> String {
        let areNames = hosts.allSatisfy { host in
            !host.isEmpty && host.utf8.count <= 253
                && host.split(separator: ".", omittingEmptySubsequences: false)
                    .enumerated().allSatisfy { isLabel($1, isFirst: $0 == 0) }
        }
        guard areNames, hosts.count <= namesMax else { throw OpenSSLError("host name") }
        return hosts.map { "DNS:" + $0 }.joined(separator: ",")
    }

    /// One part of a host's name; the first may be a wildcard (RFC 9525 §6.3).
    private static func isLabel(_ label: Substring, isFirst: Bool) -> Bool {
        if isFirst, label == "*" { return true }
        let isWord = label.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isWord && !label.isEmpty && label.utf8.count <= 63
    }

    /// An extension made of libcrypto's notation for its value; the caller owns it.
    static func makeExtension(
        _ kind: Int32, _ value: String, of certificate: OpaquePointer? = nil
    ) throws(OpenSSLError) -> OpaquePointer {
        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        guard let made = unsafe X509V3_EXT_nconf_nid(nil, &context, kind, value) else {
            throw OpenSSLError("X509V3_EXT_nconf_nid")
        }
        return unsafe made
    }
}

extension PrivateKey {
    /// The hash function for what this key signs with libcrypto's signing functions, which take
    /// none for Ed25519.
    var digestForSigning: OpaquePointer? {
        if case .ed25519 = publicKey.parameters { return nil }
        return unsafe HashFunction.sha256.algorithm
    }
}
