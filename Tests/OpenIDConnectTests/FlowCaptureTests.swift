// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import TestSupport
import Testing

/// Exchanges with real providers, where they lie beside the project; the tests do without them.
struct Capture: Sendable, CustomTestStringConvertible {
    private static let directory = Repository.root + "/../shared/reference/captures"

    let name: String
    let issuer: String
    let exchanges: [JSONObject]

    var testDescription: String { name }

    static let all: [Capture] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().compactMap { name in
            guard let data = FileManager.default.contents(atPath: directory + "/" + name),
                let value = try? JSONReader.read(Array(data), numbers: .anyAsText),
                let members = value.objectValue
            else { return nil }
            return Capture(
                name: name,
                issuer: members["issuer"]?.stringValue ?? "http://localhost:4610",
                exchanges: members["exchanges"]?.arrayValue?.compactMap(\.objectValue) ?? [])
        }
    }()

    /// The answers to requests whose path ends in this.
    func responses(_ pathEnd: String) -> [HTTPResponse] {
        exchanges.compactMap { exchange in
            guard let url = exchange["request"]?.objectValue?["url"]?.stringValue,
                url.hasPrefix(issuer + "/"), url.prefix(while: { $0 != "?" }).hasSuffix(pathEnd)
            else { return nil }
            return response(exchange)
        }
    }

    private func response(_ exchange: JSONObject) -> HTTPResponse? {
        guard let response = exchange["response"]?.objectValue,
            let status = response["status"]?.integerValue,
            let body = response["body"]?.stringValue
        else { return nil }
        let fields = (response["headers"]?.arrayValue ?? []).compactMap { pair -> HTTPField? in
            guard let texts = pair.arrayValue?.compactMap(\.stringValue), texts.count == 2 else {
                return nil
            }
            return HTTPField(texts[0], texts[1])
        }
        return HTTPResponse(status: Int(status), fields: fields, body: Array(body.utf8))
    }

    /// Where browsers were sent back to.
    var callbacks: [String] {
        exchanges.compactMap { response($0)?.field("Location") }
            .filter { $0.hasPrefix("https://rp.example/") || $0.hasPrefix("http://127.0.0.1:8080") }
    }
}

@Suite("What a real provider sent")
struct FlowCaptureTests {
    @Test("is a discovery document of its issuer and of no other", arguments: Capture.all)
    func discovery(capture: Capture) throws {
        for response in capture.responses("/.well-known/openid-configuration")
        where response.status == 200 {
            let document = try DiscoveryDocument.process(
                response, issuer: capture.issuer, allowsLoopbackHTTP: true)
            #expect(document.tokenEndpoint.hasPrefix(capture.issuer))
            #expect(throws: FlowFailure(.discoveryIssuerMismatch)) {
                try DiscoveryDocument.process(
                    response, issuer: capture.issuer + "/", allowsLoopbackHTTP: true)
            }
        }
        for response in capture.responses("/jwks") {
            #expect(!(try KeySetResponse.process(response)).keys.isEmpty)
        }
    }

    @Test(
        "is a callback that can be read, with a code or an error or neither",
        arguments: Capture.all)
    func callbacks(capture: Capture) throws {
        for callback in capture.callbacks {
            let parameters = try CallbackParameters(callback)
            #expect(parameters.code == nil || parameters.error == nil)
            if let issuer = parameters.issuer { #expect(issuer == capture.issuer) }
        }
    }

    @Test("is a token response that is taken or refused for a reason", arguments: Capture.all)
    func tokens(capture: Capture) throws {
        for response in capture.responses("/token") {
            let tokens: TokenResponse
            do {
                tokens = try TokenExchange.process(response)
            } catch {
                let isKnown = [
                    .idTokenMissing, .codeRefused, .clientAuthenticationFailed, .brokerError,
                    .tokenResponseMalformed, .providerOutage,
                ].contains(error.reason)
                #expect(isKnown && (response.status != 200 || error.reason == .idTokenMissing))
                continue
            }
            #expect(tokens.idToken.utf8.count { $0 == UInt8(ascii: ".") } >= 2)
            let redacted = tokens.redacted(response.body).map {
                String(decoding: $0, as: UTF8.self)
            }
            let kept = try #require(redacted)
            #expect(kept.contains(tokens.idToken))
            for secret in [tokens.accessToken, tokens.refreshToken].compactMap({ $0 }) {
                #expect(!kept.contains(secret))
            }
        }
    }
}
