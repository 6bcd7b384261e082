// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs the Python programs beside this file with the system's own Python.
public enum Python {
    /// How a program ended.
    public struct Outcome: Sendable {
        /// Its exit status.
        public let status: Int32
        /// What it wrote to standard output.
        public let output: [UInt8]
        /// What it wrote to standard error.
        public let errors: String

        /// Standard output as lines, without the empty one behind the last newline.
        public var lines: [[UInt8]] {
            output.split(separator: UInt8(ascii: "\n")).map(Array.init)
        }
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - program: the file's name in this directory.
    ///   - input: what it finds on standard input.
    /// - Throws: an error when Python itself cannot be started.
    public static func run(
        _ program: String, _ arguments: [String], input: [UInt8] = []
    ) throws -> Outcome {
        // Files, not pipes: a full pipe on one side must not wait for the other.
        let directory = try TemporaryDirectory()
        let (input, output, errors) = (
            try directory.file("input", input), try directory.file("output"),
            try directory.file("errors")
        )
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-B", "\(Repository.root)/Tests/Support/\(program)"] + arguments
        process.standardInput = try FileHandle(forReadingFrom: input)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.runHandingOverFiles()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: Array(try Data(contentsOf: output)),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }
}

/// A directory that goes with the object.
public final class TemporaryDirectory: Sendable {
    /// Where it is, absolute.
    public let path: String

    /// Makes an empty directory.
    public init() throws {
        path =
            FileManager.default.temporaryDirectory.path + "/authledger-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String, _ content: [UInt8] = []) throws -> URL {
        let url = URL(fileURLWithPath: path + "/" + name)
        try Data(content).write(to: url)
        return url
    }
}
