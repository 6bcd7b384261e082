// SPDX-License-Identifier: Apache-2.0

/// One thing that a provider does wrong, and only that: everything else about the login is in
/// order, so that exactly one check of the relying party has to fail. Some are not wrong at all but
/// only unusual, and must not disturb anyone.
///
/// A wrong text is the right one with `1` behind it. The raw values are the names in settings and
/// on the command line. What each is stands in the tables: ``row``.
public enum Misbehaviour: String, Sendable, Hashable, CaseIterable {
    // MARK: Nothing at all

    case none

    // MARK: The discovery document

    case discoveryIssuerMismatch = "discovery-issuer-mismatch"
    case discoveryTrailingSlash = "discovery-trailing-slash"
    case discoveryCapitalHost = "discovery-capital-host"
    case discoveryDefaultPort = "discovery-default-port"
    case discoveryRedirect = "discovery-redirect"
    case discoveryPage = "discovery-page"
    case discoveryOutage = "discovery-outage"
    case foreignTokenEndpoint = "foreign-token-endpoint"
    case privateTokenEndpoint = "private-token-endpoint"
    case localTokenEndpoint = "local-token-endpoint"
    case plainTokenEndpoint = "plain-token-endpoint"
    case foreignKeySetURL = "foreign-key-set-url"
    case movingKeySet = "moving-key-set"

    // MARK: The key set

    case keySetOutage = "key-set-outage"
    case keySetPage = "key-set-page"
    case keySetRedirect = "key-set-redirect"
    case keySetSlow = "key-set-slow"
    case keySetHuge = "key-set-huge"
    case keySetManyKeys = "key-set-many-keys"
    case keyShort = "key-short"
    case keyExponentOne = "key-exponent-one"
    case keyEvenModulus = "key-even-modulus"
    case keyROCA = "key-roca"
    case keyOffCurve = "key-off-curve"
    case keyPrivate = "key-private"
    case keySymmetric = "key-symmetric"
    case keyDuplicateID = "key-duplicate-kid"
    case keyForEncryption = "key-for-encryption"
    case keyWithdrawn = "key-withdrawn"
    case keyRotation = "key-rotation"
    case keyRotationBeforeSigning = "key-rotation-before-signing"

    // MARK: The account selector and permissions

    case selectorForeignIssuer = "selector-foreign-issuer"
    case selectorMissingIssuer = "selector-missing-issuer"
    case selectorDuplicateIssuer = "selector-duplicate-issuer"
    case selectorOtherVisitor = "selector-other-visitor"
    case permissionRefused = "permission-refused"
    case grantBadSignature = "grant-bad-signature"
    case grantOtherPermission = "grant-other-permission"

    // MARK: The pushed request

    case parRefused = "par-refused"
    case parClientRefused = "par-client-refused"
    case parUnauthorized = "par-unauthorized"
    case parForbidden = "par-forbidden"
    case parOutage = "par-outage"
    case parPage = "par-page"
    case parWithoutURI = "par-without-uri"

    // MARK: What comes back through the browser

    case accessDenied = "access-denied"
    case stateMismatch = "state-mismatch"
    case missingState = "missing-state"
    case stateOtherForm = "state-other-form"
    case wrongCallbackIssuer = "wrong-callback-issuer"
    case missingCallbackIssuer = "missing-callback-issuer"
    case deniedWithOtherState = "denied-with-other-state"
    case deniedWithoutState = "denied-without-state"
    case duplicateCode = "duplicate-code"
    case duplicateState = "duplicate-state"
    case codeAndError = "code-and-error"
    case missingCode = "missing-code"
    case emptyCode = "empty-code"
    case loginRequired = "login-required"
    case callbackServerError = "callback-server-error"
    case callbackOutage = "callback-outage"
    case neverReturns = "never-returns"

    // MARK: A signed response

    case jarmMissingResponse = "jarm-missing-response"
    case jarmPlainCodeBeside = "jarm-plain-code-beside"
    case jarmDowngrade = "jarm-downgrade"
    case jarmMalformed = "jarm-malformed"
    case jarmBadSignature = "jarm-bad-signature"
    case jarmUnsigned = "jarm-unsigned"
    case jarmHS256 = "jarm-hs256"
    case jarmAlternateAlgorithm = "jarm-alternate-algorithm"
    case jarmUnknownKeyID = "jarm-unknown-kid"
    case jarmHeaderJWK = "jarm-header-jwk"
    case jarmHeaderCrit = "jarm-header-crit"
    case jarmDuplicateClaims = "jarm-duplicate-claims"
    case jarmEscapedDuplicate = "jarm-escaped-duplicate"
    case jarmMissingIssuer = "jarm-missing-issuer"
    case jarmWrongIssuer = "jarm-wrong-issuer"
    case jarmMissingAudience = "jarm-missing-audience"
    case jarmWrongAudience = "jarm-wrong-audience"
    case jarmMissingExpiration = "jarm-missing-expiration"
    case jarmExpired = "jarm-expired"
    case jarmMissingState = "jarm-missing-state"
    case jarmWrongState = "jarm-wrong-state"
    case jarmStateOutside = "jarm-state-outside"
    case jarmEmptyCode = "jarm-empty-code"
    case jarmCodeAndError = "jarm-code-and-error"
    case jarmEncryptedUnsigned = "jarm-encrypted-unsigned"
    case jarmEncryptedBareClaims = "jarm-encrypted-bare-claims"
    case jarmEncryptedToOther = "jarm-encrypted-to-other"
    case jarmEncryptedTampered = "jarm-encrypted-tampered"
    case jarmEncryptedRSA15 = "jarm-encrypted-rsa1_5"

