// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenSSL

/// Names that brokers make up for persons and sessions, derived from what is known of them so that
/// the same person gets the same name again.
enum BrokerIdentifier {
    /// 32 bytes that stand for a text.
    static func bytes(_ text: String) -> [UInt8] { Digest(SHA256.hash(Array(text.utf8))).array }

    /// A UUID that stands for a text, marked as one of version 4.
    static func uuid(_ text: String) -> String { uuid(bytes(text)) }

    /// A UUID of the first 16 of some bytes.
    static func uuid(_ bytes: [UInt8]) -> String {
        var bytes = Array(bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        return UUIDText.encode(bytes.span)
    }

    /// So many decimal digits that stand for a text.
    static func digits(_ text: String, count: Int) -> String {
        String(decoding: bytes(text).prefix(count).map { 0x30 + $0 % 10 }, as: UTF8.self)
    }
}
