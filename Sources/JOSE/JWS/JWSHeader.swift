// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// The protected header of a JWS (RFC 7515 §4). Until the signature is verified it is only what
/// somebody wrote.
public struct JWSHeader: Sendable, Equatable {
    /// All members, those without meaning for us too.
    public let members: JSONObject
    /// `alg` as it stands there, be it known or not.
    public let algorithmName: String
    /// `typ` as it stands there.
    public let type: String?

    init(parsing bytes: [UInt8]) throws(JWSError) {
        let value: JSONValue
        do {
            value = try JSONReader.read(bytes, numbers: .anyAsText)
        } catch {
            throw .headerNotJSON(error)
        }
        guard let members = value.objectValue, let name = members["alg"]?.stringValue else {
            throw .headerMalformed
        }
        if let type = members["typ"], type.stringValue == nil { throw .headerMalformed }
        self.members = members
        algorithmName = name
        type = members["typ"]?.stringValue
    }

    /// `kid`; nil when there is none or it is refused.
    public var keyID: String? {
        guard let keyID = members["kid"]?.stringValue,
            keyID.utf8.count <= JSONWebKey.keyIDBytesMax
        else { return nil }
        return keyID
    }

    /// The algorithm, if it is one of ours.
    public var algorithm: SignatureAlgorithm? { SignatureAlgorithm(name: algorithmName) }

    /// Refuses members that would let the token choose how it is verified. `x5c` and `x5t` are
    /// passed over: nothing is ever taken from them.
    func refuseForeignMembers() throws(JWSError) {
        for member in members.members {
            let refused = RefusedHeaderMember(rawValue: member.name)
            if let refused, refused != .kid { throw .headerRefused(refused) }
        }
        if members["kid"] != nil, keyID == nil { throw .headerRefused(.kid) }
    }

    /// Refuses `crit` whatever it lists: every extension in it must be understood (RFC 7515
    /// §4.1.11), and we understand none.
    func refuseCriticalExtensions() throws(JWSError) {
        if members["crit"] != nil { throw .criticalExtension }
    }
}
