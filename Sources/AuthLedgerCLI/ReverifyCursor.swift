// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import Replay

/// A file that says how far a re-verification is, so that one that was cut off goes on from there.
struct ReverifyCursor: Sendable {
    /// How far a run is, and what it found so far.
    struct Position: Sendable {
        /// The last session that counts; nil at the beginning.
        private(set) var last: String?
        /// How many sessions that are.
        private(set) var sessions: UInt64 = 0
        /// What was found.
        private(set) var summary = ReverificationSummary()
        /// The first tokens whose verdict differs, as the report has them.
        private(set) var differing: [JSONObject] = []
        /// How much of the report belongs to it, in bytes.
        private(set) var reportBytes = 0

        /// How many of the differing tokens are kept.
        static let differingMax = 100

        mutating func take(_ outcomes: BatchOutcomes) {
            last = outcomes.sessions.last ?? last
            sessions += UInt64(outcomes.sessions.count)
            summary.add(outcomes.summary)
            differing += outcomes.differing.prefix(Self.differingMax - differing.count)
                .map(\.object)
            reportBytes += outcomes.lines.count
        }
    }

    static let isOfAnotherRun = CommandError(
        .usage, "cursor-mismatch", "the cursor is of another run: other options, or another ledger",
        hint: "ask for the same again, or name another file")
    private static let bytesMax = 16 << 20

    private let path: String
    private let asked: Digest

    /// - Parameter asked: everything that the run was asked for.
    init(path: String, asked: JSONObject) {
        self.path = path
        self.asked = Digest(ofDocument: CanonicalJSON.encode(asked))
    }

    /// The position in the file; nil when there is none.
    func read() throws -> Position? {
        let file: File
        do {
            file = try File(path, .reading)
        } catch let error where error.isNotThere {
            return nil
        }
        let bytes = try file.readAll(limit: Self.bytesMax)
        guard let members = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue,
            let digest = members["asked"]?.stringValue,
            let position = Position(members)
        else {
            throw CommandError(
                .usage, "cursor-invalid", "the cursor is not one of a re-verification",
                hint: "name another file")
        }
        guard digest.isIdentical(to: asked.base64URL) else { throw Self.isOfAnotherRun }
        return position
    }

    func write(_ position: Position) throws {
        var members = position.object
        members["asked"] = .string(asked.base64URL)
        try DurableFile.write(CanonicalJSON.encode(members) + [UInt8(ascii: "\n")], to: path)
    }

    /// Removes the file, as the run is through.
    func remove() throws {
        do {
            try Directory.removeFile(path)
        } catch let error where error.isNotThere {
            return
        }
    }
}

extension ReverifyCursor.Position {
    fileprivate var object: JSONObject {
        var object: JSONObject = [
            "differing": .array(differing.map { .object($0) }),
            "differingCount": .integer(Int64(summary.differing)),
            "groups": summary.groupList,
            "mismatches": .integer(Int64(summary.mismatches)),
            "reportBytes": .integer(Int64(reportBytes)),
            "sessions": .integer(Int64(sessions)),
            "withoutVerdict": .integer(Int64(summary.withoutVerdict)),
        ]
        object["last"] = last.map { .string($0) }
        return object
    }

    fileprivate init?(_ members: JSONObject) {
        func number(_ name: String) -> Int? {
            members[name]?.integerValue.flatMap { $0 >= 0 ? Int($0) : nil }
        }
        guard let last = members["last"]?.stringValue, let sessions = number("sessions"),
            let mismatches = number("mismatches"), let differingCount = number("differingCount"),
            let withoutVerdict = number("withoutVerdict"), let reportBytes = number("reportBytes"),
            let differing = members["differing"]?.arrayValue?.compactMap(\.objectValue),
            let rows = members["groups"]?.arrayValue
        else { return nil }
        var groups: [ReverificationSummary.Group: Int] = [:]
        for row in rows {
            guard let (group, count) = ReverificationSummary.Group.read(row) else { return nil }
            groups[group] = count
        }
        self.init()
        self.last = last
        self.sessions = UInt64(sessions)
        self.differing = differing
        self.reportBytes = reportBytes
        summary = ReverificationSummary(
            groups: groups, mismatches: mismatches, differing: differingCount,
            withoutVerdict: withoutVerdict)
    }
}
