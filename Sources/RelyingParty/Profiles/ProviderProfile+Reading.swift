// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
public import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

extension ProviderProfile {
    /// Reads the members of a profile, in which nothing is left to a base or to an environment.
    ///
    /// - Parameter directory: what relative paths are relative to.
    public init(_ members: JSONObject, relativeTo directory: String) throws(ProfileError) {
        var reader = ProfileReader(members, directory: directory)
        name = try reader.required("name", Self.isName, "a name of letters, digits and . _ -")
        environment = try reader.optional(
            "environment", Self.isName, "a name of letters, digits and . _ -")
        // For people; nothing depends on it.
        _ = try reader.optional("description")
        transport = try TransportSettings(&reader)
        let url = URLRule(allowsLoopbackHTTP: transport.allowsLoopbackHTTP)
        accountSelector = try reader.object("accountSelector") {
            reader throws(ProfileError) in try url.selector(&reader)
        }
        issuer = try reader.optional("issuer", url.isIssuer, URLRule.issuerExpectation)
        guard issuer != nil || accountSelector != nil else {
            throw ProfileError("`issuer` is missing from the profile")
        }
        hosts = try URLRule.hosts(&reader)
        let authentication =
            reader.isScalar("clientAuthentication")
            ? nil
            : try reader.object("clientAuthentication") {
                reader throws(ProfileError) in try AuthenticationReading(&reader)
            }
        guard let authentication else {
            throw ProfileError("`clientAuthentication` is missing, or has no members")
        }
        authenticationRules = authentication.rules
        credentials = authentication.credentials
        credentials.requestKey = try reader.object("requestObject", KeyPlace.read)
        credentials.decryptionKeys = try reader.list("decryption", KeyPlace.read) ?? []
        registration = ClientRegistration(
            clientID: try reader.required("clientID"), authentication: authentication.method,
            redirectURI: try reader.optional("redirectURI") ?? "",
            scope: try reader.optional("scope") ?? "openid")
        let named = try Self.flows(&reader)
        request = try RequestSettings(&reader)
        let comesBack = !registration.redirectURI.isEmpty
        flows = named ?? request.possibleFlows.filter { comesBack || !$0.usesRedirect }
        guard comesBack || !flows.contains(where: \.usesRedirect) else {
            throw ProfileError("`redirectURI` is missing from the profile")
        }
        checks = try CheckSettings(&reader)
        permissions = try reader.object("permissions") {
            reader throws(ProfileError) in try url.permissions(&reader)
        }
        backchannel = try url.backchannel(&reader)
        abandonedAfterSeconds =
            try reader.number("abandonedAfterSeconds", 60...604_800) ?? 3600
        try reader.finish()
        try checkWritable()
        try checkSense()
    }

