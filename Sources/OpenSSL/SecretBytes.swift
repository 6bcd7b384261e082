// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// Key material: overwritten when the last reference goes, and never shown by a description.
///
/// It never changes once it is made, so it may be read from any thread.
@safe public final class SecretBytes: @unchecked Sendable {
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Takes a copy; the caller's own bytes are the caller's to overwrite.
    public convenience init(_ bytes: [UInt8]) {
        self.init(bytes.span)
    }

    /// Takes a copy; the caller's own bytes are the caller's to overwrite.
    public init(_ source: Span<UInt8>) {
        unsafe bytes = .allocate(capacity: source.count)
        unsafe source.withUnsafeBufferPointer { source in
            _ = unsafe bytes.initialize(fromContentsOf: source)
        }
    }

    deinit {
        unsafe OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        unsafe bytes.deallocate()
    }

    /// How many bytes there are.
    public var count: Int { unsafe bytes.count }

    /// A copy for handing on to a wrapping or a signing function.
    public var exposed: [UInt8] { unsafe Array(bytes) }

    /// Hands out the bytes to those who do not keep them.
    func withSpan<Result: ~Copyable>(_ body: (Span<UInt8>) -> Result) -> Result {
        unsafe body(Span(_unsafeElements: UnsafeBufferPointer(bytes)))
    }

    func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try unsafe body(UnsafeRawBufferPointer(bytes))
    }
}

extension SecretBytes: CustomStringConvertible, CustomReflectable {
    /// Never the bytes.
    public var description: String { "secret" }
    /// Without children: nothing that prints a value by its parts finds the bytes.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Overwrites an array that held a secret.
public func cleanse(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
}

/// Overwrites a value on the stack that held a secret.
func cleanse<let count: Int>(_ bytes: inout InlineArray<count, UInt8>) {
    unsafe withUnsafeMutableBytes(of: &bytes) {
        unsafe OPENSSL_cleanse($0.baseAddress, $0.count)
    }
}

/// Whether two byte strings are equal, in a time that depends only on their lengths.
public func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    isEqualInConstantTime(left.span, right.span)
}

/// Whether two byte strings are equal, in a time that depends only on their lengths.
public func isEqualInConstantTime(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    return unsafe left.withUnsafeBytes { left in
        unsafe right.withUnsafeBytes { right in
            unsafe CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
        }
    }
}

/// Bytes from libcrypto's random number generator.
public func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    unsafe require(RAND_bytes(&bytes, Int32(count)) == 1, "RAND_bytes")
    return bytes
}
