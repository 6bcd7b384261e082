// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

/// What stands for the value of a member.
enum MemberRule {
    /// A registered word stays; any other text is of a kind.
    case words(Set<String>, otherwise: String)
    /// The same, and the stand-in has no digits in it.
    case plainWords(Set<String>, otherwise: String)
    /// Nothing of it stays, and its stand-ins are of this kind.
    case text(String)
    /// A number, also one that is written as a text, stays: seconds, statuses, counts.
    case count
    case url
    case redirectURI
    case host
    case acr
    case acrs
    case scopes
    case keyID
    case time
    case httpDate
    case token
    case description
    case phrase
    case loginHint
    case digest
    /// Names of claims, as values or as names of members.
    case claimNames
    case claims
    case response
    case rawQuery
}

/// Where a member stands: the same name may mean other things elsewhere.
enum MemberPlace {
    /// The clear members of an event, which its type has held to fixed words and forms.
    case event
    /// What was sealed, and messages of a provider.
    case message
    /// A set of claims.
    case claims
    /// The header of a token.
    case header
    /// A profile, a policy or a discovery document: public settings, and no person's data.
    case settings
}

/// The list of what may stay. Whatever is not on it is replaced.
enum MemberRules {
    static func rule(for name: String, in place: MemberPlace) -> MemberRule? {
        switch place {
        case .event: event[name] ?? common[name]
        case .message: message[name] ?? common[name]
        case .claims: claims[name] ?? common[name]
        case .header: header[name]
        case .settings: settings[name] ?? common[name]
        }
    }

    private static let withheld = MemberRule.words(["withheld"], otherwise: "token")

    private static let common: [String: MemberRule] = [
        "acr": .acr, "acr_values": .acrs, "aud": .text("client"), "audience": .text("client"),
        "azp": .text("client"), "clientID": .text("client"), "client_id": .text("client"),
        "code": .text("code"), "error": .words(errors, otherwise: "error"),
        "error_description": .description, "errorDescription": .description,
        "issuer": .url, "iss": .url, "keyID": .keyID, "nonce": .text("nonce"),
        "redirectURI": .redirectURI, "scope": .scopes, "state": .text("state"),
        "sub": .text("subject"), "subject": .text("subject"),
    ]

    private static let event: [String: MemberRule] = [
        "acceptedAt": .time, "acrValues": .acrs, "discoveryDigest": .digest, "endpoint": .url,
        "environment": .words(["production", "test"], otherwise: "environment"),
        "error": .words(errors.union([RegisteredNames.other]), otherwise: "error"),
        "keySetDigest": .digest, "policyDigest": .digest, "profileDigest": .digest,
        "provider": .words(providers, otherwise: "provider"),
        "name": .plainWords(checks, otherwise: "check"),
        "purpose": .plainWords(purposes, otherwise: "purpose"),
        "subjectClaim": .claimNames, "tokenExpiresAt": .time, "tokenIssuedAt": .time,
        "traceID": .text("trace"),
    ]

    private static let message: [String: MemberRule] = [
        "access_token": withheld, "accessTokenHash": .text("hash"),
        "auth_req_id": .text("request"), "bindingMessage": .text("message"),
        "chosenIssuer": .url, "claimOrigins": .claimNames, "claims": .claims,
        "codeHash": .text("hash"), "codeVerifier": .text("verifier"), "date": .httpDate,
        "expires_in": .count, "furtherMembers": .claims, "grant": .token,
        "headless_req_id": .text("request"),
        "hintCode": .words(RegisteredNames.pollHints, otherwise: "hint"),
        "idToken": .token, "idTokenHint": .token, "id_token": .token, "interval": .count,
        "loginHint": .loginHint, "loginHintToken": .token, "pollDescription": .description,
        "raw": .rawQuery, "refresh_expires_in": .count, "refresh_token": withheld,
        "requestID": .text("request"), "response": .response,
        "token_type": .words(tokenTypes, otherwise: "type"), "unsignedClaims": .claimNames,
        "userInfoResponse": .response, "visitorID": .text("visitor"),
        "visitor_id": .text("visitor"),
    ]

    private static let claims: [String: MemberRule] = [
        "access_token": withheld,
        "amr": .words(authenticationMethods, otherwise: "method"), "at_hash": .text("hash"),
        "auth_time": .time, "auth_req_id": .text("request"), "bindingMessage": .text("message"),
        "c_hash": .text("hash"), "exp": .time,
        "expires_in": .count, "headless_req_id": .text("request"),
        "hintCode": .words(RegisteredNames.pollHints, otherwise: "hint"), "iat": .time,
        "id_token": .token, "interval": .count, "nbf": .time,
        "not-before-policy": .count, "profile": .url,
        "picture": .url, "refresh_expires_in": .count, "refresh_token": withheld,
        "response": .token, "s_hash": .text("hash"),
        "token_type": .words(tokenTypes, otherwise: "type"), "updated_at": .time,
        "urn:openid:params:jwt:claim:auth_req_id": .text("request"), "website": .url,
    ]