    private static func flows(_ reader: inout ProfileReader) throws(ProfileError) -> [Flow]? {
        guard let names = try reader.texts("flows") else { return nil }
        let flows = names.compactMap(Flow.init(rawValue:))
        guard flows.count == names.count else {
            let known = Flow.allCases.map(\.rawValue).joined(separator: ", ")
            throw ProfileError("`flows` must be a list of \(known)")
        }
        return flows
    }

    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy(isNameByte)
    }

    /// Letters, digits and the signs that names of profiles and hosts may have.
    fileprivate static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
            || "._-".utf8.contains(byte)
    }

    /// Everything that an event takes over from the profile must be of the event's form.
    private func checkWritable() throws(ProfileError) {
        let event = SessionEvent.initiated(
            Initiated(
                provider: name, environment: environment, issuer: issuer,
                clientID: registration.clientID, flow: flows.first ?? .pkce,
                scope: registration.scope, acrValues: request.acrValues,
                redirectURI: registration.redirectURI.isEmpty
                    ? nil : registration.redirectURI))
        do {
            _ = try SessionEventCodec.decode(
                type: event.type.rawValue, version: event.type.currentVersion,
                data: event.clearMembers)
        } catch .member(let error) {
            throw ProfileError("in the profile, \(error.description)")
        } catch {
            throw ProfileError("the profile cannot be written into an event")
        }
    }

    /// Parameters that a request has by itself. Twice the same one may mean anything.
    private static let ownParameters: Set = [
        "acr_values", "auth_req_id", "authorization_details", "binding_message",
        "client_assertion", "client_assertion_type", "client_id", "client_secret",
        "code_challenge", "code_challenge_method", "end_user_ip", "grant_type", "id_token_hint",
        "identity_provider_id", "idpartner_token", "login_hint", "nonce", "redirect_uri",
        "request", "request_uri", "requested_expiry", "response_mode", "response_type", "scope",
        "state", "visitor_id",
    ]

    /// Settings that cannot go together.
    private func checkSense() throws(ProfileError) {
        if flows.contains(.jarm), let mode = request.responseMode, !mode.isSigned {
            throw ProfileError("`responseMode` must be a signed one for the flow jarm")
        }
        if request.responseMode?.isSigned ?? false, flows.contains(.implicit) {
            throw ProfileError("`responseMode` must not be a signed one for the flow implicit")
        }
        if flows.contains(.implicit), request.responseMode == .query {
            throw ProfileError("`responseMode` must not be query for the flow implicit")
        }
        if let hint = request.loginHint, AuthorizationRequest.isPersonal(loginHint: hint) {
            throw ProfileError("`loginHint` must not name a person: a profile is archived")
        }
        let added =
            request.extraParameters.map(\.name) + [permissions?.parameter].compactMap(\.self)
        guard added.allSatisfy({ !Self.ownParameters.containsIdentical($0) }) else {
            throw ProfileError(
                "`extraParameters` and `permissions.parameter` must not name what a request has "
                    + "anyway, or has from another member")
        }
        if checks.demandsCertificateBinding, credentials.certificateFile == nil {
            throw ProfileError("`certificateBoundTokens` needs a client certificate")
        }
    }
}

/// Which URLs a profile may name.
private struct URLRule {
    let allowsLoopbackHTTP: Bool

    static let issuerExpectation =
        "an https URL without query; plain http to loopback needs `allowLoopbackHTTP: true`"

    func isIssuer(_ text: String) -> Bool {
        EndpointURL.isAcceptable(text, allowsLoopbackHTTP: allowsLoopbackHTTP)
            && !text.contains("?")
    }

    /// Hosts on which endpoints may lie, compared with those in URLs: without port.
    static func hosts(_ reader: inout ProfileReader) throws(ProfileError) -> [String] {
        let hosts = try reader.texts("hosts") ?? []
        guard hosts.allSatisfy(isHost) else {
            throw reader.error(
                "hosts",
                "a list of names of hosts, without scheme, port and path; `*.` in front "
                    + "stands for every host below")
        }
        return hosts
    }

    private static func isHost(_ text: String) -> Bool {
        if text.utf8.first == UInt8(ascii: "[") {
            let inside = text.utf8.dropFirst().dropLast()
            return text.utf8.last == UInt8(ascii: "]") && !inside.isEmpty
                && inside.allSatisfy { ProviderProfile.isNameByte($0) || $0 == UInt8(ascii: ":") }
        }
        let name = text.utf8.starts(with: "*.".utf8) ? text.utf8.dropFirst(2) : text.utf8[...]
        return !name.isEmpty && name.allSatisfy(ProviderProfile.isNameByte)
    }

    func selector(_ reader: inout ProfileReader) throws(ProfileError) -> AccountSelector {
        let url = try reader.required("url", isIssuer, Self.issuerExpectation)
        let issuers = try reader.texts("issuers") ?? []
        guard issuers.allSatisfy(isIssuer) else {
            throw ProfileError(
                "`accountSelector.issuers` must be a list of https URLs without query")
        }
        return AccountSelector(url: url, issuers: issuers)
    }

