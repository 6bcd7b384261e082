// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

/// Something that a user is to permit, registered before the login (BankID's code flow for
/// payments and other permissions up front).
struct Permission: Sendable {
    let id: String
    let clientID: String
    /// What was registered.
    let statement: JSONObject
    let expiresAt: Instant
    /// Who permitted it; nil as long as nobody did.
    var grantedBy: String?
}

extension SimulatedProvider {
    /// What a client's own access token must be for.
    static let permissionScope = "permissions/client"

    /// BankID's second issuer, which registers permissions.
    public var permissionIssuer: String { issuer + ProviderEndpoint.permissionPath }

    /// An access token for the client itself (RFC 6749 §4.4).
    mutating func giveClientToken(
        _ form: FormParameters, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) -> ProviderAnswer {
        let scope = form["scope"] ?? ""
        guard Self.isForPermissions(scope) else {
            throw OAuthError(.invalidScope, "the scope must have \(Self.permissionScope) in it")
        }
        let token = try makeAccessToken(client, nil, .none, scope: scope, in: moment)
        return AnswerDraft(
            [
                "access_token": .string(token), "token_type": .string(settings.broker.tokenType),
                "expires_in": .integer(Int64(settings.tokenLifetimeSeconds)),
                "refresh_expires_in": .integer(0), "not-before-policy": .integer(0),
                "scope": .string(scope),
            ], self
        ).answer
    }

    private static func isForPermissions(_ scope: String) -> Bool {
        scope.split(separator: " ").contains { $0.utf8.elementsEqual(permissionScope.utf8) }
    }

    /// Registers a permission.
    mutating func registerPermission(
        _ request: HTTPRequest, in moment: Moment
    ) -> ProviderAnswer {
        do throws(OAuthError) {
            let access = try permissionAccess(request, in: moment)
            let statement = try Self.statement(of: request, at: moment.now)
            let permission = Permission(
                id: BrokerIdentifier.uuid(moment.randomBytes(16)), clientID: access.clientID,
                statement: statement,
                expiresAt: Instant(
                    millisecondsSince1970: (statement["exp"]?.integerValue ?? 0) * 1000))
            let token = "permission:\(permission.id):\(moment.token())"
            permissionIDs[Array(token.utf8)] = Array(permission.id.utf8)
            permissions[Array(permission.id.utf8)] = permission
            let words = BrokerIdentifier.digits(permission.id, count: 4)
            var draft = AnswerDraft(
                [
                    "permissionToken": .string(token), "permissionId": .string(permission.id),
                    "bindingMessage": .string("PRØVE \(words)"),
                ], self)
            misbehaviour(of: access.clientID).spoil(&draft, .permissions)
            return draft.answer
        } catch {
            return ProviderAnswer(error.response)
        }
    }

    /// What is done wrong where no login is known yet.
    private func misbehaviour(of clientID: String) -> Misbehaviour {
        client(clientID)?.misbehaviour ?? settings.misbehaviour
    }

    private func permissionAccess(
        _ request: HTTPRequest, in moment: Moment
    ) throws(OAuthError) -> Access {
        guard let access = access(request.bearerToken, in: moment),
            Self.isForPermissions(access.scope)
        else { throw OAuthError(.invalidToken, "the access token is not for permissions") }
        return access
    }

    /// What is to be permitted, if it is all there.
    private static func statement(
        of request: HTTPRequest, at now: Instant
    ) throws(OAuthError) -> JSONObject {
        let refused = { (text: String) in OAuthError(.invalidRequest, text) }
        guard let value = try? JSONReader.read(request.body, numbers: .anyAsText),
            let statement = value.objectValue
        else { throw refused("the body is no object") }
        guard statement["type"]?.stringValue?.isEmpty == false else {
            throw refused("type is missing")
        }
        guard let intents = statement["intents"]?.arrayValue, !intents.isEmpty,
            intents.allSatisfy({ $0.stringValue != nil })
        else { throw refused("intents are missing") }
        guard statement["loa"] != nil else { throw refused("loa is missing") }
        guard let issued = statement["iat"]?.integerValue, issued <= now.secondsSince1970 + 60,
            let expiration = statement["exp"]?.integerValue, expiration > now.secondsSince1970,
            expiration <= now.secondsSince1970 + 86_400
        else { throw refused("iat or exp is out of range") }
        guard let text = statement["permission"]?.stringValue, let bytes = Base64URL.decode(text),
            (try? JSONReader.read(bytes, numbers: .anyAsText))?.objectValue != nil
        else { throw refused("permission is no object in base64url") }
        if let hints = statement["loginHint"] {
            let isWellFormed = hints.arrayValue?.allSatisfy { hint in
                hint.objectValue?["scheme"]?.stringValue != nil
                    && hint.objectValue?["value"]?.stringValue != nil
            }
            guard isWellFormed ?? false else { throw refused("loginHint is malformed") }
        }
        return statement
    }