    // MARK: A request without redirects

    case backchannelUnknownUser = "backchannel-unknown-user"
    case backchannelExpiredHintToken = "backchannel-expired-hint-token"
    case backchannelExpiredIDTokenHint = "backchannel-expired-id-token-hint"
    case backchannelInvalidIDTokenHint = "backchannel-invalid-id-token-hint"
    case backchannelBadMessage = "backchannel-bad-message"
    case backchannelDenied = "backchannel-denied"
    case backchannelRefused = "backchannel-refused"
    case backchannelClientRefused = "backchannel-client-refused"
    case backchannelUnauthorized = "backchannel-unauthorized"
    case backchannelOutage = "backchannel-outage"
    case backchannelSlow = "backchannel-slow"
    case backchannelPage = "backchannel-page"
    case backchannelNotJSON = "backchannel-not-json"
    case backchannelWithoutID = "backchannel-without-id"
    case backchannelEmptyID = "backchannel-empty-id"
    case backchannelNumericID = "backchannel-numeric-id"
    case backchannelOddID = "backchannel-odd-id"
    case backchannelLongID = "backchannel-long-id"
    case backchannelWithoutLifetime = "backchannel-without-lifetime"
    case backchannelZeroLifetime = "backchannel-zero-lifetime"
    case backchannelTextLifetime = "backchannel-text-lifetime"
    case backchannelNegativeInterval = "backchannel-negative-interval"
    case backchannelHugeInterval = "backchannel-huge-interval"
    case backchannelZeroInterval = "backchannel-zero-interval"
    case backchannelTextInterval = "backchannel-text-interval"
    case backchannelLongInterval = "backchannel-long-interval"
    case headlessRefused = "headless-refused"
    case headlessWithoutID = "headless-without-id"
    case headlessWithoutData = "headless-without-data"
    case headlessOddData = "headless-odd-data"
    case headlessUnknownHint = "headless-unknown-hint"

    // MARK: Polls

    case pollInvalidRequest = "poll-invalid-request"
    case pollDenied = "poll-denied"
    case pollExpired = "poll-expired"
    case pollInvalidGrant = "poll-invalid-grant"
    case pollClientRefused = "poll-client-refused"
    case pollUnknownError = "poll-unknown-error"
    case pollLateTokens = "poll-late-tokens"
    case pollLostTokens = "poll-lost-tokens"
    case pollWithoutIDToken = "poll-without-id-token"
    case pollNotJSON = "poll-not-json"
    case pollPage = "poll-page"
    case pollRedirect = "poll-redirect"
    case pollSlowDown = "poll-slow-down"
    case pollSlowDownWithInterval = "poll-slow-down-with-interval"
    case pollOutage = "poll-outage"
    case pollTooMany = "poll-too-many"
    case pollSilence = "poll-silence"
    case pollPendingWithStatus200 = "poll-pending-with-status200"

    // MARK: The token response

    case slowToken = "slow-token"
    case tokenError = "token-error"
    case tokenServerError = "token-server-error"
    case missingIDToken = "missing-id-token"
    case tokenPage = "token-page"
    case tokenNotJSON = "token-not-json"
    case tokenRedirect = "token-redirect"
    case tokenUnauthorized = "token-unauthorized"
    case tokenErrorWithStatus200 = "token-error-with-status200"
    case missingTokenType = "missing-token-type"
    case negativeLifetime = "negative-lifetime"
    case duplicateIDToken = "duplicate-id-token"
    case otherCertificateBound = "other-certificate-bound"
    case missingCertificateBinding = "missing-certificate-binding"
    case stringLifetime = "string-lifetime"
    case bareTokenResponse = "bare-token-response"
    case tokenTypeInOtherCase = "token-type-in-other-case"

    // MARK: The signature and the header of the ID token

