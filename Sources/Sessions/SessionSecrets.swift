// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// The sealed values of a session that later steps need.
public struct SessionSecrets: Equatable, Sendable {
    /// The state that was sent.
    public internal(set) var state: String?
    /// The nonce that was sent.
    public internal(set) var nonce: String?
    /// The PKCE verifier.
    public internal(set) var codeVerifier: String?
    /// The code that came back.
    public internal(set) var code: String?
    /// The ID token in compact form.
    public internal(set) var idToken: String?
    /// The left half of the access token's hash, made with the ID token's algorithm.
    public internal(set) var accessTokenHash: String?
    /// The left half of the code's hash, likewise.
    public internal(set) var codeHash: String?
    /// Who is to log in.
    public internal(set) var loginHint: String?
    /// Who is to log in, by a token.
    public internal(set) var loginHintToken: String?
    /// Who is to log in, by an ID token of an earlier login.
    public internal(set) var idTokenHint: String?
    /// What the user sees on both devices.
    public internal(set) var bindingMessage: String?
    /// What a backchannel request is for in detail.
    public internal(set) var authorizationDetails: JSONValue?
    /// Where the user's device is, for Headless.
    public internal(set) var endUserIP: String?
    /// Under which name the provider keeps the backchannel request.
    public internal(set) var requestID: String?
    /// What the user is to be told, where the provider made the message.
    public internal(set) var messageForUser: String?
    /// What opens the eID, as it came last (Headless).
    public internal(set) var acrData: JSONObject?
    /// What the provider said last of a user who has not answered, where it is not registered.
    public internal(set) var pollDescription: String?
    /// Names the visitor towards an account selector.
    public internal(set) var visitorID: String?
    /// The issuer that an account selector named and the profile allows.
    public internal(set) var chosenIssuer: String?
    /// The selector's name for the chosen provider.
    public internal(set) var identityProviderID: String?
    /// The selector's token for that provider.
    public internal(set) var oneTimeToken: String?
    /// The permission that the user is asked for.
    public internal(set) var permission: JSONObject?
    /// The name of that permission at its issuer.
    public internal(set) var permissionID: String?
    /// What the token response held beside tokens.
    public internal(set) var furtherMembers: JSONObject?
    /// The claims of the verified ID token, with those that came beside it.
    public internal(set) var claims: JSONObject?

    /// Takes in what an event has sealed.
    ///
    /// A callback says a state as well, and not always the right one: the first one, which was
    /// sent, counts.
    mutating func take(_ sealed: JSONObject) {
        for member in sealed.members {
            switch member.value {
            case .string(let text): take(text, as: member.name)
            case .object(let object): take(object, as: member.name)
            default: break
            }
            if member.name == "authorizationDetails" { authorizationDetails = member.value }
        }
    }

    private mutating func take(_ text: String, as name: String) {
        switch name {
        case "state": state = state ?? text
        case "nonce": nonce = text
        case "codeVerifier": codeVerifier = text
        case "code": code = text
        case "idToken": idToken = text
        case "accessTokenHash": accessTokenHash = text
        case "codeHash": codeHash = text
        case "loginHint": loginHint = text
        case "loginHintToken": loginHintToken = text
        case "idTokenHint": idTokenHint = text
        case "bindingMessage": bindingMessage = text
        case "endUserIP": endUserIP = text
        case "requestID": requestID = text
        case "messageForUser": messageForUser = text
        case "pollDescription": pollDescription = text
        case "visitorID": visitorID = visitorID ?? text
        case "chosenIssuer": chosenIssuer = text
        case "idp_id": identityProviderID = text
        case "idpartner_token": oneTimeToken = text
        case "permissionID": permissionID = text
        default: break
        }
    }

    private mutating func take(_ object: JSONObject, as name: String) {
        switch name {
        case "claims": claims = object
        case "acrData": acrData = object
        case "permission": permission = object
        case "furtherMembers": furtherMembers = object
        default: break
        }
    }
}
