// SPDX-License-Identifier: Apache-2.0

public import Capabilities
public import EventLog
internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect

/// Looks at a profile and at the provider that it is for, and says what is wrong with either,
/// before a login fails of it.
///
/// It asks for public documents and for nothing else: no secret and no certificate of the client
/// leaves, nothing is asked in its name, and nothing is recorded.
public struct ProviderCheck {
    let profile: ProviderProfile
    let capabilities: Capabilities
    /// What stands before messages, where a profile has to do with several issuers.
    var prefix = ""
    /// What the client's assertions are signed with, as far as it is known.
    var assertionAlgorithm: String?
    /// What its request objects are signed with.
    var requestAlgorithm: String?
    var found: [Diagnosis] = []

    /// Examines a profile and its provider.
    ///
    /// - Parameters:
    ///   - others: the other profiles that are known.
    ///   - capabilities: the network is asked for the provider's documents.
    public static func examine(
        _ profile: ProviderProfile, among others: [ProviderProfile] = [],
        capabilities: Capabilities
    ) async -> [Diagnosis] {
        var check = ProviderCheck(profile: profile, capabilities: capabilities)
        check.lookAtClient()
        check.lookAtRedirectURI(among: others)
        await check.lookAtProviders()
        await check.lookAtPermissions()
        return check.found
    }

    mutating func add(
        _ name: String, _ outcome: Diagnosis.Outcome, _ message: String, hint: String? = nil
    ) {
        found.append(Diagnosis(name, outcome, prefix + message, hint: hint))
    }

    // MARK: - Providers

    private mutating func lookAtProviders() async {
        guard let selector = profile.accountSelector else {
            if let issuer = profile.issuer { await lookAtProvider(issuer) }
            return
        }
        guard !selector.issuers.isEmpty else {
            return add(
                "account-selector", .problem, "the profile lists no issuer that it may name",
                hint: "list the issuers that you deal with under `accountSelector.issuers`")
        }
        let count = selector.issuers.count
        add("account-selector", .ok, "it may name \(count) issuer\(count == 1 ? "" : "s")")
        for issuer in selector.issuers {
            prefix = issuer + ": "
            await lookAtProvider(issuer)
        }
        prefix = ""
    }

    private mutating func lookAtProvider(_ issuer: String) async {
        let url = DiscoveryDocument.url(ofIssuer: issuer)
        guard let response = await fetch(url, "discovery") else { return }
        lookAtClock(response)
        guard let announced = read(response, "discovery"),
            lookAtIssuer(of: announced, issuer, "issuer")
        else { return }
        let endpoints = lookAtEndpoints(of: announced, issuer)
        lookAtRequests(announced, endpoints)
        lookAtAnswers(announced, endpoints)
        guard let keySetURL = endpoints.keySet, let answer = await fetch(keySetURL, "key-set")
        else { return }
        lookAtKeySet(answer, announced)
    }

    // MARK: - Permissions

    /// The second issuer, which keeps permissions.
    private mutating func lookAtPermissions() async {
        guard let settings = profile.permissions else { return }
        let name = "permissions"
        let url = DiscoveryDocument.url(ofIssuer: settings.issuer)
        guard let response = await fetch(url, name), let announced = read(response, name),
            lookAtIssuer(of: announced, settings.issuer, name)
        else { return }
        let pins = PinnedHosts(
            rule: EndpointRule(
                issuer: settings.issuer, allowsLoopbackHTTP: profile.transport.allowsLoopbackHTTP,
                hosts: settings.hosts), member: "permissions.hosts")
        _ = required("permissions_endpoint", of: announced, pins, name)
        guard let keys = required("jwks_uri_grants", of: announced, pins, name),
            let answer = await fetch(keys, name), let set = keySet(in: answer, name)
        else { return }
        let usable = set.keys.filter { $0.publicKey != nil }.count
        if usable == 0 {
            add(
                name, .problem, "the keys for grants have no usable one among them",
                hint: "tell whoever runs the provider")
        } else {
            add(name, .ok, "\(usable) usable key\(usable == 1 ? "" : "s") for grants")
        }
    }

    // MARK: - Clock

    /// From here on a difference is worth a look, in seconds: nothing that runs NTP is so far off.
    private static let noteworthySeconds: Int64 = 5

    /// The time that the provider states, against ours in the middle of the exchange. It comes in
    /// whole seconds.
    private mutating func lookAtClock(_ response: HTTPResponse) {
        let name = "clock"
        let middle = capabilities.now().advanced(
            byMilliseconds: -Int64(response.durationMilliseconds) / 2)
        guard let stated = response.field("Date").flatMap({ Instant(httpDate: $0) }) else {
            return add(name, .ok, "the provider does not say what time it has")
        }
        let milliseconds = stated.millisecondsSince1970 - middle.millisecondsSince1970
        let isAhead = milliseconds > 0
        // What was cut off from the seconds is not held against anybody.
        let seconds = isAhead ? milliseconds / 1000 : max(0, (-milliseconds - 999) / 1000)
        let skew = profile.checks.clockSkew
        let tolerated =
            isAhead ? min(skew.notBeforeSeconds, skew.issuedAtSeconds) : skew.expirationSeconds
        let place = isAhead ? "ahead of" : "behind"
        let message = "the provider's clock is \(seconds) s \(place) this machine's"
        if seconds > Int64(tolerated) {
            add(
                name, .problem, "\(message), and \(tolerated) s are put up with",
                hint: "set the clock that is wrong, rather than `clockSkewSeconds`")
        } else if seconds >= Self.noteworthySeconds {
            add(name, .warning, message, hint: "see whether this machine's clock is kept right")
        } else {
            add(name, .ok, "the provider's clock agrees with this machine's")
        }
    }
}