    /// A path that gives a URL that may be asked, behind any issuer.
    private func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.count <= 256 && isIssuer("https://issuer.example" + text)
    }

    func backchannel(
        _ reader: inout ProfileReader
    ) throws(ProfileError) -> BackchannelSettings {
        var settings =
            try reader.object("backchannel") { reader throws(ProfileError) in
                var settings = BackchannelSettings()
                settings.endpoint = try reader.optional(
                    "endpoint", isIssuer, Self.issuerExpectation)
                settings.pollsAtOnceMax =
                    try reader.number("pollsAtOnceMax", 1...1024) ?? settings.pollsAtOnceMax
                return settings
            } ?? BackchannelSettings()
        let isAddress = { (text: String) in isPath(text) || isIssuer(text) }
        let headless = try reader.object("headless") { reader throws(ProfileError) in
            (
                endpoint: try reader.optional(
                    "endpoint", isAddress, "a path behind the issuer, or " + Self.issuerExpectation
                ),
                grantType: try reader.optional("grantType"),
                pollSeconds: try reader.number("pollSeconds", 1...60)
            )
        }
        settings.headlessEndpoint = headless?.endpoint ?? settings.headlessEndpoint
        settings.headlessGrantType = headless?.grantType ?? settings.headlessGrantType
        settings.headlessPollSeconds = headless?.pollSeconds ?? settings.headlessPollSeconds
        return settings
    }

    func permissions(_ reader: inout ProfileReader) throws(ProfileError) -> PermissionSettings {
        PermissionSettings(
            issuer: try reader.required("issuer", isIssuer, Self.issuerExpectation),
            hosts: try Self.hosts(&reader),
            parameter: try reader.optional("parameter") ?? "login_hint_token")
    }
}

extension KeyPlace {
    static func read(_ reader: inout ProfileReader) throws(ProfileError) -> KeyPlace {
        guard let file = try reader.path("privateKeyFile") else {
            throw ProfileError("a key needs `privateKeyFile`")
        }
        return KeyPlace(
            file: file, keyID: try reader.optional("keyID"),
            algorithm: try reader.word("algorithm"))
    }
}

extension TransportSettings {
    fileprivate init(_ reader: inout ProfileReader) throws(ProfileError) {
        allowsLoopbackHTTP = try reader.flag("allowLoopbackHTTP") ?? false
        allowsPrivateTargets = try reader.flag("allowPrivateTargets") ?? false
        trustedCAFile = try reader.path("trustedCAFile")
        responseBytesMax = try reader.number("responseBytesMax", 1024...16_777_216)
        durationMillisecondsMax = try reader.number("timeoutMilliseconds", 100...120_000)
    }
}

extension ProviderProfile {
    /// The flows that somebody meant: of a profile that names none, the usual ones.
    var intendedFlows: [Flow] {
        flows == request.possibleFlows ? flows.filter { $0 == .pkce || $0 == .code } : flows
    }
}

extension RequestSettings {
    /// The flows of a profile that names none: those that its response mode allows. What is unusual
    /// about a flow is for the caller to ask for by its name.
    fileprivate var possibleFlows: [Flow] {
        [.pkce, .code, .jarm, .implicit, .ciba, .headless].filter { flow in
            switch (flow, responseMode) {
            case (.jarm, let mode?): mode.isSigned
            case (.implicit, let mode?): !mode.isSigned && mode != .query
            default: true
            }
        }
    }

    fileprivate init(_ reader: inout ProfileReader) throws(ProfileError) {
        responseMode = try reader.word("responseMode")
        implicitResponseType = try reader.word("implicitResponseType") ?? .idToken
        guard implicitResponseType.isImplicit else {
            throw ProfileError("`implicitResponseType` must be id_token or id_token token")
        }
        pushedAuthorization = try reader.word("pushedAuthorization") ?? .whenNeeded
        acrValues = try reader.optional("acrValues")
        loginHint = try reader.optional("loginHint")
        let extra = try reader.table("extraParameters", "a mapping of names to texts") {
            $0.stringValue
        }
        guard extra?.allSatisfy({ !$0.name.isEmpty }) ?? true else {
            throw reader.error("extraParameters", "a mapping of names to texts")
        }
        extraParameters = (extra ?? []).map { FormEncoding.Parameter($0.name, $0.value) }
        userInfo = try reader.word("userInfo") ?? .none
        let trace = try reader.object("trace") { reader throws(ProfileError) in
            (
                field: HTTPField(
                    try reader.required("requestField"), try reader.required("requestValue")),
                response: try reader.required("responseField")
            )
        }
        traceField = trace?.field
        traceResponseField = trace?.response
    }
}

