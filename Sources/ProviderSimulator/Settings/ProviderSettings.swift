// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// How a simulated provider is set up. Settings may be changed while it runs.
public struct ProviderSettings: Sendable {
    /// Who may ask it for logins.
    public var clients: [RegisteredClient]
    /// Which provider it plays.
    public var broker: SimulatedBroker
    /// Who can log in; the first one does unless a login says otherwise.
    public var persons = SimulatedPerson.samples
    /// What is done wrong where neither the client nor the login says. Discovery and key sets know
    /// neither, so this is where their misbehaviours are set.
    public var misbehaviour = Misbehaviour.none
    /// How long a code is valid, in seconds.
    public var codeLifetimeSeconds = 60
    /// How far the provider's clock is ahead, in seconds; negative when it is behind.
    public var clockOffsetSeconds = 0
    /// How long a slow answer takes, in milliseconds: longer than an ordinary exchange may take.
    public var slowTokenMilliseconds = 20_000
    /// Whether codes are given together with tokens (`code id_token` and its like).
    public var allowsHybrid = false
    /// Whom a client assertion must name in `aud`.
    public var assertionAudience = AssertionAudience.issuer
    /// How id and secret are written in a Basic header.
    public var basicCredentials = BasicCredentials.formEncoded
    /// How logins without redirects go.
    public var backchannel = BackchannelSettings()
    /// Where the endpoints for clients with certificates begin, without a slash at the end; nil for
    /// `/mtls` below the issuer.
    public var mutualTLSBaseURL: String?
    /// What only BankID has.
    public var bankID = BankIDSettings()
    /// What only IDPartner has.
    public var idPartner = IDPartnerSettings()

    private var chosenTokenLifetimeSeconds: Int?
    private var chosenPushedRequestLifetimeSeconds: Int?
    private var chosenAssertionLifetimeSecondsMax: Int?
    private var choiceOnPushedRequests: Bool?

    /// Settings with these clients.
    public init(clients: [RegisteredClient], broker: SimulatedBroker = .generic) {
        self.clients = clients
        self.broker = broker
    }

    /// How long ID tokens and access tokens are valid, in seconds; the broker's custom unless set.
    public var tokenLifetimeSeconds: Int {
        get { chosenTokenLifetimeSeconds ?? broker.tokenLifetimeSeconds }
        set { chosenTokenLifetimeSeconds = newValue }
    }

    /// How long a pushed authorization request waits for its user, in seconds; the broker's custom
    /// unless set.
    public var pushedRequestLifetimeSeconds: Int {
        get { chosenPushedRequestLifetimeSeconds ?? broker.pushedRequestLifetimeSeconds }
        set { chosenPushedRequestLifetimeSeconds = newValue }
    }

    /// How long a client assertion may be valid, in seconds; the broker's rule unless set.
    public var assertionLifetimeSecondsMax: Int {
        get { chosenAssertionLifetimeSecondsMax ?? broker.assertionLifetimeSecondsMax }
        set { chosenAssertionLifetimeSecondsMax = newValue }
    }

    /// Whether authorization requests must be pushed (RFC 9126 §5); the broker's rule unless set.
    public var requiresPushedRequests: Bool {
        get { choiceOnPushedRequests ?? broker.requiresPushedRequests }
        set { choiceOnPushedRequests = newValue }
    }
}

/// Whom a client assertion must name in `aud` (RFC 7523 §3).
public enum AssertionAudience: String, Sendable, Hashable, CaseIterable {
    /// The issuer.
    case issuer
    /// The endpoint that is asked.
    case endpoint
}

/// How id and secret are written in a Basic header.
public enum BasicCredentials: String, Sendable, Hashable, CaseIterable {
    /// Each form-urlencoded before they are joined, as RFC 6749 §2.3.1 demands.
    case formEncoded = "form-encoded"
    /// As they are.
    case verbatim
}

/// What only BankID has.
public struct BankIDSettings: Sendable, Hashable {
    /// Whether `amr` is a list, as from version 2 of its API on, or a text.
    public var listsMethods = true
    /// Whether everybody gets another `sub` in each login; `bankid_altsub` stays.
    public var changesSubjects = false
    /// What stands in `error_description` behind `bankid_error_codes:` when a login fails.
    public var errorCode = "C301"
    /// The parameter in which an authorization request carries a permission.
    public var permissionParameter = "login_hint_token"
    /// How long a grant is valid, in seconds.
    public var grantLifetimeSeconds = 300

    /// The usual.
    public init() {}
}

/// What only IDPartner has.
public struct IDPartnerSettings: Sendable {
    /// `idp_id`: which identity provider the user chooses in the account selector.
    public var identityProviderID = "simulated-bank"
    /// Whether the account selector gives a one-time token that the authorization request must
    /// bring.
    public var usesSelectorToken = true
    /// Claims that stand in the token response, beside the tokens, where nobody signs them.
    public var tokenResponseClaims: JSONObject = [
        "payment_details": .object([
            "account_number": .string("0000123456789"), "currency": .string("EUR"),
            "routing_number": .string("000000000"),
        ])
    ]

    /// The usual.
    public init() {}
}

/// What is settled about one login before it begins.
public struct SimulatedLogin: Sendable {
    /// The `subject` of who logs in; nil for the one that `login_hint` names, or else the first.
    public var subject: String?
    /// What is done wrong; nil leaves it to the client's registration and the settings.
    public var misbehaviour: Misbehaviour?
    /// Whether the user comes back at all: some leave, and some failures strand them. Without
    /// redirects, whether they ever answer.
    public var returns = true
    /// How the user answers without redirects; nil leaves it to the settings.
    public var script: BackchannelScript?

    /// A login.
    public init(
        subject: String? = nil, misbehaviour: Misbehaviour? = nil, returns: Bool = true,
        script: BackchannelScript? = nil
    ) {
        self.subject = subject
        self.misbehaviour = misbehaviour
        self.returns = returns
        self.script = script
    }
}
