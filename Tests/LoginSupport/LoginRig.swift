// SPDX-License-Identifier: Apache-2.0

public import Capabilities
public import EventLog
internal import Foundation
internal import HTTPMessages
internal import JOSE
public import LedgerPrimitives
public import ProviderSimulator
public import RelyingParty
public import SessionEvents
internal import Synchronization
internal import TestSupport

/// A clock that goes on by a few milliseconds at each look.
public final class SimulatedClock: Sendable {
    private let milliseconds = Mutex(Int64(1_790_000_000_000))
    private let stepMilliseconds = Mutex(Int64(0))

    /// The true time.
    public func now() -> Instant {
        Instant(millisecondsSince1970: steadyMilliseconds())
    }

    /// Milliseconds that nobody sets.
    public func steadyMilliseconds() -> Int64 {
        milliseconds.withLock { milliseconds in
            milliseconds += 5
            return milliseconds
        }
    }

    /// What the relying party's wall clock says, which may be set.
    public func wallTime() -> Instant {
        now().advanced(byMilliseconds: stepMilliseconds.withLock { $0 })
    }

    /// Lets time pass.
    public func advance(seconds: Int64) {
        advance(milliseconds: seconds * 1000)
    }

    /// Lets time pass.
    public func advance(milliseconds passed: Int64) {
        milliseconds.withLock { $0 += passed }
    }

    /// Sets the wall clock forward, or back by a negative number.
    public func setWall(forwardBySeconds seconds: Int64) {
        stepMilliseconds.withLock { $0 += seconds * 1000 }
    }
}

/// Everything for logins inside one process, off every socket: a ledger in a directory of its own,
/// a simulated provider, a clock and dice. The same seed gives the same login, but for signatures.
///
/// An open ledger takes up two terabytes of addresses, and a process has 128: suites that open one
/// in every test are `.serialized`.
public final class LoginRig: Sendable {
    /// The provider.
    public static let issuer = "https://op.example/realms/test"
    /// The client's secret; nothing in it may be found in the log.
    public static let secret = "rp s:cr+t/%\u{E9}"
    /// Where users come back to.
    public static let redirectURI = "https://rp.example/callback"

    /// A key of another generation.
    public static func newKey(_ keyID: String) throws -> ProviderKey {
        try ProviderKey(generatingFor: .es256, keyID: keyID)
    }

    /// Where everything lies; removed at the end.
    public let directory: String
    /// The clock of both sides.
    public let clock = SimulatedClock()
    /// The provider.
    public let provider: SharedProvider
    /// What lies between the two.
    public let wire: Wire
    /// Clock, dice and network of the relying party.
    public let capabilities: Capabilities
    /// The provider as the relying party knows it.
    public let profile: ProviderProfile
    private let ownsDirectory: Bool
    private let commitHook = Mutex<@Sendable (CommitPoint) throws -> Void>({ _ in })

