// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Why a text is not a JWS that we take, or why its signature does not count.
///
/// The cases stand in the order in which they are looked for; nothing is looked at before all
/// that stands above it is in order.
public enum JWSError: Error, Equatable, Sendable {
    /// The three parts of the compact form.
    public enum Part: String, Sendable {
        case header
        case payload
        case signature
    }

    /// More bytes than the limit.
    case tooLarge
    /// Five parts: an encrypted token, which must be opened first.
    case encrypted
    /// Not three parts.
    case notCompact
    /// A part is not strict base64url.
    case notBase64URL(Part)
    /// The header is not strict JSON.
    case headerNotJSON(JSONError)
    /// The header is no object, or `alg` or `typ` is missing or no string.
    case headerMalformed
    /// The header has a member that we refuse.
    case headerRefused(RefusedHeaderMember)
    /// The header asks for an extension (`crit`); we know none.
    case criticalExtension
    /// `alg` is none of ours or not in the list of those allowed.
    case algorithmNotAllowed
    /// The set has no key for the signature.
    case noKey(KeySelectionError)
    /// The signature is not the key's over this header and payload.
    case signatureInvalid
}

/// A header member on which a signature is refused.
public enum RefusedHeaderMember: String, Sendable, CaseIterable {
    /// A key inside the token proves nothing: whoever wrote the token chose it.
    case jwk
    /// So does a key behind an address inside the token.
    case jku
    /// And a certificate behind one.
    case x5u
    /// A payload that is not encoded (RFC 7797).
    case b64
    /// Compression, which belongs to encryption only.
    case zip
    /// `kid` is no string or longer than 512 bytes.
    case kid
}
