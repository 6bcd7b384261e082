// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProviderSimulator
import Testing

/// Logins without a browser by the program at a simulated provider.
@Suite("A login without a browser", .serialized, .inTurn)
struct BackchannelCommandTests {
    private static let patient = BackchannelScript(ending: .neverAnswers)

    @Test("begins with `start`, and each `poll` asks once, until the user has answered")
    func oneByOne() async throws {
        try await BackchannelSite.run(BackchannelScript(pendingPolls: 1)) { site in
            let started = try await site.start("ciba")
            #expect(started.state == "polling")
            #expect(started.events == 2)
            #expect(started.authorizationURL == nil && started.acrData == nil)
            #expect(started.bindingMessage == nil && started.hint == nil)
            let poll = ["poll", started.session, "--json"]
            let waiting = try await site.workspace.start(poll).end()
            #expect(waiting.status == 0, "\(waiting)")
            #expect(waiting.errors.isEmpty, "\(waiting)")
            let report: LoginReport = try waiting.json()
            #expect(report.state == "polling")
            #expect(report.hint == "awaiting first user interaction")
            #expect(report.events == 3)

            let claims = try site.workspace.write("", "claims.json")
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644], ofItemAtPath: claims)
            let over = try await site.workspace.start(poll + ["--claims", claims]).end()
            #expect(over.status == 0, "\(over)")
            let verified: LoginReport = try over.json()
            #expect(verified.state == "verified" && verified.hint == nil)
            #expect(verified.events == 5)
            let attributes = try FileManager.default.attributesOfItem(atPath: claims)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try site.workspace.read(claims).contains(BackchannelSite.personNumber))
            #expect(!over.stdout.contains(BackchannelSite.personNumber))

            // It is over: nobody is asked any more.
            let asked = site.server.provider.polls.count
            let text = try await site.workspace.succeed("poll", started.session, "--watch")
            #expect(text.stdout == "session \(started.session): verified\n")
            #expect(site.server.provider.polls.count == asked)
            #expect(site.server.provider.polls.early == 0)
        }
    }

    @Test("tells what the caller has to show or to say, and nothing of it on standard error")
    func forTheUser() async throws {
        try await BackchannelSite.run(BackchannelScript(pendingPolls: 1)) { site in
            site.allowHaste()
            let headless = try await site.start("headless")
            #expect(headless.state == "polling")
            #expect(headless.acrData?["qrData"]?.hasPrefix("bankid.") == true)
            #expect(headless.acrData?["autoStartToken"]?.count == 36)
            let polled = try await site.workspace.succeed("poll", headless.session)
            #expect(polled.stdout.contains("QR code: bankid."))
            #expect(polled.stdout.contains("The user is at: outstandingTransaction\n"))
            #expect(polled.errors.isEmpty)

            let details = try site.workspace.write(
                #"[{"type":"customerServiceCall.v1"}]"#, "details.json")
            let call = try await site.start("ciba", "--authorization-details", details)
            #expect(call.bindingMessage == "Frekk Julekos" && call.acrData == nil)
            let text = try await site.workspace.start(
                ["start", "--authorization-details", details] + site.arguments("ciba")
            ).end()
            #expect(text.stdout.hasSuffix(": polling\nRead out to the user: Frekk Julekos\n"))
            #expect(text.errors.isEmpty)
        }
    }

    @Test("runs to its end with `login`, and with `poll --watch`", arguments: [true, false])
    func watched(isLogin: Bool) async throws {
        let script = BackchannelScript(ending: .declines)
        try await BackchannelSite.run(script) { site in
            let command =
                isLogin
                ? ["login"] + site.arguments("ciba")
                : ["poll", "--watch", try await site.start("ciba").session]
            let outcome = try await site.workspace.start(command + ["--json"]).end()
            #expect(outcome.status == 1)
            let report: LoginReport = try outcome.json()
            #expect(report.state == "failed" && report.reason == "user-cancelled")
            #expect(report.events == 6)
            let lines = outcome.stderr.split(separator: "\n")
            #expect(lines.contains("The user is at: awaiting first user interaction"))
            #expect(lines.contains("The user is at: awaiting user identification"))
            #expect(site.server.provider.polls.count == 3)
            #expect(site.server.provider.polls.early == 0)
        }
    }

    @Test("ends when its time has passed")
    func late() async throws {
        try await BackchannelSite.run(Self.patient) { site in
            let outcome = try await site.workspace.start(
                ["login", "--requested-expiry", "2", "--quiet", "--json"] + site.arguments("ciba")
            ).end()
            #expect(outcome.status == 1)
            #expect(try outcome.json(LoginReport.self).reason == "poll-timeout")
            #expect(outcome.errors.isEmpty)
        }
    }

    @Test("is polled for with all others by `poll --all`, once or until each is over")
    func all() async throws {
        try await BackchannelSite.run(
            BackchannelScript(pendingPolls: 0), BackchannelScript(pendingPolls: 1),
            BackchannelScript(pendingPolls: 2, ending: .declines)
        ) { site in
            let none = try await site.workspace.succeed("poll", "--all")
            #expect(none.stdout.isEmpty)
            var sessions: [String] = []
            for _ in 0..<3 { sessions.append(try await site.start("ciba").session) }
            let once = try await site.workspace.succeed("poll", "--all")
            #expect(
                Set(once.lines) == [
                    "session \(sessions[0]): verified", "session \(sessions[1]): polling",
                    "session \(sessions[2]): polling",
                ])
            #expect(once.stderr == "1 verified, 0 failed, 2 still waiting\n")
            let watched = try await site.workspace.run("poll", "--all", "--watch", "--json")
            #expect(watched.status == 1)
            let answers: [LoginReport] = try watched.jsonLines()
            let states = sessions.map { session in
                answers.filter { $0.session == session }.map(\.state)
            }
            #expect(states == [[], ["verified"], ["polling", "failed"]])
            #expect(watched.errors.isEmpty)
            let again = try await site.workspace.succeed("poll", "--all", "--watch")
            #expect(again.stdout.isEmpty)
            #expect(site.server.provider.polls.early == 0)
        }
    }

    @Test("that begins while `poll --all --follow` runs is taken up")
    func follow() async throws {
        try await BackchannelSite.run(BackchannelScript(pendingPolls: 0)) { site in
            let follower = try site.workspace.startUnmasked(["poll", "--all", "--follow", "--json"])
            for _ in 0..<2 {
                let session = try await site.start("ciba").session
                let line = #""session":"\#(session)","state":"verified""#
                _ = try await follower.output { $0.contains(line) }
            }
            #expect(follower.isRunning)
            follower.interrupt()
            #expect(try await follower.end().status == 130)
        }
    }

    @Test("is polled for by one process at a time")
    func held() async throws {
        try await BackchannelSite.run(Self.patient) { site in
            let session = try await site.start("ciba").session
            let holder = try site.workspace.start(["poll", session, "--watch"])
            _ = try await holder.firstError { $0.hasPrefix("The user is at: ") }
            let refused = try await site.workspace.run("poll", session, "--json")
            #expect(refused.status == 6)
            #expect(try refused.error().code == "session-in-use")
            let all = try await site.workspace.succeed("poll", "--all", "--watch")
            #expect(
                all.stderr.hasPrefix("1 session is polled for by another process\n"), "\(all)")
            #expect(all.stdout.isEmpty)
            holder.interrupt(SIGKILL)
            _ = try await holder.end()
            let taken = try await site.workspace.succeed("poll", session, "--json")
            #expect(try taken.json(LoginReport.self).state == "polling")
            #expect(site.server.provider.polls.early == 0)
        }
    }

    @Test("is not what `poll` is asked for: it says so, and asks nobody")
    func notPolled() async throws {
        try await BackchannelSite.run { site in
            let redirected = try await site.start("pkce")
            #expect(redirected.state == "redirected")
            for (arguments, status, code) in [
                (["poll", redirected.session], Int32(2), "not-polled"),
                (["poll", "01a1fd45"], 6, "session-unknown"),
                (["poll", "X"], 2, "session-malformed"),
                (["poll"], 2, "usage"), (["poll", "--all", redirected.session], 2, "usage"),
                (["poll", redirected.session, "--follow"], 2, "usage"),
                (["poll", "--all", "--claims", "c.json"], 2, "usage"),
            ] {
                let outcome = try await site.workspace.start(arguments + ["--json"]).end()
                #expect(outcome.status == status, "\(outcome)")
                #expect(try outcome.error().code == code, "\(outcome)")
                #expect(outcome.output.isEmpty)
            }
            #expect(try await site.sessions().map(\.state) == ["redirected"])
            #expect(site.server.provider.requests(to: .token) == 0)
        }
    }

    @Test("that could not be right is refused before anything is recorded or sent")
    func refused() async throws {
        try await BackchannelSite.run { site in
            let workspace = site.workspace
            try workspace.write(#"{"type":"x"}"#, "object.json")
            try workspace.write(#"[{"kind":"x"}]"#, "untyped.json")
            try workspace.write("[1,]", "broken.json")
            try workspace.write("\n", "empty.txt")
            let open = try workspace.write(
                try workspace.read(site.profile)
                    .replacing("clientID: rp", with: "clientID: open")
                    .replacing(
                        "{ method: client_secret_basic, secretFile: secret.txt }",
                        with: "{ method: none }"), "open.yaml")
            let ciba = site.arguments("ciba")
            let bare = ["--provider", site.profile, "--flow"]
            for (arguments, code) in [
                (
                    ["--provider", open, "--flow", "ciba", "--login-hint-file", "hint.txt"],
                    "profile-invalid"
                ),
                (bare + ["ciba"], "profile-invalid"), (bare + ["headless"], "profile-invalid"),
                (ciba + ["--id-token-hint-file", "hint.txt"], "profile-invalid"),
                (bare + ["ciba", "--login-hint-file", "empty.txt"], "login-hint-malformed"),
                (
                    ciba + ["--authorization-details", "object.json"],
                    "authorization-details-malformed"
                ),
                (
                    ciba + ["--authorization-details", "broken.json"],
                    "authorization-details-malformed"
                ),
                (ciba + ["--authorization-details", "untyped.json"], "profile-invalid"),
                (ciba + ["--requested-expiry", "0"], "usage"),
                (ciba + ["--requested-expiry", "-1"], "usage"),
            ] {
                for command in ["start", "login"] {
                    let outcome = try await workspace.start([command, "--json"] + arguments).end()
                    #expect(outcome.status == 2, "\(outcome)")
                    #expect(try outcome.error().code == code, "\(outcome)")
                    #expect(outcome.output.isEmpty)
                }
            }
            #expect(try await site.sessions().isEmpty)
            #expect(site.server.provider.requests(to: .discovery) == 0)
            #expect(site.server.provider.requests(to: .backchannelAuthentication) == 0)
        }
    }
}
