// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import OpenSSL
internal import Platform
internal import Projections

struct ExportHARCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "har",
        abstract: "Write a login as an HTTP Archive (HAR 1.2), for tools that show requests.",
        discussion: """
            Examples:
              authledger export har 0198b0f2 -o login.har
              authledger export har 0198b0f2 -o login.har --as-of -2h --json

            Developer tools of browsers open it. The session is the page, each exchange an entry: \
            what the browser did, the flow's own requests, polls, and those beside the flow. \
            `_event` is the position of the event that tells of it, `_seq` its place in the \
            session; `_verdict` and `_reason` say what the login came to.

            It is made of what events have in the clear, and no key is needed: of states, codes, \
            tokens, login hints and claims there is at most the name, so nothing has to be taken \
            out before it is handed on. Schemas/har.v1.schema.json describes it. What was at the \
            path is replaced; only its owner can read the file.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var asOf: AsOfOption

    @Argument(help: ArgumentHelp("A session; any unambiguous prefix.", valueName: "session"))
    var session: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to.", valueName: "file"))
    var output: String

    func run() throws {
        let path = try Path.absolute(output)
        guard !Directory.isSpecial(path) else {
            throw CommandError(
                .usage, "output-not-a-file", "--output names a directory or a device",
                hint: "name a file; what is there is replaced")
        }
        let log = try global.openLedger(.reading)
        let name = try log.session(withPrefix: session)
        let size = try asOf.size(of: log, global) ?? .max
        let events = try log.stream(name, before: size)
        let erasure = try log.erasure(of: name).flatMap { $0.position < size ? $0 : nil }
        guard let archive = try HTTPArchive(events, erasedAt: erasure?.time) else {
            throw CommandError(.inputOutput, "session-unknown", "there is no such session")
        }
        let bytes =
            CanonicalJSON.encode(archive.object(version: AuthLedgerProgram.version))
            + [UInt8(ascii: "\n")]
        try DurableFile.write(bytes, to: path)
        let sha256 = Hexadecimal.encode(Digest(SHA256.hash(bytes)).array)
        let result: JSONObject = [
            "bytes": .integer(Int64(bytes.count)), "entries": .integer(Int64(archive.count)),
            "events": .integer(Int64(archive.session.events)), "path": .string(path),
            "session": .string(name), "sha256": .string(sha256),
        ]
        try global.output.print(result) {
            "\(path): \(archive.count) exchanges of session \(name)\nsha256 \(sha256)"
        }
    }
}
