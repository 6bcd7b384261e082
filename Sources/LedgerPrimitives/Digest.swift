// SPDX-License-Identifier: Apache-2.0

/// A SHA-256 value: 32 bytes. Leaf hashes, blob ids and document digests are all of this kind.
public struct Digest: Sendable {
    /// How many bytes a digest has.
    public static let byteCount = 32

    /// The 32 bytes, in order.
    public let bytes: InlineArray<32, UInt8>

    /// Wraps 32 bytes that a hash function gave.
    public init(_ bytes: InlineArray<32, UInt8>) {
        self.bytes = bytes
    }

    /// Takes exactly 32 bytes; anything else is no digest.
    public init?(_ source: ArraySlice<UInt8>) {
        guard source.count == Self.byteCount else { return nil }
        bytes = InlineArray { source[source.startIndex + $0] }
    }

    /// Takes the 32 bytes from an index on; nil when there are fewer.
    public init?(_ source: Span<UInt8>, from start: Int) {
        guard start >= 0, source.count - start >= Self.byteCount else { return nil }
        var bytes = InlineArray<32, UInt8>(repeating: 0)
        for index in bytes.indices {
            bytes[index] = source[start + index]
        }
        self.bytes = bytes
    }

    /// Reads base64url without padding, as digests stand in JSON: exactly 43 characters.
    public init?(base64URL text: String) {
        guard text.utf8.count == 43, let decoded = Base64URL.decode(text) else { return nil }
        self.init(decoded[...])
    }

    /// Base64url without padding, 43 characters.
    public var base64URL: String { Base64URL.encode(bytes.span) }

    /// Standard base64 with padding, 44 characters, as roots and notes have it.
    public var base64: String { Base64.encode(array) }

    /// The bytes as an array.
    public var array: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(Self.byteCount)
        append(to: &result)
        return result
    }

    /// Adds the 32 bytes to a buffer.
    public func append(to buffer: inout [UInt8]) {
        buffer.append(addingCapacity: Self.byteCount) { output in
            for index in bytes.indices {
                output.append(bytes[index])
            }
        }
    }
}

extension Digest: Hashable, CustomStringConvertible {
    /// Whether all bytes are the same.
    public static func == (left: Digest, right: Digest) -> Bool {
        ByteWords.areSame(left.bytes.span, right.bytes.span)
    }

    /// Feeds the first eight bytes to a hasher: they are as good as random by themselves.
    public func hash(into hasher: inout Hasher) {
        hasher.combine((0..<8).reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) })
    }

    /// The same as ``base64URL``.
    public var description: String { base64URL }
}