extension CheckSettings {
    fileprivate init(_ reader: inout ProfileReader) throws(ProfileError) {
        algorithms = try reader.texts("algorithms")
        responseAlgorithms = try reader.texts("jarmAlgorithms")
        clockSkew = try Self.clockSkew(&reader)
        issuedAtAgeSecondsMax = try reader.number("issuedAtAgeSecondsMax", 1...31_536_000)
        let rules = try reader.table("nonce", "a mapping of flows to always or when-sent") {
            $0.stringValue.flatMap(VerificationPolicy.NonceRule.init(rawValue:))
        }
        for rule in rules ?? [] {
            guard let flow = Flow(rawValue: rule.name) else {
                throw ProfileError("`nonce` must be a mapping of flows to always or when-sent")
            }
            nonceRules[flow] = rule.value
        }
        levelOfAssuranceMin = try reader.number("levelOfAssuranceMin", 0...9)
        let levels = try reader.table("levelsOfAssurance", "a mapping of acr to levels 0 to 9") {
            $0.integerValue.flatMap { (0...9).contains($0) ? Int($0) : nil }
        }
        levelsOfAssurance = (levels ?? []).map { AssuranceLevel(acr: $0.name, level: $0.value) }
        trustedAudiences = try reader.texts("trustedAudiences") ?? []
        tokenBytesMax = try reader.number("tokenBytesMax", 1024...1_048_576)
        rsaBitsMin = try reader.number("rsaBitsMin", 2048...16_384)
        subjectClaims = try reader.texts("subjectClaims") ?? ["sub"]
        guard subjectClaims.allSatisfy(ProviderProfile.isName) else {
            throw ProfileError("`subjectClaims` must be a list of plain names of claims")
        }
        hintClaims = try reader.texts("hintClaims") ?? []
        guard hintClaims.allSatisfy(ProviderProfile.isName) else {
            throw ProfileError("`hintClaims` must be a list of plain names of claims")
        }
        demandsCertificateBinding = try reader.flag("certificateBoundTokens") ?? false
        reasonTexts = try reader.list("reasonTexts", Self.reasonText) ?? []
    }

    private static func reasonText(
        _ reader: inout ProfileReader
    ) throws(ProfileError) -> ReasonText {
        let error = try reader.optional("error")
        let text = try reader.required("text")
        guard let reason = try reader.word("reason", FlowFailureReason.self) else {
            throw ProfileError("`reasonTexts` must each have a `reason`")
        }
        return ReasonText(error: error, text: text, reason: reason)
    }

    /// One number for every claim, or one for each.
    private static func clockSkew(
        _ reader: inout ProfileReader
    ) throws(ProfileError) -> ClockSkew {
        let range = 0...ClockSkew.secondsMax
        if reader.isScalar("clockSkewSeconds") {
            return ClockSkew(
                seconds: try reader.number("clockSkewSeconds", range) ?? ClockSkew.secondsDefault)
        }
        return try reader.object("clockSkewSeconds") { reader throws(ProfileError) in
            ClockSkew(
                expirationSeconds: try reader.number("exp", range) ?? ClockSkew.secondsDefault,
                notBeforeSeconds: try reader.number("nbf", range) ?? ClockSkew.secondsDefault,
                issuedAtSeconds: try reader.number("iat", range) ?? ClockSkew.secondsDefault)
        } ?? ClockSkew()
    }
}
