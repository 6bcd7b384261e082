// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// SHA-256 (FIPS 180-4) for one thread that hashes a great deal: the context is made once, which
/// for a short message is half of the cost. Not for use by two threads at once.
@safe public final class SHA256Hasher {
    private let context: OpaquePointer

    /// A hasher.
    public init() {
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("EVP_MD_CTX_new failed") }
        unsafe self.context = context
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
    }

    /// The hash of one byte string behind another.
    public func hash(_ first: Span<UInt8>, _ second: Span<UInt8>) -> InlineArray<32, UInt8> {
        unsafe first.withUnsafeBytes { first in
            unsafe second.withUnsafeBytes { second in unsafe hash(first, second) }
        }
    }

    fileprivate func hash(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) -> InlineArray<32, UInt8> {
        var digest = InlineArray<32, UInt8>(repeating: 0)
        let isDone = unsafe withUnsafeMutableBytes(of: &digest) { output in
            unsafe EVP_DigestInit_ex2(context, Algorithms.shared.sha256, nil) == 1
                && EVP_DigestUpdate(context, first.baseAddress, first.count) == 1
                && EVP_DigestUpdate(context, second.baseAddress, second.count) == 1
                && EVP_DigestFinal_ex(
                    context, output.baseAddress?.assumingMemoryBound(to: UInt8.self), nil) == 1
        }
        require(isDone, "EVP_Digest")
        return digest
    }
}

/// HMAC-SHA256 (RFC 2104) and what builds on it, for one thread that derives many keys. What it
/// needs on the way lies on the stack and is cleansed. Not for use by two threads at once.
public final class HMACSHA256Maker {
    private static let blockBytes = 64
    private static let innerMask: UInt8 = 0x36
    private static let outerMask: UInt8 = 0x5C
    private let hasher = SHA256Hasher()
    /// Its own: one that all threads have would be passed to and fro between processors.
    private let emptySalt = SecretBytes([UInt8](repeating: 0, count: 32))

    /// A maker.
    public init() {}

    /// HMAC-SHA256 with a key of up to 64 bytes.
    public func hmac(key: SecretBytes, _ message: Span<UInt8>) -> InlineArray<32, UInt8> {
        unsafe message.withUnsafeBytes { unsafe hmac(key: key, $0) }
    }

    private func hmac(
        key: SecretBytes, _ message: UnsafeRawBufferPointer
    ) -> InlineArray<32, UInt8> {
        precondition(key.count <= Self.blockBytes, "a longer key is hashed first")
        var block = InlineArray<64, UInt8>(repeating: Self.innerMask)
        unsafe key.withUnsafeBytes { key in
            for index in key.indices {
                unsafe block[index] ^= key[index]
            }
        }
        var inner = unsafe withUnsafeBytes(of: &block) { unsafe hasher.hash($0, message) }
        for index in block.indices {
            block[index] ^= Self.innerMask ^ Self.outerMask
        }
        defer {
            cleanse(&block)
            cleanse(&inner)
        }
        return hasher.hash(block.span, inner.span)
    }

    /// As ``hkdfExtractSHA256(_:)``.
    public func hkdfExtract(_ key: SecretBytes) -> SecretBytes {
        var output = unsafe key.withUnsafeBytes { unsafe hmac(key: emptySalt, $0) }
        defer { cleanse(&output) }
        return SecretBytes(output.span)
    }

    /// As ``hkdfExpandSHA256(_:info:)``.
    public func hkdfExpand(_ pseudoRandomKey: SecretBytes, info: consuming [UInt8]) -> SecretBytes {
        info.append(1)
        var output = hmac(key: pseudoRandomKey, info.span)
        defer { cleanse(&output) }
        return SecretBytes(output.span)
    }
}

/// Opens AES-256-GCM boxes, for one thread that opens many. The schedule of the last key stays in
/// the context until the next box, or until the opener goes. Not for use by two threads at once.
@safe public final class AES256GCMOpener {
    private let context: OpaquePointer
    /// Nil once the context knows it: naming it again would set the context up anew.
    private var cipher: OpaquePointer?

    /// An opener.
    public init() {
        guard let context = unsafe EVP_CIPHER_CTX_new() else {
            fatalError("EVP_CIPHER_CTX_new failed")
        }
        unsafe self.context = context
        unsafe cipher = Algorithms.shared.aes256GCM
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(context)
    }

    /// As ``AES256GCM/open(_:tag:key:nonce:associatedData:)``, with nonce, ciphertext and tag one
    /// behind the other.
    public func open(
        _ box: ArraySlice<UInt8>, key: SecretBytes, associatedData: Span<UInt8>
    ) -> [UInt8]? {
        let count = box.count - AES256GCM.nonceBytes - AES256GCM.tagBytes
        guard key.count == AES256GCM.keyBytes, count >= 0 else { return nil }
        var isAuthentic = false
        var plaintext = unsafe [UInt8](unsafeUninitializedCapacity: count) { output, filled in
            unsafe box.withUnsafeBufferPointer { box in
                isAuthentic = unsafe decrypt(
                    box, count, into: output.baseAddress, key, associatedData)
            }
            if !isAuthentic { unsafe output.initialize(repeating: 0) }
            filled = count
        }
        guard isAuthentic else {
            ERR_clear_error()
            cleanse(&plaintext)
            return nil
        }
        return plaintext
    }

    private func decrypt(
        _ box: UnsafeBufferPointer<UInt8>, _ count: Int, into output: UnsafeMutablePointer<UInt8>?,
        _ key: SecretBytes, _ associatedData: Span<UInt8>
    ) -> Bool {
        guard let nonce = box.baseAddress else { return false }
        let ciphertext = unsafe nonce.advanced(by: AES256GCM.nonceBytes)
        let tag = unsafe UnsafeMutablePointer(mutating: ciphertext.advanced(by: count))
        var written: Int32 = 0
        let isReady = unsafe key.withUnsafeBytes { key in
            unsafe EVP_CipherInit_ex2(
                context, cipher, key.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce, 0,
                nil) == 1
        }
        require(isReady, "EVP_CipherInit_ex2")
        unsafe cipher = nil
        var rest: UInt8 = 0
        let takesData = unsafe associatedData.withUnsafeBufferPointer { data in
            unsafe EVP_DecryptUpdate(
                context, nil, &written, data.baseAddress, Int32(data.count)) == 1
        }
        return unsafe takesData
            && EVP_DecryptUpdate(context, output, &written, ciphertext, Int32(count)) == 1
            && EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_SET_TAG, Int32(AES256GCM.tagBytes), tag) == 1
            && EVP_DecryptFinal_ex(context, &rest, &written) == 1
    }
}
