// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives

/// A token of a session, and the one that stands for it: the same header, as far as it is
/// registered, claims that say nothing, and a signature that is as good as the recorded one.
struct TokenText {
    /// Tokens longer than this have a stand-in of about the same length: a policy bounds it.
    private static let plainBytesMax = 16_384
    private static let partsMax = 6

    private let text: String
    private let parts: [String]
    private let sanitiser: Sanitiser

    init(_ text: String, _ sanitiser: Sanitiser) {
        self.text = text
        self.sanitiser = sanitiser
        parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    /// Whether a text is a signed token in compact form, wherever it stands.
    static func looksSigned(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64URL.decode(String(parts[0])) else {
            return false
        }
        return (try? JSONReader.read(header, numbers: .anyAsText))?.objectValue?["alg"] != nil
    }

    var standIn: String {
        guard !text.isEmpty else { return text }
        guard parts.count == 3 else { return otherForm }
        let header = part(parts[0], .header)
        var payload = part(parts[1], .claims)
        let missing = text.utf8.count - header.text.utf8.count - payload.text.utf8.count
        if text.utf8.count > Self.plainBytesMax, missing > 0, let bytes = payload.bytes {
            // Space behind a value is part of no member.
            let padded = bytes + [UInt8](repeating: 0x20, count: missing * 3 / 4)
            payload = (padded, Base64URL.encode(padded))
        }
        return "\(header.text).\(payload.text).\(signature(header.bytes, payload.bytes))"
    }

    /// A text of one part, an encrypted token, or anything else that has not three parts.
    private var otherForm: String {
        let own = "token-\(sanitiser.standIns.next("token"))"
        let others = [String](repeating: "e30", count: min(parts.count, Self.partsMax) - 1)
        return (others + [own]).joined(separator: ".")
    }

    private func part(
        _ text: String, _ place: MemberPlace
    ) -> (bytes: [UInt8]?, text: String) {
        guard let bytes = Base64URL.decode(text) else { return (nil, "e30=") }
        let standIn = sanitiser.json(bytes, place)
        return (standIn, Base64URL.encode(standIn))
    }

    /// The counterpart of the key that verified the token signs its stand-in. Where none did, the
    /// counterpart of the named key signs, and a bit is changed; where there is none either, the
    /// signature is noughts.
    private func signature(_ header: [UInt8]?, _ payload: [UInt8]?) -> String {
        guard let recorded = Base64URL.decode(parts[2]) else { return "AA=" }
        let noughts = Base64URL.encode([UInt8](repeating: 0, count: recorded.count))
        guard let header, let payload, let token = try? CompactJWS(parsing: Array(text.utf8)),
            let algorithm = token.header.algorithm, !recorded.isEmpty,
            let signer = sanitiser.keys.signer(of: token, algorithm)
        else { return noughts }
        let signed = try? CompactJWS.sign(
            payload, headerBytes: header, scheme: algorithm.scheme, key: signer.key)
        guard let signed, let dot = signed.lastIndex(of: UInt8(ascii: ".")),
            var bytes = Base64URL.decode(signed[(dot + 1)...])
        else { return noughts }
        if !signer.isRight { bytes[bytes.count - 1] ^= 1 }
        return Base64URL.encode(bytes)
    }
}
