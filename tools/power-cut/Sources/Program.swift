// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import TestSupport

/// Programs that this tool runs.
enum Program {
    struct Outcome {
        let status: Int32
        let isSignalled: Bool
        let output: String
        let errors: String
    }

    /// Where this program is.
    static let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path

    /// The ledger's program, which the build puts beside this one.
    static let ledger = URL(filePath: own).deletingLastPathComponent().path + "/authledger"

    /// Runs a program to its end; its output goes through files, so that nothing fills up.
    static func run(
        _ path: String, _ arguments: [String], environment: [String: String], scratch: String
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let outputs = try ["out", "err"].map { name in
            let path = "\(scratch)/\(name)"
            guard FileManager.default.createFile(atPath: path, contents: nil),
                let handle = FileHandle(forWritingAtPath: path)
            else { throw Problem("\(path) cannot be made") }
            return (path, handle)
        }
        process.standardOutput = outputs[0].1
        process.standardError = outputs[1].1
        try process.run()
        process.waitUntilExit()
        for output in outputs { try output.1.close() }
        let texts = try outputs.map { try String(contentsOfFile: $0.0, encoding: .utf8) }
        return Outcome(
            status: process.terminationStatus,
            isSignalled: process.terminationReason == .uncaughtSignal, output: texts[0],
            errors: texts[1])
    }
}

/// A place where programs run with the recorder loaded into them.
struct Watched {
    let directory: String
    var places: Places { Places(root: directory + "/root") }
    var recordingPath: String { directory + "/recording" }
    var scratch: String { directory + "/scratch" }
    /// The disk as it was before sessions were erased.
    static func earlier(_ directory: String) -> Places { Places(root: directory + "/earlier") }
    private var library: String { directory + "/recorder.so" }

    /// Builds the recorder and makes an empty root.
    init(directory: String) throws {
        self.directory = URL(filePath: directory).resolvingSymlinksInPath().path
        for path in [places.root, scratch] {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }
        let source = Repository.root + "/tools/power-cut/recorder/recorder.c"
        let outcome = try Program.run(
            "/usr/bin/env",
            ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-o", library, source, "-lpthread"],
            environment: ["PATH": "/usr/bin:/bin"], scratch: scratch)
        guard outcome.status == 0 else {
            throw Problem("the recorder does not build:\n\(outcome.errors)")
        }
    }

    /// Runs a program on the root.
    func run(
        _ path: String, _ arguments: [String], isRecorded: Bool = true, fault: String? = nil
    ) throws -> Program.Outcome {
        var environment = [
            "PATH": "/usr/bin:/bin", "HOME": scratch, "XDG_CONFIG_HOME": places.config,
            "XDG_DATA_HOME": scratch, "LANG": "C.UTF-8",
        ]
        if isRecorded || fault != nil {
            environment["LD_PRELOAD"] = library
            environment["POWER_CUT_ROOT"] = places.root
        }
        if isRecorded { environment["POWER_CUT_RECORDING"] = recordingPath }
        if let fault { environment["POWER_CUT_FAULT"] = fault }
        return try Program.run(path, arguments, environment: environment, scratch: scratch)
    }

    /// Runs a program, which must end well.
    func succeed(
        _ path: String, _ arguments: [String], isRecorded: Bool = true
    ) throws {
        let outcome = try run(path, arguments, isRecorded: isRecorded)
        guard outcome.status == 0, !outcome.isSignalled else {
            throw Problem(
                "\(arguments) ended with \(outcome.status): \(outcome.errors)\(outcome.output)")
        }
    }

    /// Copies the disk, to know afterwards what was sealed in sessions that are erased.
    func keepForLater() throws {
        let earlier = Self.earlier(directory)
        try FileManager.default.copyItem(atPath: places.root, toPath: earlier.root)
        try earlier.adopt(from: places)
    }

    /// The session that each of these copies of the logins begins with.
    static func firstSessions(ofCopies copies: [Int]) throws -> [String] {
        try copies.map { copy in
            guard let line = try lines(copies: copy..<copy + 1).first,
                let subject = try JSONReader.read(line, numbers: .anyAsText)
                    .objectValue?["subject"]?.stringValue
            else { throw Problem("the logins of the tests begin with no session") }
            return subject
        }
    }

    /// Writes reported events to a file for `ingest`: the logins of the tests, so many times, each
    /// time with other ids.
    func writeLines(_ name: String, copies: Range<Int>) throws -> String {
        let path = "\(scratch)/\(name)"
        let text = try Self.lines(copies: copies)
            .map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    static func lines(copies: Range<Int>) throws -> [[UInt8]] {
        let lines = try ReportedLines.all().map { String(decoding: $0, as: UTF8.self) }
        return copies.flatMap { copy in
            // Ids and sessions of the lines begin with the same eight digits.
            let digits = "0198b" + String(0x100 + copy, radix: 16)
            return lines.map { Array($0.replacing("0198b0f2-", with: digits + "-").utf8) }
        }
    }
}
