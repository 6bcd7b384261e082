// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPMessages
import JOSE
import LedgerPrimitives
import LiveNetwork
import OpenSSL

/// A client that is not AuthLedger: it sends to the provider whatever a test wants to be sent.
struct WireClient {
    /// How the provider answered.
    struct Answer {
        let status: Int
        /// The body as JSON; nil when there is none.
        let object: JSONObject?

        var error: String? { object?["error"]?.stringValue }
        subscript(name: String) -> JSONValue? { object?[name] }
    }

    private static let transport = LiveTransport(userAgent: "AuthLedger tests")

    let provider: RealProvider
    let client: RealProvider.Client
    /// Another secret than the client's.
    var secret: String?
    /// Another audience of assertions than the endpoint.
    var audience: String?

    init(_ provider: RealProvider, _ name: String) throws {
        self.provider = provider
        client = try provider.client(name)
    }

    /// Sends a form to a path behind the first issuer, with what the client authenticates with.
    func post(_ path: String, _ form: [String: String]) async throws -> Answer {
        let url = provider.issuer + path
        var (form, fields) = (form, [HTTPField("Accept", "application/json")])
        if client.method == "private_key_jwt" {
            form["client_id"] = client.clientID
            form["client_assertion_type"] =
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            form["client_assertion"] = try assertion(for: url)
        } else {
            let credentials = "\(client.clientID):\(secret ?? client.secret ?? "")"
            fields.append(
                HTTPField("Authorization", "Basic " + Base64.encode(Array(credentials.utf8))))
        }
        fields.append(HTTPField("Content-Type", "application/x-www-form-urlencoded"))
        var limits = HTTPRequest.Limits()
        limits.allowsLoopbackHTTP = true
        let answer = try await Self.transport.send(
            HTTPRequest(
                .post, url, fields: fields, body: Array(Self.encoded(form).utf8), limits: limits))
        let object = try? JSONReader.read(answer.body, numbers: .integersOnly).objectValue
        if object == nil, !answer.body.isEmpty { throw Trouble("\(path): the answer is not JSON") }
        return Answer(status: answer.status, object: object)
    }

    private func assertion(for url: String) throws -> String {
        guard let file = client.privateKeyFile, let keyID = client.keyID,
            let algorithm = client.algorithm.flatMap(SignatureAlgorithm.init(name:))
        else { throw Trouble("the client has no key") }
        let now = Int64(Date().timeIntervalSince1970)
        let claims: JSONObject = [
            "iss": .string(client.clientID), "sub": .string(client.clientID),
            "aud": .string(audience ?? url), "iat": .integer(now), "exp": .integer(now + 60),
            "jti": .string(UUID().uuidString),
        ]
        let key = try PrivateKey(pem: Array(Data(contentsOf: URL(filePath: file))))
        let token = try CompactJWS.sign(
            CanonicalJSON.encode(claims), header: ["kid": .string(keyID)], algorithm: algorithm,
            key: key)
        return String(decoding: token, as: UTF8.self)
    }

    private static func encoded(_ form: [String: String]) -> String {
        let pairs = form.sorted { $0.key < $1.key }.map { name, value in
            let value = value.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
            return "\(name)=\(value ?? "")"
        }
        return pairs.joined(separator: "&")
    }
}
