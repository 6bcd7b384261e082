// SPDX-License-Identifier: Apache-2.0

/// Looks for what makes a public key weak without its form being wrong.
enum KeyStrength {
    /// The odd primes whose residues give keys of the ROCA generator away.
    private static let smallPrimes: [UInt32] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
        97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ]

    /// Beyond this many bytes an exponent only serves to make verifying slow.
    private static let exponentBytesMax = 8

    /// What is wrong with an RSA key; nil if nothing was found.
    ///
    /// - Parameters:
    ///   - modulus: Most significant byte first, without leading zeros.
    ///   - exponent: Likewise.
    static func weakness(
        modulus: [UInt8], exponent: [UInt8], limits: JSONWebKeyLimits
    ) -> UnusableKeyReason? {
        let bits = bitCount(modulus)
        if bits < limits.rsaModulusBitsMin { return .modulusTooSmall }
        if bits > limits.rsaModulusBitsMax { return .modulusTooLarge }
        guard exponent.count <= exponentBytesMax, let low = exponent.last, low % 2 == 1,
            exponent.count > 1 || low >= 3
        else { return .exponentUnsuitable }
        guard let low = modulus.last, low % 2 == 1 else { return .modulusFactored }
        let residues = smallPrimes.map { residue(of: modulus, by: $0) }
        if residues.contains(0) { return .modulusFactored }
        return hasROCAFingerprint(residues) ? .rocaFingerprint : nil
    }

    /// Whether every residue is a power of 65537 (Nemec, Sýs, Švenda, Klinec, Matyáš, "The Return
    /// of Coppersmith's Attack", CCS 2017, §3). A random modulus passes once in 2 · 10^8 times.
    private static func hasROCAFingerprint(_ residues: [UInt32]) -> Bool {
        zip(smallPrimes, residues).allSatisfy { prime, residue in
            var power: UInt32 = 1
            repeat {
                if power == residue { return true }
                power = power * (65537 % prime) % prime
            } while power != 1
            return false
        }
    }

    /// Whether 32 bytes name a point of Ed25519 whose order divides 8, in any spelling: then
    /// signatures can be made without the private key.
    static func isOfSmallOrder(ed25519 bytes: [UInt8]) -> Bool {
        var ordinate = bytes
        // The highest bit is the sign of the other coordinate.
        ordinate[31] &= 0x7F
        return smallOrderOrdinates.contains(ordinate)
    }

    /// Whether 32 bytes are the one spelling of their number: below 2^255 - 19.
    static func isCanonical(ed25519 bytes: [UInt8]) -> Bool {
        let isNearTop = bytes[31] & 0x7F == 0x7F && bytes[1...30].allSatisfy { $0 == 0xFF }
        return !(isNearTop && bytes[0] >= 0xED)
    }

    /// The ordinates of the eight points of small order, little-endian: 0, 1, -1, and the two of
    /// order 8.
    private static let smallOrderOrdinates: [[UInt8]] = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF,
            0x98, 0xF0, 0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88,
            0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10,
            0x67, 0x0F, 0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77,
            0x92, 0xAC, 0x03, 0x7A,
        ],
    ]

    private static func bitCount(_ number: [UInt8]) -> Int {
        guard let high = number.first else { return 0 }
        return number.count * 8 - high.leadingZeroBitCount
    }

    private static func residue(of number: [UInt8], by divisor: UInt32) -> UInt32 {
        number.reduce(0) { ($0 << 8 | UInt32($1)) % divisor }
    }
}
