// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// How far an address reaches.
package enum AddressScope: Sendable {
    /// This machine: 127.0.0.0/8 and ::1.
    case loopback
    /// Anything else that the public Internet does not know: private, link-local, multicast,
    /// reserved, and every IPv6 address outside of global unicast.
    case local
    /// The public Internet.
    case global

    /// The scope of an address in text form without brackets; nil when it is none.
    package init?(literal: String) {
        var ipv4 = in_addr()
        if unsafe inet_pton(AF_INET, literal, &ipv4) == 1 {
            self.init(ipv4: UInt32(bigEndian: ipv4.s_addr))
            return
        }
        var ipv6 = in6_addr()
        // A zone (`fe80::1%2`) says through which interface; it does not change the scope.
        let address = String(literal.prefix { $0 != "%" })
        guard unsafe inet_pton(AF_INET6, address, &ipv6) == 1 else { return nil }
        self.init(ipv6: ipv6)
    }

    /// The scope of a socket's address; a family that is no Internet family counts as local.
    @unsafe init(_ address: UnsafePointer<sockaddr>) {
        switch Int32(unsafe address.pointee.sa_family) {
        case AF_INET:
            let ipv4 = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
            self.init(ipv4: UInt32(bigEndian: ipv4.sin_addr.s_addr))
        case AF_INET6:
            let ipv6 = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
            self.init(ipv6: ipv6.sin6_addr)
        default:
            self = .local
        }
    }

    private init(ipv4: UInt32) {
        if ipv4 >> 24 == 127 {
            self = .loopback
        } else {
            let isLocal = Self.localPrefixes.contains { prefix in
                (ipv4 ^ prefix.base) >> (32 - prefix.bits) == 0
            }
            self = isLocal ? .local : .global
        }
    }

    private init(ipv6: in6_addr) {
        let bytes = unsafe withUnsafeBytes(of: ipv6) { unsafe [UInt8]($0) }
        func ipv4(at index: Int) -> UInt32 {
            bytes[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
        func begins(_ prefix: [UInt8]) -> Bool { bytes.starts(with: prefix) }
        let zeros = [UInt8](repeating: 0, count: 15)

        if begins(zeros + [1]) {
            self = .loopback
        } else if begins(zeros.prefix(10) + [0xFF, 0xFF])
            || begins([0x00, 0x64, 0xFF, 0x9B] + zeros.prefix(8))
        {
            self.init(ipv4: ipv4(at: 12))  // ::ffff:0:0/96 and 64:ff9b::/96
        } else if begins([0x20, 0x02]) {
            self.init(ipv4: ipv4(at: 2))  // 6to4
        } else {
            // 2000::/3 without Teredo and the range for documentation.
            let isGlobal =
                bytes[0] & 0xE0 == 0x20 && !begins([0x20, 0x01, 0, 0])
                && !begins([0x20, 0x01, 0x0D, 0xB8])
            self = isGlobal ? .global : .local
        }
    }

    /// RFC 6890 and the special-purpose address registry of IANA.
    private static let localPrefixes: [(base: UInt32, bits: UInt32)] = [
        (0x0000_0000, 8),  // this network; Linux takes 0.0.0.0 for itself
        (0x0A00_0000, 8),  // private
        (0x6440_0000, 10),  // shared by a carrier
        (0xA9FE_0000, 16),  // link-local, metadata services
        (0xAC10_0000, 12),  // private
        (0xC000_0000, 24),  // protocol assignments
        (0xC000_0200, 24),  // documentation
        (0xC058_6300, 24),  // 6to4 relays
        (0xC0A8_0000, 16),  // private
        (0xC612_0000, 15),  // benchmarks
        (0xC633_6400, 24),  // documentation
        (0xCB00_7100, 24),  // documentation
        (0xE000_0000, 3),  // multicast, reserved, broadcast
    ]
}
