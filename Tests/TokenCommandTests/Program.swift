// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import TestSupport

/// What the program printed and how it ended.
struct Run {
    let status: Int32
    let output: String
    let errors: String

    /// Standard output as JSON.
    var object: JSONObject {
        (try? JSONReader.read(Array(output.utf8), numbers: .anyAsText, depthMax: 80))?.objectValue
            ?? JSONObject()
    }

    var isValid: Bool? { object["valid"]?.boolValue }

    /// The names of the checks with an outcome.
    func checks(_ outcome: String) -> [String] {
        (object["checks"]?.arrayValue ?? []).compactMap(\.objectValue)
            .filter { $0["outcome"]?.stringValue == outcome }
            .compactMap { $0["name"]?.stringValue }
    }
}

/// The built program, which lies beside the test bundle.
enum Program {
    private static let executable: URL = {
        let bundle = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        return bundle.deletingLastPathComponent().appending(component: "authledger")
    }()

    /// Runs `authledger token` with files for its output, which no pipe can hold up.
    static func token(_ arguments: [String], input: [UInt8]? = nil) throws -> Run {
        let folder = try Folder()
        let process = Process()
        process.executableURL = executable
        process.arguments = ["token"] + arguments
        let inputPath = try input.map { try folder.write("input", $0) } ?? "/dev/null"
        // No home, no ledger directory: none is needed.
        process.environment = [:]
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: inputPath))
        let paths = [try folder.write("output", []), try folder.write("errors", [])]
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: paths[0]))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: paths[1]))
        try process.runHandingOverFiles()
        process.waitUntilExit()
        let texts = try paths.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return Run(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
}

/// A folder of its own for temporary files, removed with this object.
final class Folder {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory
            .appending(component: "authledger-token-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// Writes a file and answers with its path.
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = url.appending(component: name)
        try Data(bytes).write(to: file)
        return file.path
    }

    func write(_ name: String, _ text: String) throws -> String {
        try write(name, Array(text.utf8))
    }
}
