// SPDX-License-Identifier: Apache-2.0

internal import CCurl

/// A URL that may be asked, as far as it shows by itself.
///
/// It is read once, by libcurl's own parser, and handed to the transfer in parsed form: no second
/// parser can take it for another host.
struct TargetURL {
    /// The URL in libcurl's parsed form.
    let parsed: ParsedURL
    /// `http` or `https`.
    let scheme: String
    /// The name or the address, without brackets.
    let host: String
    /// Which addresses may be connected to.
    let rule: TargetRule

    /// Reads the URL of a request and refuses what may not be asked.
    init(_ request: CurlRequest) throws(CurlError) {
        parsed = try ParsedURL(request.url)
        scheme = try parsed.part(CURLUPART_SCHEME)
        rule = try TargetRule(scheme: scheme, request)
        host = try parsed.part(CURLUPART_HOST).withoutBrackets
        if let scope = Self.scope(ofHost: host) {
            guard rule.admits(scope) else { throw CurlError(.refusedTarget) }
        } else if rule.isPlain {
            throw CurlError(.refusedTarget)
        }
    }

    /// Whether the host is this machine by its very name.
    var isLoopback: Bool { Self.scope(ofHost: host) == .loopback }

    /// The scope that a host shows without being looked up; nil for an ordinary name.
    private static func scope(ofHost host: String) -> AddressScope? {
        if let scope = AddressScope(literal: host) { return scope }
        let name = host.lowercased()
        if name == "localhost" { return .loopback }
        // Other ways to say it; not for plain http, so that only one needs to be trusted there.
        let isBelow = name.hasSuffix(".localhost") || name.hasSuffix(".localhost.")
        return isBelow || name == "localhost." ? .local : nil
    }
}

/// Owns a URL in libcurl's parsed form.
@safe final class ParsedURL {
    let handle: OpaquePointer

    /// Parses an absolute URL without user name and password.
    init(_ url: String) throws(CurlError) {
        guard let handle = unsafe curl_url() else {
            throw CurlError(.failed, CURLE_OUT_OF_MEMORY)
        }
        let result = unsafe curl_url_set(handle, CURLUPART_URL, url, UInt32(CURLU_DISALLOW_USER))
        guard result == CURLUE_OK else {
            unsafe curl_url_cleanup(handle)
            throw CurlError(
                result == CURLUE_UNSUPPORTED_SCHEME ? .refusedTarget : .invalidRequest)
        }
        unsafe self.handle = handle
    }

    deinit {
        unsafe curl_url_cleanup(handle)
    }

    /// A part of the URL, normalised.
    func part(_ part: CURLUPart) throws(CurlError) -> String {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(handle, part, &text, 0) == CURLUE_OK, let text = unsafe text
        else { throw CurlError(.invalidRequest) }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}

/// Which addresses a request may be sent to.
struct TargetRule: Sendable {
    /// Plain http, which stays on this machine.
    let isPlain: Bool
    private let allowsPrivateTargets: Bool

    init(scheme: String, _ request: CurlRequest) throws(CurlError) {
        switch scheme {
        case "https": isPlain = false
        case "http" where request.allowsLoopbackHTTP: isPlain = true
        default: throw CurlError(.refusedTarget)
        }
        allowsPrivateTargets = request.allowsPrivateTargets
    }

    /// Whether an address of this scope may be connected to.
    func admits(_ scope: AddressScope) -> Bool {
        if isPlain { return scope == .loopback }
        return scope == .global || allowsPrivateTargets
    }
}

extension String {
    /// The text without the brackets that an IPv6 address has in a URL.
    fileprivate var withoutBrackets: String {
        hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self
    }
}
