// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import Projections

/// Why projections do not go on: an event that this program cannot read. It is never passed over,
/// as everything behind it would be folded from something else than what happened.
public struct ProjectionStop: Equatable, Sendable {
    /// What kind of obstacle it is.
    public enum Code: String, Sendable {
        /// An event of a kind not known here; a newer program reads it.
        case unknown = "event-unknown"
        /// An event with a member that may not be so.
        case malformed = "event-malformed"
        /// An event that is not as it was written.
        case damaged = "frame-damaged"
    }

    /// The position of the event.
    public let position: UInt64
    /// What kind of obstacle it is.
    public let code: Code
    /// What is wrong, in words.
    public let message: String
}

/// How far the projections of a ledger are, and what they come to.
public struct ProjectionState: Equatable, Sendable {
    /// The form of the tables that this program writes.
    static let format: Int64 = 1

    /// The form of the tables.
    var format = Self.format
    /// The versions of the folds.
    var versions: [ProjectionName: Int]
    /// The ledger.
    public let ledgerID: UUIDv7
    /// How many events are folded: the position of the next one.
    public internal(set) var watermark: UInt64 = 0
    /// The root of the tree over these events. In a ledger with another root there, another
    /// history was folded.
    var root: Digest
    /// The latest instant at which one of these events was recorded.
    var recordedMax: Instant?
    /// The digests of the rows.
    var digests: [ProjectionName: RowsDigest] = [:]
    /// How many rows there are.
    var rows: [ProjectionName: UInt64] = [:]
    /// Why it goes no further; nil where nothing is in the way.
    public internal(set) var stop: ProjectionStop?

    init(_ ledgerID: UUIDv7, root: Digest) {
        self.ledgerID = ledgerID
        self.root = root
        versions = Self.currentVersions
    }

    static var currentVersions: [ProjectionName: Int] {
        Dictionary(uniqueKeysWithValues: ProjectionName.allCases.map { ($0, $0.version) })
    }

    /// The digest of a projection's rows: equal where the rows are, whatever order they came in.
    public func digest(of projection: ProjectionName) -> Digest {
        (digests[projection] ?? RowsDigest()).digest
    }

    /// How many rows a projection has.
    public func rowCount(of projection: ProjectionName) -> UInt64 { rows[projection] ?? 0 }

    // MARK: - Stored form

    var encoded: [UInt8] {
        var object: JSONObject = [
            "digests": members { .string(digest(of: $0).base64URL) },
            "format": .integer(format), "ledgerID": .string(ledgerID.description),
            "root": .string(root.base64URL),
            "rows": members { .integer(Int64(rowCount(of: $0))) },
            "versions": members { .integer(Int64(versions[$0] ?? 0)) },
            "watermark": .integer(Int64(watermark)),
        ]
        object["recordedMax"] = recordedMax.map { .integer($0.millisecondsSince1970) }
        object["stop"] = stop.map {
            .object([
                "code": .string($0.code.rawValue), "message": .string($0.message),
                "position": .integer(Int64($0.position)),
            ])
        }
        return CanonicalJSON.encode(object)
    }

    private func members(_ value: (ProjectionName) -> JSONValue) -> JSONValue {
        var object = JSONObject()
        for name in ProjectionName.allCases { object[name.rawValue] = value(name) }
        return .object(object)
    }

    /// Nil for anything that this program did not write.
    init?(encoded: [UInt8]) {
        guard let object = try? JSONReader.read(encoded, numbers: .integersOnly).objectValue,
            object["format"]?.integerValue == Self.format,
            let ledgerID = object["ledgerID"]?.stringValue.flatMap(UUIDv7.init),
            let root = object["root"]?.stringValue.flatMap(Digest.init(base64URL:)),
            let watermark = object["watermark"]?.integerValue.flatMap(UInt64.init(exactly:))
        else { return nil }
        self.init(ledgerID, root: root)
        self.watermark = watermark
        recordedMax = object["recordedMax"]?.integerValue.map(
            Instant.init(millisecondsSince1970:))
        for name in ProjectionName.allCases {
            let member = { (list: String) in object[list]?.objectValue?[name.rawValue] }
            guard let version = member("versions")?.integerValue,
                let digest = member("digests")?.stringValue.flatMap(Digest.init(base64URL:)),
                let rows = member("rows")?.integerValue.flatMap(UInt64.init(exactly:))
            else { return nil }
            versions[name] = Int(version)
            digests[name] = RowsDigest(digest)
            self.rows[name] = rows
        }
        guard let stop = object["stop"] else { return }
        guard let code = stop["code"].flatMap(ProjectionStop.Code.init(rawValue:)),
            let message = stop["message"],
            let position = stop.objectValue?["position"]?.integerValue
        else { return nil }
        self.stop = ProjectionStop(position: UInt64(position), code: code, message: message)
    }
}

extension JSONValue {
    fileprivate subscript(name: String) -> String? { objectValue?[name]?.stringValue }
}
