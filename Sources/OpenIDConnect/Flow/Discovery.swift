// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import JOSE
internal import LedgerPrimitives

/// What a provider says of itself (OpenID Connect Discovery 1.0 §3).
public struct DiscoveryDocument: Equatable, Sendable {
    /// The provider's issuer.
    public let issuer: String
    /// Where users are sent.
    public let authorizationEndpoint: String
    /// Where codes are exchanged.
    public let tokenEndpoint: String
    /// Where the keys are.
    public let keySetURL: String
    /// Whether `iss` comes with every authorization response (RFC 9207 §3).
    public let promisesIssuerInResponse: Bool
    /// The signature algorithms of ID tokens; nil when it does not say.
    public let idTokenAlgorithms: [String]?

    /// Where the document of an issuer is (§4).
    public static func url(ofIssuer issuer: String) -> String {
        (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer)
            + "/.well-known/openid-configuration"
    }

    /// Reads a document and holds it against the issuer it was asked of (§4.3).
    ///
    /// - Parameter allowsLoopbackHTTP: whether endpoints may be plain http on loopback.
    public init(
        _ body: [UInt8], issuer: String, allowsLoopbackHTTP: Bool
    ) throws(FlowFailure) {
        guard let members = try? JSONReader.read(body, numbers: .anyAsText).objectValue,
            let stated = members["issuer"]?.stringValue
        else { throw FlowFailure(.metadataUnavailable) }
        guard stated.isIdentical(to: issuer) else {
            throw FlowFailure(.discoveryIssuerMismatch)
        }
        func endpoint(_ name: String) throws(FlowFailure) -> String {
            guard let url = members[name]?.stringValue else {
                throw FlowFailure(.metadataUnavailable)
            }
            guard EndpointURL.isAcceptable(url, allowsLoopbackHTTP: allowsLoopbackHTTP) else {
                throw FlowFailure(.hostRefused)
            }
            return url
        }
        self.issuer = stated
        authorizationEndpoint = try endpoint("authorization_endpoint")
        tokenEndpoint = try endpoint("token_endpoint")
        keySetURL = try endpoint("jwks_uri")
        promisesIssuerInResponse =
            members["authorization_response_iss_parameter_supported"]?.boolValue ?? false
        idTokenAlgorithms = members["id_token_signing_alg_values_supported"]?.arrayValue?
            .compactMap(\.stringValue)
    }

    /// Reads the response to a request for the document.
    public static func process(
        _ response: HTTPResponse, issuer: String, allowsLoopbackHTTP: Bool
    ) throws(FlowFailure) -> DiscoveryDocument {
        guard response.status == 200 else { throw FlowFailure(.metadataUnavailable) }
        return try DiscoveryDocument(
            response.body, issuer: issuer, allowsLoopbackHTTP: allowsLoopbackHTTP)
    }
}

/// A provider's keys as fetched.
public enum KeySetResponse {
    /// Reads the response to a request for a key set.
    public static func process(
        _ response: HTTPResponse
    ) throws(FlowFailure) -> JSONWebKeySet {
        guard response.status == 200 else { throw FlowFailure(.metadataUnavailable) }
        do {
            return try JSONWebKeySet(parsing: response.body)
        } catch {
            throw FlowFailure(.keySetInvalid)
        }
    }
}

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

    /// A URL without its query, as it may stand in the clear.
    public static func withoutQuery(_ url: String) -> String {
        String(url.prefix { $0 != "?" && $0 != "#" })
    }
}
