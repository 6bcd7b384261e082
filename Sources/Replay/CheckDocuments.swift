// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect

/// Key sets and policies, read once: thousands of tokens share a handful of them. For one thread.
final class CheckDocuments {
    private struct KeySetName: Hashable {
        let digest: Digest
        let rsaBitsMin: Int
    }

    private let log: EventLog
    private let settings: JSONObject?
    private var policies: [Digest: VerificationPolicy] = [:]
    private var keySets: [KeySetName: JSONWebKeySet] = [:]

    /// - Parameter settings: what stands in the place of settings of the recorded policies.
    init(_ log: EventLog, replacing settings: JSONObject?) {
        self.log = log
        self.settings = settings
    }

    func policy(_ digest: Digest) throws -> VerificationPolicy? {
        if let known = policies[digest] { return known }
        guard let bytes = try log.blob(digest),
            let members = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue,
            let recorded = try? VerificationPolicy.complete(members).policy,
            let policy = try? settings.map(recorded.replacing) ?? recorded
        else { return nil }
        policies[digest] = policy
        return policy
    }

    func keySet(_ digest: Digest, _ policy: VerificationPolicy) throws -> JSONWebKeySet? {
        let name = KeySetName(digest: digest, rsaBitsMin: policy.rsaBitsMin)
        if let known = keySets[name] { return known }
        guard let bytes = try log.blob(digest),
            let keySet = try? JSONWebKeySet(parsing: bytes, limits: policy.keyLimits)
        else { return nil }
        keySets[name] = keySet
        return keySet
    }
}