    // MARK: - In a login

    func permission(_ parameters: FormParameters) -> Permission? {
        parameters[settings.bankID.permissionParameter]
            .flatMap { permissionIDs[Array($0.utf8)] }.flatMap { permissions[$0] }
    }

    /// A permission that an authorization request brings must be the client's, and be asked for
    /// the first time.
    func checkPermission(
        _ parameters: FormParameters, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) {
        guard parameters[settings.bankID.permissionParameter] != nil else { return }
        guard let permission = permission(parameters), permission.grantedBy == nil,
            permission.clientID.isIdentical(to: client.id), moment.now < permission.expiresAt
        else { throw OAuthError(.invalidRequest, "there is no such permission") }
    }

    /// Notes that the user permitted it.
    mutating func grantPermission(_ parameters: FormParameters, _ facts: LoginFacts) {
        guard settings.broker == .bankidNorway, let permission = permission(parameters) else {
            return
        }
        permissions[Array(permission.id.utf8)]?.grantedBy = facts.person.bankIDNumber
    }

    /// The signed proof that a permission was given.
    func permissionGrant(
        _ id: String, _ request: HTTPRequest, in moment: Moment
    ) -> ProviderAnswer {
        do throws(OAuthError) {
            let access = try permissionAccess(request, in: moment)
            guard let permission = permissions[Array(id.utf8)],
                permission.clientID.isIdentical(to: access.clientID),
                let client = client(access.clientID)
            else { return ProviderAnswer(.page("There is no such permission.", status: 404)) }
            guard let grantedBy = permission.grantedBy else {
                throw OAuthError(.invalidGrant, "nobody has given the permission yet")
            }
            let claims = grantClaims(permission, grantedBy, in: moment)
            let misbehaviour = misbehaviour(of: client.id)
            let now = moment.now
            let token = try Self.signing { () throws(OpenSSLError) in
                var token = TokenDraft(
                    claims, key: try GrantKey.shared.get(), client: client, now: now)
                misbehaviour.spoil(&token, .grant)
                return try token.encode(moment.randomBytes)
            }
            var draft = AnswerDraft(JSONObject(), self)
            draft.text = Array(token.utf8)
            draft.mediaType = "application/jwt"
            return draft.answer
        } catch {
            return ProviderAnswer(error.response)
        }
    }

    private func grantClaims(
        _ permission: Permission, _ subject: String, in moment: Moment
    ) -> JSONObject {
        let lifetime = settings.bankID.grantLifetimeSeconds
        var claims: JSONObject = [
            "iss": .string(permissionIssuer), "aud": .string(permission.clientID),
            "sub": .string(subject), "permissionId": .string(permission.id),
            "iat": .integer(moment.now.secondsSince1970),
            "exp": .integer(moment.after(seconds: lifetime).secondsSince1970),
        ]
        for name in ["type", "intents", "permission", "loa"] {
            claims[name] = permission.statement[name]
        }
        return claims
    }

    // MARK: - Documents

    /// What the second issuer says of itself.
    var permissionDiscovery: HTTPResponse {
        .json([
            "issuer": .string(permissionIssuer),
            "authorization_endpoint": .string(url(of: .authorization)),
            "token_endpoint": .string(url(of: .token)),
            "permissions_endpoint": .string(url(of: .permissions)),
            "jwks_uri": .string(url(of: .keySet)),
            "jwks_uri_grants": .string(url(of: .grantKeySet)),
        ])
    }

    /// The keys with which it signs grants.
    var grantKeySet: HTTPResponse {
        let keys = (try? GrantKey.shared.get()).map { [JSONValue.object($0.published)] } ?? []
        return .json(["keys": .array(keys)])
    }
}

/// The key for grants: another one than for logins, so that whoever takes the wrong key set finds
/// out.
private enum GrantKey {
    static let shared: Result<ProviderKey, OpenSSLError> = {
        do throws(OpenSSLError) {
            return .success(try ProviderKey(generatingFor: .es256, keyID: "grants-1"))
        } catch {
            return .failure(error)
        }
    }()
}
