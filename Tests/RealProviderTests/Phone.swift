// SPDX-License-Identifier: Apache-2.0

/// The user's phone, on which logins without a redirect (CIBA) are answered. It finds a request by
/// its binding message, or the one that has none, and waits until it is there.
struct Phone: Sendable {
    let provider: RealProvider

    /// The user approves a request.
    func approve(bindingMessage: String? = nil) async throws {
        _ = try await provider.script("phone", ["approve"] + [bindingMessage].compactMap(\.self))
    }

    /// The user denies a request.
    func deny(bindingMessage: String? = nil) async throws {
        _ = try await provider.script("phone", ["deny"] + [bindingMessage].compactMap(\.self))
    }
}

extension RealProvider {
    /// The phone of the provider's user.
    var phone: Phone { Phone(provider: self) }

    /// What the provider knows its user by, as it wants to be told in `login_hint`.
    var loginHint: String { #"{"username":"alice"}"# }
}
