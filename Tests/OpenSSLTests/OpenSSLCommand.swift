// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The `openssl` command, and a directory for the files that it reads and writes.
final class OpenSSLCommand {
    struct Answer {
        let status: Int32
        let output: [UInt8]
        /// What it said beside its output.
        let messages: String

        /// The output without the spaces around it.
        var text: String { Self.trimmed(output) }

        fileprivate static func trimmed(_ bytes: some Sequence<UInt8>) -> String {
            String(decoding: Array(bytes), as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("authledger-" + UUID().uuidString)
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(at: directory)
    }

    /// Writes a file that the command then finds by its name.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: directory.appendingPathComponent(name))
    }

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: directory.appendingPathComponent(name)))
    }

    /// Runs the command among these files. Nobody is there to answer a question.
    @discardableResult
    func run(_ arguments: String...) throws -> Answer {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.standardInput = FileHandle.nullDevice
        let (output, messages) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = messages
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        let notes = messages.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Answer(
            status: process.terminationStatus, output: Array(bytes),
            messages: Answer.trimmed(notes))
    }
}
