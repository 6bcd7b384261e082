// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import ProviderSimulator
import Testing

@Suite("A Headless login at the simulated Idura Verify")
struct HeadlessTests {
    private func codeText(_ response: HTTPResponse) throws -> [Substring] {
        let data = try #require(response.members["acr_data"]?.objectValue)
        return try #require(data["qrData"]?.stringValue).split(separator: ".")
    }

    private func hintCode(_ response: HTTPResponse) -> String? {
        response.members["acr_data"]?.objectValue?["hintCode"]?.stringValue
    }

    @Test("shows another QR code with each poll, says how far the user is, and gives tokens")
    func wholeLogin() throws {
        var login = try Login.idura()
        login.provider.prepare(SimulatedLogin(subject: "person-se-1"))
        let response = login.startHeadless()
        #expect(response.status == 200)
        #expect(response.field("Cache-Control") == "no-store")
        #expect(response.members["expires_in"] == .integer(120))
        #expect(
            response.members.members.map(\.name).sorted() == [
                "acr_data", "expires_in", "headless_req_id",
            ])
        let first = try codeText(response)
        #expect(first.count == 4 && first[0] == "bankid" && first[2] == "0")
        let token = response.members["acr_data"]?.objectValue?["autoStartToken"]?.stringValue
        #expect(token?.utf8.count == 36)
        let id = try #require(response.members["headless_req_id"]?.stringValue)
        let pending = login.pollHeadless(id)
        #expect(pending.status == 400)
        #expect(pending.error == "authorization_pending")
        #expect(hintCode(pending) == "outstandingTransaction")
        let second = try codeText(pending)
        #expect(second[1] == first[1] && second[2] == "5" && second[3] != first[3])
        #expect(second[3].utf8.count == 64)
        login.wait(milliseconds: 900)
        let further = login.pollHeadless(id)
        #expect(hintCode(further) == "userSign")
        #expect(try codeText(further)[2] == "10")
        let tokens = login.pollHeadless(id).members
        #expect(try login.backchannelVerdict(tokens).isAccepted)
        let claims = try login.claims(tokens)
        #expect(claims["ssn"] == .string("199001019802"))
        #expect(
            claims["authenticationtype"]
                == .string("urn:grn:authn:se:bankid:another-device:qr"))
        #expect(claims["nonce"] == nil)
        #expect(claims["urn:openid:params:jwt:claim:auth_req_id"] == nil)
        #expect(login.pollHeadless(id).error == "invalid_grant")
        #expect(login.provider.pollCount(of: id) == 4)
        #expect(login.provider.tokenRequests.last?.requestID == id)
    }

    @Test("that ends in the same moment as another of the same person has a token of its own")
    func sameMoment() throws {
        var login = try Login.idura {
            $0.backchannel.scripts = [BackchannelScript(pendingPolls: 0)]
        }
        let ids = try (0..<2).map { _ in
            try #require(login.startHeadless().members["headless_req_id"]?.stringValue)
        }
        let tokens = [login.pollHeadless(ids[0]), login.pollHeadless(ids[1], after: 0)]
            .map { $0.members["id_token"]?.stringValue }
        #expect(tokens[0] != nil && tokens[1] != nil && tokens[0] != tokens[1])
    }

    @Test("has a code that only the secret behind it makes")
    func codeOfQR() throws {
        var login = try Login.idura()
        let response = login.startHeadless()
        let parts = try codeText(response)
        // The dice of these tests show the number of the draw: the secret is drawn third.
        let secret = "03030303-0303-4303-8303-030303030303"
        let code = hmacSHA256(key: SecretBytes(Array(secret.utf8)), Array("0".utf8))
        let text = code.map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
        #expect(String(parts[3]) == text)
    }

    @Test("is declined by a user who says no")
    func declined() throws {
        var login = try Login.idura {
            $0.backchannel.scripts = [BackchannelScript(pendingPolls: 1, ending: .declines)]
        }
        let id = try #require(
            login.startHeadless().members["headless_req_id"]?.stringValue)
        #expect(login.pollHeadless(id).error == "authorization_pending")
        let response = login.pollHeadless(id)
        #expect(response.status == 400)
        #expect(response.error == "access_denied")
        #expect(response.members["error_description"] == .string("user declined"))
    }

    @Test("needs the user's address and a scope, and a client that proves who it is")
    func refused() throws {
        for (changes, error) in [
            (["end_user_ip": ""], "invalid_request"), (["scope": "profile"], "invalid_scope"),
            (["client_secret": "x"], "invalid_request"),
        ] {
            var login = try Login.idura()
            #expect(login.startHeadless(changes).error == error)
        }
        var open = try Login(at: .idura, RegisteredClient(publicID: "open", redirectURIs: []))
        #expect(open.startHeadless().error == "unauthorized_client")
        var elsewhere = try BankIDTests.login()
        #expect(elsewhere.startHeadless().status == 404)
        #expect(elsewhere.pollHeadless("x").error == "unsupported_grant_type")
        var generic = try Login()
        #expect(generic.startHeadless().status == 200)
    }

    @Test("is polled with the grant type that the settings say")
    func grantType() throws {
        var login = try Login.idura {
            $0.backchannel.headlessGrantType = "urn:urn:params:grant-type:headless"
        }
        let id = try #require(
            login.startHeadless().members["headless_req_id"]?.stringValue)
        #expect(login.pollHeadless(id).error == "unsupported_grant_type")
        let form = [
            "grant_type": "urn:urn:params:grant-type:headless", "headless_req_id": id,
        ]
        let response = login.answer(login.authenticated(.token, form)).response
        #expect(response.error == "authorization_pending")
    }
}

