// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Testing

/// A request that gets no answer, and what has to come of the login.
struct LostRequest: Sendable, CustomTestStringConvertible {
    let endpoint: ProviderEndpoint
    let kind: HTTPFailure.Kind
    let mayHaveBeenSent: Bool

    static let all: [LostRequest] = {
        let kinds: [HTTPFailure.Kind] = [
            .unreachable, .timedOut, .untrusted, .clientCertificate, .refused, .tooLarge,
            .interrupted,
        ]
        return [ProviderEndpoint.discovery, .keySet, .token].flatMap { endpoint in
            kinds.flatMap { kind in
                [true, false].map {
                    LostRequest(endpoint: endpoint, kind: kind, mayHaveBeenSent: $0)
                }
            }
        }
    }()

    var testDescription: String {
        "\(endpoint.rawValue), \(kind.rawValue), \(mayHaveBeenSent ? "sent" : "not sent")"
    }

    var reason: String {
        switch kind {
        case .refused: "host-refused"
        case .tooLarge: "response-too-large"
        case .clientCertificate:
            endpoint == .token ? "client-auth-failed" : "metadata-unavailable"
        case .unreachable, .timedOut, .untrusted, .interrupted:
            if endpoint != .token {
                "metadata-unavailable"
            } else {
                mayHaveBeenSent ? "exchange-interrupted" : "provider-outage"
            }
        }
    }

    var events: [String] {
        endpoint == .discovery
            ? ["initiated", "failed"] : ["initiated", "redirected", "callback", "failed"]
    }
}

@Suite("A request without an answer", .serialized)
struct TransportTests {
    @Test("ends the login for what is known of it", arguments: LostRequest.all)
    func lost(request: LostRequest) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let failure = HTTPFailure(request.kind, mayHaveBeenSent: request.mayHaveBeenSent)
        let hook: @Sendable (Wire.Exchange) throws -> HTTPResponse? = { exchange in
            if exchange.endpoint == request.endpoint { throw failure }
            return nil
        }
        // What may have been sent does reach the provider: only the answer is lost.
        if request.mayHaveBeenSent { rig.wire.after(hook) } else { rig.wire.before(hook) }
        let login = try await rig.login(log)
        let result = try #require(login.outcome.taken)
        #expect(result.phase == .failed)
        #expect(result.reason?.code == request.reason)
        #expect(try log.words(login.session) == request.events)
        // An endpoint that is not there may have moved: discovery is asked once more, for the
        // logins that follow.
        let looksAgain = request.endpoint == .token && request.kind == .unreachable
        #expect(
            rig.wire.endpoints.suffix(looksAgain ? 2 : 1)
                == (looksAgain ? [.token, .discovery] : [request.endpoint]))
        let stage = try log.failure(login.session)?.stage
        #expect(stage == (request.endpoint == .token ? .token : .discovery))
        // The code, spent or not, is not sent again.
        let asked = rig.wire.endpoints
        rig.wire.clear()
        if let callback = login.callback {
            let again = try await rig.party(log).receiveCallback(callback, session: login.session)
            #expect(again.taken == nil)
        }
        #expect(rig.wire.endpoints == asked)
        #expect(try await rig.login(log).outcome.taken?.phase == .verified)
    }

    @Test(
        "of use ends the login as well",
        arguments: [
            (ProviderEndpoint.discovery, 404, "", "metadata-unavailable"),
            (.discovery, 200, "<html>", "metadata-unavailable"),
            (.discovery, 302, "", "metadata-unavailable"),
            (.keySet, 500, "", "metadata-unavailable"), (.keySet, 200, "{}", "key-set-invalid"),
            (.keySet, 200, #"{"keys":[],"keys":[]}"#, "key-set-invalid"),
            (.token, 302, "", "token-response-malformed"), (.token, 500, "", "provider-outage"),
            (.token, 200, "{}", "token-response-malformed"),
            (.token, 400, #"{"error":"invalid_client"}"#, "client-auth-failed"),
        ])
    func useless(endpoint: ProviderEndpoint, status: Int, body: String, reason: String) async throws
    {
        let rig = try LoginRig()
        let log = try rig.open()
        rig.wire.before { exchange in
            exchange.endpoint == endpoint
                ? HTTPResponse(status: status, body: Array(body.utf8)) : nil
        }
        let login = try await rig.login(log)
        #expect(login.outcome.taken?.reason?.code == reason)
        #expect(rig.wire.endpoints.last == endpoint)
        #expect(rig.wire.endpoints.filter { $0 == endpoint }.count == 1)
        // What could not be used is not archived.
        let isArchived = try log.stream(LoginRig.issuer).contains {
            $0.data["status"]?.integerValue != 200
        }
        #expect(!isArchived)
    }

    @Test(
        "of the token endpoint is recorded: its status was lost, and with it the likely causes",
        arguments: [nil, 403, 500])
    func recorded(status: Int?) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        rig.wire.before { exchange in
            guard exchange.endpoint == .token else { return nil }
            guard let status else { throw HTTPFailure(.timedOut, mayHaveBeenSent: true) }
            return HTTPResponse(status: status)
        }
        let login = try await rig.login(log)
        let failed = try #require(try log.failure(login.session))
        #expect(failed.stage == .token)
        let exchanges = try #require(failed.exchanges)
        #expect(exchanges.map(\.purpose) == ["token"])
        #expect(exchanges.map(\.status) == [status])
        #expect(exchanges.allSatisfy { $0.endpoint.hasSuffix("/token") })
    }
}

