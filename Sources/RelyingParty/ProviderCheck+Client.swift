// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
public import EventLog
internal import HTTPMessages
internal import JOSE
public import LedgerPrimitives
internal import OpenIDConnect
internal import OpenSSL
internal import Platform

// What the client itself has: everything here lies on this machine.
extension ProviderCheck {
    mutating func lookAtClient() {
        lookAtSecret()
        let credentials = profile.credentials
        let method = profile.registration.authentication
        var certificateKey: PrivateKey?
        if let place = credentials.key {
            let key = lookAtKey(place, "key", signs: !method.usesCertificate)
            if method.usesCertificate {
                certificateKey = key
            } else {
                assertionAlgorithm = key.map { algorithm(place, $0).rawValue }
            }
        } else if method == .clientSecretJWT {
            assertionAlgorithm = "HS256"
        }
        lookAtCertificate(certificateKey)
        if let place = credentials.requestKey {
            let key = lookAtKey(place, "request-key", signs: true)
            requestAlgorithm = key.map { algorithm(place, $0).rawValue }
        }
        for place in credentials.decryptionKeys { lookAtDecryptionKey(place) }
        lookAtTrust()
    }

    // MARK: - Secret

    /// The fewest bytes of a secret under which an assertion can be signed (RFC 7518 §3.2).
    private static let assertionSecretBytesMin = 32

    private mutating func lookAtSecret() {
        let name = "secret"
        switch profile.credentials.secret {
        case nil:
            return
        case .environment(let variable):
            // A name that is none may be the secret itself.
            guard let value = ProcessControl.environment(variable) else {
                return add(
                    name, .problem, "the variable with the client's secret is not set",
                    hint: "set it for every process that runs logins")
            }
            lookAtForm(ofSecret: Array(value.utf8), "the variable")
        case .file(let path):
            var bytes: [UInt8]
            do {
                bytes = try File(path, .reading).readAll(limit: 65_536)
            } catch {
                return add(name, unreadable: path, error)
            }
            defer { cleanse(&bytes) }
            if isOpen(path) { return addOpen(name, path) }
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            lookAtForm(ofSecret: bytes, path)
        }
    }

    private mutating func lookAtForm(ofSecret bytes: [UInt8], _ place: String) {
        let name = "secret"
        guard !bytes.isEmpty else {
            return add(
                name, .problem, "\(place) is empty", hint: "put the client's secret into it")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            return add(name, .problem, "\(place) is not UTF-8", hint: "write it anew as text")
        }
        let isBroken = bytes.contains { $0 < 0x20 || $0 == 0x7F }
        if isBroken || bytes.first == 0x20 || bytes.last == 0x20 {
            return add(
                name, .warning,
                "\(place) has line ends, control characters or outer spaces that count as part of "
                    + "the secret", hint: "only one newline at the end of a file is left out")
        }
        if profile.registration.authentication == .clientSecretJWT,
            bytes.count < Self.assertionSecretBytesMin
        {
            return add(
                name, .warning, "\(place) is too short to sign assertions under HS256 with",
                hint: "ask for a secret of 32 bytes or more")
        }
        add(name, .ok, "\(place) holds one")
    }

    // MARK: - Keys

    /// Reads a key and says what is wrong with it.
    ///
    /// - Parameter signs: whether it signs tokens, so that its algorithm matters.
    private mutating func lookAtKey(
        _ place: KeyPlace, _ name: String, signs: Bool
    ) -> PrivateKey? {
        let key: PrivateKey
        do {
            key = try ClientMaterial.privateKey(place.file)
        } catch let error as ProfileError {
            add(
                name, .problem, error.description,
                hint: "it must be PKCS #8, or one of the older forms, and not encrypted")
            return nil
        } catch {
            add(name, unreadable: place.file, error)
            return nil
        }
        let kind = Self.words(for: key.publicKey.parameters)
        let algorithm = algorithm(place, key)
        if signs, !algorithm.fits(key.publicKey.parameters) {
            add(
                name, .problem, "\(place.file) is \(kind), and none for \(algorithm.rawValue)",
                hint: "correct `algorithm`, or leave it out")
            return key
        }
        if isOpen(place.file) {
            addOpen(name, place.file)
        } else if Self.isShort(key.publicKey.parameters) {
            add(
                name, .warning, "\(place.file) is \(kind): providers refuse it",
                hint: "make a new one of 2048 bits or more")
        } else {
            add(
                name, .ok, "\(place.file) is \(kind)" + (signs ? ", for \(algorithm.rawValue)" : "")
            )
        }
        return key
    }

