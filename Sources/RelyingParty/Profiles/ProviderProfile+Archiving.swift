// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
public import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

extension ProviderProfile {
    /// The archived form: absolute paths, no secrets, defaults filled in.
    public var object: JSONObject {
        var object: JSONObject = [
            "abandonedAfterSeconds": .integer(Int64(abandonedAfterSeconds)),
            "allowLoopbackHTTP": .bool(transport.allowsLoopbackHTTP),
            "allowPrivateTargets": .bool(transport.allowsPrivateTargets),
            "clientAuthentication": .object(authenticationObject),
            "clientID": .string(registration.clientID),
            "flows": .array(flows.map { .string($0.rawValue) }),
            "name": .string(name),
            "scope": .string(registration.scope),
        ]
        object["redirectURI"] = Self.text(registration.redirectURI)
        object["environment"] = environment.map { .string($0) }
        object["issuer"] = issuer.map { .string($0) }
        object["hosts"] = Self.list(hosts)
        object["requestObject"] = credentials.requestKey.map { .object($0.object) }
        object["decryption"] =
            credentials.decryptionKeys.isEmpty
            ? nil : .array(credentials.decryptionKeys.map { .object($0.object) })
        object["accountSelector"] = accountSelector.map { selector in
            var members: JSONObject = ["url": .string(selector.url)]
            members["issuers"] = Self.list(selector.issuers)
            return .object(members)
        }
        object["permissions"] = permissions.map { settings in
            var members: JSONObject = [
                "issuer": .string(settings.issuer), "parameter": .string(settings.parameter),
            ]
            members["hosts"] = Self.list(settings.hosts)
            return .object(members)
        }
        object["trustedCAFile"] = transport.trustedCAFile.map { .string($0) }
        object["responseBytesMax"] = transport.responseBytesMax.map { .integer(Int64($0)) }
        object["timeoutMilliseconds"] =
            transport.durationMillisecondsMax.map { .integer(Int64($0)) }
        object["backchannel"] = .object(backchannel.object)
        object["headless"] = .object(backchannel.headlessObject)
        request.write(to: &object)
        checks.write(to: &object)
        return object
    }

    private var authenticationObject: JSONObject {
        var object: JSONObject = [
            "assertionLifetimeSeconds": .integer(
                Int64(authenticationRules.assertionLifetimeSeconds)),
            "audience": .string(authenticationRules.audience.rawValue),
            "formEncoded": .bool(authenticationRules.isBasicFormEncoded),
            "method": .string(registration.authentication.rawValue),
        ]
        object["clientIDInBody"] = authenticationRules.sendsClientID.map { .bool($0) }
        switch credentials.secret {
        case .file(let path): object["secretFile"] = .string(path)
        case .environment(let name): object["secretEnvironment"] = .string(name)
        case nil: break
        }
        for member in credentials.key?.object.members ?? [] {
            object[member.name] = member.value
        }
        object["certificateFile"] = credentials.certificateFile.map { .string($0) }
        return object
    }

    private static func text(_ text: String) -> JSONValue? {
        text.isEmpty ? nil : .string(text)
    }

    fileprivate static func list(_ texts: [String]) -> JSONValue? {
        texts.isEmpty ? nil : .array(texts.map { .string($0) })
    }
}

extension KeyPlace {
    var object: JSONObject {
        var object: JSONObject = ["privateKeyFile": .string(file)]
        object["keyID"] = keyID.map { .string($0) }
        object["algorithm"] = algorithm.map { .string($0.rawValue) }
        return object
    }
}

extension BackchannelSettings {
    fileprivate var object: JSONObject {
        var object: JSONObject = ["pollsAtOnceMax": .integer(Int64(pollsAtOnceMax))]
        object["endpoint"] = endpoint.map { .string($0) }
        return object
    }

    fileprivate var headlessObject: JSONObject {
        [
            "endpoint": .string(headlessEndpoint), "grantType": .string(headlessGrantType),
            "pollSeconds": .integer(Int64(headlessPollSeconds)),
        ]
    }
}

extension RequestSettings {
    fileprivate func write(to object: inout JSONObject) {
        object["responseMode"] = responseMode.map { .string($0.rawValue) }
        object["implicitResponseType"] = .string(implicitResponseType.rawValue)
        object["pushedAuthorization"] = .string(pushedAuthorization.rawValue)
        object["acrValues"] = acrValues.map { .string($0) }
        object["loginHint"] = loginHint.map { .string($0) }
        object["userInfo"] = .string(userInfo.rawValue)
        if !extraParameters.isEmpty {
            object["extraParameters"] = .object(
                extraParameters.reduce(into: JSONObject()) { $0[$1.name] = .string($1.value) })
        }
        if let traceField, let traceResponseField {
            object["trace"] = .object([
                "requestField": .string(traceField.name),
                "requestValue": .string(traceField.value),
                "responseField": .string(traceResponseField),
            ])
        }
    }
}

extension CheckSettings {
    fileprivate func write(to object: inout JSONObject) {
        object["algorithms"] = algorithms.flatMap(ProviderProfile.list)
        object["jarmAlgorithms"] = responseAlgorithms.flatMap(ProviderProfile.list)
        object["clockSkewSeconds"] = .object(clockSkew.object)
        object["issuedAtAgeSecondsMax"] = issuedAtAgeSecondsMax.map { .integer(Int64($0)) }
        if !nonceRules.isEmpty {
            object["nonce"] = .object(
                nonceRules.reduce(into: JSONObject()) {
                    $0[$1.key.rawValue] = .string($1.value.rawValue)
                })
        }
        object["levelOfAssuranceMin"] = levelOfAssuranceMin.map { .integer(Int64($0)) }
        if !levelsOfAssurance.isEmpty {
            object["levelsOfAssurance"] = .object(
                levelsOfAssurance.reduce(into: JSONObject()) {
                    $0[$1.acr] = .integer(Int64($1.level))
                })
        }
        object["trustedAudiences"] = ProviderProfile.list(trustedAudiences)
        object["tokenBytesMax"] = tokenBytesMax.map { .integer(Int64($0)) }
        object["rsaBitsMin"] = rsaBitsMin.map { .integer(Int64($0)) }
        object["hintClaims"] = ProviderProfile.list(hintClaims)
        object["subjectClaims"] = ProviderProfile.list(subjectClaims)
        object["certificateBoundTokens"] = .bool(demandsCertificateBinding)
        object["reasonTexts"] =
            reasonTexts.isEmpty ? nil : .array(reasonTexts.map { .object($0.object) })
    }
}

extension ReasonText {
    fileprivate var object: JSONObject {
        var object: JSONObject = [
            "reason": .string(reason.rawValue), "text": .string(text),
        ]
        object["error"] = error.map { .string($0) }
        return object
    }
}
