// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL
internal import SessionEvents

// What the provider's answers are verified and opened with.
extension ProviderCheck {
    private static let tokenList = "id_token_signing_alg_values_supported"
    private static let responseList = "authorization_signing_alg_values_supported"

    mutating func lookAtAnswers(_ announced: Announcement, _ endpoints: Endpoints) {
        lookAtAlgorithms(announced)
        lookAtEncryption(announced)
        if profile.request.userInfo == .fetch,
            !endpoints.optional.contains("userinfo_endpoint")
        {
            add(
                "userinfo", .problem,
                endpoints.refused.contains("userinfo_endpoint")
                    ? "the provider's endpoint for it must not be asked"
                    : "the provider has no endpoint for it",
                hint: "`userInfo: none` does without")
        }
        if profile.checks.demandsCertificateBinding,
            !(announced.flag("tls_client_certificate_bound_access_tokens") ?? false)
        {
            add(
                "certificate-bound-tokens", .warning,
                "the provider does not say that it binds access tokens to certificates",
                hint: "ask whoever runs the provider, or leave `certificateBoundTokens` out")
        }
    }

    // MARK: - Signatures

    private mutating func lookAtAlgorithms(_ announced: Announcement) {
        let unknown =
            ((profile.checks.algorithms ?? []) + (profile.checks.responseAlgorithms ?? []))
            .filter { !ProviderProfile.algorithmsKnown.contains($0) }
        if !unknown.isEmpty {
            add(
                "algorithms", .warning,
                "the profile names some that are never taken: \(Announcement.listed(unknown))",
                hint: "those that are known: "
                    + ProviderProfile.algorithmsKnown.joined(separator: ", "))
        }
        let tokens = announced.texts(Self.tokenList)
        look(
            at: profile.tokenAlgorithms(announced: tokens), announced: tokens,
            "id-token-algorithms",
            "ID tokens", hint: "correct `algorithms`")
        guard profile.intendedFlows.contains(.jarm) else { return }
        let responses = announced.texts(Self.responseList) ?? tokens
        look(
            at: profile.responseAlgorithms(announced: responses), announced: responses,
            "response-algorithms", "responses", hint: "correct `jarmAlgorithms`")
    }

    private mutating func look(
        at agreed: [String], announced: [String]?, _ name: String, _ what: String, hint: String
    ) {
        guard agreed.isEmpty else {
            return add(
                name, .ok, "\(what) may be signed with \(agreed.joined(separator: ", "))")
        }
        let words =
            announced.map { "signs \(what) with \(Announcement.listed($0))" }
            ?? "does not say what it signs \(what) with, so RS256 counts"
        add(name, .problem, "the provider \(words), which the profile does not take", hint: hint)
    }

    // MARK: - Encryption

    private mutating func lookAtEncryption(_ announced: Announcement) {
        guard !profile.credentials.decryptionKeys.isEmpty else { return }
        let name = "decryption"
        let signsAnswers = profile.intendedFlows.contains(.jarm)
        let kinds = signsAnswers ? ["authorization", "id_token"] : ["id_token"]
        let lists = kinds.map { "\($0)_encryption_alg_values_supported" }
        let contents = kinds.map { "\($0)_encryption_enc_values_supported" }
        let known = KeyManagementAlgorithm.allCases.map(\.rawValue)
        let knownContents = ContentEncryption.allCases.map(\.rawValue)
        guard lists.contains(where: { announced.texts($0) != nil }) else {
            return add(
                name, .warning, "the provider does not say that it encrypts",
                hint: "leave `decryption` out unless the client is registered for it")
        }
        for (list, known) in lists.map({ ($0, known) }) + contents.map({ ($0, knownContents) }) {
            guard let texts = announced.texts(list) else { continue }
            if known.allSatisfy({ name in !texts.contains { $0.isIdentical(to: name) } }) {
                return add(
                    name, .problem,
                    "`\(list)` has none that is known here, but \(Announcement.listed(texts))",
                    hint: "register the client without encryption")
            }
        }
        add(name, .ok, "the provider can encrypt in a way that is known here")
    }

    // MARK: - Keys

    /// Reads a key set.
    ///
    /// - Returns: nil when it is none; then it is said why.
    mutating func keySet(in response: HTTPResponse, _ name: String) -> JSONWebKeySet? {
        var limits = JSONWebKeyLimits()
        limits.rsaModulusBitsMin = max(
            limits.rsaModulusBitsMin, profile.checks.rsaBitsMin ?? 0)
        do {
            return try JSONWebKeySet(parsing: response.body, limits: limits)
        } catch {
            let words =
                switch error {
                case .tooLarge: "has more than \(limits.setBytesMax) bytes"
                case .tooManyKeys: "has more than \(limits.keysMax) keys"
                case .keysMissing: "has no list of keys"
                case .notJSON(let error): "is not strict JSON: \(error)"
                }
            add(
                name, .problem, "the key set \(words)", hint: "tell whoever runs the provider")
            return nil
        }
    }

