// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenIDConnect

/// What two issuers that are not the same differ in. They are compared as bytes, so a slash makes
/// another issuer; people do not see that.
struct IssuerDifference {
    /// The differences, in words.
    let words: String
    /// Whether it is a way of writing the same place, rather than another one.
    let isClose: Bool

    /// - Parameters:
    ///   - expected: the one of the profile, which is a URL.
    ///   - stated: the one of the provider.
    init(expected: String, stated: String) {
        guard let ours = Parts(expected), let theirs = Parts(stated) else {
            words = "what it names is no URL of http or https"
            isClose = false
            return
        }
        var differences: [String] = []
        var isClose = true
        func note(_ words: String, isClose close: Bool = true) {
            differences.append(words)
            isClose = isClose && close
        }
        if !ours.scheme.isIdentical(to: theirs.scheme) {
            let isSame = ours.scheme.lowercased().isIdentical(to: theirs.scheme.lowercased())
            note(isSame ? "its scheme has other letter case" : "its scheme is \(theirs.scheme)")
        }
        if !ours.host.isIdentical(to: theirs.host) {
            let isSame = ours.host.lowercased().isIdentical(to: theirs.host.lowercased())
            note(
                isSame ? "its host has other letter case" : "it is on another host", isClose: isSame
            )
        }
        if ours.specialPort != theirs.specialPort {
            note("it is on another port", isClose: false)
        } else if ours.port != theirs.port {
            note(
                theirs.port == nil ? "it leaves the default port out" : "it names the default port")
        }
        if !ours.path.isIdentical(to: theirs.path) {
            let (words, close) = Self.pathDifference(ours.path, theirs.path)
            note(words, isClose: close)
        }
        if theirs.hasMore { note("it has a query or a fragment") }
        self.isClose = isClose && !differences.isEmpty
        words =
            differences.isEmpty
            ? "it has characters that look alike" : differences.joined(separator: ", ")
    }

    private static func pathDifference(_ ours: String, _ theirs: String) -> (String, Bool) {
        if theirs.isIdentical(to: ours + "/") { return ("it has a slash at its end", true) }
        if ours.isIdentical(to: theirs + "/") { return ("it has no slash at its end", true) }
        let isSame = ours.lowercased().isIdentical(to: theirs.lowercased())
        return isSame
            ? ("its path has other letter case", true) : ("it has another path", false)
    }

    private struct Parts {
        let scheme: String
        let host: String
        /// As it is written; nil where there is none.
        let port: String?
        let path: String
        let hasMore: Bool

        init?(_ url: String) {
            let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count >= 3, parts[1].isEmpty,
                ["http:", "https:"].contains(parts[0].lowercased())
            else { return nil }
            scheme = String(parts[0].dropLast())
            let authority = parts[2].prefix { $0 != "?" && $0 != "#" }
            let end =
                authority.hasPrefix("[")
                ? authority.firstIndex(of: "]").map { authority.index(after: $0) }
                : authority.firstIndex(of: ":")
            host = String(authority[..<(end ?? authority.endIndex)])
            let rest = authority[(end ?? authority.endIndex)...]
            port = rest.isEmpty ? nil : String(rest.dropFirst())
            path = EndpointURL.path(of: url)
            hasMore = url.contains { $0 == "?" || $0 == "#" }
        }

        /// The port unless it is the default one of the scheme.
        var specialPort: String? {
            port == (scheme.lowercased() == "https" ? "443" : "80") ? nil : port
        }
    }
}