    private mutating func lookAtDecryptionKey(_ place: KeyPlace) {
        let count = found.count
        guard let key = lookAtKey(place, "decryption-key", signs: false) else { return }
        if case .rsa = key.publicKey.parameters { return }
        found.removeSubrange(count...)
        let known = KeyManagementAlgorithm.allCases.map(\.rawValue).joined(separator: " and ")
        add(
            "decryption-key", .problem,
            "\(place.file) is \(Self.words(for: key.publicKey.parameters)), and only \(known) are "
                + "known here", hint: "use an RSA key")
    }

    private func algorithm(_ place: KeyPlace, _ key: PrivateKey) -> SignatureAlgorithm {
        place.algorithm ?? ClientMaterial.usualAlgorithm(of: key)
    }

    static func words(for key: PublicKeyParameters) -> String {
        switch key {
        case .rsa(let modulus, _): "an RSA key of \(bits(modulus)) bits"
        case .elliptic(.p256, _, _): "a P-256 key"
        case .elliptic(.p384, _, _): "a P-384 key"
        case .elliptic(.p521, _, _): "a P-521 key"
        case .ed25519: "an Ed25519 key"
        }
    }

    private static func isShort(_ key: PublicKeyParameters) -> Bool {
        guard case .rsa(let modulus, _) = key else { return false }
        return bits(modulus) < 2048
    }

    private static func bits(_ modulus: [UInt8]) -> Int {
        modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
    }

    // MARK: - Certificates

    private mutating func lookAtCertificate(_ key: PrivateKey?) {
        guard let file = profile.credentials.certificateFile else { return }
        let certificate = Result { try ClientMaterial.certificate(file) }
        if let key, case .success(let certificate) = certificate, !certificate.matches(key) {
            return add(
                "certificate", .problem, "\(file) is not for the key in `privateKeyFile`",
                hint: "put the certificate and the key of one request together")
        }
        if let diagnosis = Self.certificate(of: profile, at: capabilities.now()) {
            found.append(diagnosis)
        }
    }

    /// How the client's certificate stands at an instant; nil when the profile has none.
    ///
    /// - Parameters:
    ///   - name: the profile's name among others, which then stands in the diagnosis' name.
    ///   - unreadable: what it means when it cannot be read: nothing works then, but a profile may
    ///     be one that is not in use yet.
    public static func certificate(
        of profile: ProviderProfile, knownAs name: String? = nil, at instant: Instant,
        unreadable: Diagnosis.Outcome = .problem
    ) -> Diagnosis? {
        guard let file = profile.credentials.certificateFile else { return nil }
        let title = name.map { "certificate \($0)" } ?? "certificate"
        let hint = "authledger providers csr \(name ?? profile.name)"
        do {
            let validity = CertificateValidity(try ClientMaterial.certificate(file), at: instant)
            return Diagnosis(
                title, validity.outcome, "\(file) \(validity.words)",
                hint: validity.outcome == .ok
                    ? nil : validity.isToCome ? CertificateValidity.waitingHint : hint)
        } catch {
            let words = (error as? ProfileError)?.description ?? "\(error)"
            return Diagnosis(title, unreadable, words, hint: hint)
        }
    }

