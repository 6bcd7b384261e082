// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenIDConnect
import Testing

@Suite("A callback")
struct FlowCallbackTests {
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"
    private static let issuer = "https://op.example"

    private static func outcome(
        _ input: String, state: String = "s", promisesIssuer: Bool = false
    ) -> String {
        let pending = PendingAuthorization(
            state: state, issuer: issuer, promisesIssuer: promisesIssuer)
        do throws(FlowFailure) {
            switch try pending.process(try CallbackParameters(input)) {
            case .code(let code): return "code " + code
            case .tokens: return "tokens"
            }
        } catch {
            return error.reason.rawValue
        }
    }

    @Test(
        "is read from a URL, a query or a form alike",
        arguments: [
            "https://rp.example/cb?code=c&state=s", "https://rp.example/cb?state=s&code=c",
            "http://127.0.0.1:8080/cb?code=c&state=s", "/cb?code=c&state=s", "?code=c&state=s",
            "code=c&state=s", "com.example.app:/cb?code=c&state=s",
            "https://rp.example/a=b/cb?code=c&state=s", "localhost:8080/cb?code=c&state=s",
            "https://rp.example/cb?from=x&code=c&state=s&session_state=y.z",
            "https://rp.example/cb?code=c&state=s#code=d&state=t",
            "https://rp.example/cb?code=c&state=s#", "code=%63&%73tate=s",
            "code=c&state=s&iss=https%3A%2F%2Fop.example",
            "https://rp.example/cb?code=c&state=s&iss=https://op.example",
        ])
    func forms(input: String) {
        #expect(Self.outcome(input) == "code c")
    }

    @Test(
        "that is no callback has neither state nor code",
        arguments: [
            "", "?", "https://rp.example/cb", "https://rp.example/cb?",
            "https://rp.example/cb#code=c&state=s", "#code=c&state=s", "x", "STATE=s&Code=c",
        ])
    func nothing(input: String) throws {
        let parameters = try CallbackParameters(input)
        #expect(parameters.values.isEmpty)
        #expect(Self.outcome(input) == "state-missing")
    }

    @Test(
        "with a parameter that stands twice is refused",
        arguments: ["state", "code", "error", "error_description", "iss"])
    func duplicates(name: String) {
        for pair in ["\(name)=s&\(name)=s", "\(name)=s&\(name)=", "%\(hex(name))=s&\(name)=s"] {
            #expect(throws: FlowFailure(.callbackMalformed)) {
                try CallbackParameters("https://rp.example/cb?x=1&" + pair)
            }
        }
    }

    /// The name with its first letter escaped.
    private func hex(_ name: String) -> String {
        String(name.utf8.first ?? 0, radix: 16) + name.dropFirst()
    }

    @Test("with another parameter twice is read")
    func foreignDuplicates() {
        #expect(Self.outcome("code=c&x=1&x=2&state=s") == "code c")
    }

    @Test("with a broken escape anywhere is refused", arguments: ["x=%", "state=%FF", "%G=1"])
    func broken(part: String) {
        #expect(throws: FlowFailure(.callbackMalformed)) {
            try CallbackParameters("code=c&state=s&" + part)
        }
    }

    @Test(
        "is judged by its state first, then its issuer, its error, and its code last",
        arguments: [
            ("", "state-missing"), ("iss=x&error=access_denied", "state-missing"),
            ("state=t&iss=x&error=access_denied", "state-mismatch"),
            ("state=&code=c", "state-mismatch"),
            ("state=s&iss=x&error=access_denied&code=c", "iss-mismatch"),
            ("state=s&iss=https://op.example/&code=c", "iss-mismatch"),
            ("state=s&iss=https://OP.example&code=c", "iss-mismatch"),
            ("state=s&iss=&code=c", "iss-mismatch"),
            ("state=s&error=access_denied&code=c", "access-denied"),
            ("state=s&error=consent_required", "consent-denied"),
            ("state=s&error=login_required", "login-required"),
            ("state=s&error=interaction_required", "login-required"),
            ("state=s&error=account_selection_required", "login-required"),
            ("state=s&error=unmet_authentication_requirements", "acr-too-low"),
            ("state=s&error=temporarily_unavailable", "provider-outage"),
            ("state=s&error=server_error", "broker-error"),
            ("state=s&error=01010112345", "broker-error"), ("state=s&error=", "broker-error"),
            ("state=s", "callback-malformed"), ("state=s&code=", "callback-malformed"),
            ("state=s&code=c", "code c"),
        ])
    func order(query: String, expected: String) {
        #expect(Self.outcome("https://rp.example/cb?" + query) == expected)
    }

    @Test(
        "without issuer is refused where the provider promised one, after its state was looked at")
    func promisedIssuer() {
        #expect(Self.outcome("state=s&code=c", promisesIssuer: true) == "iss-missing")
        #expect(Self.outcome("state=s&error=x", promisesIssuer: true) == "iss-missing")
        #expect(Self.outcome("state=t&code=c", promisesIssuer: true) == "state-mismatch")
        let named = "https://rp.example/cb?state=s&code=c&iss=https%3A%2F%2Fop.example"
        #expect(Self.outcome(named, promisesIssuer: true) == "code c")
    }

    @Test("has the session's state byte by byte, however it looks")
    func normalisation() {
        let spellings = [
            (Self.composed, "caf%C3%A9"), (Self.decomposed, "cafe%CC%81"),
        ]
        for (state, _) in spellings {
            for (other, escaped) in spellings {
                let expected = state.isIdentical(to: other) ? "code c" : "state-mismatch"
                #expect(Self.outcome("code=c&state=\(escaped)", state: state) == expected)
                #expect(Self.outcome("code=c&state=\(other)", state: state) == expected)
            }
        }
    }

    @Test("keeps what the provider said of an error, for the sealed part")
    func description() throws {
        let parameters = try CallbackParameters("error=x&error_description=a+b&state=s")
        #expect(parameters.error == "x")
        #expect(parameters.errorDescription == "a b")
        #expect(parameters.values.map(\.name) == ["state", "error", "errorDescription"])
    }

    // MARK: - What went wrong before

    @Test(
        "that ends in a line break of either kind is read without it",
        arguments: ["\n", "\r\n", "\r", "\r\n\r\n"])
    func lineBreaks(end: String) {
        #expect(Self.outcome("https://rp.example/cb?code=c&state=s" + end) == "code c")
        #expect(Self.outcome("state=s&code=c" + end) == "code c")
    }

    @Test("whose query stands alone is not taken for a URL because of what is in it")
    func queryAlone() {
        #expect(
            Self.outcome("code=c&state=s&iss=https://op.example", promisesIssuer: true) == "code c")
        #expect(Self.outcome("state=s&code=a?b") == "code a?b")
        #expect(Self.outcome("?state=s&code=a?b/c://d") == "code a?b/c://d")
    }

    @Test("is cut at its fragment, whatever stands behind the number sign")
    func fragments() {
        #expect(Self.outcome("https://rp.example/cb?code=c&state=s#\u{301}&code=d") == "code c")
        #expect(Self.outcome("https://rp.example/cb?\u{301}=1&code=c&state=s") == "code c")
    }
}
