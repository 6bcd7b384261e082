// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Opens AES-256-GCM boxes, for one thread that opens many. The last key stays until another one
/// comes, or until the opener goes; boxes that come with the very same object cost less. Not for
/// use by two threads at once.
@safe public final class AES256GCMOpener {
    private let context: OpaquePointer
    /// Nil once the context knows it: naming it again would set the context up anew.
    private var cipher: OpaquePointer?
    private var lastKey: SecretBytes?

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
        let isKnown = key === lastKey
        lastKey = key
        return key.withSpan { open(box, $0, isKnown: isKnown, associatedData) }
    }

    /// The same with a key that nobody keeps.
    public func open(
        _ box: ArraySlice<UInt8>, key: Span<UInt8>, associatedData: Span<UInt8>
    ) -> [UInt8]? {
        lastKey = nil
        return open(box, key, isKnown: false, associatedData)
    }

    private func open(
        _ box: ArraySlice<UInt8>, _ key: Span<UInt8>, isKnown: Bool,
        _ associatedData: Span<UInt8>
    ) -> [UInt8]? {
        let count = box.count - AES256GCM.nonceBytes - AES256GCM.tagBytes
        guard key.count == AES256GCM.keyBytes, count >= 0 else {
            lastKey = nil
            return nil
        }
        var isAuthentic = false
        var plaintext: [UInt8] = []
        plaintext.append(addingCapacity: count) { output in
            unsafe output.withUnsafeMutableBufferPointer { output, filled in
                unsafe box.withUnsafeBufferPointer { box in
                    isAuthentic = unsafe decrypt(
                        box, count, into: output.baseAddress, key, isKnown, associatedData)
                }
                if !isAuthentic { unsafe output.initialize(repeating: 0) }
                filled = count
            }
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
        _ key: Span<UInt8>, _ isKnown: Bool, _ associatedData: Span<UInt8>
    ) -> Bool {
        guard let nonce = box.baseAddress else { return false }
        let ciphertext = unsafe nonce.advanced(by: AES256GCM.nonceBytes)
        let tag = unsafe UnsafeMutablePointer(mutating: ciphertext.advanced(by: count))
        var written: Int32 = 0
        let isReady = unsafe key.withUnsafeBufferPointer { key in
            unsafe EVP_CipherInit_ex2(
                context, cipher, isKnown ? nil : key.baseAddress, nonce, 0, nil) == 1
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
