// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenSSL

/// Makes a public key of the members of a JWK, or says why it cannot be used.
///
/// `x5c`, `x5t` and their like are not looked at: trust comes from where the set was fetched, and
/// a certificate in it adds none.
struct JSONWebKeyReader {
    let members: JSONObject
    let limits: JSONWebKeyLimits

    func read() throws(UnusableKeyReason) -> PublicKey {
        try checkKeyID()
        let type = try text("kty")
        let key: PublicKeyParameters
        // What holds a private half is refused before anything else is said about it.
        switch type {
        case _ where type.isIdentical(to: "RSA"):
            try refuse(["d", "p", "q", "dp", "dq", "qi", "oth"])
            key = try rsa()
        case _ where type.isIdentical(to: "EC"):
            try refuse(["d"])
            key = try elliptic()
        case _ where type.isIdentical(to: "OKP"):
            try refuse(["d"])
            key = try octetKeyPair()
        case _ where type.isIdentical(to: "oct"):
            throw .symmetric
        default:
            throw .typeUnknown
        }
        try checkPurpose(of: key)
        try checkStrength(of: key)
        guard let publicKey = try? PublicKey(key) else {
            // The lengths are right by now: what libcrypto can still refuse is the point.
            throw .pointNotOnCurve
        }
        return publicKey
    }

    // MARK: - Purpose

    private func checkKeyID() throws(UnusableKeyReason) {
        guard let value = members["kid"] else { return }
        guard let keyID = value.stringValue, keyID.utf8.count <= JSONWebKey.keyIDBytesMax else {
            throw .malformed
        }
    }

    private func refuse(_ privateMembers: [String]) throws(UnusableKeyReason) {
        if privateMembers.contains(where: { members[$0] != nil }) { throw .privateMember }
        // A shared secret beside a public key is no less a secret.
        if members["k"] != nil { throw .privateMember }
    }

    private func checkPurpose(of key: PublicKeyParameters) throws(UnusableKeyReason) {
        if let use = members["use"] {
            guard let use = use.stringValue else { throw .malformed }
            guard use.isIdentical(to: "sig") else { throw .useNotSignature }
        }
        if let operations = members["key_ops"] {
            guard let operations = operations.arrayValue,
                operations.allSatisfy({ $0.stringValue != nil })
            else { throw .malformed }
            guard operations.contains(.string("verify")) else { throw .operationsWithoutVerify }
        }
        if let name = members["alg"] {
            guard let name = name.stringValue else { throw .malformed }
            guard let algorithm = SignatureAlgorithm(name: name), algorithm.fits(key) else {
                throw .algorithmMisfit
            }
        }
    }

    // MARK: - Numbers

    private func rsa() throws(UnusableKeyReason) -> PublicKeyParameters {
        .rsa(modulus: try number("n"), exponent: try number("e"))
    }

    private func elliptic() throws(UnusableKeyReason) -> PublicKeyParameters {
        guard let curve = EllipticCurve(name: try text("crv")) else { throw .curveUnknown }
        let (x, y) = (try bytes("x"), try bytes("y"))
        guard x.count == curve.coordinateBytes, y.count == curve.coordinateBytes else {
            throw .malformed
        }
        return .elliptic(curve, x: x, y: y)
    }

    private func octetKeyPair() throws(UnusableKeyReason) -> PublicKeyParameters {
        guard try text("crv").isIdentical(to: "Ed25519") else { throw .curveUnknown }
        let x = try bytes("x")
        guard x.count == 32, KeyStrength.isCanonical(ed25519: x) else { throw .malformed }
        return .ed25519(x)
    }

    private func checkStrength(of key: PublicKeyParameters) throws(UnusableKeyReason) {
        switch key {
        case .rsa(let modulus, let exponent):
            let weakness = KeyStrength.weakness(
                modulus: modulus, exponent: exponent, limits: limits)
            if let weakness { throw weakness }
        case .elliptic:
            break
        case .ed25519(let bytes):
            if KeyStrength.isOfSmallOrder(ed25519: bytes) { throw .pointOfSmallOrder }
        }
    }

    // MARK: - Members

    private func text(_ name: String) throws(UnusableKeyReason) -> String {
        guard let text = members[name]?.stringValue else { throw .malformed }
        return text
    }

    private func bytes(_ name: String) throws(UnusableKeyReason) -> [UInt8] {
        guard let bytes = Base64URL.decode(try text(name)) else { throw .malformed }
        return bytes
    }

    /// A number in as few bytes as it needs (RFC 7518 §2, Base64urlUInt).
    private func number(_ name: String) throws(UnusableKeyReason) -> [UInt8] {
        let bytes = try bytes(name)
        guard let first = bytes.first, first != 0 else { throw .malformed }
        return bytes
    }
}
