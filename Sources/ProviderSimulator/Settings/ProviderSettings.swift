// SPDX-License-Identifier: Apache-2.0

/// How a simulated provider is set up. Settings may be changed while it runs.
public struct ProviderSettings: Sendable {
    /// Who may ask it for logins.
    public var clients: [RegisteredClient]
    /// Who can log in; the first one does unless a login says otherwise.
    public var persons = SimulatedPerson.samples
    /// What is done wrong where neither the client nor the login says. Discovery knows neither,
    /// so this is where ``Misbehaviour/discoveryIssuerMismatch`` is set.
    public var misbehaviour = Misbehaviour.none
    /// How long ID tokens and access tokens are valid, in seconds.
    public var tokenLifetimeSeconds = 300
    /// How long a code is valid, in seconds.
    public var codeLifetimeSeconds = 60
    /// How far the provider's clock is ahead, in seconds; negative when it is behind.
    public var clockOffsetSeconds = 0
    /// How long ``Misbehaviour/slowToken`` waits, in milliseconds: longer than an ordinary
    /// exchange may take.
    public var slowTokenMilliseconds = 20_000

    /// Settings with these clients.
    public init(clients: [RegisteredClient]) {
        self.clients = clients
    }
}

/// What is settled about one login before it begins.
public struct SimulatedLogin: Sendable {
    /// The `sub` of who logs in; nil for the one that `login_hint` names, or else the first.
    public var subject: String?
    /// What is done wrong; nil leaves it to the client's registration and the settings.
    public var misbehaviour: Misbehaviour?

    /// A login.
    public init(subject: String? = nil, misbehaviour: Misbehaviour? = nil) {
        self.subject = subject
        self.misbehaviour = misbehaviour
    }
}
