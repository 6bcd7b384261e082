// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

extension PrivateKey {
    /// The most bytes of a key file that are looked at.
    public static let pemBytesMax = 65_536

    /// Reads a key from a PEM text: PKCS #8, or one of the older forms for RSA and EC. Keys behind
    /// a passphrase are refused; nobody is asked for one.
    public convenience init(pem: [UInt8]) throws(OpenSSLError) {
        guard pem.count <= Self.pemBytesMax else { throw OpenSSLError("PEM size") }
        guard let source = unsafe BIO_new_mem_buf(pem, Int32(pem.count)) else {
            throw OpenSSLError("BIO_new_mem_buf")
        }
        defer { unsafe BIO_free(source) }
        let read = unsafe PEM_read_bio_PrivateKey_ex(
            source, nil, { _, _, _, _ in -1 }, nil, nil, nil)
        guard let key = unsafe read else { throw OpenSSLError("PEM_read_bio_PrivateKey_ex") }
        guard let kind = unsafe Self.kind(of: key) else {
            unsafe EVP_PKEY_free(key)
            throw OpenSSLError("key type")
        }
        try unsafe self.init(owning: key, kind)
    }

    /// The key as PKCS #8 in a PEM text without a passphrase, for a file that only its owner reads.
    public func pem() throws(OpenSSLError) -> [UInt8] {
        guard let target = unsafe BIO_new(BIO_s_secmem()) else { throw OpenSSLError("BIO_new") }
        defer { unsafe BIO_free(target) }
        guard
            unsafe PEM_write_bio_PKCS8PrivateKey(target, pointer, nil, nil, 0, nil, nil) == 1
        else { throw OpenSSLError("PEM_write_bio_PKCS8PrivateKey") }
        return unsafe target.contents
    }

    /// What kind of key libcrypto has read; nil when it is none of ours.
    static func kind(of key: OpaquePointer) -> Kind? {
        if unsafe EVP_PKEY_is_a(key, "RSA") == 1 {
            return .rsa(bits: Int(unsafe EVP_PKEY_get_bits(key)))
        }
        if unsafe EVP_PKEY_is_a(key, "ED25519") == 1 { return .ed25519 }
        guard unsafe EVP_PKEY_is_a(key, "EC") == 1 else { return nil }
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else {
            return nil
        }
        let text = String(decoding: name[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return switch text {
        case "prime256v1", "P-256": .elliptic(.p256)
        case "secp384r1", "P-384": .elliptic(.p384)
        case "secp521r1", "P-521": .elliptic(.p521)
        default: nil
        }
    }
}

extension OpaquePointer {
    /// What was written to a BIO in memory.
    var contents: [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe BIO_read(self, &part, Int32(part.count))
            guard count > 0 else { break }
            bytes += part[..<Int(count)]
        }
        cleanse(&part)
        return bytes
    }
}
