// SPDX-License-Identifier: Apache-2.0

/// A key of HMAC-SHA256 (RFC 2104), of any length. The two blocks that are made of it are hashed
/// once, and not for every message again.
///
/// It never changes once it is made, so it may be used from any thread.
public final class HMACSHA256Key: @unchecked Sendable {
    private var state: HMACSHA256State

    /// Makes a key.
    public init(_ key: SecretBytes) {
        state = key.withSpan { HMACSHA256State(key: $0) }
    }

    fileprivate init(_ key: Span<UInt8>) {
        state = HMACSHA256State(key: key)
    }

    deinit {
        state.forget()
    }

    /// The code of a message.
    public func code(_ message: Span<UInt8>) -> InlineArray<32, UInt8> { state.code(message) }

    /// The second half of HKDF-SHA256 (RFC 5869 §2.3) with this as the pseudo-random key: a key of
    /// 32 bytes, which is one block.
    public func hkdfExpand(info: consuming [UInt8]) -> SecretBytes {
        withExpanded(info: info) { SecretBytes($0) }
    }

    /// As ``hkdfExpand(info:)``, for a key that is used at once: it has no memory of its own, and
    /// is overwritten when `body` returns.
    public func withExpanded<Result>(
        info: consuming [UInt8], _ body: (Span<UInt8>) -> Result
    ) -> Result {
        info.append(1)
        var output = code(info.span)
        defer { cleanse(&output) }
        return body(output.span)
    }
}

/// HMAC-SHA256 (RFC 2104).
public func hmacSHA256(key: SecretBytes, _ message: [UInt8]) -> [UInt8] {
    let code = HMACSHA256Key(key).code(message.span)
    return code.indices.map { code[$0] }
}

/// HKDF-SHA256 (RFC 5869) with an empty salt: a key of 32 bytes for the purpose in `info`.
public func hkdfSHA256(_ key: SecretBytes, info: [UInt8]) -> SecretBytes {
    hkdfExtractSHA256(key).hkdfExpand(info: info)
}

/// The first half of HKDF-SHA256 (RFC 5869 §2.2) with an empty salt. Where many keys are derived
/// from one, it needs to be done only once.
public func hkdfExtractSHA256(_ key: SecretBytes) -> HMACSHA256Key {
    var pseudoRandomKey = key.withSpan { HMACSHA256State.emptySalt.code($0) }
    defer { cleanse(&pseudoRandomKey) }
    return HMACSHA256Key(pseudoRandomKey.span)
}

/// What is left of a key when its two blocks are hashed. It is as good as the key.
private struct HMACSHA256State: ~Copyable, Sendable {
    private static let blockBytes = 64
    private static let innerMask: UInt8 = 0x36
    private static let outerMask: UInt8 = 0x5C

    /// The salt of HKDF where there is none.
    static let emptySalt = HMACSHA256State(key: InlineArray<32, UInt8>(repeating: 0).span)

    private var inner: SHA256
    private var outer: SHA256

    init(key: Span<UInt8>) {
        var block = InlineArray<64, UInt8>(repeating: 0)
        defer { cleanse(&block) }
        if key.count > Self.blockBytes {
            var hash = SHA256.hash(key)
            defer { cleanse(&hash) }
            for index in hash.indices { block[index] = hash[index] }
        } else {
            for index in key.indices { block[index] = key[index] }
        }
        inner = Self.begun(block, Self.innerMask)
        outer = Self.begun(block, Self.outerMask)
    }

    private static func begun(_ block: InlineArray<64, UInt8>, _ mask: UInt8) -> SHA256 {
        var masked = block
        defer { cleanse(&masked) }
        for index in masked.indices { masked[index] ^= mask }
        var hash = SHA256()
        hash.update(masked.span)
        return hash
    }

    borrowing func code(_ message: Span<UInt8>) -> InlineArray<32, UInt8> {
        var first = SHA256(from: inner)
        first.update(message)
        var digest = first.finalize()
        defer { cleanse(&digest) }
        var second = SHA256(from: outer)
        second.update(digest)
        return second.finalize()
    }

    /// To be called when it is not needed any more.
    mutating func forget() {
        inner.forget()
        outer.forget()
    }
}
