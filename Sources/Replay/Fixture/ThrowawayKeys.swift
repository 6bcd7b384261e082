// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

/// Keys that are made for one fixture, each in the place of a recorded one of its kind. Their
/// private halves are in no file, and gone when the fixture is made.
final class ThrowawayKeys {
    private static let privateMembers: Set<String> = [
        "d", "dp", "dq", "k", "oth", "p", "q", "qi",
    ]
    private static let numberNames = ["n", "e", "x", "y"]
    private static let words: [String: Set<String>] = [
        "alg": Set(SignatureAlgorithm.allCases.map(\.rawValue))
            .union(["ECDH-ES", "HS256", "RSA-OAEP", "RSA-OAEP-256", "RSA1_5"]),
        "crv": ["Ed25519", "Ed448", "P-256", "P-384", "P-521", "X25519", "secp256k1"],
        "key_ops": [
            "decrypt", "deriveBits", "deriveKey", "encrypt", "sign", "unwrapKey", "verify",
            "wrapKey",
        ],
        "kty": ["EC", "OKP", "RSA", "oct"], "use": ["enc", "sig"],
    ]

    private var made: [PublicKeyParameters: PrivateKey] = [:]
    private var sets: [JSONWebKeySet] = []
    private var spare: PrivateKey?

    // MARK: - Signing

    /// Who signs in the place of a token's signer; nil when no key of the session fits it.
    func signer(
        of token: CompactJWS, _ algorithm: SignatureAlgorithm
    ) -> (key: PrivateKey, isRight: Bool)? {
        for set in sets {
            let verified = try? token.verified(with: set, allowing: SignatureAlgorithm.allCases)
            if let key = verified.flatMap({ counterpart($0.key) }) { return (key, true) }
        }
        for set in sets {
            let named = try? set.key(for: algorithm, keyID: token.header.keyID)
            if let key = named.flatMap(counterpart) { return (key, false) }
        }
        return nil
    }

    private func counterpart(_ key: JSONWebKey) -> PrivateKey? {
        key.publicKey.flatMap { made[$0.parameters] }
    }

    // MARK: - Key sets

    /// What stands for an archived key set.
    func standIn(forKeySet bytes: [UInt8], _ sanitiser: Sanitiser) throws -> [UInt8]? {
        let value = try? JSONReader.read(bytes, numbers: .anyAsText)
        guard let members = value?.objectValue, let keys = members["keys"]?.arrayValue else {
            return nil
        }
        if let set = try? JSONWebKeySet(parsing: bytes) { sets.append(set) }
        guard keys.count <= JSONWebKeyLimits().keysMax else {
            // Nobody looks into a set of so many.
            return OrderedJSON.lines(["keys": .array(keys.map { _ in .object([:]) })])
        }
        var rest = members
        rest["keys"] = nil
        var result = sanitiser.object(rest, .claims)
        result["keys"] = .array(
            try keys.map { key in
                guard let members = key.objectValue else { return .null }
                return .object(try standIn(forKey: members, sanitiser))
            })
        return OrderedJSON.lines(result)
    }

    private func standIn(
        forKey members: JSONObject, _ sanitiser: Sanitiser
    ) throws -> JSONObject {
        let numbers = try numbers(members)
        var result = JSONObject()
        for member in members.members {
            let name = member.name
            if let number = numbers[name] {
                result[name] = number
            } else if Self.privateMembers.containsIdentical(name) {
                result[name] = .string("withheld")
            } else if name.isIdentical(to: "kid") {
                result[name] = keyID(member.value, sanitiser)
            } else if let words = Self.words[name] {
                result[name] = Self.word(member.value, words, sanitiser)
            } else {
                for other in sanitiser.object([name: member.value], .claims).members {
                    result[other.name] = other.value
                }
            }
        }
        let words = [members, result].map {
            JSONWebKey(.object($0)).unusableReason?.rawValue ?? "usable"
        }
        guard words[0] == words[1] else {
            throw FixtureError.keyDiffers(then: words[0], now: words[1])
        }
        return result
    }

    private func keyID(_ value: JSONValue, _ sanitiser: Sanitiser) -> JSONValue {
        value.stringValue.map { .string(sanitiser.keyID($0)) } ?? .array([])
    }

    private static func word(
        _ value: JSONValue, _ words: Set<String>, _ sanitiser: Sanitiser
    ) -> JSONValue {
        switch value {
        case .string(let text):
            .string(
                words.containsIdentical(text)
                    ? sanitiser.standIns.keep(text) : sanitiser.standIns.text(text, "word"))
        case .array(let elements): .array(elements.map { word($0, words, sanitiser) })
        case .object: .object([:])
        case .null, .bool, .integer, .number: .integer(0)
        }
    }

    // MARK: - Numbers

