// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import Testing

@testable import OpenIDConnect

@Suite("A token error response")
struct TokenErrorTests {
    /// The reason that a response with an error leads to.
    private func reason(status: Int, error: String) -> FlowFailureReason? {
        let body = Array(#"{"error":"\#(error)"}"#.utf8)
        let response = HTTPResponse(
            status: status, fields: [HTTPField("Content-Type", "application/json")], body: body,
            durationMilliseconds: 1)
        do {
            _ = try TokenExchange.process(response)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("with `invalid_code` refuses the code and is no fault of a broker")
    func invalidCodeTakenForBrokerError() {
        #expect(reason(status: 403, error: "invalid_code") == .codeRefused)
        #expect(reason(status: 400, error: "invalid_grant") == .codeRefused)
    }
}
