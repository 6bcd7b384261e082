// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// The parameters from which libcrypto makes a key (`OSSL_PARAM`), and the memory they point to.
///
/// Names are `StaticString` because libcrypto keeps the pointers and not the texts.
@safe final class KeyParameterList {
    /// `EVP_PKEY_PUBLIC_KEY`, a macro that Swift does not import.
    private static let publicKeyOnly =
        OSSL_KEYMGMT_SELECT_PUBLIC_KEY | OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS
        | OSSL_KEYMGMT_SELECT_OTHER_PARAMETERS

    private var parameters: [OSSL_PARAM] = unsafe []
    private var buffers: [UnsafeMutableRawBufferPointer] = unsafe []

    deinit {
        while let buffer = unsafe buffers.popLast() {
            unsafe buffer.deallocate()
        }
    }

    /// Adds a number of any size, given with its most significant byte first.
    func add(number bytes: [UInt8], as name: StaticString) {
        // libcrypto takes numbers in the byte order of the machine.
        #if _endian(little)
            let buffer = unsafe keep(bytes.reversed())
        #else
            let buffer = unsafe keep(bytes)
        #endif
        unsafe parameters.append(
            OSSL_PARAM_construct_BN(
                characters(name), buffer.baseAddress?.assumingMemoryBound(to: UInt8.self),
                buffer.count))
    }

    /// Adds bytes.
    func add(octets bytes: [UInt8], as name: StaticString) {
        let buffer = unsafe keep(bytes)
        unsafe parameters.append(
            OSSL_PARAM_construct_octet_string(characters(name), buffer.baseAddress, buffer.count))
    }

    /// Adds a text. libcrypto reads it up to its NUL, which the length does not count.
    func add(text: StaticString, as name: StaticString) {
        let buffer = unsafe keep(Array(text.description.utf8) + [0])
        unsafe parameters.append(
            OSSL_PARAM_construct_utf8_string(
                characters(name), buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                buffer.count - 1))
    }

    /// Makes a public key of a type; the caller owns it.
    func makePublicKey(type: StaticString) throws(OpenSSLError) -> OpaquePointer {
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, characters(type), nil) else {
            throw OpenSSLError("EVP_PKEY_CTX_new_from_name")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        unsafe parameters.append(OSSL_PARAM_construct_end())
        guard unsafe EVP_PKEY_fromdata_init(context) == 1,
            unsafe EVP_PKEY_fromdata(context, &key, Self.publicKeyOnly, &parameters) == 1,
            let key = unsafe key
        else { throw OpenSSLError("EVP_PKEY_fromdata") }
        return unsafe key
    }

    /// Copies bytes to where they stay until this list goes.
    private func keep(_ bytes: [UInt8]) -> UnsafeMutableRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: bytes.count, alignment: 8)
        unsafe buffer.copyBytes(from: bytes)
        unsafe buffers.append(buffer)
        return unsafe buffer
    }

    private func characters(_ text: StaticString) -> UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
