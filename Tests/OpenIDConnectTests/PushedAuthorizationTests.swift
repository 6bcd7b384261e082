// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import OpenIDConnect
import Testing

@Suite("The answer to a pushed request")
struct PushedAuthorizationTests {
    private func process(_ status: Int, _ body: String) -> Result<
        PushedAuthorization.Receipt, FlowFailure
    > {
        let response = HTTPResponse(status: status, body: Array(body.utf8))
        return Result { () throws(FlowFailure) in try PushedAuthorization.process(response) }
    }

    @Test("is a name and how long it counts", arguments: [200, 201])
    func receipt(status: Int) throws {
        let answer = #"{"request_uri":"urn:ietf:params:oauth:request_uri:a","expires_in":90}"#
        let receipt = try process(status, answer).get()
        #expect(receipt.requestURI == "urn:ietf:params:oauth:request_uri:a")
        #expect(receipt.expiresInSeconds == 90)
    }

    @Test(
        "speaks of credentials in words or with status 401, and a wordless 403 does not",
        arguments: [
            (401, "", FlowFailureReason.clientAuthenticationFailed),
            (403, "", .pushedRequestRefused), (400, "", .pushedRequestRefused),
            (403, "<html>", .pushedRequestRefused), (404, "", .pushedRequestRefused),
            (403, #"{"error":"unauthorized_client"}"#, .clientAuthenticationFailed),
            (400, #"{"error":"invalid_client"}"#, .clientAuthenticationFailed),
            (400, #"{"error":"invalid_redirect_uri"}"#, .redirectURIMismatch),
            (400, #"{"error":"invalid_scope"}"#, .pushedRequestRefused),
            (503, "", .providerOutage),
        ])
    func refusal(status: Int, body: String, reason: FlowFailureReason) {
        guard case .failure(let failure) = process(status, body) else {
            Issue.record("it was taken")
            return
        }
        #expect(failure.reason == reason)
    }

    @Test(
        "is malformed without a name or a time",
        arguments: [
            "{}", #"{"request_uri":"urn:a"}"#, #"{"request_uri":"","expires_in":90}"#,
            #"{"request_uri":"urn:a","expires_in":0}"#, "<html>",
        ])
    func malformed(body: String) {
        guard case .failure(let failure) = process(201, body) else {
            Issue.record("it was taken")
            return
        }
        #expect(failure.reason == .responseMalformed)
    }
}
