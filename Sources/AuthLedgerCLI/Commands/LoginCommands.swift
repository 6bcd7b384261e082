// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import OpenIDConnect
internal import Platform
internal import RelyingParty
internal import SessionEvents
internal import Sessions

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
            "code, pkce, jarm or implicit; by default the first flow of the profile.",
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
}

struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Begin a login and print the URL to send the user to.",
        discussion: """
            Examples:
              authledger start --provider my-provider
              authledger start --provider ./local.yaml --flow code --json
              authledger start --provider my-bank --flow jarm
              authledger start --provider my-bankid --login-hint-file person.txt

            Finish it with `authledger callback`, in any process, once the user came back. With an \
            account selector the first callback brings the URL of the chosen provider, and a \
            second one finishes the login. A login hint with a person's number goes to the \
            provider beforehand (PAR), never into the URL.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var login: LoginOptions

    func run() async throws {
        let profile = try login.profile(global)
        let flow = try login.flow(of: profile)
        let wishes = try login.wishes()
        let log = try global.openLedger(.appending)
        let party = RelyingParty(log: log, capabilities: .live)
        let result = try await party.start(profile, flow: flow, wishes)
        try global.output.print(result.object) {
            result.authorizationURL ?? result.text
        }
        if let url = result.authorizationURL, !url.isEmpty, !global.json {
            global.notices.say("session \(result.session)")
        }
        if result.phase == .failed { throw CommandEnd(status: .findings) }
    }
}

struct CallbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "callback",
        abstract: "Take what came back through the browser and finish the login.",
        discussion: """
            Examples:
              pbpaste | authledger callback - --session 0198b0f2
              authledger callback callback.txt --json
              authledger callback - --provider my-bank < form.txt

            The input is the callback URL, with query or fragment, or a form, or the query alone; \
            it is never an argument, as it holds the code. Name the session that the user's own \
            browser session holds: a callback with another state then ends it. Without --session \
            it is found by the state, and it is recorded that nothing bound it; in an encrypted \
            response the state can only be seen with the keys of --provider. After an account \
            selector the URL of the chosen provider is printed and the login goes on. Exit status \
            1 when the login failed or the callback was refused.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("A file; - or nothing for standard input.", valueName: "file"))
    var file = "-"

    @Option(
        help: ArgumentHelp(
            "The session that the user's browser session holds; any unambiguous prefix.",
            valueName: "session"))
    var session: String?

    @Option(
        help: ArgumentHelp(
            "The profile whose redirect URI the callback came to.", valueName: "name|file"))
    var provider: String?

    @Option(
        help: ArgumentHelp(
            "Write subject and claims to this file (mode 0600) once.", valueName: "file"))
    var claims: String?

    func run() async throws {
        let input = try CallbackFile.read(file)
        let profile = try provider.map { try ProfileLookup(global).profile($0) }
        let log = try global.openLedger(.appending)
        let party = RelyingParty(log: log, capabilities: .live)
        let named = try session.map { try log.session(withPrefix: $0) }
        let outcome = try await party.receiveCallback(input, session: named, profile: profile)
        try LoginReport(global: global, claimsFile: claims).print(outcome)
    }
}

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Run a login from start to end.",
        discussion: """
            Examples:
              authledger login --provider my-provider
              authledger login --provider ./local.yaml --open
              authledger login --provider my-bank --flow jarm
              authledger login --provider my-provider --callback-file -

            Prints the URL for the user on standard error and waits for the callback on the \
            loopback address of the profile's redirect URI (or --listen): a query, a form, or a \
            fragment, which a page posts back. With --callback-file the callback is read from a \
            file or from standard input instead, one a line where an account selector comes \
            first. Exit status 1 when the login failed.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var login: LoginOptions

    @Option(
        help: ArgumentHelp(
            "Wait for the callback there instead of at the redirect URI's address; loopback only.",
            valueName: "host:port"))
    var listen: String?

    @Flag(help: "Open the URL in a browser.")
    var open = false

    @Option(
        help: ArgumentHelp(
            "Read the callback URL from a file, or - for standard input, instead of listening.",
            valueName: "file"))
    var callbackFile: String?

    @Option(help: ArgumentHelp("Wait so many seconds for the user.", valueName: "seconds"))
    var timeout = 300

    @Option(
        help: ArgumentHelp(
            "Write subject and claims to this file (mode 0600) once.", valueName: "file"))
    var claims: String?

    func run() async throws {
        let profile = try login.profile(global)
        let flow = try login.flow(of: profile)
        let wishes = try login.wishes()
        let listener =
            try callbackFile == nil
            ? CallbackListener(redirectURI: profile.registration.redirectURI, address: listen)
            : nil
        let log = try global.openLedger(.appending)
        let party = RelyingParty(log: log, capabilities: .live)
        let report = LoginReport(global: global, claimsFile: claims)
        let started = try await party.start(profile, flow: flow, wishes)
        guard let url = started.authorizationURL else {
            return try report.print(.taken(started))
        }
        // This process holds the session, so a callback with another state ends it.
        let take: @Sendable (String) async throws -> CallbackResult = { input in
            try await party.receiveCallback(input, session: started.session, profile: profile)
        }
        let outcome =
            if let listener {
                try await wait(at: listener, url, take)
            } else {
                try await read(
                    from: callbackFile ?? "-", isOne: profile.accountSelector == nil, url, take)
            }
        try report.print(outcome)
    }

    /// Waits for callbacks until the login is over.
    private func wait(
        at listener: CallbackListener, _ url: String,
        _ take: @escaping @Sendable (String) async throws -> CallbackResult
    ) async throws -> CallbackResult {
        let opensBrowser = open
        return try await listener.serve(timeoutSeconds: timeout) {
            Self.announce(url, opensBrowser)
        } taking: { input in
            let outcome = try await take(input)
            // The browser is there already and goes on by itself.
            if case .taken(let result) = outcome, let next = result.authorizationURL {
                return .goOn(next)
            }
            return .done(outcome)
        }
    }

    /// Takes callbacks from a file until the login is over: one, or one a line.
    private func read(
        from path: String, isOne: Bool, _ url: String,
        _ take: @Sendable (String) async throws -> CallbackResult
    ) async throws -> CallbackResult {
        Self.announce(url, open)
        if isOne { return try await take(try CallbackFile.read(path)) }
        let file = try InputFile.open(path)
        var lines = LineReader(file, lineBytesMax: CallbackFile.bytesMax) { _ in }
        while true {
            let outcome = try await take(try CallbackFile.next(&lines))
            guard case .taken(let result) = outcome, let next = result.authorizationURL else {
                return outcome
            }
            Self.announce(next, open)
        }
    }

    private static func announce(_ url: String, _ opensBrowser: Bool) {
        Notices.write("Open this address:\n\(url)")
        if opensBrowser { Browser.open(url) }
    }
}

/// A callback URL in a file.
enum CallbackFile {
    /// The most bytes of one.
    static let bytesMax = 524_288

    static func read(_ path: String) throws -> String {
        let file = try InputFile.open(path)
        return try text(file.readAll(limit: bytesMax))
    }

    /// The callback on the next line.
    static func next(_ lines: inout LineReader) throws -> String {
        switch try lines.next() {
        case .whole(let bytes): return try text(bytes)
        case .tooLong:
            throw CommandError(.usage, "callback-malformed", "the callback is too long")
        case nil: return try text([])
        }
    }

    private static func text(_ bytes: [UInt8]) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandError(.usage, "callback-malformed", "the callback is not UTF-8")
        }
        let trimmed = text.filter { $0 != "\n" && $0 != "\r" && $0 != "\r\n" }
        guard !trimmed.isEmpty else {
            throw CommandError(
                .usage, "callback-missing", "there is no callback in the input",
                hint: "pipe the URL that the browser was sent to")
        }
        return trimmed
    }
}

/// Tells how a login went.
struct LoginReport {
    let global: GlobalOptions
    let claimsFile: String?

    func print(_ outcome: CallbackResult) throws {
        switch outcome {
        case .taken(let result):
            if let claimsFile, let claims = result.claims {
                let file = try PrivateFile.open(claimsFile)
                try file.write(CanonicalJSON.encode(claims) + [UInt8(ascii: "\n")])
                try file.sync()
            }
            try global.output.print(result.object) { result.authorizationURL ?? result.text }
            let isOver = result.authorizationURL == nil
            if isOver, result.phase != .verified { throw CommandEnd(status: .findings) }
        case .refused(let reason, let session):
            var object: JSONObject = [
                "reason": .string(reason.code), "refused": .bool(true),
            ]
            object["session"] = session.map { .string($0) }
            try global.output.print(object) { "The callback was refused: \(reason.code)" }
            throw CommandEnd(status: .findings)
        }
    }
}

extension LoginResult {
    /// The members of `login`, `start` and `callback --json`.
    var object: JSONObject {
        var object: JSONObject = [
            "events": .integer(Int64(events)), "session": .string(session),
            "state": .string(phase.rawValue),
        ]
        object["reason"] = reason.map { .string($0.code) }
        object["authorizationURL"] = authorizationURL.map { .string($0) }
        return object
    }

    var text: String {
        "session \(session): \(phase.rawValue)" + (reason.map { " (\($0.code))" } ?? "")
    }
}
