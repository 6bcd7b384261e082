// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SignedNote

/// The on-disk format and what a reader must know to use it.
public enum LedgerFormat {
    /// The version that this program makes and reads.
    public static let version: Int64 = 1

    static var encoded: [UInt8] { FormatRecord(version: version).encoded }

    static var malformed: LedgerError {
        .damaged("the record of the format is malformed", position: nil)
    }

    /// Refuses a format that a program which knows only so much cannot use in this way.
    static func check(
        _ bytes: [UInt8]?, for access: EventLog.Access, _ knowledge: FormatKnowledge
    ) throws(LedgerError) {
        guard let record = bytes.flatMap(FormatRecord.init) else { throw malformed }
        try record.check(for: access, knowledge)
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