    case badSignature = "bad-signature"
    case algNone = "alg-none"
    case algNoneInCapitals = "alg-none-in-capitals"
    case algHS256 = "alg-hs256"
    case algHS256Corrupted = "alg-hs256-corrupted"
    case alternateAlgorithm = "alternate-algorithm"
    case paddedToken = "padded-token"
    case unknownKeyID = "unknown-kid"
    case pathKeyID = "path-kid"
    case queryKeyID = "query-kid"
    case nulKeyID = "nul-kid"
    case longKeyID = "long-kid"
    case hugeKeyID = "huge-kid"
    case listKeyID = "list-kid"
    case headerJWK = "header-jwk"
    case headerJKU = "header-jku"
    case headerX5U = "header-x5u"
    case headerX5C = "header-x5c"
    case headerCrit = "header-crit"
    case headerB64 = "header-b64"
    case headerZip = "header-zip"
    case headerType = "header-type"
    case duplicateHeader = "duplicate-header"
    case kidAbsent = "kid-absent"
    case kidAbsentAmongSeveral = "kid-absent-among-several"
    case encryptedUnsigned = "encrypted-unsigned"
    case encryptedBareClaims = "encrypted-bare-claims"
    case encryptedToOther = "encrypted-to-other"
    case encryptedTampered = "encrypted-tampered"
    case encryptedRSA15 = "encrypted-rsa1_5"
    case encryptedCompressed = "encrypted-compressed"

    // MARK: The claims of the ID token

    case duplicateClaims = "duplicate-claims"
    case duplicateIssuer = "duplicate-issuer"
    case duplicateAudience = "duplicate-audience"
    case escapedDuplicate = "escaped-duplicate"
    case trailingComma = "trailing-comma"
    case byteOrderMark = "byte-order-mark"
    case wrongIssuer = "wrong-issuer"
    case missingIssuer = "missing-issuer"
    case issuerOtherForm = "issuer-other-form"
    case missingSubject = "missing-subject"
    case wrongAudience = "wrong-audience"
    case missingAudience = "missing-audience"
    case secondAudience = "second-audience"
    case foreignParty = "foreign-party"
    case wrongParty = "wrong-party"
    case audienceList = "audience-list"
    case expired
    case missingExpiration = "missing-expiration"
    case expirationText = "expiration-text"
    case expirationNegative = "expiration-negative"
    case expirationTooLarge = "expiration-too-large"
    case expirationBoolean = "expiration-boolean"
    case expirationFraction = "expiration-fraction"
    case expirationExponent = "expiration-exponent"
    case notYetValid = "not-yet-valid"
    case issuedInFuture = "issued-in-future"
    case issuedWeekAgo = "issued-week-ago"
    case missingIssuedAt = "missing-issued-at"
    case wrongNonce = "wrong-nonce"
    case missingNonce = "missing-nonce"
    case nonceOtherForm = "nonce-other-form"
    case wrongAccessTokenHash = "wrong-access-token-hash"
    case missingAccessTokenHash = "missing-access-token-hash"
    case withoutAccessTokenHash = "without-access-token-hash"
    case wrongCodeHash = "wrong-code-hash"
    case wrongStateHash = "wrong-state-hash"
    case levelMissing = "loa-missing"
    case levelTooLow = "loa-too-low"
    case levelThirty = "loa-30"
    case levelTwice = "loa-twice"
    case duplicateLevel = "duplicate-acr"
    case missingLevel = "missing-acr"
    case levelHigher = "loa-higher"
    case largeToken = "large-token"
    case hugeToken = "huge-token"
    case changingSubject = "changing-subject"
    case otherRequest = "other-request"
    case otherPerson = "other-person"
    case issuedBeforeRequest = "issued-before-request"
    case earlierTokens = "earlier-tokens"

    // MARK: UserInfo

    case userInfoOtherSubject = "userinfo-other-subject"
    case userInfoMissingSubject = "userinfo-missing-subject"
    case userInfoPage = "userinfo-page"
    case userInfoDuplicateSubject = "userinfo-duplicate-subject"
    case userInfoBadSignature = "userinfo-bad-signature"
    case userInfoUnsigned = "userinfo-unsigned"
    case userInfoWrongIssuer = "userinfo-wrong-issuer"
    case userInfoWrongAudience = "userinfo-wrong-audience"

    /// The misbehaviour of a name.
    public init?(name: String) {
        guard let match = Self.allCases.first(where: { $0.rawValue.utf8.elementsEqual(name.utf8) })
        else { return nil }
        self = match
    }

    /// Its line of the table.
    public var row: Row {
        guard let row = Self.rows[self] else { preconditionFailure("no row for \(rawValue)") }
        return row
    }

    /// What it is, in a few words.
    public var summary: String { row.summary }
    /// Where a relying party has to notice it.
    public var detection: Detection { row.detection }

    private static let rows: [Misbehaviour: Row] = {
        let tables = [
            discoveryRows, keySetRows, keyRows, selectorRows, pushedRequestRows,
            backchannelRefusalRows, backchannelAnswerRows, pollRows, pollInterludeRows,
            backchannelTokenRows, headlessRows, callbackRows,
            responseRows, encryptedResponseRows, tokenResponseRows, headerRows, encryptionRows,
            partyRows, dateRows, bindingRows, levelRows, userInfoRows,
        ]
        return tables.reduce(into: [.none: Row("nothing is wrong", .nowhere, Matrix.soundLogins)]) {
            $0.merge($1) { _, _ in preconditionFailure("a misbehaviour stands in two tables") }
        }
    }()
}
