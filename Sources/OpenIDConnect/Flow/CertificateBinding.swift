// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives

/// Access tokens that count only together with the client's certificate (RFC 8705 §3).
public enum CertificateBinding {
    /// What an access token says of the certificate that it belongs to.
    public enum Outcome: Equatable, Sendable {
        /// It is bound to the certificate.
        case bound
        /// It is bound to another one, or says that it is bound to none.
        case mismatch
        /// It is no token that can be read, so that only the provider knows.
        case unreadable
    }

    /// Holds an access token against the client's certificate.
    ///
    /// The token is the provider's own affair and its signature is not looked at: it came from the
    /// token endpoint over TLS, and a wrong binding would only make it useless.
    ///
    /// - Parameter thumbprint: SHA-256 of the certificate in DER.
    public static func check(accessToken: String, thumbprint: [UInt8]) -> Outcome {
        guard let token = try? CompactJWS(parsing: Array(accessToken.utf8)),
            let claims = try? JSONReader.read(token.unverifiedPayload, numbers: .anyAsText)
        else { return .unreadable }
        let stated = claims.objectValue?["cnf"]?.objectValue?["x5t#S256"]?.stringValue
        return stated?.isIdentical(to: Base64URL.encode(thumbprint)) ?? false ? .bound : .mismatch
    }
}