@Suite("A login during a call at the simulated Idura Verify")
struct IduraCallTests {
    private static let phone = #"[{"type":"phoneAuth","callInitiator":"RP"}]"#
    private static let service = #"[{"type":"customerServiceCall.v1"}]"#

    @Test("by telephone says how far the user is, and never names the request in the ID token")
    func phone() throws {
        var login = try Login.idura()
        let changes = [
            "login_hint": "sub:ssn:199001019802", "authorization_details": Self.phone,
            "binding_message": "Prøve 12",
        ]
        let response = login.startBackchannel(changes)
        #expect(response.members["bindingMessage"] == nil)
        let id = try #require(response.members["auth_req_id"]?.stringValue)
        let descriptions = (0..<2).map { _ in
            login.poll(id).members["error_description"]?.stringValue
        }
        #expect(
            descriptions == ["awaiting first user interaction", "awaiting user identification"])
        let tokens = login.poll(id).members
        #expect(try login.backchannelVerdict(tokens).isAccepted)
        let claims = try login.claims(tokens)
        #expect(claims["ssn"] == .string("199001019802"))
        #expect(claims["urn:openid:params:jwt:claim:auth_req_id"] == nil)
    }

    @Test("of customer service gets words to read out, and takes none")
    func customerService() throws {
        var login = try Login.idura()
        let response = login.startBackchannel(["authorization_details": Self.service])
        #expect(response.members["bindingMessage"] == .string("Frekk Julekos"))
        #expect(response.members["expires_in"] == .integer(900))
        #expect(response.members["interval"] == .integer(3))
        let id = try #require(response.members["auth_req_id"]?.stringValue)
        let pending = login.poll(id, after: 3)
        #expect(
            pending.members["error_description"]
                == .string("User has not yet granted authorization"))
        #expect(login.provider.polls.early == 0)
        let spoken = login.startBackchannel([
            "authorization_details": Self.service, "binding_message": "hello",
        ])
        #expect(spoken.error == "invalid_binding_message")
    }

    @Test("is refused for details that nobody knows")
    func refused() throws {
        for details in [
            "x", "{}", "[]", "[1]", #"[{"type":"phoneAuth"}]"#, #"[{"type":"other"}]"#,
            #"[{"type":"phoneAuth","callInitiator":"user"},{"type":"other"}]"#,
        ] {
            var login = try Login.idura()
            let response = login.startBackchannel(["authorization_details": details])
            #expect(response.error == "invalid_authorization_details", "\(details)")
        }
        var login = try Login.idura()
        let user = #"[{"type":"phoneAuth","callInitiator":"user"}]"#
        #expect(login.startBackchannel(["authorization_details": user]).status == 200)
        #expect(login.startBackchannel().status == 200)
    }
}
