// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import Synchronization

/// What archived documents say, each read once and not for every login.
///
/// A document is asked for by the digest of its bytes. The same bytes say the same for ever, so
/// nothing here can be out of date. Which document counts for a login is not decided here.
final class DocumentReadings: Sendable {
    /// A discovery document and the rules by which it was read.
    struct DiscoveryReading: Hashable {
        private let digest: Digest
        private let issuer: [UInt8]
        private let hosts: [[UInt8]]
        private let allowsLoopbackHTTP: Bool

        init(_ digest: Digest, issuer: String, profile: ProviderProfile) {
            self.digest = digest
            self.issuer = Array(issuer.utf8)
            hosts = profile.hosts.map { Array($0.utf8) }
            allowsLoopbackHTTP = profile.transport.allowsLoopbackHTTP
        }
    }

    /// A key set and the limits that its keys were held to.
    struct KeySetReading: Hashable {
        let digest: Digest
        let limits: JSONWebKeyLimits
    }

    let profiles = Readings<Digest, ProviderProfile>()
    let discoveries = Readings<DiscoveryReading, DiscoveryDocument>()
    let policies = Readings<Digest, VerificationPolicy>()
    let keySets = Readings<KeySetReading, JSONWebKeySet>()
}

/// Values that were read, by what they were read from.
final class Readings<Source: Hashable & Sendable, Value: Sendable>: Sendable {
    /// How many are kept. A service has some profiles, and a few documents of each provider; when
    /// there are more, all are read again.
    private static var valuesMax: Int { 64 }

    private let values = Mutex<[Source: Value]>([:])

    /// The value of a source: the one that is there, or what reading gives. What cannot be read is
    /// read again the next time.
    func value<Failure: Error>(
        of source: Source, _ read: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        if let known = values.withLock({ $0[source] }) { return known }
        let value = try read()
        values.withLock { values in
            if values.count >= Self.valuesMax { values.removeAll() }
            values[source] = value
        }
        return value
    }
}
