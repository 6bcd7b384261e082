// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import Platform

/// What a program knows of formats: which it reads, which it writes, and how to get there.
struct FormatKnowledge: Sendable {
    /// The version that is written; every one before it is read.
    var version: Int64
    /// Names in `readFeatures` or `writeFeatures` that are known.
    var features: Set<String>
    /// One step for each version before ``version`` that can be brought to the next one.
    var upgrades: [FormatUpgrade]

    /// What this program knows.
    static let current = FormatKnowledge(
        version: LedgerFormat.version, features: [], upgrades: [])

    /// The steps from a version to the current one; nil when one is missing.
    func path(from version: Int64) -> [FormatUpgrade]? {
        var steps: [FormatUpgrade] = []
        var reached = version
        while reached < self.version {
            guard let step = upgrades.first(where: { $0.from == reached }) else { return nil }
            steps.append(step)
            reached += 1
        }
        return reached == self.version ? steps : nil
    }
}

/// Brings a ledger of one version to the next. It may change anything below the leaves.
struct FormatUpgrade: Sendable {
    /// The version that it starts from; it leads to the one after it.
    let from: Int64
    /// Does the work inside the one transaction that also writes the new version, so that a crash
    /// leaves the old ledger or the new one.
    let apply: @Sendable (LMDBTransaction) throws -> Void
}

/// What an upgrade did.
public struct FormatUpgradeResult: Equatable, Sendable {
    /// The version before.
    public let from: Int64
    /// The version after.
    public let to: Int64
}

/// The record of a ledger's format.
struct FormatRecord: Equatable {
    var version: Int64
    var readFeatures: [String]
    var writeFeatures: [String]

    /// Nil when the bytes are no such record. Members that are not known are ignored.
    init?(_ bytes: [UInt8]) {
        guard let object = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue,
            let version = object["version"]?.integerValue,
            let readFeatures = Self.names(object["readFeatures"]),
            let writeFeatures = Self.names(object["writeFeatures"])
        else { return nil }
        self.version = version
        self.readFeatures = readFeatures
        self.writeFeatures = writeFeatures
    }

    init(version: Int64, readFeatures: [String] = [], writeFeatures: [String] = []) {
        self.version = version
        self.readFeatures = readFeatures
        self.writeFeatures = writeFeatures
    }

    var encoded: [UInt8] {
        CanonicalJSON.encode([
            "readFeatures": .array(readFeatures.map { .string($0) }),
            "version": .integer(version),
            "writeFeatures": .array(writeFeatures.map { .string($0) }),
        ])
    }

    private static func names(_ value: JSONValue?) -> [String]? {
        guard let value else { return [] }
        guard let array = value.arrayValue else { return nil }
        let names = array.compactMap(\.stringValue)
        return names.count == array.count ? names : nil
    }

    /// Refuses what must not be done with this format by whoever knows only so much.
    func check(
        for access: EventLog.Access, _ knowledge: FormatKnowledge
    ) throws(LedgerError) {
        let unreadable = readFeatures.filter { !knowledge.features.contains($0) }
        guard (1...knowledge.version).contains(version), unreadable.isEmpty else {
            throw .unknownFormat(version: version, features: unreadable)
        }
        guard access == .appending else { return }
        let unwritable = writeFeatures.filter { !knowledge.features.contains($0) }
        guard unwritable.isEmpty else {
            throw .formatReadOnly(version: version, features: unwritable)
        }
        guard version == knowledge.version else {
            throw .formatOutdated(version: version)
        }
    }
}

extension EventLog {
    /// Brings a ledger to the format that this program writes. Nobody else may have it open.
    ///
    /// - Throws: ``LedgerError/locked(_:)``, ``LedgerError/unknownFormat(version:features:)``, or
    ///   an error of the system or of LMDB; then the ledger is as it was.
    public static func upgrade(_ directory: String) throws -> FormatUpgradeResult {
        try upgrade(directory, knowledge: .current)
    }

    static func upgrade(
        _ directory: String, knowledge: FormatKnowledge
    ) throws -> FormatUpgradeResult {
        let paths = try LedgerPaths(absolute: directory)
        let lock = try paths.lock(.exclusive)
        defer { withExtendedLifetime(lock) {} }
        let environment = try paths.openEnvironment(
            paths.log, access: .appending, databasesMax: LogTables.count + 8)
        let meta = try environment.database("meta")
        return try environment.write { transaction in
            guard
                var record = try transaction.value(LogTables.MetaName.format, in: meta)
                    .flatMap(FormatRecord.init)
            else { throw LedgerFormat.malformed }
            try record.check(for: .reading, knowledge)
            let unwritable = record.writeFeatures.filter { !knowledge.features.contains($0) }
            guard unwritable.isEmpty else {
                throw LedgerError.formatReadOnly(version: record.version, features: unwritable)
            }
            let from = record.version
            guard let steps = knowledge.path(from: from) else {
                throw LedgerError.unknownFormat(version: from, features: [])
            }
            for step in steps {
                try step.apply(transaction)
            }
            record.version = knowledge.version
            try transaction.put(LogTables.MetaName.format, record.encoded, in: meta)
            return FormatUpgradeResult(from: from, to: knowledge.version)
        }
    }
}
