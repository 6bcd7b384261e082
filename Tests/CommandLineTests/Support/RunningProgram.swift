// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// What a program left behind when it ended.
struct Outcome: Sendable, CustomStringConvertible {
    let command: String
    /// The exit status, or 128 and the number of the signal that ended it.
    let status: Int32
    let output: Data
    let errors: Data

    var stdout: String { String(decoding: output, as: UTF8.self) }
    var stderr: String { String(decoding: errors, as: UTF8.self) }

    /// The lines of standard output, without newlines.
    var lines: [String] { stdout.split(separator: "\n").map(String.init) }

    /// Standard output read as one JSON document.
    func json<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: output)
        } catch {
            throw TestFailure("\(error)\n\(self)")
        }
    }

    /// What a failing test shows of it.
    var description: String {
        """
        \(command)
        ended with \(status)
        stdout: \(stdout.prefix(2000))
        stderr: \(stderr.prefix(2000))
        """
    }
}

/// Why a test cannot go on.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// What a program reads on standard input.
enum Input: Sendable {
    case nothing
    case text(String)
    case data(Data)
    case file(String)
    /// `send` writes, `endInput` ends it.
    case pipe
}

/// A program at work. Its output goes to files, so that no pipe can fill up and stop it.
final class RunningProgram: Sendable {
    let command: String
    private let process: Process
    private let input: FileHandle?
    private let outputPath: String
    private let errorsPath: String

    var processID: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// What it has printed so far.
    var outputSoFar: String {
        String(
            decoding: (try? Data(contentsOf: URL(filePath: outputPath))) ?? Data(), as: UTF8.self)
    }

    /// What it has said on standard error so far.
    var errorsSoFar: String {
        String(
            decoding: (try? Data(contentsOf: URL(filePath: errorsPath))) ?? Data(), as: UTF8.self)
    }

    init(
        _ executable: String, _ arguments: [String], environment: [String: String],
        directory: String, input: Input, inputPath: String, outputPath: String
    ) throws {
        signal(SIGPIPE, SIG_IGN)
        command = ([executable] + arguments).joined(separator: " ")
        self.outputPath = outputPath + ".out"
        errorsPath = outputPath + ".err"
        process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = URL(filePath: directory)
        process.standardOutput = try Self.emptyFile(self.outputPath)
        process.standardError = try Self.emptyFile(errorsPath)
        switch input {
        case .nothing:
            process.standardInput = FileHandle.nullDevice
            self.input = nil
        case .text(let text):
            process.standardInput = try Self.file(inputPath, with: Data(text.utf8))
            self.input = nil
        case .data(let data):
            process.standardInput = try Self.file(inputPath, with: data)
            self.input = nil
        case .file(let path):
            process.standardInput = try FileHandle(forReadingFrom: URL(filePath: path))
            self.input = nil
        case .pipe:
            let pipe = Pipe()
            process.standardInput = pipe
            self.input = pipe.fileHandleForWriting
        }
        try process.runHandingOverFiles()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    private static func file(_ path: String, with content: Data) throws -> FileHandle {
        try content.write(to: URL(filePath: path))
        return try FileHandle(forReadingFrom: URL(filePath: path))
    }

    private static func emptyFile(_ path: String) throws -> FileHandle {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw TestFailure("\(path) cannot be made") }
        return file
    }

    /// Writes to its standard input. That it has ended meanwhile is no error.
    func send(_ text: String) {
        send(Data(text.utf8))
    }

    func send(_ bytes: Data) {
        try? input?.write(contentsOf: bytes)
    }

    func endInput() {
        try? input?.close()
    }

    /// Lets the pipe to its standard input take this many bytes before a write has to wait.
    func widenInput(to bytes: Int32) throws {
        let setPipeSize: Int32 = 1031  // F_SETPIPE_SZ, which the C library's module leaves out
        guard let input, fcntl(input.fileDescriptor, setPipeSize, bytes) >= bytes else {
            throw TestFailure("the pipe cannot be widened")
        }
    }

    /// Stops it where it is until ``resume()``.
    func pause() async throws {
        kill(processID, SIGSTOP)
        let path = URL(filePath: "/proc/\(processID)/stat")
        while !String(decoding: try Data(contentsOf: path), as: UTF8.self).contains(") T ") {
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    func resume() {
        kill(processID, SIGCONT)
    }

    func interrupt(_ signal: Int32 = SIGINT) {
        if process.isRunning { kill(process.processIdentifier, signal) }
    }

    /// Waits for its end; a program that takes longer than the limit is killed, and the test fails.
    func end(within limit: Duration = .seconds(60)) async throws -> Outcome {
        let latest = ContinuousClock.now + limit
        while process.isRunning {
            if ContinuousClock.now > latest {
                kill(process.processIdentifier, SIGKILL)
                throw TestFailure("did not end within \(limit): \(command)\n\(outputSoFar)")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
        let status = process.terminationStatus
        return Outcome(
            command: command,
            status: process.terminationReason == .uncaughtSignal ? 128 + status : status,
            output: try Data(contentsOf: URL(filePath: outputPath)),
            errors: try Data(contentsOf: URL(filePath: errorsPath)))
    }

    /// Waits until its output is as wanted; fails when it is not within the limit.
    func output(
        within limit: Duration = .seconds(20), _ isWanted: (String) -> Bool
    ) async throws -> String {
        try await value(within: limit) { isWanted(outputSoFar) ? outputSoFar : nil }
    }

    /// The first line on standard error that is as wanted; fails when it is not within the limit.
    func firstError(
        within limit: Duration = .seconds(30), _ isWanted: (String) -> Bool
    ) async throws -> String {
        try await value(within: limit) {
            errorsSoFar.split(separator: "\n").map(String.init).first(where: isWanted)
        }
    }

    private func value(
        within limit: Duration, _ find: () -> String?
    ) async throws -> String {
        let latest = ContinuousClock.now + limit
        while true {
            if let found = find() { return found }
            guard ContinuousClock.now < latest else {
                throw TestFailure(
                    "not within \(limit): \(command)\nprinted: \(outputSoFar)\n\(errorsSoFar)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
