// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

/// Where the answer to an authorization request goes.
struct ReturnPath {
    let client: RegisteredClient
    let redirectURI: String
    let mode: ResponseMode
    let state: String?
}

/// An authorization response before it is sent: the place where it is spoiled, if it is to be.
struct CallbackDraft {
    typealias Parameter = (name: String, value: String)

    /// The parameters of the answer. Where it is signed, they are its claims.
    var parameters: [Parameter]
    /// What stands beside a signed answer.
    var beside: [Parameter] = []
    /// Whether a signed answer is there at all.
    var hasResponse = true
    /// Whether the user comes back at all.
    var returns = true

    /// The value of a parameter; setting one that is not there adds it, nil takes it away.
    subscript(name: String) -> String? {
        get { parameters.first { $0.name.isIdentical(to: name) }?.value }
        set {
            let index = parameters.firstIndex { $0.name.isIdentical(to: name) }
            switch (index, newValue) {
            case (let index?, let value?): parameters[index].value = value
            case (let index?, nil): parameters.remove(at: index)
            case (nil, let value?): parameters.append((name, value))
            case (nil, nil): break
            }
        }
    }
}

extension SimulatedProvider {
    /// Sends the answer to an authorization request back through the browser.
    ///
    /// - Parameter parameters: those without a value are left out.
    func callback(
        _ path: ReturnPath, _ parameters: [(name: String, value: String?)],
        misbehaving: Misbehaviour, returns: Bool = true, in moment: Moment
    ) -> HTTPResponse {
        var draft = CallbackDraft(
            parameters: parameters.compactMap { name, value in value.map { (name, $0) } })
        draft["state"] = path.state
        if path.mode.isSigned || settings.broker.namesItself { draft["iss"] = issuer }
        draft.returns = returns
        misbehaving.spoil(&draft)
        guard draft.returns else {
            return .page("Open the app on your telephone and go on there.", status: 200)
        }
        var outer = draft.parameters
        if path.mode.isSigned {
            outer = draft.beside
            if draft.hasResponse {
                guard let token = try? signed(draft, path, misbehaving, in: moment) else {
                    return .page("The answer cannot be signed.", status: 500)
                }
                outer.insert(("response", token), at: 0)
            }
        }
        return Self.carry(outer, along: path)
    }

    /// The answer as a signed token (JARM §2.1), encrypted if the client wants it so.
    private func signed(
        _ draft: CallbackDraft, _ path: ReturnPath, _ misbehaviour: Misbehaviour, in moment: Moment
    ) throws(OpenSSLError) -> String {
        var claims = JSONObject()
        for parameter in draft.parameters {
            let isNumber = parameter.name.isIdentical(to: "expires_in")
            let number = isNumber ? Int64(parameter.value).map(JSONValue.integer) : nil
            claims[parameter.name] = number ?? .string(parameter.value)
        }
        claims["aud"] = .string(path.client.id)
        claims["exp"] = .integer(
            moment.after(seconds: settings.broker.responseLifetimeSeconds).secondsSince1970)
        var token = TokenDraft(
            claims, key: signingKey(for: path.client.responseAlgorithm), client: path.client,
            now: moment.now)
        token.encryptIfWanted()
        misbehaviour.spoil(&token, .response)
        return try token.encode(moment.randomBytes)
    }

    private static func carry(
        _ parameters: [CallbackDraft.Parameter], along path: ReturnPath
    ) -> HTTPResponse {
        let query = FormParameters.encode(parameters.map { ($0.name, $0.value) })
        switch path.mode.carrier {
        case .query:
            let separator = path.redirectURI.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
            return .redirect(to: path.redirectURI + separator + query)
        case .fragment:
            return .redirect(to: path.redirectURI + "#" + query)
        case .formPost:
            return FormPage(action: path.redirectURI, parameters: parameters).response
        }
    }
}
