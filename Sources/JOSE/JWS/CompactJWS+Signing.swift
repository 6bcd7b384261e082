// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import OpenSSL

extension CompactJWS {
    /// Signs a payload; the header gets `alg` and whatever is in `header`.
    public static func sign(
        _ payload: [UInt8], header: JSONObject = [:], algorithm: SignatureAlgorithm,
        key: PrivateKey
    ) throws(OpenSSLError) -> [UInt8] {
        var header = header
        header["alg"] = .string(algorithm.rawValue)
        return try sign(
            payload, headerBytes: CanonicalJSON.encode(header), scheme: algorithm.scheme, key: key)
    }

    /// Signs a payload under a header that may say anything: how a provider misbehaves.
    public static func sign(
        _ payload: [UInt8], headerBytes: [UInt8], scheme: SignatureScheme, key: PrivateKey
    ) throws(OpenSSLError) -> [UInt8] {
        var text: [UInt8] = []
        Base64URL.append(headerBytes.span, to: &text)
        text.append(UInt8(ascii: "."))
        Base64URL.append(payload.span, to: &text)
        let signature = try key.sign(text[...], scheme: scheme)
        text.append(UInt8(ascii: "."))
        Base64URL.append(signature.span, to: &text)
        return text
    }
}
