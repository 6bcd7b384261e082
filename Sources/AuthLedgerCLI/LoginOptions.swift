// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import LedgerPrimitives
internal import Platform
internal import RelyingParty
internal import SessionEvents

/// Which provider and flow a login uses, and what the caller wants of it.
struct LoginOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A profile's name or file.", valueName: "name|file"))
    var provider: String

    @Option(
        help: ArgumentHelp(
            "The provider's environment, instead of the one that the profile names.",
            valueName: "name"))
    var environment: String?

    @Option(
        help: ArgumentHelp(
            "code, pkce, jarm, implicit, ciba or headless; by default the profile's first.",
            valueName: "flow"))
    var flow: String?

    @Option(
        help: ArgumentHelp(
            "A file with who is to log in (- for standard input); it is never an argument.",
            valueName: "file"))
    var loginHintFile: String?

    @Option(
        help: ArgumentHelp(
            "Authentication context classes to ask for, instead of the profile's.",
            valueName: "acr"))
    var acrValues: String?

    @Option(
        help: ArgumentHelp(
            "A file with your own name for the visitor, towards an account selector.",
            valueName: "file"))
    var visitorIDFile: String?

    @Option(
        help: ArgumentHelp(
            "A file with what the user is to permit, as JSON, where the provider keeps "
                + "permissions.", valueName: "file"))
    var permission: String?

    @Option(
        help: ArgumentHelp(
            "Without a browser: what the user sees on both devices.", valueName: "text"))
    var bindingMessage: String?

    @Option(
        help: ArgumentHelp(
            "Without a browser: a file with what the login is for in detail, as a JSON list.",
            valueName: "file"))
    var authorizationDetails: String?

    @Option(
        help: ArgumentHelp(
            "Without a browser: how long the request shall be good.", valueName: "seconds"))
    var requestedExpiry: Int?

    @Option(
        help: ArgumentHelp(
            "Headless: a file with the address of the user's device.", valueName: "file"))
    var endUserIPFile: String?

    @Option(
        help: ArgumentHelp(
            "Without a browser: a file with a token that names who is to log in.",
            valueName: "file"))
    var loginHintTokenFile: String?

    @Option(
        help: ArgumentHelp(
            "Without a browser: a file with an ID token of who is to log in.", valueName: "file"))
    var idTokenHintFile: String?

    func validate() throws {
        if let requestedExpiry, !(1...31_536_000).contains(requestedExpiry) {
            throw ValidationError("--requested-expiry takes a positive number of seconds")
        }
    }

    func profile(_ global: GlobalOptions) throws -> ProviderProfile {
        try ProfileLookup(global).profile(provider, environment: environment)
    }

    func flow(of profile: ProviderProfile) throws -> Flow {
        guard let flow else { return profile.flows.first ?? .pkce }
        guard let known = Flow(rawValue: flow), profile.flows.contains(known) else {
            let flows = profile.flows.map(\.rawValue).joined(separator: ", ")
            throw CommandError(
                .usage, "flow-unknown", "the profile does not have this flow",
                hint: "use one of \(flows)")
        }
        return known
    }

    /// What the caller wants, read from where the options say.
    func wishes() throws -> LoginWishes {
        var wishes = LoginWishes()
        wishes.loginHint = try loginHintFile.map { try Self.line($0, "login-hint") }
        wishes.acrValues = acrValues
        wishes.visitorID = try visitorIDFile.map { try Self.line($0, "visitor-id") }
        wishes.permission = try permission.map(Self.object)
        wishes.bindingMessage = bindingMessage
        wishes.authorizationDetails = try authorizationDetails.map(Self.list)
        wishes.requestedExpirySeconds = requestedExpiry
        wishes.endUserIP = try endUserIPFile.map { try Self.line($0, "end-user-ip") }
        wishes.loginHintToken = try loginHintTokenFile.map {
            try Self.line($0, "login-hint-token")
        }
        wishes.idTokenHint = try idTokenHintFile.map { try Self.line($0, "id-token-hint") }
        return wishes
    }

    /// The one line of a file.
    private static func line(_ path: String, _ what: String) throws -> String {
        let file = try InputFile.open(path)
        let bytes = try file.readAll(limit: 65_536)
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard let text = String(validating: line, as: UTF8.self), !text.isEmpty else {
            throw CommandError(
                .usage, "\(what)-malformed", "the file must hold one line of UTF-8 text")
        }
        return text
    }

    private static func object(_ path: String) throws -> JSONObject {
        let bytes = try File(path, .reading).readAll(limit: 65_536)
        guard let object = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue else {
            throw CommandError(
                .usage, "permission-malformed",
                "the permission must be an object of strict JSON with whole numbers only")
        }
        return object
    }

    private static func list(_ path: String) throws -> JSONValue {
        let bytes = try File(path, .reading).readAll(limit: 65_536)
        guard let value = try? JSONReader.read(bytes, numbers: .integersOnly),
            value.arrayValue != nil
        else {
            throw CommandError(
                .usage, "authorization-details-malformed",
                "the authorization details must be a list of strict JSON with whole numbers only")
        }
        return value
    }
}
