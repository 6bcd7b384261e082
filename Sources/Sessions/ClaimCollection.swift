// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenIDConnect

/// The claims of a login from all the places where a provider gives them.
///
/// The ID token comes first: what it says nobody can overrule. Claims that nobody signed are
/// marked, as whoever sits between could have written them.
struct ClaimCollection {
    /// Where a claim came from.
    enum Origin: String {
        case idToken = "id-token"
        case userInfo = "userinfo"
        case tokenResponse = "token-response"
    }

    private(set) var claims: JSONObject
    /// Where each claim came from, by its name.
    private(set) var origins = JSONObject()
    /// The names of those that nobody signed.
    private(set) var unsigned: [String] = []

    init(_ token: IDToken, _ userInfo: UserInfo?, _ state: SessionState) {
        claims = token.claims
        for claim in token.claims.members {
            origins[claim.name] = .string(Origin.idToken.rawValue)
        }
        if let userInfo { add(userInfo.claims, .userInfo, isSigned: userInfo.isSigned) }
        if let members = state.secrets.furtherMembers {
            add(members, .tokenResponse, isSigned: false)
        }
    }

    /// Whether there are claims beside those of the ID token.
    var hasOthers: Bool {
        origins.members.contains { $0.value != .string(Origin.idToken.rawValue) }
    }

    /// Whether a claim is there and somebody signed it.
    func isSigned(_ name: String) -> Bool {
        claims[name] != nil && !unsigned.contains { $0.isIdentical(to: name) }
    }

    private mutating func add(_ others: JSONObject, _ origin: Origin, isSigned: Bool) {
        for claim in others.members where claims[claim.name] == nil {
            claims[claim.name] = claim.value
            origins[claim.name] = .string(origin.rawValue)
            if !isSigned { unsigned.append(claim.name) }
        }
    }
}
