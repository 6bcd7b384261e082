// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Why a text is no key set at all.
public enum JSONWebKeySetError: Error, Equatable, Sendable {
    /// More bytes than the limit.
    case tooLarge
    /// Not strict JSON.
    case notJSON(JSONError)
    /// No object with an array `keys`.
    case keysMissing
    /// More keys than the limit.
    case tooManyKeys
}

/// Why a set has no key for a signature.
public enum KeySelectionError: Error, Equatable, Sendable {
    /// No key has the given `kid`. Another key is never tried in its place.
    case keyIDUnknown
    /// The header has no `kid`, and not exactly one key fits but so many.
    case keyIDMissing(fitting: Int)
    /// The key with the given `kid` cannot be used.
    case unusable(UnusableKeyReason)
    /// The key with the given `kid` is one for other algorithms.
    case misfit
}

/// The public keys of a provider (RFC 7517 §5), parsed and checked once.
///
/// A key that cannot be used does not spoil the set: it stays in ``keys`` with its reason, so that
/// a signature by it can be refused with that reason.
public struct JSONWebKeySet: Sendable {
    /// The keys in their order.
    public let keys: [JSONWebKey]

    /// Reads a set as a provider publishes it.
    public init(
        parsing bytes: [UInt8], limits: JSONWebKeyLimits = JSONWebKeyLimits()
    ) throws(JSONWebKeySetError) {
        self.init(try Self.elements(bytes, limits).map { JSONWebKey($0, limits: limits) })
    }

    /// The names of the keys in a set, whether or not the keys are of use.
    public static func keyIDs(parsing bytes: [UInt8]) throws(JSONWebKeySetError) -> [String] {
        try elements(bytes, JSONWebKeyLimits()).compactMap {
            JSONWebKey.keyID(in: $0.objectValue ?? [:])
        }
    }

    private static func elements(
        _ bytes: [UInt8], _ limits: JSONWebKeyLimits
    ) throws(JSONWebKeySetError) -> [JSONValue] {
        guard bytes.count <= limits.setBytesMax else { throw .tooLarge }
        let value: JSONValue
        do {
            value = try JSONReader.read(bytes, numbers: .anyAsText)
        } catch {
            throw .notJSON(error)
        }
        guard let elements = value.objectValue?["keys"]?.arrayValue else { throw .keysMissing }
        guard elements.count <= limits.keysMax else { throw .tooManyKeys }
        return elements
    }

    /// A set of keys. Usable keys that share a `kid` all become unusable: a signature must not
    /// depend on which of them is tried.
    public init(_ keys: [JSONWebKey]) {
        var counts: [[UInt8]: Int] = [:]
        for key in keys where key.publicKey != nil {
            guard let keyID = key.keyID else { continue }
            counts[Array(keyID.utf8), default: 0] += 1
        }
        self.keys = keys.map { key in
            guard key.publicKey != nil, let keyID = key.keyID,
                counts[Array(keyID.utf8), default: 0] > 1
            else { return key }
            var refused = key
            refused.usability = .unusable(.duplicateKeyID)
            return refused
        }
    }

    /// The one key for a signature.
    ///
    /// With a `kid` it is the usable key of that name, or none. Without one exactly one usable key
    /// may fit the algorithm.
    public func key(
        for algorithm: SignatureAlgorithm, keyID: String?
    ) throws(KeySelectionError) -> JSONWebKey {
        guard let keyID else {
            let fitting = keys.filter { $0.fits(algorithm) }
            if fitting.count == 1 { return fitting[0] }
            // Where there is only one key, what is wrong with it says more.
            if keys.count == 1, let reason = keys[0].unusableReason { throw .unusable(reason) }
            throw .keyIDMissing(fitting: fitting.count)
        }
        let usable = keys.first { $0.publicKey != nil && $0.isNamed(keyID) }
        guard let named = usable ?? keys.first(where: { $0.isNamed(keyID) }) else {
            throw .keyIDUnknown
        }
        if let reason = named.unusableReason { throw .unusable(reason) }
        guard named.fits(algorithm) else { throw .misfit }
        return named
    }

    /// Whether a key of this name is in it, usable or not.
    public func has(keyID: String) -> Bool {
        keys.contains { $0.isNamed(keyID) }
    }
}