    /// A rig with a new ledger.
    public convenience init(
        seed: UInt64 = 1, profileLines: [String] = [], _ setup: LoginSetup = .generic
    ) throws {
        let directory = NSTemporaryDirectory() + "authledger-login-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        try self.init(
            directory: directory, seed: seed, profileLines: profileLines, setup,
            ownsDirectory: true)
        _ = try EventLog.create(
            ledger, origin: nil, keyRoot: keyRoot,
            samples: SyntheticSamples.events.map {
                SampleEvent(envelope: $0.envelope, data: $0.data)
            }, capabilities: capabilities)
    }

    /// A rig in the directory of another, whose process may be dead by now.
    public convenience init(sharing directory: String, seed: UInt64) throws {
        try self.init(
            directory: directory, seed: seed, profileLines: [], .generic, ownsDirectory: false)
    }

    private init(
        directory: String, seed: UInt64, profileLines: [String], _ setup: LoginSetup,
        ownsDirectory: Bool
    ) throws {
        self.directory = directory
        self.ownsDirectory = ownsDirectory
        let clock = clock
        let providerDice = Mutex(SeededGenerator(seed: seed &+ 0x5EED))
        provider = SharedProvider(
            SimulatedProvider(
                issuer: Self.issuer, key: try setup.signingKey(), settings: setup.settings),
            now: { clock.now() },
            randomBytes: { count in providerDice.withLock { $0.bytes(count) } },
            presentedCertificate: { request in
                request.limits.clientCertificate.flatMap { files in
                    ClientFiles.thumbprint(ofCertificateIn: files.certificateFile)
                }
            },
            wait: { milliseconds in
                clock.advance(seconds: Int64(milliseconds / 1000))
                // As a transport does whose limit is 15 seconds.
                if milliseconds > 15_000 { throw HTTPFailure(.timedOut, mayHaveBeenSent: true) }
            })
        let wire = Wire(provider, issuer: Self.issuer)
        self.wire = wire
        let dice = Mutex(SeededGenerator(seed: seed))
        capabilities = Capabilities(
            now: { clock.wallTime() },
            randomBytes: { count in dice.withLock { $0.bytes(count) } },
            send: { try await wire.send($0) },
            timer: SteadyTimer(
                steadyMilliseconds: { clock.steadyMilliseconds() },
                wait: { milliseconds in
                    // Whoever waits gets the time they waited for; others see it pass.
                    try Task.checkCancellation()
                    clock.advance(milliseconds: milliseconds)
                }))
        let yaml = (setup.profileLines + profileLines).joined(separator: "\n")
        let files = setup.files + [("client.secret", Self.secret + "\n"), ("profile.yaml", yaml)]
        for (name, text) in files {
            try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/" + name))
        }
        profile = try ProfileFile.read(directory + "/profile.yaml")
    }

    deinit {
        if ownsDirectory { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// Writes a file into the directory.
    public func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/" + name))
    }

    // MARK: - Ledger

    /// The ledger's directory.
    public var ledger: String { directory + "/ledger" }
    /// Where its keys lie.
    public var keyRoot: String { directory + "/config/keys" }

    /// Opens the ledger. It may be open once at a time.
    public func open(_ access: EventLog.Access = .appending) throws -> EventLog {
        try EventLog(
            ledger, keyRoot: keyRoot, access: access, capabilities: capabilities,
            reached: { point in
                try self.commitHook.withLock { $0 }(point)
            })
    }

    /// Steps in at every point of every commit from now on.
    package func onCommit(_ hook: @escaping @Sendable (CommitPoint) throws -> Void) {
        commitHook.withLock { $0 = hook }
    }

    // MARK: - Logins

    /// A relying party that records into a log of this rig.
    public func party(_ log: EventLog) -> RelyingParty {
        RelyingParty(log: log, capabilities: capabilities)
    }

    /// Sends the user to the provider and gives the callback URL that comes back.
    public func browse(_ started: LoginResult) async throws -> String {
        try await browse(try required(started.authorizationURL))
    }

    /// Sends the user to a URL at the provider and gives the callback URL that comes back.
    public func browse(_ url: String) async throws -> String {
        let provider = provider
        return try await SimulatedBrowser { try await provider.send($0) }.visit(url)
    }

    /// Sends the user to a URL and gives what comes back as `callback` takes it; nil when the user
    /// never comes back.
    public func answer(at url: String) async throws -> String? {
        let provider = provider
        switch try await SimulatedBrowser(send: { try await provider.send($0) }).go(url) {
        case .redirect(let location): return location
        case .form(_, let body): return body
        case .stranded: return nil
        }
    }

    /// A whole login, over an account selector where the profile has one.
    public func wholeLogin(
        _ log: EventLog, flow: Flow, _ wishes: LoginWishes = LoginWishes()
    ) async throws -> LoginResult {
        let party = party(log)
        var result = try await party.start(profile, flow: flow, wishes)
        while let url = result.authorizationURL, let callback = try await answer(at: url) {
            let outcome = try await party.receiveCallback(callback, session: result.session)
            result = try required(outcome.taken)
        }
        return result
    }

    /// A login as far as it goes.
    public struct Login: Sendable {
        /// The session.
        public let session: String
        /// What came back through the browser; nil when the login did not get that far.
        public let callback: String?
        /// What became of it.
        public let outcome: CallbackResult
    }

    /// A whole login.
    ///
    /// - Parameter isBound: whether the callback is received for the session that was started, as
    ///   by a caller that holds it; else the session is found by its state.
    public func login(
        _ log: EventLog, misbehaving: Misbehaviour = .none, flow: Flow = .pkce,
        isBound: Bool = true
    ) async throws -> Login {
        provider.withProvider { $0.settings.misbehaviour = misbehaving }
        defer { provider.withProvider { $0.settings.misbehaviour = .none } }
        let party = party(log)
        let started = try await party.start(profile, flow: flow)
        guard started.authorizationURL != nil else {
            return Login(session: started.session, callback: nil, outcome: .taken(started))
        }
        let callback = try await browse(started)
        return Login(
            session: started.session, callback: callback,
            outcome: try await party.receiveCallback(
                callback, session: isBound ? started.session : nil))
    }
}

extension CallbackResult {
    /// What became of the session; nil when the callback was refused outside of it.
    public var taken: LoginResult? {
        guard case .taken(let result) = self else { return nil }
        return result
    }
}

/// A value was not there.
public struct MissingValue: Error {
    init() {}
}

/// The value, which a test needs to go on.
public func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw MissingValue() }
    return value
}
