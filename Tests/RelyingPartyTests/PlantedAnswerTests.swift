// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Testing

@Suite("What a provider plants in its answers", .serialized)
struct PlantedAnswerTests {
    @Test("in an error code is never shown")
    func plantedError() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .pkce)
        let state = try #require(try log.opened(started.session)[0].sealed?["state"]?.stringValue)
        let outcome = try await rig.party(log).receiveCallback(
            "https://rp.example/callback?state=\(state)&error=01819010001"
                + "&iss=https://op.example/realms/test", session: started.session)
        #expect(outcome.taken?.reason?.code == "broker-error")
        #expect(try log.failure(started.session)?.error == "other")
        let opened = try log.opened(started.session)
        #expect(opened.last?.sealed?["error"] == .string("01819010001"))
        for event in try log.everything() {
            #expect(!String(decoding: event.leaf, as: UTF8.self).contains("01819010001"))
        }
    }

    @Test(
        "whose endpoint no event could hold ends at discovery, and the log stays readable",
        arguments: ["authorization_endpoint", "token_endpoint", "jwks_uri"])
    func unwritableEndpoint(name: String) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        rig.wire.after { exchange in
            guard exchange.endpoint == .discovery, var response = exchange.response else {
                return nil
            }
            let text = String(decoding: response.body, as: UTF8.self)
            let marker = "\"\(name)\":\"https://op.example/"
            response.body = Array(text.replacing(marker, with: marker + "@tenant|1/").utf8)
            return response
        }
        let started = try await rig.party(log).start(rig.profile, flow: .pkce)
        #expect(started.reason?.code == "host-refused")
        #expect(try log.words(started.session) == ["initiated", "failed"])
    }
}
