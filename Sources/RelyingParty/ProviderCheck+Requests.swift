// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

// What the profile asks of the provider, against what the provider announces.
extension ProviderCheck {
    mutating func lookAtRequests(_ announced: Announcement, _ endpoints: Endpoints) {
        lookAtTypes(announced)
        lookAtModes(announced)
        lookAtPushing(announced, endpoints)
        lookAtBackchannel(announced, endpoints)
        lookAtAuthentication(announced)
        lookAtProofKeys(announced)
        lookAtRequestObject(announced)
        lookAtScope(announced)
    }

    /// Holds what is asked against a list, and says what is not in it.
    ///
    /// - Parameters:
    ///   - standard: what a provider has that has no such list; nil when nobody knows.
    ///   - outcome: what it means when something is not in the list.
    mutating func compare(
        _ asked: [String], with list: String, of announced: Announcement,
        standard: [String]? = nil, _ name: String, lacking outcome: Diagnosis.Outcome = .problem,
        hint: String
    ) {
        guard !asked.isEmpty else { return }
        guard let texts = announced.texts(list) ?? standard else {
            return add(
                name, .ok, "the provider does not say what it has; asked for: \(asked.listed)")
        }
        let lacking = asked.filter { wanted in !texts.contains { $0.isIdentical(to: wanted) } }
        if lacking.isEmpty {
            add(name, .ok, "the provider has \(asked.listed)")
        } else if announced.texts(list) == nil {
            add(
                name, .warning,
                "the provider does not say that it has \(lacking.listed)", hint: hint)
        } else {
            add(
                name, outcome,
                "the provider does not have \(lacking.listed), but \(Announcement.listed(texts))",
                hint: hint)
        }
    }

    private var redirectFlows: [ResponseType] {
        var types: [ResponseType] = []
        for type in profile.intendedFlows.filter(\.usesRedirect).map(profile.responseType)
        where !types.contains(type) {
            types.append(type)
        }
        return types
    }

    // MARK: - Response types and modes

    private mutating func lookAtTypes(_ announced: Announcement) {
        // Their words stand in any order (OAuth 2.0 Multiple Response Types §3).
        func sorted(_ type: String) -> String {
            type.split(separator: " ").sorted().joined(separator: " ")
        }
        let name = "response-types"
        let asked = redirectFlows.map(\.rawValue)
        let texts = announced.texts("response_types_supported")
        let lacking = asked.filter { type in
            !(texts?.contains { sorted($0).isIdentical(to: sorted(type)) } ?? true)
        }
        if lacking.isEmpty {
            let words = texts == nil ? "the provider does not say what it has" : "the provider has"
            add(name, .ok, "\(words)\(texts == nil ? "; asked for:" : "") \(asked.listed)")
        } else {
            add(
                name, .problem,
                "the provider does not have \(lacking.listed), but "
                    + Announcement.listed(texts ?? []),
                hint: "take the flows that need them out of `flows`")
        }
        var grants = asked.contains(ResponseType.code.rawValue) ? ["authorization_code"] : []
        if redirectFlows.contains(where: \.isImplicit) { grants.append("implicit") }
        if profile.permissions != nil { grants.append("client_credentials") }
        if profile.intendedFlows.contains(.ciba) { grants.append(PollAnswer.cibaGrantType) }
        if announced.texts("grant_types_supported") != nil {
            compare(
                grants, with: "grant_types_supported", of: announced, "grant-types",
                hint: "take what needs them out of the profile")
        }
        if profile.intendedFlows.contains(.implicit) {
            add(
                "implicit", .warning,
                "tokens come through the browser, where others may see them: for debugging only",
                hint: "leave `implicit` out of `flows`")
        }
    }

    private mutating func lookAtModes(_ announced: Announcement) {
        var modes: [String] = []
        for flow in profile.intendedFlows where flow.usesRedirect {
            let mode = profile.responseMode(flow) ?? profile.responseType(flow).standardMode
            if !modes.contains(mode.rawValue) { modes.append(mode.rawValue) }
        }
        compare(
            modes, with: "response_modes_supported", of: announced,
            standard: ["query", "fragment"], "response-modes",
            hint: "choose another `responseMode`, or other flows")
    }

    // MARK: - Pushed requests

