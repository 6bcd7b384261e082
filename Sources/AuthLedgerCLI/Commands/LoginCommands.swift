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

/// Which provider and flow a login uses.
struct LoginOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A profile's name or file.", valueName: "name|file"))
    var provider: String

    @Option(
        help: ArgumentHelp(
            "code or pkce; by default the first flow of the profile.", valueName: "flow"))
    var flow: String?

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
}

struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Begin a login and print the URL to send the user to.",
        discussion: """
            Examples:
              authledger start --provider my-provider
              authledger start --provider ./local.yaml --flow code --json

            Finish it with `authledger callback`, in any process, once the user came back.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var login: LoginOptions

    func run() async throws {
        let profile = try ProfileLookup(global).profile(login.provider)
        let flow = try login.flow(of: profile)
        let log = try global.openLedger(.appending)
        let party = RelyingParty(log: log, capabilities: .live)
        let result = try await party.start(profile, flow: flow)
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

            The input is the callback URL, or its query alone; it is never an argument, as it \
            holds the code. Name the session that the user's own browser session holds: a \
            callback with another state then ends it. Without --session it is found by the \
            state, and it is recorded that nothing bound it. Exit status 1 when the login failed \
            or the callback was refused.
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
            "Write subject and claims to this file (mode 0600) once.", valueName: "file"))
    var claims: String?

    func run() async throws {
        let input = try CallbackFile.read(file)
        let log = try global.openLedger(.appending)
        let party = RelyingParty(log: log, capabilities: .live)
        let named = try session.map { try log.session(withPrefix: $0) }
        let outcome = try await party.receiveCallback(input, session: named)
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
              authledger login --provider my-provider --callback-file -

            Prints the URL for the user on standard error and waits for the callback on the \
            loopback address of the profile's redirect URI (or --listen). With --callback-file the \
            callback URL is read from a file or from standard input instead. \
            Exit status 1 when the login failed.
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
        let profile = try ProfileLookup(global).profile(login.provider)
        let flow = try login.flow(of: profile)
        let listener =
            try callbackFile == nil
            ? CallbackListener(redirectURI: profile.registration.redirectURI, address: listen)
            : nil
        let log = try global.openLedger(.appending)
        let party = RelyingParty(log: log, capabilities: .live)
        let report = LoginReport(global: global, claimsFile: claims)
        let started = try await party.start(profile, flow: flow)
        guard let url = started.authorizationURL else {
            return try report.print(.taken(started))
        }
        let opensBrowser = open
        let announce: @Sendable () async throws -> Void = {
            Notices.write("Open this address:\n\(url)")
            if opensBrowser { try Browser.open(url) }
        }
        let input: String
        if let listener {
            input = try await listener.receive(timeoutSeconds: timeout, announce: announce)
        } else {
            try await announce()
            input = try CallbackFile.read(callbackFile ?? "-")
        }
        // This process holds the session, so a callback with another state ends it.
        let outcome = try await party.receiveCallback(input, session: started.session)
        try report.print(outcome)
    }
}

/// A callback URL in a file.
enum CallbackFile {
    static func read(_ path: String) throws -> String {
        let file = path == "-" ? File.standardInput : try File(path, .reading)
        let bytes = try file.readAll(limit: 524_288)
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
                let file = try File(claimsFile, .writing(permissions: 0o600))
                try file.write(CanonicalJSON.encode(claims) + [UInt8(ascii: "\n")])
                try file.sync()
            }
            try global.output.print(result.object) { result.text }
            if result.phase != .verified { throw CommandEnd(status: .findings) }
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
