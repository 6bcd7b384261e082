// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProviderSimulator
import Testing

/// What is shown while a login by Idura's Headless waits for its user.
@Suite("The QR code of a login", .serialized, .inTurn)
struct BackchannelScreenTests {
    /// What `show --reveal` tells of an event, as far as it is about QR codes.
    private struct Shown: Decodable {
        struct Event: Decodable {
            let data: Members
        }

        struct Members: Decodable {
            let sealed: Sealed?
        }

        struct Sealed: Decodable {
            let acrData: [String: String]?
        }

        let events: [Event]
    }

    private static func run(
        pendingPolls: Int, _ body: (BackchannelSite) async throws -> Void
    ) async throws {
        try await BackchannelSite.run(BackchannelScript(pendingPolls: pendingPolls)) { site in
            site.allowHaste()
            try await body(site)
        }
    }

    /// All texts of QR codes that a session was given, in order.
    private func given(_ site: BackchannelSite, _ session: String) async throws -> [String] {
        let shown: Shown = try await site.workspace.succeed(
            "show", session, "--reveal", "--reason", "test", "--json"
        ).json()
        return shown.events.compactMap { $0.data.sealed?.acrData?["qrData"] }
    }

    @Test("is the one that the provider gave last, in the place of the one before")
    func renewed() async throws {
        try await Self.run(pendingPolls: 4) { site in
            let terminal = try Terminal(columns: 100, rows: 50)
            let login = try site.workspace.start(
                "/bin/sh",
                ["-c", #"exec "$0" "$@" 2>"$DEVICE""#, Workspace.program, "login", "--json"]
                    + site.arguments("headless"),
                environment: ["DEVICE": terminal.path, "TERM": "xterm"])
            var codes: [String] = []
            var texts: [String] = []
            while login.isRunning {
                try await Task.sleep(for: .milliseconds(40))
                // Between two of its parts a new code may be there in half.
                codes += try terminal.codes().filter { $0 != codes.last }
                let lines = try terminal.screen().text
                if let place = lines.firstIndex(of: "Scan the code with the eID's app.") {
                    #expect(place == 23)
                    texts += lines.dropFirst(24).filter { $0 != texts.last }
                }
            }
            let outcome = try await login.end()
            #expect(outcome.status == 0, "\(outcome)")
            let report: LoginReport = try outcome.json()
            #expect(report.state == "verified")
            #expect(!outcome.stdout.contains("bankid."))

            let given = try await given(site, report.session)
            #expect(given.count == 5)
            #expect(given.filter { codes.contains($0) } == codes, "\(codes)")
            #expect(codes.count > 2 && codes.last == given.last)
            #expect(
                texts == [
                    "Waiting for the user.", "The user is at: outstandingTransaction",
                    "The user is at: userSign",
                ])
            #expect(try terminal.codes() == [try #require(given.last)])
            #expect(try terminal.screen().row == 25)
        }
    }

    @Test("gets into no file", arguments: [true, false])
    func elsewhere(isLogin: Bool) async throws {
        try await Self.run(pendingPolls: 2) { site in
            let command =
                isLogin
                ? ["login"] + site.arguments("headless")
                : ["poll", "--watch", try await site.start("headless").session]
            let outcome = try await site.workspace.start(command).end()
            #expect(outcome.status == 0, "\(outcome)")
            #expect(!(outcome.stdout + outcome.stderr).contains("bankid."))
            let lines = outcome.stderr.split(separator: "\n").map(String.init)
            #expect(lines.first == "A QR code is shown on a terminal only.")
            #expect(lines.contains("The user is at: userSign"))
            #expect(Set(lines).count == lines.count)
        }
    }
}