    /// What stands for the numbers of a key. What is wrong with them stays wrong.
    private func numbers(_ members: JSONObject) throws -> JSONObject {
        var plain = JSONObject()
        for name in ["kty", "crv"] + Self.numberNames { plain[name] = members[name] }
        let key = JSONWebKey(.object(plain))
        if let publicKey = key.publicKey {
            let own = try counterpart(of: publicKey.parameters)
            let all = JSONWebKey.members(of: own.publicKey, keyID: nil, algorithm: nil)
            return Self.numberNames.reduce(into: JSONObject()) { $0[$1] = all[$1] }
        }
        switch key.unusableReason {
        case .modulusTooSmall, .modulusTooLarge, .exponentUnsuitable, .modulusFactored,
            .rocaFingerprint:
            return try weakRSA(members, key.unusableReason)
        case .pointNotOnCurve: return try offCurve(members)
        // There are a handful of these points, and they are nobody's keys.
        case .pointOfSmallOrder: return plain
        default: return Self.malformed(members)
        }
    }

    private func counterpart(of parameters: PublicKeyParameters) throws -> PrivateKey {
        if let known = made[parameters] { return known }
        let kind: PrivateKey.Kind =
            switch parameters {
            case .rsa(let modulus, _): .rsa(bits: Self.bits(modulus))
            case .elliptic(let curve, _, _): .elliptic(curve)
            case .ed25519: .ed25519
            }
        if case .rsa(let bits) = kind, bits > 8192 { throw FixtureError.keyTooLarge(bits: bits) }
        let key = try PrivateKey(generating: kind)
        made[parameters] = key
        return key
    }

    private static func bits(_ number: [UInt8]) -> Int {
        number.count * 8 - (number.first?.leadingZeroBitCount ?? 0)
    }

    private func spareModulus() throws -> [UInt8] {
        let key = try spare ?? PrivateKey(generating: .rsa(bits: 2048))
        spare = key
        guard case .rsa(let modulus, _) = key.publicKey.parameters else { return [] }
        return modulus
    }

    private func weakRSA(
        _ members: JSONObject, _ reason: UnusableKeyReason?
    ) throws -> JSONObject {
        let recorded = members["n"]?.stringValue.flatMap { Base64URL.decode($0) } ?? []
        let spare = try spareModulus()
        var modulus = recorded.indices.map { spare[$0 % spare.count] }
        modulus[0] = 1 << UInt8((Self.bits(recorded) - 1) % 8)
        modulus[modulus.count - 1] |= 1
        if reason == .modulusFactored { modulus[modulus.count - 1] &= 0xFE }
        if reason == .rocaFingerprint { modulus = Self.power(bits: Self.bits(recorded)) }
        let exponent = members["e"]?.stringValue.flatMap { Base64URL.decode($0) } ?? []
        // An exponent of few bytes is nobody's secret; what a long one says is its length.
        let shown = exponent.count <= 4 ? exponent : [UInt8](repeating: 1, count: exponent.count)
        return [
            "e": .string(Base64URL.encode(shown)), "n": .string(Base64URL.encode(modulus)),
        ]
    }

    /// A power of 65537, which has the fingerprint of ROCA, of at least so many bits.
    private static func power(bits: Int) -> [UInt8] {
        var number: [UInt8] = [1]
        while Self.bits(number) < bits {
            let shifted = number + [0, 0]
            var sum = [UInt8](repeating: 0, count: shifted.count + 1)
            var carry: UInt16 = 0
            for place in 1...shifted.count {
                let low = place <= number.count ? number[number.count - place] : 0
                let total = UInt16(shifted[shifted.count - place]) + UInt16(low) + carry
                sum[sum.count - place] = UInt8(total & 0xFF)
                carry = total >> 8
            }
            sum[0] = UInt8(carry)
            number = Array(sum.drop { $0 == 0 })
        }
        return number
    }

    private func offCurve(_ members: JSONObject) throws -> JSONObject {
        guard let length = members["x"]?.stringValue.flatMap({ Base64URL.decode($0)?.count }),
            let curve = EllipticCurve.allCases.first(where: { $0.coordinateBytes == length }),
            case .elliptic(_, let x, var y) =
                try PrivateKey(generating: .elliptic(curve)).publicKey.parameters
        else { return Self.malformed(members) }
        y[y.count - 1] ^= 1
        return ["x": .string(Base64URL.encode(x)), "y": .string(Base64URL.encode(y))]
    }

    /// Numbers that are none: of the same length, or no base64url either.
    private static func malformed(_ members: JSONObject) -> JSONObject {
        var result = JSONObject()
        for name in numberNames {
            switch members[name] {
            case nil: break
            case .string(let text):
                guard let bytes = Base64URL.decode(text) else {
                    result[name] = .string("?")
                    break
                }
                var own = [UInt8](repeating: 0xFF, count: bytes.count)
                if let first = bytes.first, first == 0 { own[0] = 0 }
                result[name] = .string(Base64URL.encode(own))
            default: result[name] = .null
            }
        }
        return result
    }
}
