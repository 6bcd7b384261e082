// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import TestSupport

/// Why a test cannot go on.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// What a program printed and how it ended.
struct Run {
    let status: Int32
    let output: String
    let errors: String

    /// Standard output as JSON.
    var object: JSONObject {
        (try? JSONReader.read(Array(output.utf8), numbers: .anyAsText).objectValue) ?? [:]
    }

    /// Standard output as JSON Lines.
    var lines: [JSONObject] {
        output.split(separator: "\n").compactMap {
            try? JSONReader.read(Array($0.utf8), numbers: .anyAsText).objectValue
        }
    }

    /// What of the run a failed expectation shows.
    var text: String { "status \(status)\n\(output)\(errors)" }
}

/// A running program. Its output goes to files, which no pipe can hold up and which stay.
final class Execution {
    /// What standard input holds.
    enum Input {
        case nothing
        case text(String)
        /// What is written with ``write(_:)``; ends with ``closeInput()`` or this object.
        case pipe
    }

    private static let secondsMax = 60.0

    private let process = Process()
    private let name: String
    private let outputPath: String
    private let errorsPath: String
    private let pipe: Pipe?

    /// Starts a program whose output files begin with this path.
    init(
        _ program: String, _ arguments: [String], environment: [String: String],
        input: Input = .nothing, files: String
    ) throws {
        name = ([program] + arguments).joined(separator: " ")
        outputPath = files + ".output"
        errorsPath = files + ".errors"
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = environment
        switch input {
        case .nothing:
            pipe = nil
            process.standardInput = FileHandle.nullDevice
        case .text(let text):
            pipe = nil
            let path = files + ".input"
            try Data(text.utf8).write(to: URL(filePath: path))
            process.standardInput = try FileHandle(forReadingFrom: URL(filePath: path))
        case .pipe:
            let pipe = Pipe()
            self.pipe = pipe
            process.standardInput = pipe
        }
        for path in [outputPath, errorsPath] { try Data().write(to: URL(filePath: path)) }
        // A program that ends early must not end the tests.
        signal(SIGPIPE, SIG_IGN)
        let outputs = try [outputPath, errorsPath].map {
            try FileHandle(forWritingTo: URL(filePath: $0))
        }
        process.standardOutput = outputs[0]
        process.standardError = outputs[1]
        do {
            try process.runHandingOverFiles()
        } catch {
            throw Trouble("\(program) cannot be started; run tools/install-packages test")
        }
    }

    deinit {
        // Only after a failure does anything still run here.
        if process.isRunning { kill() }
    }

    var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: errorsPath, encoding: .utf8)) ?? "" }

    func write(_ text: String) throws {
        try pipe?.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    func closeInput() throws {
        try pipe?.fileHandleForWriting.close()
    }

    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
    }

    /// Waits for the end.
    func wait() async throws -> Run {
        try await until("it to end") { !self.process.isRunning }
        return Run(status: process.terminationStatus, output: output, errors: errors)
    }

    /// Kills it with a signal that it cannot see, and waits for the end.
    func killAndWait() async throws {
        guard process.isRunning else { throw Trouble("\(name) ended early: \(output)\(errors)") }
        kill()
        try await until("it to die") { !self.process.isRunning }
    }

    /// Waits for the first value that a closure finds; the program must not end before it.
    func first<Value>(_ what: String, _ find: () throws -> Value?) async throws -> Value {
        var found: Value?
        try await until(what) {
            let isRunning = self.process.isRunning
            found = try find()
            if found == nil, !isRunning {
                throw Trouble("waiting for \(what): \(self.name) ended: \(self.errors)")
            }
            return found != nil
        }
        guard let found else { throw Trouble("no \(what)") }
        return found
    }

    private func until(_ what: String, _ isDone: () throws -> Bool) async throws {
        let end = Date(timeIntervalSinceNow: Self.secondsMax)
        while !(try isDone()) {
            guard Date() < end else {
                if process.isRunning { kill() }
                throw Trouble("\(name): waited too long for \(what): \(errors)")
            }
            try await Task.sleep(for: .milliseconds(4))
        }
    }
}
