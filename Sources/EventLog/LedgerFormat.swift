// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SignedNote

/// The on-disk format and what a reader must know to use it.
public enum LedgerFormat {
    /// The version that this program makes and reads.
    public static let version: Int64 = 1

    /// Features beyond the version that this program knows; a ledger that names another in
    /// `readFeatures` cannot be read, one that names another in `writeFeatures` not written.
    static let knownFeatures: Set<String> = []

    static var encoded: [UInt8] {
        CanonicalJSON.encode([
            "readFeatures": .array([]), "version": .integer(version), "writeFeatures": .array([]),
        ])
    }

    /// Refuses a format that this program does not know.
    static func check(_ bytes: [UInt8]?) throws(LedgerError) {
        guard let bytes,
            let object = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue,
            let found = object["version"]?.integerValue
        else { throw .damaged("the record of the format is malformed", position: nil) }
        let named = ["readFeatures", "writeFeatures"].flatMap { object[$0]?.arrayValue ?? [] }
        let unknown = named.compactMap(\.stringValue).filter { !knownFeatures.contains($0) }
        guard found == version, unknown.isEmpty else {
            throw .unknownFormat(version: found, features: unknown)
        }
    }
}

/// What never changes about a ledger.
public struct LedgerInfo: Equatable, Sendable {
    /// The ledger's id, which names its own stream and the place of its keys.
    public let ledgerID: UUIDv7
    /// The name under which it signs, and the `source` of what it observed itself.
    public let origin: String
    /// The key that verified its first checkpoints.
    public let verifierKey: VerifierKey
    /// When it was made.
    public let created: Instant

    var encoded: [UInt8] {
        CanonicalJSON.encode([
            "created": .string(created.rfc3339),
            "ledgerID": .string(ledgerID.description),
            "origin": .string(origin),
            "verifierKey": .string(verifierKey.description),
        ])
    }

    init(ledgerID: UUIDv7, origin: String, verifierKey: VerifierKey, created: Instant) {
        self.ledgerID = ledgerID
        self.origin = origin
        self.verifierKey = verifierKey
        self.created = created
    }

    init?(encoded: [UInt8]) {
        guard let object = try? JSONReader.read(encoded, numbers: .integersOnly).objectValue,
            let ledgerID = object["ledgerID"]?.stringValue.flatMap(UUIDv7.init),
            let origin = object["origin"]?.stringValue,
            let verifierKey = object["verifierKey"]?.stringValue.flatMap(VerifierKey.init),
            let created = object["created"]?.stringValue.flatMap(Instant.init(rfc3339:))
        else { return nil }
        self.init(
            ledgerID: ledgerID, origin: origin, verifierKey: verifierKey, created: created)
    }
}

/// The name of a ledger.
public enum LedgerOrigin {
    /// Whether a text may be an origin: letters, digits and `._/-`, 1 to 200 of them.
    public static func isValid(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "/"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The origin of a ledger that was given none.
    static func standard(_ ledgerID: UUIDv7) -> String { "authledger.invalid/\(ledgerID)" }
}
