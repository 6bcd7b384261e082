// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import SessionEvents

/// A login as a regression test: its events with what was sealed in them, the documents that they
/// name, and what a replay comes to. It needs no log and no keys, and no recorded value is in it.
///
/// `Schemas/replay-fixture.md` describes its files.
public struct ReplayFixture: Sendable {
    /// The version of the format that is written.
    public static let version = 1

    static let headFile = "fixture.json"
    static let eventsFile = "events.jsonl"
    static let documentsFolder = "documents"
    static let format = "authledger-replay-fixture"

    /// The most bytes of all its files.
    static let bytesMax = 64 << 20
    /// The most bytes of one file.
    static let fileBytesMax = 32 << 20
    static let eventsMax = 10_000
    static let documentsMax = 1000

    /// The name of its session.
    public let session: String
    /// Its files by their names; documents with the folder in front.
    public let files: [String: [UInt8]]
    /// What a replay of it comes to.
    let expected: JSONObject
    let steps: [RecordedStep]
    let documents: [Digest: [UInt8]]

    /// Reads a fixture's files.
    ///
    /// - Parameter files: by their names, which have `documents/` in front where they are there.
    /// - Throws: what is wrong, with the file and the line.
    public init(files: [String: [UInt8]]) throws(FixtureError) {
        self.files = files
        guard let head = files[Self.headFile] else { throw .missing(file: Self.headFile) }
        guard let events = files[Self.eventsFile] else { throw .missing(file: Self.eventsFile) }
        (session, expected) = try Self.readHead(head)
        documents = try Self.readDocuments(files)
        steps = try Self.readEvents(events, session)
    }

    // MARK: - Reading

    private static func readHead(
        _ bytes: [UInt8]
    ) throws(FixtureError) -> (session: String, expected: JSONObject) {
        func malformed(_ problem: String) -> FixtureError {
            .malformed(file: headFile, problem: problem)
        }
        let members = try object(bytes, headFile)
        guard members["format"] == .string(format) else {
            throw malformed("`format` must be \(format)")
        }
        guard let version = members["version"]?.integerValue else {
            throw malformed("`version` must be a number")
        }
        guard version == Int64(Self.version) else {
            throw malformed("version \(version) is not known; this program reads \(Self.version)")
        }
        let names = [
            "about", "checksVersion", "expected", "format", "replaced", "session", "version",
        ]
        guard members.members.allSatisfy({ Set(names).containsIdentical($0.name) }) else {
            throw malformed("there is a member that no fixture has")
        }
        guard let session = members["session"]?.stringValue.flatMap({ UUIDv7($0) }) else {
            throw malformed("`session` must be a UUID of version 7")
        }
        guard let expected = members["expected"]?.objectValue else {
            throw malformed("`expected` must be an object")
        }
        return (session.description, expected)
    }

    private static func readDocuments(
        _ files: [String: [UInt8]]
    ) throws(FixtureError) -> [Digest: [UInt8]] {
        var documents: [Digest: [UInt8]] = [:]
        for (name, bytes) in files where name != headFile && name != eventsFile {
            let base = name.dropFirst(documentsFolder.utf8.count + 1)
            guard name.hasPrefix(documentsFolder + "/"), base.hasSuffix(".json"),
                let digest = Digest(base64URL: String(base.dropLast(5)))
            else { throw .malformed(file: name, problem: "no fixture has a file of this name") }
            guard Digest(ofDocument: bytes) == digest else { throw .documentChanged(file: name) }
            documents[digest] = bytes
        }
        return documents
    }

    private static func readEvents(
        _ bytes: [UInt8], _ session: String
    ) throws(FixtureError) -> [RecordedStep] {
        var steps: [RecordedStep] = []
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.last?.isEmpty ?? false, lines.count > 1 else {
            throw .malformed(file: eventsFile, problem: "it must be lines, each with a newline")
        }
        for line in lines.dropLast() {
            let place = "\(eventsFile), line \(steps.count + 1)"
            guard steps.count < eventsMax else { throw .tooLarge(file: eventsFile) }
            steps.append(
                try EventLine(try object(Array(line), place), place, session)
                    .step(number: steps.count))
        }
        return steps
    }

    private static func object(
        _ bytes: [UInt8], _ file: String
    ) throws(FixtureError) -> JSONObject {
        do {
            guard let object = try JSONReader.read(bytes, numbers: .anyAsText).objectValue else {
                throw FixtureError.malformed(file: file, problem: "it must be a JSON object")
            }
            return object
        } catch let error as JSONError {
            throw .malformed(file: file, problem: "\(error)")
        } catch {
            throw .malformed(file: file, problem: "it must be a JSON object")
        }
    }

    // MARK: - Directories

    /// Reads a fixture from its directory.
    ///
    /// - Throws: ``FixtureError``, or a `SystemError` when a file cannot be read.
    public static func read(_ directory: String) throws -> ReplayFixture {
        var files: [String: [UInt8]] = [:]
        var rest = bytesMax
        func read(_ name: String) throws {
            let path = directory + "/" + name
            guard let size = Directory.fileSize(of: path) else {
                throw FixtureError.missing(file: name)
            }
            guard size <= min(fileBytesMax, rest) else { throw FixtureError.tooLarge(file: name) }
            files[name] = try File(path, .reading).readAll(limit: fileBytesMax)
            rest -= size
        }
        try read(headFile)
        try read(eventsFile)
        let folder = directory + "/" + documentsFolder
        let names = Directory.exists(folder) ? try Directory.entries(of: folder) : []
        guard names.count <= documentsMax else {
            throw FixtureError.tooLarge(file: documentsFolder)
        }
        for name in names { try read(documentsFolder + "/" + name) }
        return try ReplayFixture(files: files)
    }

    /// Whether a fixture may be written there: nothing is there, or an empty directory.
    public static func isFree(_ directory: String) throws -> Bool {
        guard Directory.exists(directory) else { return true }
        guard Directory.isDirectory(directory) else { return false }
        return try Directory.entries(of: directory).isEmpty
    }

    /// Writes the fixture into a directory that is made for it, whole or not at all.
    ///
    /// - Parameter directory: must not be there yet, or be empty.
    public func write(to directory: String) throws {
        guard try Self.isFree(directory) else { throw FixtureError.notEmpty }
        let path = try Path.absolute(directory)
        let temporary = path + ".part-\(ProcessControl.monotonicNanoseconds)"
        try Directory.create(temporary, permissions: 0o755)
        do {
            try Directory.create(temporary + "/" + Self.documentsFolder, permissions: 0o755)
            for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
                try DurableFile.write(
                    bytes, to: temporary + "/" + name, permissions: 0o644, syncsDirectory: false)
            }
            // An empty directory gives way to the one that is renamed.
            try Directory.rename(temporary, to: path)
        } catch {
            try? Directory.removeTree(temporary)
            throw error
        }
        try Directory.sync(Path.parent(of: path))
    }
}

/// A fixture as the source of a replay.
struct FixtureSource: ReplaySource {
    let fixture: ReplayFixture

    init(_ fixture: ReplayFixture) {
        self.fixture = fixture
    }

    func open(_ session: String, revisionsMax: Int?) throws -> OpenedSession {
        let steps = session.isIdentical(to: fixture.session) ? fixture.steps : []
        return OpenedSession(steps: Array(steps.prefix(revisionsMax ?? .max)), isErased: false)
    }

    func document(_ digest: Digest) throws -> [UInt8]? { fixture.documents[digest] }
}
