// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

extension AnswerDraft {
    /// Where nobody should be led: the address at which clouds tell machines their secrets.
    static let privateOrigin = "https://169.254.169.254"
    /// Somebody else's host.
    static let foreignOrigin = "https://attacker.example"

    /// Sends whoever asks elsewhere.
    mutating func becomeRedirect(to location: String) {
        status = 302
        text = []
        fields.append(HTTPField("Location", location))
    }

    /// Puts another origin in place of the issuer's in a URL.
    mutating func move(_ name: String, to origin: String) {
        let url = members[name]?.stringValue ?? ""
        let path = RequestTarget(url: url).path
        members[name] = .string(origin + path)
    }

    /// Lets a member stand twice, the second one being another.
    mutating func repeatMember(_ name: String) {
        var second = members
        second.appendOne(to: name)
        let value = CanonicalJSON.encode(second[name] ?? .null)
        text =
            CanonicalJSON.encode(members).dropLast() + Array(",\"\(name)\":".utf8) + value
            + Array("}".utf8)
    }

    // MARK: - Issuer

    /// The issuer with scheme and host in capitals, which many take for the same.
    var issuerInCapitals: String {
        let end = issuer.utf8.count - RequestTarget(url: issuer).path.utf8.count
        return String(decoding: issuer.utf8.prefix(end), as: UTF8.self).uppercased()
            + String(decoding: issuer.utf8.dropFirst(end), as: UTF8.self)
    }

    /// The issuer with the port that it has anyway.
    var issuerWithPort: String {
        let path = RequestTarget(url: issuer).path
        let origin = String(decoding: issuer.utf8.dropLast(path.utf8.count), as: UTF8.self)
        let hasPort = origin.utf8.split(separator: UInt8(ascii: ":")).count > 2
        // Where a port stands already, one with a zero before it is as good.
        guard hasPort, let colon = origin.lastIndex(of: ":") else { return origin + ":443" + path }
        return origin[...colon] + "0" + origin[origin.index(after: colon)...] + path
    }

    // MARK: - Keys

    /// Changes every key of a key set.
    mutating func editKeys(_ edit: (inout JSONObject) -> Void) {
        let keys = members["keys"]?.arrayValue?.compactMap(\.objectValue) ?? []
        members["keys"] = .array(
            keys.map { key in
                var key = key
                edit(&key)
                return .object(key)
            })
    }

    /// Adds keys to a key set.
    mutating func add(_ keys: [JSONObject]) {
        members["keys"] = .array(
            (members["keys"]?.arrayValue ?? []) + keys.map(JSONValue.object))
    }

    /// Puts a spoiled RSA key in place of every key, under its name.
    mutating func replaceKeys(
        _ change: (_ modulus: inout [UInt8], _ exponent: inout [UInt8]) -> Void
    ) {
        guard case .success(let key) = StrangerKeys.rsa,
            case .rsa(var modulus, var exponent) = key.publicKey.parameters
        else { return }
        change(&modulus, &exponent)
        replaceKeys(with: [
            "kty": .string("RSA"), "n": .string(Base64URL.encode(modulus)),
            "e": .string(Base64URL.encode(exponent)),
        ])
    }

    /// Puts other members in place of those of every key but its name.
    mutating func replaceKeys(with members: JSONObject) {
        editKeys { key in
            var other = members
            other["use"] = .string("sig")
            other["kid"] = key["kid"]
            key = other
        }
    }

    /// Adds a stranger's key for every key, of the same algorithm, named as it.
    mutating func doubleKeys() {
        let keys = members["keys"]?.arrayValue?.compactMap(\.objectValue) ?? []
        add(
            keys.compactMap { key in
                let name = key["alg"]?.stringValue ?? ""
                guard let algorithm = SignatureAlgorithm(name: name),
                    var double = (try? StrangerKeys.key(for: algorithm, keyID: "double"))?.published
                else { return nil }
                double["kid"] = key["kid"]
                return double
            })
    }
}

/// Keys that nobody should trust.
enum BadKey {
    /// A modulus with the fingerprint of the flawed generator of CVE-2017-15361: a power of 65537
    /// leaves a power of 65537 over whatever it is divided by.
    static let rocaModulus: [UInt8] = {
        var number: [UInt8] = [1]
        for _ in 0..<128 {
            // 65537 times a number is the number, and the number two bytes further left.
            let shifted = number + [0, 0]
            let padded = [0, 0] + number
            var carry = 0
            var sum: [UInt8] = []
            for (left, right) in zip(shifted, padded).reversed() {
                let digit = Int(left) + Int(right) + carry
                sum.append(UInt8(truncatingIfNeeded: digit))
                carry = digit >> 8
            }
            if carry > 0 { sum.append(UInt8(carry)) }
            number = sum.reversed()
        }
        return number
    }()

    /// A point that is not on P-256, though each coordinate looks fine.
    static var offCurve: JSONObject {
        let key = try? StrangerKeys.key(for: .es256, keyID: "off-curve")
        guard case .elliptic(_, let x, var y) = key?.privateKey.publicKey.parameters else {
            return JSONObject()
        }
        y[y.count - 1] ^= 1
        return [
            "kty": .string("EC"), "crv": .string("P-256"), "x": .string(Base64URL.encode(x)),
            "y": .string(Base64URL.encode(y)),
        ]
    }

    /// Ten thousand small keys.
    static let crowd: [JSONObject] = (0..<10_000).map { number in
        let bytes = [UInt8](repeating: 9, count: 30) + [UInt8(number >> 8), UInt8(number & 0xFF)]
        return [
            "crv": .string("Ed25519"), "kty": .string("OKP"),
            "x": .string(Base64URL.encode(bytes)),
        ]
    }
}