    private mutating func lookAtTrust() {
        guard let file = profile.transport.trustedCAFile else { return }
        let name = "trusted-ca"
        do {
            let validity = CertificateValidity(
                try ClientMaterial.certificate(file), at: capabilities.now())
            add(
                name, validity.outcome, "\(file) \(validity.words)",
                hint: validity.outcome == .ok
                    ? nil : "ask whoever runs the provider for the newer one")
        } catch let error as ProfileError {
            add(name, .problem, error.description, hint: "correct `trustedCAFile`")
        } catch {
            add(name, unreadable: file, error)
        }
    }

    // MARK: - Redirect URI

    /// Where a user comes back to tells which provider, and which key, an answer is looked at with
    /// (RFC 9700 §4.4.2). What two providers share, one of them can misuse.
    mutating func lookAtRedirectURI(among others: [ProviderProfile]) {
        let name = "redirect-uri"
        let own = profile.registration.redirectURI
        let sharing = others.filter { other in
            other.registration.redirectURI.isIdentical(to: own) && !isSameProvider(other)
        }
        let isLocal = EndpointURL.isLoopback(url: own)
        guard sharing.isEmpty else {
            let names = sharing.map(\.name).joined(separator: ", ")
            return add(
                name, isLocal ? .warning : .problem, "it is also the one of \(names)",
                hint: "register one of its own with each provider")
        }
        guard isLocal || !own.utf8.starts(with: "http://".utf8) else {
            return add(
                name, .warning, "answers come back over plain http", hint: "use an https URI")
        }
        add(
            name, .ok,
            others.isEmpty ? "no other profile is known" : "no other profile has the same")
    }

    private func isSameProvider(_ other: ProviderProfile) -> Bool {
        guard profile.accountSelector == nil, other.accountSelector == nil,
            let issuer = profile.issuer, let otherIssuer = other.issuer
        else { return profile.accountSelector == other.accountSelector }
        return issuer.isIdentical(to: otherIssuer)
    }

    // MARK: - Files

    private func isOpen(_ path: String) -> Bool {
        ((try? Directory.permissions(of: path)) ?? 0) & 0o077 != 0
    }

    private mutating func addOpen(_ name: String, _ path: String) {
        add(name, .warning, "\(path) can be read by others", hint: "chmod 600 \(path)")
    }

    private mutating func add(_ name: String, unreadable path: String, _ error: any Error) {
        let words = (error as? SystemError)?.description ?? "\(path) cannot be read"
        add(name, .problem, words, hint: "check the path, and who may read it")
    }
}

/// Whether a certificate is good at an instant, in words.
struct CertificateValidity {
    let outcome: Diagnosis.Outcome
    /// What completes "the certificate …".
    let words: String
    /// Whether its time has not come yet.
    let isToCome: Bool

    static let waitingHint = "see whether this machine's clock is right, or wait"

    /// An end that is nearer than this is said beforehand, in days.
    private static let noticeDays: Int64 = 30
    private static let daySeconds: Int64 = 86_400

    init(_ certificate: Certificate, at instant: Instant) {
        let now = instant.secondsSince1970
        let (start, end) = (Self.date(certificate.notBefore), Self.date(certificate.notAfter))
        isToCome = now < certificate.notBefore
        // Counted as the date that is shown beside it is: from day to day, not in whole 24 hours.
        let days = certificate.notAfter / Self.daySeconds - now / Self.daySeconds
        if isToCome {
            outcome = .problem
            words = "is valid only from \(start) on"
        } else if now > certificate.notAfter {
            outcome = .problem
            words = "expired on \(end)"
        } else if days < Self.noticeDays {
            outcome = .warning
            let left = days == 0 ? "today" : "in \(days) day\(days == 1 ? "" : "s")"
            words = "expires on \(end), \(left)"
        } else {
            outcome = .ok
            words = "is valid until \(end)"
        }
    }

    private static func date(_ secondsSince1970: Int64) -> String {
        let latest: Int64 = 253_402_300_799
        let seconds = max(0, min(secondsSince1970, latest))
        return String(Instant(millisecondsSince1970: seconds * 1000).rfc3339.prefix(10))
    }
}
