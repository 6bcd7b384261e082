// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenIDConnect
import Testing

@Suite("A verification policy")
struct VerificationPolicyTests {
    private static let document = """
        {"algorithms":["RS256"],"audience":"rp","clockSkewSeconds":{"exp":60,"iat":60,"nbf":60},\
        "issuedAtAgeSecondsMax":600,"issuer":"https://op.example","levelOfAssuranceMin":0,\
        "levelsOfAssurance":{},"nonce":"when-sent","rsaBitsMin":2048,"tokenBytesMax":262144,\
        "trustedAudiences":[]}
        """

    private static func members(_ text: String) throws -> JSONObject {
        try #require(
            try JSONReader.read(Array(text.utf8), numbers: .integersOnly).objectValue)
    }

    @Test("is the same document as ever where it uses no setting that was added later")
    func unchanged() throws {
        let (policy, wasPartial) = try VerificationPolicy.complete(
            Self.members(#"{"issuer":"https://op.example","audience":"rp"}"#))
        #expect(wasPartial)
        let bytes = CanonicalJSON.encode(policy.object)
        #expect(String(decoding: bytes, as: UTF8.self) == Self.document)
        let whole = try VerificationPolicy.complete(Self.members(Self.document))
        #expect(whole.policy == policy)
        #expect(!whole.wasPartial)
    }

    @Test("keeps the claims that hints are compared with")
    func hintClaims() throws {
        var members = try Self.members(Self.document)
        members["hintClaims"] = .array([.string("ssn"), .string("socialno")])
        let (policy, wasPartial) = try VerificationPolicy.complete(members)
        #expect(policy.hintClaims == ["ssn", "socialno"])
        #expect(!wasPartial)
        #expect(policy.object == members)
        members["hintClaims"] = .string("ssn")
        #expect(throws: PolicyError.self) { try VerificationPolicy.complete(members) }
    }

    @Test("of a profile with long lists could not be read again from the archive")
    func longLists() throws {
        let longest = (0..<256).map { JSONValue.string("claim-\($0)") }
        for name in ["algorithms", "hintClaims", "requiredClaims", "trustedAudiences"] {
            var members = try Self.members(Self.document)
            members[name] = .array(longest)
            let policy = try VerificationPolicy.complete(members).policy
            #expect(policy.object[name] == .array(longest))
            members[name] = .array(longest + [.string("one more")])
            #expect(throws: PolicyError.self) { try VerificationPolicy.complete(members) }
        }
    }

    @Test("with a member that no policy has is refused")
    func unknown() throws {
        var members = try Self.members(Self.document)
        members["hintClaim"] = .array([])
        #expect(throws: PolicyError.self) {
            try VerificationPolicy.complete(members)
        }
    }
}
