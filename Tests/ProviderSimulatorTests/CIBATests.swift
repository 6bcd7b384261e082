// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import ProviderSimulator
import Testing

@Suite("A login without redirects at the simulated provider")
struct CIBATests {
    private static let claimName = "urn:openid:params:jwt:claim:auth_req_id"

    @Test("is asked for, polled twice in vain, and then gives tokens without a nonce")
    func wholeLogin() throws {
        var login = try Login()
        let response = login.startBackchannel()
        #expect(response.status == 200)
        #expect(response.field("Cache-Control") == "no-store")
        #expect(response.members["expires_in"] == .integer(120))
        #expect(response.members["interval"] == .integer(5))
        #expect(response.members.members.count == 3)
        let id = try #require(response.members["auth_req_id"]?.stringValue)
        #expect(id.utf8.count == 43)
        for _ in 0..<2 {
            let pending = login.poll(id)
            #expect(pending.status == 400)
            #expect(pending.error == "authorization_pending")
            #expect(pending.field("Cache-Control") == "no-store")
        }
        let tokens = login.poll(id)
        #expect(tokens.status == 200)
        #expect(tokens.members["token_type"] == .string("Bearer"))
        #expect(tokens.members["expires_in"] == .integer(300))
        #expect(try login.backchannelVerdict(tokens.members).isAccepted)
        let claims = try login.claims(tokens.members)
        #expect(claims["nonce"] == nil)
        #expect(claims["auth_time"] == .integer(1_700_000_015))
        #expect(claims["acr"] == .string("urn:bankid:bis;LOA=3"))
        #expect(claims["sub"] == .string("person-no-1"))
        #expect(claims[Self.claimName] == .string(id))
        let bearer = tokens.members["access_token"]?.stringValue ?? ""
        let userInfo = login.get(
            .userInfo, fields: [HTTPField("Authorization", "Bearer \(bearer)")])
        #expect(userInfo.members["sub"] == .string("person-no-1"))
        #expect(login.poll(id).error == "invalid_grant")
        #expect(login.provider.pollCount(of: id) == 4)
        let received = login.provider.tokenRequests
        #expect(received.map(\.requestID) == [id, id, id, id])
        #expect(received.map(\.status) == [400, 400, 200, 400])
        #expect(
            received.map(\.error) == [
                "authorization_pending", "authorization_pending", nil, "invalid_grant",
            ])
        #expect(received.allSatisfy { $0.grantType == Login.cibaGrant })
    }

    @Test("is announced by the brokers that have it")
    func discovery() throws {
        for (broker, path) in [
            (SimulatedBroker.generic, "/bc-authorize"), (.idura, "/ciba/bc-authorize"),
            (.bankidNorway, "/ciba/bc-authorize"), (.idpartner, nil),
        ] {
            let client = RegisteredClient(id: "c", secret: Login.secret, redirectURIs: [])
            var login = try Login(at: broker, client)
            let members = login.get(.discovery).members
            let url = path.map { JSONValue.string(Login.issuer + $0) }
            #expect(members["backchannel_authentication_endpoint"] == url)
            let modes = members["backchannel_token_delivery_modes_supported"]
            #expect(modes == (path == nil ? nil : .array([.string("poll")])))
            let takesCodes = members["backchannel_user_code_parameter_supported"]
            #expect(takesCodes == (path == nil ? nil : .bool(false)))
            let types = members["grant_types_supported"]?.arrayValue ?? []
            #expect(types.contains(.string(Login.cibaGrant)) == (path != nil))
            let aliases = members["mtls_endpoint_aliases"]?.objectValue
            let alias = aliases?["backchannel_authentication_endpoint"]
            #expect(
                alias
                    == (broker == .generic ? .string(Login.issuer + "/mtls/bc-authorize") : nil))
            #expect(login.startBackchannel().status == (path == nil ? 404 : 200))
        }
    }

    @Test("is for clients that prove who they are, in every way but none")
    func clients() throws {
        let clients = [
            RegisteredClient(id: "basic", secret: Login.secret, redirectURIs: []),
            RegisteredClient(
                id: "post", secret: Login.secret, authentication: .clientSecretPost,
                redirectURIs: []),
            RegisteredClient(
                id: "code", secret: Login.secret, authentication: .clientSecretJWT,
                redirectURIs: []),
            RegisteredClient(id: "signing", keys: try ClientKit.keySet, redirectURIs: []),
            RegisteredClient(
                id: "certified", certificateThumbprint: ClientKit.thumbprint, redirectURIs: []),
        ]
        for client in clients {
            var login = try Login(at: .generic, client)
            let id = try login.requestID()
            _ = login.poll(id)
            _ = login.poll(id)
            #expect(login.poll(id).status == 200, "\(client.authentication)")
        }
        var open = try Login(clientID: "public")
        let refused = open.startBackchannel()
        #expect(refused.status == 400)
        #expect(refused.error == "unauthorized_client")
        var stranger = try Login()
        #expect(stranger.startBackchannel(["client_secret": "any"]).error == "invalid_request")
        stranger.provider.settings.clients = []
        #expect(stranger.startBackchannel().status == 401)
    }

    @Test("is refused where the request is not in order")
    func refused() throws {
        let wrongs = [
            (["login_hint": ""], "invalid_request"),
            (["login_hint_token": "person-no-1"], "invalid_request"),
            (["id_token_hint": "x"], "invalid_request"),
            (["login_hint": "", "id_token_hint": "x"], "invalid_id_token_hint"),
            (["login_hint": "somebody"], "unknown_user_id"),
            (["login_hint": "sub:ssn:19900101980"], "unknown_user_id"),
            (["scope": "profile"], "invalid_scope"), (["scope": ""], "invalid_scope"),
            (["binding_message": "a\nb"], "invalid_binding_message"),
            (["binding_message": "<b>"], "invalid_binding_message"),
            (
                ["binding_message": String(repeating: "m", count: 61)],
                "invalid_binding_message"
            ),
            (["requested_expiry": "0"], "invalid_request"),
            (["requested_expiry": "soon"], "invalid_request"),
            (["authorization_details": "{}"], "invalid_authorization_details"),
            (["request": "x"], "request_not_supported"),
        ]
        for (changes, error) in wrongs {
            var login = try Login()
            let response = login.startBackchannel(changes)
            #expect(response.status == 400)
            #expect(response.error == error, "\(changes)")
        }
        var login = try Login()
        let good = [
            "binding_message": "Prøve 12-3. " + String(repeating: "m", count: 48),
            "authorization_details": "[]", "requested_expiry": "30",
        ]
        #expect(login.startBackchannel(good).members["expires_in"] == .integer(30))
        let late = login.startBackchannel(["requested_expiry": "500"])
        #expect(late.members["expires_in"] == .integer(120))
    }

    // MARK: - Hints

    @Test("is about the person whom the hint names")
    func hints() throws {
        let hints = ["person-se-1", "sub:ssn:199001019802", "ssn:199001019802"]
        for hint in hints {
            #expect(try subject(["login_hint": hint]) == "person-se-1")
            #expect(
                try subject(["login_hint": "", "login_hint_token": hint]) == "person-se-1")
        }
        let seconds = Login.now.secondsSince1970
        for (expiration, wanted) in [(seconds + 1, "person-se-1"), (seconds, nil)] {
            let token = try ClientKit.sign([
                "sub": .string("person-se-1"), "exp": .integer(expiration),
            ])
            #expect(try subject(["login_hint": "", "login_hint_token": token]) == wanted)
        }
    }

    @Test("is about the person of an ID token that the client got before")
    func idTokenHint() throws {
        for broker in [SimulatedBroker.generic, .idura, .bankidNorway] {
            let client = RegisteredClient(
                id: "c", secret: Login.secret, redirectURIs: [Login.redirectURI])
            var login = try Login(at: broker, client)
            login.provider.prepare(SimulatedLogin(subject: "person-se-1"))
            let token = String(decoding: try login.idToken(), as: UTF8.self)
            login.provider.settings.clients.append(
                RegisteredClient(id: "d", secret: Login.secret, redirectURIs: []))
            // It counts also when it has expired.
            login.wait(milliseconds: 1_000_000_000)
            let hint = ["login_hint": "", "id_token_hint": token]
            let id = try login.requestID(hint)
            _ = login.poll(id)
            _ = login.poll(id)
            let claims = try login.claims(login.poll(id).members)
            let given = try ClientKit.claims(of: token, keys: try login.publishedKeys())
            #expect(claims["sub"] == given["sub"])
            #expect(claims["given_name"] == .string("Erik"))
            login.clientID = "d"
            #expect(login.startBackchannel(hint).error == "invalid_id_token_hint")
        }
    }

    /// The `sub` that comes of a request; nil when it is refused.
    private func subject(_ changes: [String: String]) throws -> String? {
        var login = try Login()
        login.provider.settings.backchannel.scripts = [BackchannelScript(pendingPolls: 0)]
        guard let id = login.startBackchannel(changes).members["auth_req_id"]?.stringValue else {
            return nil
        }
        return try login.claims(login.poll(id).members)["sub"]?.stringValue
    }

    @Test("at BankID is about the person of a permission, who gives it with the login")
    func permission() throws {
        var login = try BankIDTests.login()
        let own = login.answer(
            login.authenticated(
                .token, ["grant_type": "client_credentials", "scope": "permissions/client"])
        ).response.members
        let bearer = HTTPField("Authorization", "Bearer \(own["access_token"]?.stringValue ?? "")")
        let seconds = login.now.secondsSince1970
        let statement: JSONObject = [
            "type": .string("payment.v1"), "loa": .string("substantial"),
            "iat": .integer(seconds), "exp": .integer(seconds + 600),
            "intents": .array([.string("payment")]), "permission": .string("e30"),
            "loginHint": .array([
                .object(["scheme": .string("nnin"), "value": .string("01819010001")])
            ]),
        ]
        let registered = login.answer(
            HTTPRequest(
                .post, login.provider.url(of: .permissions), fields: [bearer],
                body: CanonicalJSON.encode(statement))
        ).response.members
        let token = try #require(registered["permissionToken"]?.stringValue)
        let hint = ["login_hint": "", "login_hint_token": token]
        let id = try login.requestID(hint)
        _ = login.poll(id)
        _ = login.poll(id)
        let claims = try login.claims(login.poll(id).members)
        #expect(claims["given_name"] == .string("Kari"))
        let grant = login.answer(
            HTTPRequest(
                .get,
                login.provider.url(of: .permissionGrant).replacing(
                    "{id}", with: registered["permissionId"]?.stringValue ?? ""),
                fields: [bearer])
        ).response
        #expect(grant.status == 200)
        #expect(login.startBackchannel(hint).error == "invalid_request", "it is given once")
        let other = ["login_hint": "", "login_hint_token": "invented"]
        #expect(login.startBackchannel(other).error == "invalid_request")
    }
}
