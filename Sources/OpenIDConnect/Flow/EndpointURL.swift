// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// Which URLs may be asked.
public enum EndpointURL {
    /// Whether a URL is https, or plain http to loopback where that is allowed, and has a host and
    /// neither user nor fragment.
    ///
    /// What no clear member of an event takes is refused as well: a URL that was used has to be
    /// recorded, and what was recorded has to be readable.
    public static func isAcceptable(_ url: String, allowsLoopbackHTTP: Bool) -> Bool {
        guard url.utf8.count <= 2048,
            url.utf8.allSatisfy({
                (0x21...0x7E).contains($0) && !"#\"<>\\^`{|}".utf8.contains($0)
            }), !withoutQuery(url).utf8.contains(UInt8(ascii: "@"))
        else { return false }
        let isSecure = url.hasPrefix("https://")
        guard isSecure || url.hasPrefix("http://") else { return false }
        let authority = url.dropFirst(isSecure ? 8 : 7).prefix { $0 != "/" && $0 != "?" }
        guard let first = authority.first, first != ":" else { return false }
        return isSecure || allowsLoopbackHTTP && isLoopback(String(authority))
    }

    /// Whether a URL's host is this machine by a loopback name or address.
    public static func isLoopback(url: String) -> Bool {
        // scheme:, nothing, authority, the rest
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count >= 3 && isLoopback(String(parts[2]))
    }

    /// Whether an authority names this machine by a loopback name or address, with a port or
    /// without.
    public static func isLoopback(_ authority: String) -> Bool {
        let bytes = Array(authority.utf8)
        let isBracketed = bytes.first == UInt8(ascii: "[")
        let host = bytes.prefix { $0 != UInt8(ascii: isBracketed ? "]" : ":") }
        let rest = bytes.dropFirst(host.count + (isBracketed ? 1 : 0))
        guard rest.isEmpty || isPort(rest) else { return false }
        if isBracketed {
            return host.elementsEqual("[::1".utf8) && bytes.count > host.count
        }
        if host.elementsEqual("localhost".utf8) { return true }
        let parts = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0].elementsEqual("127".utf8) && parts.allSatisfy(isOctet)
    }

    /// A colon and a number from 0 to 65535.
    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        let digits = text.dropFirst()
        return text.first == UInt8(ascii: ":") && (1...5).contains(digits.count)
            && digits.allSatisfy { (0x30...0x39).contains($0) }
            && UInt16(String(decoding: digits, as: UTF8.self)) != nil
    }

    /// A number from 0 to 255 in its one spelling: some read a leading zero as octal.
    private static func isOctet(_ text: ArraySlice<UInt8>) -> Bool {
        UInt8(String(decoding: text, as: UTF8.self)).map { String($0) }?.utf8.elementsEqual(text)
            ?? false
    }

    /// The host of a URL in lower case, without its port.
    public static func host(of url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return "" }
        let authority = parts[2].prefix { $0 != "?" && $0 != "#" }
        let end =
            authority.hasPrefix("[")
            ? authority.firstIndex(of: "]").map { authority.index(after: $0) }
            : authority.firstIndex(of: ":")
        return authority[..<(end ?? authority.endIndex)].lowercased()
    }

    /// The path of a URL, without query and fragment; empty where there is none.
    public static func path(of url: String) -> String {
        let parts = withoutQuery(url).split(
            separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count > 3 ? "/" + parts[3] : ""
    }

    /// Whether a URL is on a host, or on one below it where the host begins with `*.`.
    public static func isOn(host: String, _ url: String) -> Bool {
        let (host, own) = (host.lowercased(), self.host(of: url))
        guard host.hasPrefix("*.") else { return host.isIdentical(to: own) }
        return own.utf8.count > host.utf8.count - 1
            && own.utf8.suffix(host.utf8.count - 1).elementsEqual(host.utf8.dropFirst())
    }

    /// A URL without its query, as it may stand in the clear.
    public static func withoutQuery(_ url: String) -> String {
        String(url.prefix { $0 != "?" && $0 != "#" })
    }
}
