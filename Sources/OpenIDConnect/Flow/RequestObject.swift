// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// A signed authorization request (RFC 9101), by which the provider knows that nobody between the
/// two of us changed it.
public enum RequestObject {
    /// How long one is good for, in seconds.
    private static let lifetimeSeconds: Int64 = 300

    /// The parameters that stand in place of the ones that are signed.
    ///
    /// - Parameters:
    ///   - parameters: the request as it would be without a signature.
    ///   - key: a key of the client's.
    public static func parameters(
        signing parameters: [FormEncoding.Parameter], with key: ClientSigningKey,
        clientID: String, issuer: String, on occasion: RequestOccasion
    ) throws(FlowFailure) -> [FormEncoding.Parameter] {
        let object = try sign(
            parameters, with: key, clientID: clientID, issuer: issuer, on: occasion)
        // OpenID Connect Core §6.1 wants these outside as well; they say the same.
        let repeated = parameters.filter {
            ["client_id", "response_type", "scope"].contains($0.name)
        }
        return repeated + [.init("request", object)]
    }

    /// The one parameter that stands in place of those of a backchannel request: none of them is
    /// repeated outside (CIBA Core §7.1.1).
    public static func backchannelParameters(
        signing parameters: [FormEncoding.Parameter], with key: ClientSigningKey,
        clientID: String, issuer: String, on occasion: RequestOccasion
    ) throws(FlowFailure) -> [FormEncoding.Parameter] {
        [
            .init(
                "request",
                try sign(
                    parameters, with: key, clientID: clientID, issuer: issuer, on: occasion))
        ]
    }

    private static func sign(
        _ parameters: [FormEncoding.Parameter], with key: ClientSigningKey, clientID: String,
        issuer: String, on occasion: RequestOccasion
    ) throws(FlowFailure) -> String {
        let now = occasion.instant.secondsSince1970
        var claims: JSONObject = [
            "aud": .string(issuer), "exp": .integer(now + lifetimeSeconds), "iat": .integer(now),
            "iss": .string(clientID), "jti": .string(occasion.uniqueID), "nbf": .integer(now),
        ]
        for parameter in parameters {
            claims[parameter.name] = value(of: parameter)
        }
        return try key.sign(claims, type: "oauth-authz-req+jwt")
    }

    /// Numbers and JSON stand in a request object as what they are (RFC 9101 §4).
    private static func value(of parameter: FormEncoding.Parameter) -> JSONValue {
        switch parameter.name {
        case "claims", "authorization_details":
            (try? JSONReader.read(Array(parameter.value.utf8), numbers: .integersOnly))
                ?? .string(parameter.value)
        case "max_age":
            Int64(parameter.value).map { .integer($0) } ?? .string(parameter.value)
        default:
            .string(parameter.value)
        }
    }
}
