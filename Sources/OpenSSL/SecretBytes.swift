// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Key material: overwritten when the last reference goes, and never shown by a description.
public final class SecretBytes: Sendable {
    private let buffer: SecretBuffer

    /// Takes a copy; the caller's own bytes are the caller's to overwrite.
    public init(_ bytes: [UInt8]) {
        buffer = SecretBuffer(bytes)
    }

    /// How many bytes there are.
    public var count: Int { unsafe buffer.bytes.count }

    /// A copy for handing on to a wrapping or a signing function.
    public var exposed: [UInt8] { unsafe Array(buffer.bytes) }

    func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try unsafe body(UnsafeRawBufferPointer(buffer.bytes))
    }
}

extension SecretBytes: CustomStringConvertible, CustomReflectable {
    /// Never the bytes.
    public var description: String { "secret" }
    /// Without children: nothing that prints a value by its parts finds the bytes.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Owns the memory; immutable after `init`, so it may be read from any thread.
@safe private final class SecretBuffer: @unchecked Sendable {
    let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ source: [UInt8]) {
        unsafe bytes = .allocate(capacity: source.count)
        _ = unsafe bytes.initialize(from: source)
    }

    deinit {
        unsafe OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        unsafe bytes.deallocate()
    }
}

/// Overwrites an array that held a secret.
public func cleanse(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
}

/// Whether two byte strings are equal, in a time that depends only on their lengths.
public func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return unsafe CRYPTO_memcmp(left, right, left.count) == 0
}

/// Bytes from libcrypto's random number generator.
public func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    unsafe require(RAND_bytes(&bytes, Int32(count)) == 1, "RAND_bytes")
    return bytes
}
