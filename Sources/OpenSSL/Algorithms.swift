// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Algorithms fetched once: looking one up by name for every use costs as much as a short hash.
@safe struct Algorithms: @unchecked Sendable {
    static let shared = Algorithms()

    let sha256: OpaquePointer
    let aes256GCM: OpaquePointer

    private init() {
        guard let sha256 = unsafe EVP_MD_fetch(nil, "SHA256", nil),
            let aes256GCM = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
        else { fatalError(OpenSSLError("EVP_fetch").description) }
        unsafe self.sha256 = sha256
        unsafe self.aes256GCM = aes256GCM
    }
}
