// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A terminal whose lines can be read, and its QR codes; see `Tests/Support/terminal.py`.
final class Terminal {
    /// What is to be seen.
    struct Screen: Decodable {
        /// All lines, without the spaces behind their text.
        let lines: [String]
        /// Where the cursor stands, from 0.
        let row: Int
        let column: Int

        /// The lines down to the last one that is not empty.
        var text: [String] {
            Array(lines.prefix((lines.lastIndex { !$0.isEmpty } ?? -1) + 1))
        }
    }

    /// The colours of a terminal's text and ground.
    enum Theme: String {
        case dark
        case light
    }

    /// The device, for writing to it.
    let path: String
    private let process = Process()
    private let commands = Pipe()
    private let answers = Pipe()

    init(columns: Int, rows: Int) throws {
        process.executableURL = URL(filePath: "/usr/bin/python3")
        let script =
            URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path + "/Support/terminal.py"
        process.arguments = ["-B", script, "\(columns)", "\(rows)"]
        process.standardInput = commands
        process.standardOutput = answers
        try process.run()
        path = try Self.line(answers)
    }

    deinit {
        // Closing the pipe would not do: programs started meanwhile have inherited this end of it.
        try? commands.fileHandleForWriting.write(contentsOf: Data("end\n".utf8))
        process.waitUntilExit()
    }

    /// What is to be seen once all that was written has arrived.
    func screen() throws -> Screen { try answer("screen") }

    /// Gives the window another size.
    func resize(columns: Int, rows: Int) throws {
        let _: Screen = try answer("resize \(columns) \(rows)")
    }

    /// The texts of the QR codes that are to be seen.
    func codes(_ theme: Theme = .dark) throws -> [String] { try answer("scan \(theme.rawValue)") }

    private func answer<Answer: Decodable>(_ command: String) throws -> Answer {
        try commands.fileHandleForWriting.write(contentsOf: Data((command + "\n").utf8))
        return try JSONDecoder().decode(Answer.self, from: Data(Self.line(answers).utf8))
    }

    private static func line(_ pipe: Pipe) throws -> String {
        var line = Data()
        while true {
            guard let byte = try pipe.fileHandleForReading.read(upToCount: 1), !byte.isEmpty else {
                throw TestFailure(
                    "the terminal ended; it needs python3-pyte and python3-zbar: "
                        + "tools/install-packages test")
            }
            if byte[0] == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line += byte
        }
    }
}
