// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect

/// The archived documents that decisions were made with, read once each: thousands of sessions
/// share a handful of them. For one thread.
final class RecordedDocuments {
    private let source: any ReplaySource
    private let settings: JSONObject?
    private var objects: [Digest: JSONObject?] = [:]
    private var policies: [Digest: VerificationPolicy] = [:]
    private var keySets: [KeySetName: JSONWebKeySet] = [:]

    private struct KeySetName: Hashable {
        let digest: Digest
        let rsaBitsMin: Int
    }

    /// - Parameter settings: what stands in the place of settings of the recorded policies.
    init(_ source: any ReplaySource, replacing settings: JSONObject? = nil) {
        self.source = source
        self.settings = settings
    }

    /// The members of a document; nil when the source does not have it, or it is no object.
    func object(_ digest: Digest) throws -> JSONObject? {
        if let known = objects[digest] { return known }
        let bytes = try source.document(digest)
        let object = bytes.flatMap {
            (try? JSONReader.read($0, numbers: .integersOnly))?.objectValue
        }
        objects[digest] = .some(object)
        return object
    }

    func document(_ digest: Digest) throws -> [UInt8]? { try source.document(digest) }

    func policy(_ digest: Digest) throws -> VerificationPolicy? {
        if let known = policies[digest] { return known }
        guard let members = try object(digest),
            let recorded = try? VerificationPolicy.complete(members).policy,
            let policy = try? settings.map(recorded.replacing) ?? recorded
        else { return nil }
        policies[digest] = policy
        return policy
    }

    func keySet(_ digest: Digest, _ limits: JSONWebKeyLimits) throws -> JSONWebKeySet? {
        let name = KeySetName(digest: digest, rsaBitsMin: limits.rsaModulusBitsMin)
        if let known = keySets[name] { return known }
        guard let bytes = try source.document(digest),
            let keySet = try? JSONWebKeySet(parsing: bytes, limits: limits)
        else { return nil }
        keySets[name] = keySet
        return keySet
    }

    func discovery(_ digest: Digest, issuer: String) throws -> DiscoveryDocument? {
        guard let bytes = try source.document(digest) else { return nil }
        // Which endpoints might be asked was judged when it was fetched.
        return try? DiscoveryDocument(bytes, issuer: issuer, allowsLoopbackHTTP: true)
    }

    func responseExpectations(_ digest: Digest) throws -> AuthorizationResponseExpectations? {
        try object(digest).flatMap(AuthorizationResponseExpectations.init(archived:))
    }

    func profile(_ digest: Digest) throws -> RecordedProfile? {
        try object(digest).map(RecordedProfile.init)
    }
}

/// What of an archived profile the rules of a session read.
struct RecordedProfile {
    let reasonTexts: [ReasonText]
    let subjectClaims: [String]
    let accountSelector: AccountSelector?
    /// The pause between polls where the provider names none, in seconds.
    let headlessPollSeconds: Int?

    init(_ members: JSONObject) {
        let texts = members["reasonTexts"]?.arrayValue?.compactMap(\.objectValue) ?? []
        reasonTexts = texts.compactMap { entry in
            guard let text = entry["text"]?.stringValue,
                let reason = entry["reason"]?.stringValue.flatMap(FlowFailureReason.init(rawValue:))
            else { return nil }
            return ReasonText(error: entry["error"]?.stringValue, text: text, reason: reason)
        }
        subjectClaims =
            members["subjectClaims"]?.arrayValue?.compactMap(\.stringValue) ?? ["sub"]
        accountSelector = members["accountSelector"]?.objectValue.flatMap { selector in
            selector["url"]?.stringValue.map { url in
                AccountSelector(
                    url: url,
                    issuers: selector["issuers"]?.arrayValue?.compactMap(\.stringValue) ?? [])
            }
        }
        headlessPollSeconds =
            (members["headless"]?.objectValue?["pollSeconds"]?.integerValue).map { Int($0) }
    }
}

extension AuthorizationResponseExpectations {
    /// Reads the archived form.
    fileprivate init?(archived members: JSONObject) {
        guard let issuer = members["issuer"]?.stringValue,
            let audience = members["audience"]?.stringValue,
            let algorithms = members["algorithms"]?.arrayValue?.compactMap(\.stringValue),
            let skew = members["clockSkewSeconds"]?.objectValue
        else { return nil }
        func seconds(_ name: String) -> Int { Int(skew[name]?.integerValue ?? 0) }
        self.init(
            issuer: issuer, clientID: audience,
            algorithms: algorithms.compactMap { SignatureAlgorithm(name: $0) },
            skew: ClockSkew(
                expirationSeconds: seconds("exp"), notBeforeSeconds: seconds("nbf"),
                issuedAtSeconds: seconds("iat")))
    }
}
