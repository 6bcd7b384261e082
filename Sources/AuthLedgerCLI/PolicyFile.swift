// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenIDConnect
internal import Platform
internal import RelyingParty

/// What is to be different in a policy: a file in YAML or JSON with some of its members.
struct PolicyFile {
    private let members: JSONObject

    static func read(_ path: String) throws -> PolicyFile {
        PolicyFile(members: try ProfileFile.members(at: path))
    }

    /// A policy with what is different.
    func applied(to policy: VerificationPolicy) throws -> VerificationPolicy {
        var object = policy.object
        for member in members.members { object[member.name] = member.value }
        do {
            return try VerificationPolicy.complete(object).policy
        } catch {
            throw CommandError(
                .usage, "policy-invalid",
                "in the policy, `\(error.problem == .unknown ? "a member" : error.member)` is "
                    + (error.problem == .unknown ? "not known" : "not of its form"),
                hint: "Schemas/ingest-line.v1.schema.json lists the members")
        }
    }
}
