// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenIDConnect

// The provider's documents: whether they can be had, whose they are, and where its endpoints lie.
extension ProviderCheck {
    /// Asks for a public document.
    ///
    /// - Returns: nil when it could not be had; then it is said why.
    mutating func fetch(_ url: String, _ name: String) async -> HTTPResponse? {
        let request = profile.documentRequest(url)
        let response: HTTPResponse
        do {
            response = try await capabilities.send(request)
        } catch {
            let trouble = Trouble((error as? HTTPFailure)?.kind ?? .interrupted, request)
            add(name, .problem, "\(url): \(trouble.words)", hint: trouble.hint)
            return nil
        }
        guard response.status == 200 else {
            let trouble = Trouble(status: response.status)
            add(
                name, .problem, "\(url): the answer has status \(response.status)\(trouble.words)",
                hint: trouble.hint)
            return nil
        }
        return response
    }

    /// Reads a discovery document.
    mutating func read(_ response: HTTPResponse, _ name: String) -> Announcement? {
        do {
            let value = try JSONReader.read(response.body, numbers: .anyAsText)
            guard let members = value.objectValue else {
                add(
                    name, .problem, "the document is JSON, but no object",
                    hint: "tell whoever runs the provider")
                return nil
            }
            add(name, .ok, "the document is there")
            return Announcement(members: members)
        } catch {
            let isPage = response.mediaType == "text/html"
            add(
                name, .problem,
                isPage
                    ? "a page for people came instead of the document"
                    : "the document is not strict JSON: \(error)",
                hint: isPage
                    ? "see whether the issuer is right, and whether something lies in between"
                    : "tell whoever runs the provider")
            return nil
        }
    }

    // MARK: - Issuer

    /// Holds the issuer against the one it was asked of, byte by byte (OpenID Connect Discovery
    /// §4.3).
    ///
    /// - Returns: whether the document is of this provider at all, so that it is worth a look.
    mutating func lookAtIssuer(
        of announced: Announcement, _ issuer: String, _ name: String
    ) -> Bool {
        guard let stated = announced.members["issuer"]?.stringValue else {
            add(
                name, .problem, "the document does not say whose it is",
                hint: "see whether it is a discovery document")
            return false
        }
        if stated.isIdentical(to: issuer) {
            add(name, .ok, "the document names the same issuer, to the byte")
            return true
        }
        let difference = IssuerDifference(expected: issuer, stated: stated)
        // Any other text is of no use to copy, and may hold anything.
        let isPresentable = EndpointURL.isAcceptable(
            stated, allowsLoopbackHTTP: profile.transport.allowsLoopbackHTTP)
        add(
            name, .problem,
            "the provider names another issuer: \(difference.words)"
                + (isPresentable ? ", \(stated)" : ""),
            hint: difference.isClose
                ? "write the issuer into the profile as the provider writes it"
                : "see whether it is the right provider; if so, correct the issuer")
        return difference.isClose
    }

    // MARK: - Endpoints

    /// Which of a provider's endpoints a login would use.
    struct Endpoints {
        /// Where the keys are; nil where they must not be asked for.
        var keySet: String?
        /// The optional ones that may be asked.
        var optional: Set<String> = []
        /// The optional ones that are announced and may not be asked.
        var refused: Set<String> = []
    }

    mutating func lookAtEndpoints(of announced: Announcement, _ issuer: String) -> Endpoints {
        let pins = PinnedHosts(
            rule: EndpointRule(
                issuer: issuer, allowsLoopbackHTTP: profile.transport.allowsLoopbackHTTP,
                hosts: profile.hosts), member: "hosts")
        let count = found.count
        _ = required("authorization_endpoint", of: announced, pins, "endpoints")
        _ = required("token_endpoint", of: announced, pins, "endpoints")
        var endpoints = Endpoints()
        endpoints.keySet = required("jwks_uri", of: announced, pins, "endpoints")
        if found.count == count {
            add("endpoints", .ok, "those that every login needs are there and may be asked")
        }
        for name in Self.optionalEndpoints {
            look(at: name, in: announced.members, pins, &endpoints)
        }
        if profile.registration.authentication.usesCertificate {
            let aliases = announced.members["mtls_endpoint_aliases"]?.objectValue ?? [:]
            for alias in aliases.members where Self.usedAliases.contains(alias.name) {
                look(at: alias.name, in: aliases, pins, &endpoints, isAlias: true)
            }
        }
        return endpoints
    }

    private static let optionalEndpoints = [
        "pushed_authorization_request_endpoint", "userinfo_endpoint",
        "backchannel_authentication_endpoint",
    ]

    private static let usedAliases = Set(optionalEndpoints + ["token_endpoint"])