    private mutating func lookAtPushing(_ announced: Announcement, _ endpoints: Endpoints) {
        let name = "pushed-authorization"
        let endpoint = "pushed_authorization_request_endpoint"
        let isPossible = endpoints.optional.contains(endpoint)
        let isDemanded = announced.flag("require_pushed_authorization_requests") ?? false
        let use = profile.request.pushedAuthorization
        let lack =
            endpoints.refused.contains(endpoint)
            ? "the provider's endpoint for it must not be asked"
            : "the provider has no endpoint for it"
        if isPossible {
            if isDemanded, use == .never {
                add(
                    name, .warning, "the provider demands it, so requests are pushed all the same",
                    hint: "`pushedAuthorization: required` says so")
            } else {
                let isAlways = isDemanded || use == .required || use == .optional
                add(
                    name, .ok,
                    isAlways
                        ? "requests are pushed" : "requests are pushed where they have to be")
            }
        } else if use == .required || isDemanded {
            add(
                name, .problem, use == .required ? lack : "the provider demands it, and \(lack)",
                hint: use == .required
                    ? "`pushedAuthorization: when-needed` does without"
                    : "tell whoever runs the provider")
        } else if profile.permissions != nil {
            add(
                name, .warning, "\(lack), so no login can ask for a permission",
                hint: "leave `permissions` out of the profile")
        } else {
            add(name, .ok, "\(lack), and none is needed")
        }
    }

    // MARK: - Without a browser

    private mutating func lookAtBackchannel(_ announced: Announcement, _ endpoints: Endpoints) {
        guard profile.intendedFlows.contains(where: { !$0.usesRedirect }) else { return }
        let name = "backchannel"
        if profile.registration.authentication == .none {
            add(
                name, .problem, "logins without a browser are for clients that show who they are",
                hint: "take `ciba` and `headless` out of `flows`, or set `clientAuthentication`")
        }
        guard profile.intendedFlows.contains(.ciba) else { return }
        let endpoint = "backchannel_authentication_endpoint"
        if profile.backchannel.endpoint == nil, !endpoints.optional.contains(endpoint) {
            add(
                name, .problem,
                endpoints.refused.contains(endpoint)
                    ? "the provider's endpoint for requests without a browser must not be asked"
                    : "the provider has no endpoint for requests without a browser",
                hint: "take `ciba` out of `flows`, or set `backchannel.endpoint`")
        } else {
            compare(
                ["poll"], with: "backchannel_token_delivery_modes_supported", of: announced, name,
                hint: "take `ciba` out of `flows`: answers can only be polled for")
        }
    }

    // MARK: - Client

    private mutating func lookAtAuthentication(_ announced: Announcement) {
        let name = "client-authentication"
        let method = profile.registration.authentication
        compare(
            [method.rawValue], with: "token_endpoint_auth_methods_supported", of: announced,
            standard: ["client_secret_basic"], name,
            // A public client authenticates itself by nothing, which not everybody lists.
            lacking: method == .none ? .warning : .problem,
            hint: "see how the client is registered, and correct `clientAuthentication.method`")
        let list = "token_endpoint_auth_signing_alg_values_supported"
        if let assertionAlgorithm, announced.texts(list) != nil {
            compare(
                [assertionAlgorithm], with: list, of: announced, name,
                hint: "correct `clientAuthentication.algorithm`, or use another key")
        }
    }

    private mutating func lookAtProofKeys(_ announced: Announcement) {
        let flows = profile.intendedFlows
        guard flows.contains(.pkce) || flows.contains(.jarm) else { return }
        let list = "code_challenge_methods_supported"
        guard announced.texts(list) != nil else {
            return add(
                "pkce", .warning, "the provider does not announce PKCE, and may ignore it",
                hint: "ask whoever runs the provider; the flow `code` does without")
        }
        compare(
            ["S256"], with: list, of: announced, "pkce",
            hint: "the flow `code` does without PKCE")
    }

    private mutating func lookAtRequestObject(_ announced: Announcement) {
        let name = "request-object"
        guard profile.credentials.requestKey != nil else {
            if announced.flag("require_signed_request_object") ?? false {
                add(
                    name, .problem, "the provider demands signed requests",
                    hint: "give the profile a key under `requestObject`")
            }
            return
        }
        if let requestAlgorithm {
            compare(
                [requestAlgorithm], with: "request_object_signing_alg_values_supported",
                of: announced, name,
                hint: "correct `requestObject.algorithm`, or use another key")
        }
        // What is pushed is another endpoint's matter (RFC 9126 §3).
        let isPushed = profile.request.pushedAuthorization == .required
        if !isPushed, announced.flag("request_parameter_supported") == false {
            add(
                name, .warning, "the provider says that it takes no signed requests",
                hint: "leave `requestObject` out, or push requests")
        }
    }

    private mutating func lookAtScope(_ announced: Announcement) {
        let words = { (text: String) in text.split(separator: " ").map(String.init) }
        let hint = "see whether the client may have them: a provider need not list all"
        if announced.texts("scopes_supported") != nil {
            compare(
                words(profile.registration.scope), with: "scopes_supported", of: announced,
                "scope", lacking: .warning, hint: hint)
        }
        if let acr = profile.request.acrValues, announced.texts("acr_values_supported") != nil {
            compare(
                words(acr), with: "acr_values_supported", of: announced, "acr",
                lacking: .warning, hint: hint)
        }
    }
}

extension [String] {
    /// The texts with commas between them.
    fileprivate var listed: String { joined(separator: ", ") }
}
