// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import LedgerPrimitives
internal import OpenIDConnect
internal import OpenSSL
internal import Platform
internal import RelyingParty

struct ProvidersCSRCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "csr",
        abstract: "Make a key and a certificate request for mutual TLS.",
        discussion: """
            Examples:
              authledger providers csr my-bank
              authledger providers csr my-bank --subject O=Shop --subject CN=rp
              authledger providers csr my-bank --self-signed --days 90

            The key goes where the profile's `clientAuthentication` says, the request beside the \
            certificate; without a certificate in the profile, both beside the profile as \
            NAME-tls.key and NAME-tls.csr. The key can be read by its owner alone. Nothing that \
            is there is ever written over. A provider with self_signed_tls_client_auth takes a \
            certificate that is signed by its own key: --self-signed.
            """)

    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case rsa
        case ec
    }

    @OptionGroup var global: GlobalOptions

    @Option(
        help: ArgumentHelp(
            "The environment, instead of the one that the profile names.", valueName: "name"))
    var environment: String?

    @Option(help: ArgumentHelp("Where the request or the certificate goes.", valueName: "file"))
    var out: String?

    @Option(help: ArgumentHelp("Where the key goes.", valueName: "file"))
    var key: String?

    @Flag(help: "Take the key that is there already, as for a certificate that ends soon.")
    var existingKey = false

    @Option(
        help: ArgumentHelp(
            "A part of the subject's name, such as O=Example; give one for each part.",
            valueName: "name=value"))
    var subject: [String] = []

    @Option(
        help: ArgumentHelp(
            "The subject's common name and nothing else; by default the client's id.",
            valueName: "name"))
    var commonName: String?

    @Option(help: ArgumentHelp("A host that the certificate is for.", valueName: "name"))
    var dns: [String] = []

    @Option(
        help: ArgumentHelp("The kind of key: rsa (3072 bits) or ec (P-256).", valueName: "kind"))
    var kind = Kind.rsa

    @Flag(help: "Make a certificate that is signed by its own key.")
    var selfSigned = false

    @Option(help: ArgumentHelp("How long such a certificate is valid.", valueName: "days"))
    var days: Int?

    @Argument(help: ArgumentHelp("A profile's name or file.", valueName: "name|file"))
    var name: String

    func validate() throws {
        if commonName != nil, !subject.isEmpty {
            throw ValidationError("--common-name stands for the whole subject")
        }
        if days != nil, !selfSigned {
            throw ValidationError("--days is for --self-signed: others choose it themselves")
        }
        if let days, !(1...3650).contains(days) {
            throw ValidationError("--days must be a number from 1 to 3650")
        }
    }

    func run() throws {
        let file = try Path.absolute(ProfileLookup(global).file(of: name))
        let profile = try ProfileFile.read(file, environment: environment)
        let places = try Places(self, profile, file: file)
        for path in [existingKey ? nil : places.key, places.output].compactMap(\.self)
        where Directory.exists(path) {
            throw Self.taken(path)
        }
        let subject = try subjectParts(profile)
        let privateKey = try makeKey(places)
        let made = try make(subject, privateKey)
        if !existingKey {
            var pem = try privateKey.pem()
            defer { cleanse(&pem) }
            try Self.write(pem, to: places.key, permissions: 0o600)
        }
        try Self.write(made.pem, to: places.output, permissions: 0o644)
        try report(made, places, profile)
    }

    // MARK: - Subject

    private func subjectParts(
        _ profile: ProviderProfile
    ) throws -> [(name: String, value: String)] {
        guard subject.isEmpty else {
            return try subject.map { part in
                let parts = part.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                    throw CommandError(
                        .usage, "subject-invalid", "a part of a subject is written NAME=VALUE",
                        hint: "--subject O=Example --subject CN=client")
                }
                return (String(parts[0]), String(parts[1]))
            }
        }
        let name = commonName ?? profile.registration.clientID
        guard !name.isEmpty, name.unicodeScalars.count <= 64 else {
            throw CommandError(
                .usage, "subject-invalid", "a common name has 1 to 64 characters",
                hint: "choose one with --common-name")
        }
        return [("CN", name)]
    }

    // MARK: - Making

    /// What was made: a request or a certificate.
    private struct Made {
        let pem: [UInt8]
        /// The subject as RFC 4514 writes it.
        let subject: String
        /// `x5t#S256` of a certificate.
        let thumbprint: String?
    }

    private func makeKey(_ places: Places) throws -> PrivateKey {
        guard existingKey else {
            return try PrivateKey(
                generating: kind == .rsa ? .rsa(bits: 3072) : .elliptic(.p256))
        }
        var bytes = try File(places.key, .reading).readAll(limit: PrivateKey.pemBytesMax)
        defer { cleanse(&bytes) }
        do {
            return try PrivateKey(pem: bytes)
        } catch {
            throw CommandError(
                .usage, "key-malformed",
                "\(places.key) is not a private key in PEM without a passphrase")
        }
    }

    private func make(
        _ subject: [(name: String, value: String)], _ key: PrivateKey
    ) throws -> Made {
        do {
            guard selfSigned else {
                return Made(
                    pem: try CertificateRequest.make(key: key, subject: subject, dnsNames: dns),
                    subject: DistinguishedName.text(subject), thumbprint: nil)
            }
            guard subject.count == 1, subject[0].name == "CN" else {
                throw CommandError(
                    .usage, "subject-invalid",
                    "a certificate that is signed by its own key has a common name and no more",
                    hint: "name it with --common-name")
            }
            let certificate = try selfSigned(key, commonName: subject[0].value)
            return Made(
                pem: try certificate.pem(), subject: certificate.subject,
                thumbprint: Base64URL.encode(certificate.thumbprintSHA256))
        } catch let error as OpenSSLError {
            throw CommandError(
                .usage, "subject-invalid", "this cannot stand in a certificate: \(error)",
                hint: "see the names of parts, such as C, O, OU, CN and serialNumber, and of hosts")
        }
    }

    /// A clock of the provider's that is a little behind must not make it one of the future.
    private static let startsBeforeSeconds: Int64 = 300

    private func selfSigned(_ key: PrivateKey, commonName: String) throws -> Certificate {
        let now = Instant.present.secondsSince1970
        var serial = randomBytes(16)
        serial[0] = serial[0] & 0x3F | 0x40
        return try Certificate.selfSigned(
            key: key, subjectCommonName: commonName, notBefore: now - Self.startsBeforeSeconds,
            notAfter: now + Int64(days ?? 365) * 86_400, serial: serial, dnsNames: dns)
    }

    // MARK: - Files

    /// Where everything goes.
    private struct Places {
        let key: String
        /// Where the profile looks for the certificate, or would.
        let certificate: String
        /// What is made.
        let output: String

        init(_ command: ProvidersCSRCommand, _ profile: ProviderProfile, file: String) throws {
            let beside = Path.parent(of: file) + "/\(profile.name)-tls"
            let credentials = profile.credentials
            // With another method the key of the profile is one that signs assertions.
            let own = profile.registration.authentication.usesCertificate ? credentials.key : nil
            key = try command.key.map(Path.absolute) ?? own?.file ?? beside + ".key"
            certificate = credentials.certificateFile ?? beside + ".crt"
            output =
                try command.out.map(Path.absolute)
                ?? (command.selfSigned ? certificate : Self.request(for: certificate))
        }

        private static func request(for certificate: String) -> String {
            for ending in [".crt", ".cer", ".pem"] where certificate.hasSuffix(ending) {
                return certificate.dropLast(ending.count) + ".csr"
            }
            return certificate + ".csr"
        }
    }

    private static func write(_ bytes: [UInt8], to path: String, permissions: UInt32) throws {
        do {
            try DurableFile.create(bytes, at: path, permissions: permissions)
        } catch  where error.isAlreadyThere {
            throw taken(path)
        }
    }

    private static func taken(_ path: String) -> CommandError {
        CommandError(
            .usage, "file-exists", "\(path) is there already, and stays as it is",
            hint: "choose others with --key and --out; --existing-key takes the key that is there")
    }

    // MARK: - Report

    private func report(_ made: Made, _ places: Places, _ profile: ProviderProfile) throws {
        let kind = selfSigned ? "certificate" : "request"
        var result: JSONObject = [
            "key": .string(places.key), kind: .string(places.output),
            "subject": .string(made.subject),
        ]
        result["thumbprint"] = made.thumbprint.map { .string($0) }
        try global.output.print(result) {
            var lines = ["key         \(places.key)", "\(kind.padded)\(places.output)"]
            lines.append("subject     \(made.subject)")
            if let thumbprint = made.thumbprint { lines.append("x5t#S256    \(thumbprint)") }
            let steps = nextSteps(places, profile).enumerated().map { "\($0 + 1). \($1)" }
            return (lines + ["", "What to do next:"] + steps).map(TerminalText.escaped)
                .joined(separator: "\n")
        }
    }

    private func nextSteps(_ places: Places, _ profile: ProviderProfile) -> [String] {
        var steps: [String] = []
        if selfSigned {
            steps.append("Register \(places.output) for the client at the provider.")
        } else {
            steps.append("Send \(places.output) to whoever signs certificates for this provider.")
            steps.append("Put the certificate that comes back into \(places.certificate).")
        }
        let method = profile.registration.authentication
        if !method.usesCertificate || selfSigned != (method == .selfSignedTLSClientAuth) {
            let wanted: ClientRegistration.AuthenticationMethod =
                selfSigned ? .selfSignedTLSClientAuth : .tlsClientAuth
            steps.append(
                "In the profile: clientAuthentication: { method: \(wanted.rawValue), "
                    + "privateKeyFile: \(places.key), certificateFile: "
                    + "\(selfSigned ? places.output : places.certificate) }")
        }
        steps.append("authledger providers check \(name)")
        return steps
    }
}

extension String {
    /// The text with spaces to the width of the first column.
    fileprivate var padded: String {
        self + String(repeating: " ", count: max(1, 12 - utf8.count))
    }
}

/// Names of subjects as text (RFC 4514): the last part first, in ASCII.
enum DistinguishedName {
    static func text(_ parts: [(name: String, value: String)]) -> String {
        parts.reversed().map { "\($0.name)=\(escaped($0.value))" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        let bytes = Array(value.utf8)
        return bytes.enumerated().map { index, byte in
            let isOuterSpace = byte == 0x20 && (index == 0 || index == bytes.count - 1)
            let isFirstMark = byte == UInt8(ascii: "#") && index == 0
            if ",+\"\\<>;".utf8.contains(byte) || isOuterSpace || isFirstMark {
                return "\\" + String(UnicodeScalar(byte))
            }
            guard byte >= 0x20, byte < 0x7F else {
                let digits = String(byte, radix: 16, uppercase: true)
                return "\\" + (byte < 16 ? "0" : "") + digits
            }
            return String(UnicodeScalar(byte))
        }.joined()
    }
}