    mutating func lookAtKeySet(_ response: HTTPResponse, _ announced: Announcement) {
        let name = "key-set"
        guard let set = keySet(in: response, name) else { return }
        let usable = set.keys.filter { $0.publicKey != nil }
        if usable.isEmpty {
            add(
                name, .problem, "none of its \(set.keys.count) keys is usable",
                hint: "tell whoever runs the provider")
        } else {
            add(name, .ok, "\(usable.count) of its \(set.keys.count) keys usable")
        }
        lookAtUnusableKeys(set)
        if !usable.isEmpty { lookAtCoverage(usable, announced) }
    }

    /// The most keys that are named one by one.
    private static let namedKeysMax = 16

    private mutating func lookAtUnusableKeys(_ set: JSONWebKeySet) {
        let unusable = set.keys.enumerated().filter { $0.element.unusableReason != nil }
        for (index, key) in unusable.prefix(Self.namedKeysMax) {
            guard let reason = key.unusableReason else { continue }
            let name = key.keyID.flatMap { Announcement.isPresentable($0) ? ", \($0)" : nil }
            let outcome = reason.outcome
            add(
                "key", outcome, "key \(index + 1)\(name ?? ""): \(reason.words)",
                hint: outcome == .ok ? nil : "tell whoever runs the provider")
        }
        let more = unusable.count - Self.namedKeysMax
        if more > 0 {
            add(
                "key", .warning, "\(more) more keys are not usable",
                hint: "tell whoever runs the provider")
        }
    }

    /// Whether there is a key for each algorithm that may be used.
    private mutating func lookAtCoverage(_ usable: [JSONWebKey], _ announced: Announcement) {
        let tokens = announced.texts(Self.tokenList)
        var uses = [("ID tokens", profile.tokenAlgorithms(announced: tokens))]
        if profile.intendedFlows.contains(.jarm) {
            let responses = announced.texts(Self.responseList) ?? tokens
            uses.append(("responses", profile.responseAlgorithms(announced: responses)))
        }
        for (what, agreed) in uses where !agreed.isEmpty {
            let covered = agreed.filter { name in
                guard let algorithm = SignatureAlgorithm(name: name) else { return false }
                return usable.contains { $0.fits(algorithm) }
            }
            if covered.isEmpty {
                add(
                    "key-set", .problem,
                    "it has no key for \(what) under \(agreed.joined(separator: ", "))",
                    hint: "tell whoever runs the provider")
            } else {
                add(
                    "key-set", .ok,
                    "it has keys for \(what) under \(covered.joined(separator: ", "))")
            }
        }
    }
}

extension UnusableKeyReason {
    /// A key for another purpose is nobody's fault.
    fileprivate var outcome: Diagnosis.Outcome {
        switch self {
        case .typeUnknown, .curveUnknown, .useNotSignature, .operationsWithoutVerify,
            .algorithmMisfit:
            .ok
        case .privateMember, .symmetric:
            .problem
        default:
            .warning
        }
    }

    /// The reason in words.
    fileprivate var words: String {
        switch self {
        case .malformed: "not usable, as a member is missing or malformed"
        case .typeUnknown: "not used, as its type is none that is known here"
        case .symmetric: "a shared secret, which anybody can read here"
        case .privateMember: "its private half is published, so anybody can sign with it"
        case .curveUnknown: "not used, as its curve is none that is known here"
        case .useNotSignature: "not used, as it is not for signatures"
        case .operationsWithoutVerify: "not used, as it is not for verifying"
        case .algorithmMisfit: "not used, as its algorithm is none that is known for such a key"
        case .duplicateKeyID: "not usable, as another key has the same `kid`"
        case .modulusTooSmall: "weak, as its modulus has too few bits"
        case .modulusTooLarge: "not usable, as its modulus has too many bits"
        case .modulusFactored: "broken, as its modulus has a small factor"
        case .exponentUnsuitable: "not usable, as its exponent is even, below 3 or too long"
        case .rocaFingerprint: "broken, as it was made by the flawed generator of CVE-2017-15361"
        case .pointNotOnCurve: "broken, as its point does not lie on the curve"
        case .pointOfSmallOrder: "broken, as its point has a small order"
        }
    }
}