    private static let header: [String: MemberRule] = [
        "alg": .words(
            RegisteredNames.algorithms.union(["NONE", "None"]), otherwise: "algorithm"),
        "cty": .words(["JWT"], otherwise: "type"), "jku": .url, "kid": .keyID,
        "typ": .words(headerTypes, otherwise: "type"), "x5u": .url,
        "zip": .words(["DEF"], otherwise: "compression"),
    ]

    private static let settings: [String: MemberRule] = [
        "acrValues": .acrs, "acr_values_supported": .acr, "claims_supported": .claimNames,
        "hintClaims": .claimNames, "hosts": .host, "issuers": .url, "loginHint": .loginHint,
        "name": .words(providers, otherwise: "provider"),
        "environment": .words(["production", "test"], otherwise: "environment"),
        "nonce": .words(["always", "when-sent"], otherwise: "text"), "requiredClaims": .claimNames,
        "subjectClaims": .claimNames, "text": .phrase,
        "trustedAudiences": .text("client"), "url": .url,
    ]
}

extension MemberRules {
    private static let errors = RegisteredNames.errors.union([
        "expired_id_token_hint", "invalid_code", "invalid_id_token_hint",
        "invalid_login_hint_token", "invalid_redirect_uri",
    ])

    private static let tokenTypes = RegisteredNames.tokenTypes.union(["BEARER", "bEARER"])
    private static let providers: Set<String> = ["bankid-no", "generic", "idpartner", "idura"]
    private static let checks = Set(TokenCheck.allCases.map(\.rawValue))
    private static let purposes: Set<String> = [
        "backchannel", "discovery", "grant", "jwks", "keys", "par", "permission", "token",
        "userinfo",
    ]

    private static let headerTypes: Set<String> = [
        "JOSE", "JWT", "application/jwt", "at+jwt", "id_token+jwt", "jwt", "logout+jwt",
        "oauth-authz-resp+jwt", "secevent+jwt",
    ]

    /// RFC 8176 §2.
    private static let authenticationMethods: Set<String> = [
        "face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop", "pwd",
        "rba", "retina", "sc", "sms", "swk", "tel", "user", "vbm", "wia",
    ]

    /// Names of members that say nothing of a person: of OpenID Connect, of the brokers, of ours.
    static let knownNames: Set<String> = {
        let standard: Set<String> = [
            "acr_data", "address", "authenticationtype", "authorization_details",
            "authorizationDetails", "autoStartToken", "bankid_altsub", "birthdate", "body",
            "client_id", "country", "crit", "email", "email_verified", "endUserIP",
            "family_name", "formatted", "gender", "given_name", "identityscheme", "idp_id",
            "idpartner_token", "jti", "jwk", "locale", "locality", "mediaType", "messageForUser",
            "middle_name", "name", "nameidentifier", "nickname", "nnin_altsub", "permission",
            "permissionID", "phone_number", "phone_number_verified", "pid", "postal_code",
            "preferred_username", "qrData", "region", "session_state", "sessionindex", "sid",
            "socialno", "ssn", "status", "street_address", "tid", "typ", "uniqueuserid",
            "userAgent", "bankid_proof", "issued_token_type", "x5c", "x5t", "withheld", "x5t#S256",
            "zoneinfo", "b64", "acrData", "alg", "kid",
        ]
        return standard.union(common.keys).union(message.keys).union(claims.keys)
            .union(header.keys)
    }()

    /// Scopes of OpenID Connect Core.
    static let scopes: Set<String> = [
        "address", "email", "offline_access", "openid", "phone", "profile",
    ]

    /// What the parts of a login hint in front of the person may be.
    static let hintWords: Set<String> = [
        "dk", "email", "fi", "mitid", "no", "phone", "pno", "se", "ssn", "sub", "urn", "uuid",
    ]

    /// Where a claim came from.
    static let claimOrigins: Set<String> = ["id-token", "token-response", "userinfo"]

    static let mediaTypes: Set<String> = [
        "", "application/json", "application/jwt", "text/html", "text/plain",
    ]

    /// Parameters of a callback.
    static let parameterNames: Set<String> = [
        "access_token", "client_id", "code", "error", "error_description", "expires_in",
        "id_token", "idp_id", "idpartner_token", "iss", "response", "scope", "session_state",
        "state", "token_type", "visitor_id",
    ]

    /// The words of profiles, policies and discovery documents.
    static let settingWords: Set<String> = RegisteredNames.algorithms
        .union(RegisteredNames.responseModes).union(RegisteredNames.responseTypes)
        .union(RegisteredNames.keyManagementAlgorithms)
        .union(RegisteredNames.contentEncryptions).union(RegisteredNames.errors)
        .union(scopes).union(FailureReason.catalogue).union(knownNames)
        .union(Flow.allCases.map(\.rawValue))
        .union([
            "S256", "always", "authorization_code", "client_secret_basic", "client_secret_jwt",
            "client_secret_post", "fetch", "if-offered", "if-present", "ignored", "implicit",
            "never", "none", "normal", "pairwise", "plain", "poll", "private_key_jwt", "public",
            "push", "ping", "self_signed_tls_client_auth", "tls_client_auth", "token-endpoint",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:openid:params:grant-type:ciba", "when-needed", "when-sent", "required",
            "refresh_token",
        ])
}