@Suite("A provider that changes its keys", .serialized)
struct KeyRotationTests {
    @Test("between start and callback changes nothing for a login", arguments: [true, false])
    func betweenStartAndCallback(keepingOld: Bool) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .pkce)
        rig.provider.rotateKeys(to: try LoginRig.newKey("key-2"), keepingOld: keepingOld)
        let callback = try await rig.browse(started)
        let outcome = try await rig.party(log).receiveCallback(callback, session: started.session)
        #expect(outcome.taken?.phase == .verified)
        #expect(rig.wire.endpoints == [.discovery, .keySet, .token])
    }

    @Test("while the code is on its way is asked for its keys once more", arguments: [true, false])
    func duringExchange(keepingOld: Bool) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let newKey = try LoginRig.newKey("key-2")
        rig.wire.before { exchange in
            if exchange.endpoint == .token {
                rig.provider.rotateKeys(to: newKey, keepingOld: keepingOld)
            }
            return nil
        }
        let login = try await rig.login(log)
        #expect(login.outcome.taken?.phase == .verified)
        #expect(rig.wire.endpoints == [.discovery, .keySet, .token, .keySet])
        let events = try log.opened(login.session).map(\.event)
        guard case .tokenIssued(let issued) = events[3], case .verified(let verified) = events[4]
        else {
            Issue.record("other events")
            return
        }
        // The key was not known when the token came, so its id is not in the clear there.
        #expect(issued.keyID == "other")
        #expect(verified.keyID == "key-2")
        #expect(issued.keySetDigest != verified.keySetDigest)
        let digest = try #require(verified.keySetDigest)
        #expect(try log.blob(digest) == rig.wire.exchanges[3].response?.body)
        #expect(try log.stream(LoginRig.issuer).count == 3)
    }

    @Test("and does not publish the new one is asked once more and no further")
    func notPublished() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        rig.wire.before { exchange in
            guard exchange.endpoint == .keySet, rig.provider.requests(to: .token) > 0 else {
                return nil
            }
            throw HTTPFailure(.unreachable, mayHaveBeenSent: false)
        }
        let login = try await rig.login(log, misbehaving: .unknownKeyID)
        #expect(login.outcome.taken?.reason?.code == "kid-unknown")
        #expect(rig.wire.endpoints == [.discovery, .keySet, .token, .keySet])
        #expect(
            try log.words(login.session) == [
                "initiated", "redirected", "callback", "token-issued", "failed",
            ])
    }
}
