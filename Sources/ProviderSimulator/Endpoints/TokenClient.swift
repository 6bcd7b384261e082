// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives

/// Who a token request says it is from, not yet believed (RFC 6749 §2.3.1).
struct TokenClient {
    let id: String
    let secret: String?
    let method: ClientAuthentication

    /// Finds the client in the header or in the body; nil when it is in neither.
    init?(_ request: HTTPRequest, _ form: FormParameters) throws(OAuthError) {
        if let header = request.authorization {
            guard let (id, secret) = Self.basicCredentials(header) else {
                throw OAuthError(.invalidClient, "the Authorization header is malformed")
            }
            let isTheSame = form["client_id"]?.isIdentical(to: id) ?? true
            guard form["client_secret"] == nil, isTheSame else {
                throw OAuthError(.invalidRequest, "two client authentications")
            }
            self.init(id: id, secret: secret, method: .clientSecretBasic)
        } else if let id = form["client_id"] {
            let secret = form["client_secret"]
            self.init(id: id, secret: secret, method: secret == nil ? .none : .clientSecretPost)
        } else {
            return nil
        }
    }

    private init(id: String, secret: String?, method: ClientAuthentication) {
        self.id = id
        self.secret = secret
        self.method = method
    }

    /// Id and secret, each of which is form-urlencoded inside the base64 text.
    private static func basicCredentials(_ header: String) -> (id: String, secret: String)? {
        let words = header.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "basic",
            let bytes = Base64.decode(String(words[1]))
        else { return nil }
        let id = bytes.prefix { $0 != UInt8(ascii: ":") }
        guard id.count < bytes.count, let decodedID = FormEncoding.decode(id),
            let secret = FormEncoding.decode(bytes[(id.count + 1)...])
        else { return nil }
        return (decodedID, secret)
    }
}

extension HTTPRequest {
    /// The value of the first field with this name, whatever its case.
    func field(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var authorization: String? { field("Authorization") }
}