    /// An endpoint without which nothing goes.
    ///
    /// - Returns: its URL; nil when it must not be asked, which is then said.
    mutating func required(
        _ name: String, of announced: Announcement, _ pins: PinnedHosts, _ finding: String
    ) -> String? {
        guard let url = announced.members[name]?.stringValue else {
            add(
                finding, .problem, "`\(name)` is missing from the document",
                hint: "tell whoever runs the provider")
            return nil
        }
        switch pins.rule.verdict(on: url) {
        case .fine:
            return url
        case .unacceptable:
            add(
                finding, .problem, "`\(name)` is no https URL that may be asked",
                hint: "tell whoever runs the provider; plain http to this machine needs "
                    + "`allowLoopbackHTTP: true`")
        case .offHost(let host):
            add(
                finding == "endpoints" ? "hosts" : finding, .problem,
                "`\(name)` is on \(host), where the profile does not let it be",
                hint: "if the provider's documentation names this host, add it to "
                    + "`\(pins.member)`")
        }
        return nil
    }

    /// An endpoint that is not used where it may not be asked.
    private mutating func look(
        at name: String, in members: JSONObject, _ pins: PinnedHosts,
        _ endpoints: inout Endpoints, isAlias: Bool = false
    ) {
        guard let url = members[name]?.stringValue else { return }
        let words = isAlias ? "the alias of `\(name)`" : "`\(name)`"
        switch pins.rule.verdict(on: url) {
        case .fine:
            if !isAlias { endpoints.optional.insert(name) }
            return
        case .unacceptable:
            add(
                "endpoints", .warning, "\(words) is no https URL that may be asked: not used",
                hint: "tell whoever runs the provider")
        case .offHost(let host):
            add(
                "hosts", .warning,
                "\(words) is on \(host), where the profile does not let it be: not used",
                hint: "if the provider's documentation names this host, add it to "
                    + "`\(pins.member)`")
        }
        if !isAlias { endpoints.refused.insert(name) }
    }
}

/// The rule for endpoints, and the member of the profile that lists further hosts.
struct PinnedHosts {
    let rule: EndpointRule
    let member: String
}

/// What a provider says of itself, as far as it can be read.
struct Announcement {
    let members: JSONObject

    /// A list of texts; nil where the provider does not say.
    func texts(_ name: String) -> [String]? {
        members[name]?.arrayValue?.compactMap(\.stringValue)
    }

    func flag(_ name: String) -> Bool? { members[name]?.boolValue }

    /// Whether a text from outside is a short one of printable ASCII characters.
    static func isPresentable(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// Texts from outside, as far as they are words.
    static func listed(_ texts: [String]) -> String {
        let words = texts.filter(isPresentable)
        let shown = words.prefix(12).joined(separator: ", ")
        let more = texts.count - min(words.count, 12)
        guard !shown.isEmpty else { return texts.isEmpty ? "nothing" : "nothing that is known" }
        return more > 0 ? "\(shown) and \(more) more" : shown
    }
}

/// Why a document could not be had, and what to do.
private struct Trouble {
    let words: String
    let hint: String

    init(_ kind: HTTPFailure.Kind, _ request: HTTPRequest) {
        switch kind {
        case .unreachable:
            words = "nobody can be reached there"
            hint =
                "see whether the name is right and can be resolved, and whether requests may "
                + "leave this machine, perhaps through a proxy"
        case .timedOut:
            words = "no answer within \(request.limits.durationMillisecondsMax) ms"
            hint =
                "try again later, or see what lies in between; `timeoutMilliseconds` sets "
                + "another limit"
        case .untrusted:
            words = "the TLS certificate of the peer is not accepted"
            hint =
                request.limits.trustedCAFile == nil
                ? "see whether the name is right; a private authority goes into `trustedCAFile`"
                : "see whether the authority in `trustedCAFile` is still the right one"
        case .clientCertificate:
            words = "the peer wants a certificate for its public documents"
            hint = "tell whoever runs the provider: everybody may see them"
        case .refused:
            words = "the address may not be asked"
            hint = "an address inside of a network needs `allowPrivateTargets: true`"
        case .tooLarge:
            words = "the answer has more than \(request.limits.bodyBytesMax) bytes"
            hint = "see whether the issuer is right; `responseBytesMax` sets another limit"
        case .interrupted:
            words = "the answer was broken off, or is no proper HTTP"
            hint = "try again; then see what lies in between"
        }
    }

    /// For an answer without a document.
    init(status: Int) {
        switch status {
        case 300..<400:
            words = ": it leads elsewhere, and no redirect is followed"
            hint = "write the issuer into the profile as the provider writes it"
        case 404, 410:
            words = ""
            hint = "see whether the issuer is right, its path and its final slash as well"
        case 401, 403:
            words = ": the peer does not let us in"
            hint =
                "ask whoever runs the provider whether it takes requests from this machine only "
                + "when it knows them"
        case 429, 500...:
            words = ": the provider cannot answer now"
            hint = "try again later"
        default:
            words = ""
            hint = "see whether the issuer is right"
        }
    }
}
