// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// What a request for a login without redirects says beside whom it is about, checked, and what
/// follows from it for the waiting.
struct BackchannelTerms {
    /// A kind of call in which Idura's clients let users prove who they are.
    enum Call {
        case phone
        case customerService
    }

    /// How long the request waits for its user.
    private(set) var lifetimeSeconds: Int
    /// What is said of it while it waits.
    private(set) var pendingDescriptions = ["the user has not answered yet"]
    private let writesLifetimeAsText: Bool
    private var intervalSeconds: Int?
    private var call: Call?

    /// The longest `binding_message` in characters. CIBA Core §7.1 wants it short and plain, so
    /// that it can be shown on small devices and read out.
    private static let messageCharactersMax = 60

    /// What is asked of the backchannel authentication endpoint (CIBA Core §7.1).
    init(_ form: FormParameters, settings: ProviderSettings) throws(OAuthError) {
        try self.init(scopeOf: form, settings.backchannel)
        intervalSeconds = settings.backchannel.intervalSeconds
        guard form["request"] == nil else {
            throw OAuthError(.requestNotSupported, "signed requests are not supported here")
        }
        if settings.broker == .idura {
            pendingDescriptions = [
                "awaiting first user interaction", "awaiting user identification",
            ]
        }
        if let details = form["authorization_details"] {
            call = try Self.call(details, settings)
        }
        if call == .customerService {
            lifetimeSeconds = 900
            intervalSeconds = 3
            pendingDescriptions = ["User has not yet granted authorization"]
        }
        if let message = form["binding_message"] {
            let isPlain = message.allSatisfy { $0.isLetter || $0.isNumber || " .-".contains($0) }
            guard isPlain, message.count <= Self.messageCharactersMax, call != .customerService
            else { throw OAuthError(.invalidBindingMessage, "no such message can be shown") }
        }
        if let text = form["requested_expiry"] {
            guard let seconds = Int(text), seconds > 0 else {
                throw OAuthError(.invalidRequest, "requested_expiry is no positive number")
            }
            lifetimeSeconds = min(lifetimeSeconds, seconds)
        }
    }

    /// What is asked of the endpoint of Headless.
    init(headless form: FormParameters, settings: ProviderSettings) throws(OAuthError) {
        try self.init(scopeOf: form, settings.backchannel)
        guard form["end_user_ip"] != nil else {
            throw OAuthError(.invalidRequest, "end_user_ip is missing")
        }
    }

    private init(
        scopeOf form: FormParameters, _ settings: BackchannelSettings
    ) throws(OAuthError) {
        let scopes = (form["scope"] ?? "").split(separator: " ")
        guard scopes.contains(where: { $0.utf8.elementsEqual("openid".utf8) }) else {
            throw OAuthError(.invalidScope, "the scope must have openid in it")
        }
        lifetimeSeconds = settings.lifetimeSeconds
        writesLifetimeAsText = settings.writesLifetimeAsText
    }

    /// What the details ask for (RFC 9396 §2), which at Idura is one call; nil elsewhere.
    private static func call(
        _ text: String, _ settings: ProviderSettings
    ) throws(OAuthError) -> Call? {
        let refused = OAuthError(.invalidAuthorizationDetails, "these details are not known here")
        let value = try? JSONReader.read(Array(text.utf8), numbers: .anyAsText)
        guard let details = value?.arrayValue else { throw refused }
        guard settings.broker == .idura else { return nil }
        guard details.count == 1, let detail = details[0].objectValue else { throw refused }
        switch (detail["type"], detail["callInitiator"]) {
        case (.string("phoneAuth"), .string("RP")), (.string("phoneAuth"), .string("user")):
            return .phone
        case (.string("customerServiceCall.v1"), nil):
            return .customerService
        default:
            throw refused
        }
    }

    /// The answer to a request that was accepted (CIBA Core §7.3).
    ///
    /// - Parameter code: the QR code of a Headless login; nil for CIBA.
    func members(id: String, code: QRCode?, in moment: Moment) -> JSONObject {
        var members: JSONObject = [
            code == nil ? "auth_req_id" : "headless_req_id": .string(id),
            "expires_in": writesLifetimeAsText
                ? .string("\(lifetimeSeconds)") : .integer(Int64(lifetimeSeconds)),
        ]
        members["interval"] = intervalSeconds.map { .integer(Int64($0)) }
        if call == .customerService { members["bindingMessage"] = .string("Frekk Julekos") }
        if let code {
            members["acr_data"] = .object([
                "qrData": .string(code.text(seconds: 0)),
                "autoStartToken": .string(BrokerIdentifier.uuid(moment.randomBytes(16))),
            ])
        }
        return members
    }
}
