// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// SHA-256 (FIPS 180-4) over parts given one after the other.
@safe public struct SHA256: ~Copyable {
    private let context: OpaquePointer

    /// Begins a hash.
    public init() {
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("EVP_MD_CTX_new failed") }
        unsafe self.context = context
        unsafe require(
            EVP_DigestInit_ex2(context, Algorithms.shared.sha256, nil) == 1, "EVP_DigestInit_ex2")
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }

    /// Adds bytes.
    public func update(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe add($0) }
    }

    /// Adds one byte.
    public func update(_ byte: UInt8) {
        unsafe withUnsafeBytes(of: byte) { unsafe add($0) }
    }

    /// Adds the 32 bytes of a digest.
    public func update(_ digest: InlineArray<32, UInt8>) {
        unsafe withUnsafeBytes(of: digest) { unsafe add($0) }
    }

    /// Ends the hash.
    public consuming func finalize() -> InlineArray<32, UInt8> {
        var digest = InlineArray<32, UInt8>(repeating: 0)
        let isDone = unsafe withUnsafeMutableBytes(of: &digest) { buffer in
            unsafe EVP_DigestFinal_ex(
                context, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), nil) == 1
        }
        require(isDone, "EVP_DigestFinal_ex")
        return digest
    }

    /// The hash of some bytes.
    public static func hash(_ bytes: [UInt8]) -> InlineArray<32, UInt8> {
        let hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }

    private func add(_ bytes: UnsafeRawBufferPointer) {
        unsafe require(
            EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "EVP_DigestUpdate")
    }
}

/// Algorithms fetched once: looking one up by name for every use costs as much as a short hash.
@safe struct Algorithms: @unchecked Sendable {
    static let shared = Algorithms()

    let sha256: OpaquePointer
    let aes256GCM: OpaquePointer
    /// HMAC with SHA-256, waiting for a key; to be copied for each use.
    let hmacSHA256: OpaquePointer

    private init() {
        guard let sha256 = unsafe EVP_MD_fetch(nil, "SHA256", nil),
            let aes256GCM = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil),
            let hmac = unsafe EVP_MAC_fetch(nil, "HMAC", nil),
            let hmacSHA256 = unsafe EVP_MAC_CTX_new(hmac)
        else { fatalError(OpenSSLError("EVP_fetch").description) }
        unsafe self.sha256 = sha256
        unsafe self.aes256GCM = aes256GCM
        unsafe self.hmacSHA256 = hmacSHA256
        var digest = Array("SHA256".utf8CString)
        let isSet = unsafe digest.withUnsafeMutableBufferPointer { digest in
            let parameters = unsafe [
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.baseAddress, 0),
                OSSL_PARAM_construct_end(),
            ]
            return unsafe EVP_MAC_CTX_set_params(hmacSHA256, parameters) == 1
        }
        require(isSet, "EVP_MAC_CTX_set_params")
    }
}
