// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenSSL

/// A JWS in compact form (RFC 7515 §7.1), taken apart but not yet believed.
public struct CompactJWS: Sendable {
    /// The most bytes of a token, unless a caller says otherwise. ID tokens with photos or signed
    /// texts in them reach some hundred kilobytes.
    public static let bytesMax = 1 << 20

    /// The header.
    public let header: JWSHeader
    /// The payload as somebody wrote it. ``verified(with:allowing:)`` gives one that counts.
    public let unverifiedPayload: [UInt8]

    private let text: [UInt8]
    private let signedCount: Int
    private let signature: [UInt8]

    /// Takes a token apart. Only its form is looked at; nothing of the payload is read.
    public init(
        parsing text: [UInt8], bytesMax: Int = CompactJWS.bytesMax
    ) throws(JWSError) {
        guard text.count <= bytesMax else { throw .tooLarge }
        let parts = Self.parts(of: text)
        if parts.count == 5 { throw .encrypted }
        guard parts.count == 3 else { throw .notCompact }
        header = try JWSHeader(parsing: try Self.decode(parts[0], .header))
        unverifiedPayload = try Self.decode(parts[1], .payload)
        signature = try Self.decode(parts[2], .signature)
        signedCount = parts[1].endIndex
        self.text = text
    }

    /// The parts between the full stops, as many as make a difference.
    private static func parts(of text: [UInt8]) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        parts.reserveCapacity(3)
        var start = 0
        while parts.count < 6 {
            let end = PlainText.first(UInt8(ascii: "."), in: text.span, from: start)
            parts.append(text[start..<end])
            if end == text.count { break }
            start = end + 1
        }
        return parts
    }

    private static func decode(
        _ text: ArraySlice<UInt8>, _ part: JWSError.Part
    ) throws(JWSError) -> [UInt8] {
        guard let bytes = Base64URL.decode(text) else { throw .notBase64URL(part) }
        return bytes
    }

    /// Verifies the signature with the one key of a set that it can be by.
    ///
    /// - Parameters:
    ///   - keys: The keys of the provider that the token is said to come from.
    ///   - algorithms: Those that were agreed on; what the header names must be one of them.
    public consuming func verified(
        with keys: JSONWebKeySet, allowing algorithms: [SignatureAlgorithm]
    ) throws(JWSError) -> VerifiedJWS {
        try header.refuseForeignMembers()
        try header.refuseCriticalExtensions()
        guard let algorithm = header.algorithm, algorithms.contains(algorithm) else {
            throw .algorithmNotAllowed
        }
        let key: JSONWebKey
        do {
            key = try keys.key(for: algorithm, keyID: header.keyID)
        } catch {
            throw .noKey(error)
        }
        guard let publicKey = key.publicKey,
            publicKey.verify(signature, over: text[..<signedCount], scheme: algorithm.scheme)
        else { throw .signatureInvalid }
        return VerifiedJWS(
            header: header, algorithm: algorithm, payload: unverifiedPayload, key: key)
    }
}

/// A JWS whose signature is the named key's. Only verifying makes one.
public struct VerifiedJWS: Sendable {
    /// The header.
    public let header: JWSHeader
    /// The algorithm of the signature.
    public let algorithm: SignatureAlgorithm
    /// The payload.
    public let payload: [UInt8]
    /// The key that made the signature.
    public let key: JSONWebKey
}
