// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// SHA-256 (FIPS 180-4) over parts given one after the other.
@safe public struct SHA256: ~Copyable, Sendable {
    private var state = SHA256_CTX()

    /// Begins a hash.
    public init() {
        unsafe require(authledger_sha256_init(&state) == 1, "SHA256_Init")
    }

    /// Goes on from where another hash is.
    init(from other: borrowing SHA256) {
        state = other.state
    }

    /// Adds bytes.
    public mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { unsafe add($0) }
    }

    /// Adds bytes.
    public mutating func update(_ bytes: [UInt8]) {
        update(bytes.span)
    }

    /// Adds one byte.
    public mutating func update(_ byte: UInt8) {
        unsafe withUnsafeBytes(of: byte) { unsafe add($0) }
    }

    /// Adds the 32 bytes of a digest.
    public mutating func update(_ digest: InlineArray<32, UInt8>) {
        update(digest.span)
    }

    /// Adds the bytes of a secret, of which no copy is made.
    public mutating func update(_ secret: SecretBytes) {
        secret.withSpan { update($0) }
    }

    /// Ends the hash. What was hashed may have been a secret, so nothing of it is left behind.
    public consuming func finalize() -> InlineArray<32, UInt8> {
        var digest = InlineArray<32, UInt8>(repeating: 0)
        let isDone = unsafe withUnsafeMutableBytes(of: &digest) { buffer in
            unsafe authledger_sha256_final(
                buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &state) == 1
        }
        require(isDone, "SHA256_Final")
        forget()
        return digest
    }

    /// The hash of some bytes.
    public static func hash(_ bytes: [UInt8]) -> InlineArray<32, UInt8> {
        hash(bytes.span)
    }

    /// The hash of some bytes.
    public static func hash(_ bytes: Span<UInt8>) -> InlineArray<32, UInt8> {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }

    /// Overwrites what was hashed so far.
    mutating func forget() {
        unsafe withUnsafeMutableBytes(of: &state) {
            unsafe OPENSSL_cleanse($0.baseAddress, $0.count)
        }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        unsafe require(
            authledger_sha256_update(&state, bytes.baseAddress, bytes.count) == 1,
            "SHA256_Update")
    }
}
