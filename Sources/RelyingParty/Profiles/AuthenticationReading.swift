// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import OpenIDConnect

/// `clientAuthentication` of a profile: one method, and what it needs.
struct AuthenticationReading {
    let method: ClientRegistration.AuthenticationMethod
    var credentials = ClientCredentials()
    var rules = ClientAuthenticationRules()

    init(_ reader: inout ProfileReader) throws(ProfileError) {
        let named = try reader.word("method", ClientRegistration.AuthenticationMethod.self)
        guard let named else {
            throw ProfileError("`clientAuthentication.method` is missing from the profile")
        }
        method = named
        let file = try reader.path("secretFile")
        let variable = try reader.optional("secretEnvironment")
        let keyFile = try reader.path("privateKeyFile")
        let keyID = try reader.optional("keyID")
        let algorithm = try reader.word("algorithm", SignatureAlgorithm.self)
        let certificateFile = try reader.path("certificateFile")
        rules.isBasicFormEncoded = try reader.flag("formEncoded") ?? true
        rules.sendsClientID = try reader.flag("clientIDInBody")
        rules.audience = try reader.word("audience") ?? .issuer
        rules.assertionLifetimeSeconds =
            try reader.number("assertionLifetimeSeconds", 10...300)
            ?? rules.assertionLifetimeSeconds
        // A misspelled member is said first: what it was meant to be would be missed otherwise.
        try reader.finish()
        try takeSecret(file: file, variable: variable)
        try takeKey(file: keyFile, keyID: keyID, algorithm: algorithm, certificateFile)
    }

    private mutating func takeSecret(
        file: String?, variable: String?
    ) throws(ProfileError) {
        guard method.usesSecret else {
            guard file == nil, variable == nil else {
                throw ProfileError(
                    "`clientAuthentication` must have no secret with the method "
                        + method.rawValue)
            }
            return
        }
        guard (file == nil) != (variable == nil) else {
            throw ProfileError(
                "`clientAuthentication` must have either `secretFile` or `secretEnvironment`")
        }
        credentials.secret = file.map { .file($0) } ?? variable.map { .environment($0) }
    }

    private mutating func takeKey(
        file: String?, keyID: String?, algorithm: SignatureAlgorithm?, _ certificateFile: String?
    ) throws(ProfileError) {
        let needsKey = method == .privateKeyJWT || method.usesCertificate
        guard needsKey == (file != nil) else {
            throw ProfileError(
                needsKey
                    ? "`clientAuthentication` must have `privateKeyFile`"
                    : "`clientAuthentication` must have no key with the method \(method.rawValue)")
        }
        guard method.usesCertificate == (certificateFile != nil) else {
            throw ProfileError(
                method.usesCertificate
                    ? "`clientAuthentication` must have `certificateFile`"
                    : "`clientAuthentication` must have no certificate with the method "
                        + method.rawValue)
        }
        credentials.key = file.map { KeyPlace(file: $0, keyID: keyID, algorithm: algorithm) }
        credentials.certificateFile = certificateFile
    }
}
