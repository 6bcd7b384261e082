// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import LedgerPrimitives
public import ProviderSimulator
public import RelyingParty
public import SessionEvents

extension LoginWishes {
    /// Whom the tests' logins without a browser are about, as a hint has it.
    public static let personNumber = "01819010001"

    /// A wish for a login on the device of the first person of the simulated provider.
    public static var ciba: LoginWishes {
        var wishes = LoginWishes()
        wishes.loginHint = "sub:ssn:" + personNumber
        return wishes
    }

    /// A wish for a login on the device at an address.
    public static var headless: LoginWishes {
        var wishes = LoginWishes()
        wishes.endUserIP = "203.0.113.7"
        return wishes
    }

    /// What a flow without a browser needs at least.
    public static func needed(for flow: Flow) -> LoginWishes {
        flow == .headless ? headless : ciba
    }
}

extension LoginRig {
    /// A whole login by each flow that the profile has.
    ///
    /// - Parameter wishes: of the logins with a browser.
    public func loginByEveryFlow(_ log: EventLog, _ wishes: LoginWishes) async throws {
        for flow in profile.flows {
            _ =
                flow.usesRedirect
                ? try await wholeLogin(log, flow: flow, wishes)
                : try await backchannelLogin(log, flow: flow)
        }
    }

    /// A whole login without a browser, of a user who follows a script.
    public func backchannelLogin(
        _ log: EventLog, flow: Flow = .ciba, _ script: BackchannelScript? = nil,
        _ wishes: LoginWishes? = nil, misbehaving: Misbehaviour? = nil
    ) async throws -> LoginResult {
        var login = SimulatedLogin()
        login.script = script
        login.misbehaviour = misbehaving
        provider.prepare(login)
        return try await party(log).runBackchannel(
            profile, flow: flow, wishes ?? .needed(for: flow))
    }
}

extension EventLog {
    /// The polls of a session, and the answer to the request itself, in order.
    public func polls(_ session: String) throws -> [Polled] {
        try stream(session).compactMap {
            guard case .polled(let polled) = try SessionEventCodec.decode($0) else { return nil }
            return polled
        }
    }

    /// How many polls of a session are recorded: those that brought tokens among them.
    public func recordedPolls(_ session: String) throws -> Int {
        let issued = try words(session).filter { $0 == "token-issued" }.count
        return try polls(session).filter { $0.attempt > 0 }.count + issued
    }
}
