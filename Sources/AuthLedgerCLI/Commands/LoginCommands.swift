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

            Without a browser (ciba, headless) the request is sent at once, and `authledger poll` \
            asks for the answer, in any process. What the user needs then is printed: the message \
            that a caller has to read out, and for headless what opens the eID (`acrData`).
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
            result.authorizationURL
                ?? ([result.text] + result.linesForUser)
                .joined(separator: "\n")
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
              authledger login --provider my-idura --flow ciba --login-hint-file person.txt
              authledger login --provider kiosk --flow headless --end-user-ip-file ip.txt

            Prints the URL for the user on standard error and waits for the callback on the \
            loopback address of the profile's redirect URI (or --listen): a query, a form, or a \
            fragment, which a page posts back. With --callback-file the callback is read from a \
            file or from standard input instead, one a line where an account selector comes \
            first. Exit status 1 when the login failed.

            Without a browser it polls for the answer until the login is over, and shows what the \
            user is at; for headless also the QR code, renewed in place with every poll.
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

    @Option(help: ArgumentHelp("Wait so many seconds for the callback.", valueName: "seconds"))
    var timeout = 300

    @Option(
        help: ArgumentHelp(
            "Write subject and claims to this file (mode 0600) once.", valueName: "file"))
    var claims: String?

    func run() async throws {
        let profile = try login.profile(global)
        let flow = try login.flow(of: profile)
        let wishes = try login.wishes()
        guard flow.usesRedirect else {
            guard listen == nil, !open, callbackFile == nil else {
                throw CommandError(
                    .usage, "option-without-use",
                    "--listen, --open and --callback-file are for logins through a browser")
            }
            return try await poll(profile, flow, wishes)
        }
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

    /// Runs a login without a browser.
    private func poll(
        _ profile: ProviderProfile, _ flow: Flow, _ wishes: LoginWishes
    ) async throws {
        let log = try global.openLedger(.appending)
        let party = RelyingParty(log: log, capabilities: .live)
        let screen = WaitingScreen(global)
        let result = try await party.runBackchannel(profile, flow: flow, wishes) { result in
            screen.show(result)
        }
        screen.finish()
        try LoginReport(global: global, claimsFile: claims).print(.taken(result))
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
            if let claimsFile { try Self.writeClaims(result, to: claimsFile) }
            try global.output.print(result.object) { result.authorizationURL ?? result.text }
            let isOver = result.authorizationURL == nil && result.phase != .polling
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

extension LoginReport {
    /// Hands subject and claims of a login that succeeded over, in a file of their own.
    static func writeClaims(_ result: LoginResult, to path: String) throws {
        guard let claims = result.claims else { return }
        let file = try PrivateFile.open(path)
        try file.write(CanonicalJSON.encode(claims) + [UInt8(ascii: "\n")])
        try file.sync()
    }
}

extension LoginResult {
    /// The members of `login`, `start`, `callback` and `poll --json`.
    var object: JSONObject {
        var object: JSONObject = [
            "events": .integer(Int64(events)), "session": .string(session),
            "state": .string(phase.rawValue),
        ]
        object["reason"] = reason.map { .string($0.code) }
        object["authorizationURL"] = authorizationURL.map { .string($0) }
        object["acrData"] = acrData.map { .object($0) }
        object["bindingMessage"] = messageForUser.map { .string($0) }
        object["hint"] = hint.map { .string($0) }
        return object
    }

    /// What a user who is waited for has to be told or shown.
    var linesForUser: [String] {
        [
            messageForUser.map { "Read out to the user: \($0)" },
            acrData?["autoStartToken"]?.stringValue.map { "autostart token: \($0)" },
            acrData?["qrData"]?.stringValue.map { "QR code: \($0)" },
            hint.map { "The user is at: \($0)" },
        ].compactMap(\.self)
    }

    var text: String {
        "session \(session): \(phase.rawValue)" + (reason.map { " (\($0.code))" } ?? "")
    }
}
