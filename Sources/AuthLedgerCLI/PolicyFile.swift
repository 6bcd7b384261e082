// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenIDConnect
internal import RelyingParty

/// Settings of the checks of an ID token in a file, as many as are to stand in the place of others.
enum PolicyFile {
    private static let bytesMax = 262_144

    /// Reads settings in JSON or YAML; `-` is standard input.
    static func read(_ path: String) throws -> JSONObject {
        let bytes = try InputFile.read(path, bytesMax: bytesMax)
        guard bytes.count <= bytesMax else {
            throw invalid("the policy is larger than \(bytesMax) bytes")
        }
        guard let settings = try? ProfileFile.members(bytes) else {
            throw invalid("the policy is no object in JSON and no mapping in YAML")
        }
        do {
            // Any recorded policy does to see whether the settings are of their form.
            _ = try VerificationPolicy(issuer: "https://issuer.invalid", audience: "client")
                .replacing(settings)
        } catch {
            throw invalid(problem(error))
        }
        return settings
    }

    private static func problem(_ error: PolicyError) -> String {
        switch error.problem {
        case .unknown: "the policy has a member that is no setting of a check"
        case .missing: "the policy lacks `\(error.member)`"
        case .malformed: "`\(error.member)` in the policy has another form, or is out of range"
        }
    }

    private static func invalid(_ message: String) -> CommandError {
        CommandError(
            .usage, "policy-invalid", message,
            hint: "name settings as archived policies do, for example levelOfAssuranceMin: 4")
    }
}
