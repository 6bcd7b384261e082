// SPDX-License-Identifier: Apache-2.0

import Foundation
import Platform
import QRCode
import Testing

@testable import AuthLedgerCLI

@Suite("A live block", .inTurn)
struct LiveBlockTests {
    /// As long as the code of a login by BankID: 45 columns and 23 lines with its quiet zone.
    private static let login =
        "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0."
        + "dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8"
    private static let tooSmall =
        "The window is too small for the QR code, which needs 45 columns and 24 lines."

    private let code: QRCode

    init() throws {
        code = try QRCode(encoding: Self.login)
    }

    /// A terminal on which something was written before, and a block on it.
    private func started(
        columns: Int = 80, rows: Int = 24, linesBefore: Int = 0, hasColor: Bool = true
    ) throws -> (Terminal, LiveBlock) {
        let terminal = try Terminal(columns: columns, rows: rows)
        let file = try File(terminal.path, .overwriting)
        for number in 0..<linesBefore { try file.write(Array("before \(number)\n".utf8)) }
        return (terminal, LiveBlock(file, isLive: true, hasColor: hasColor))
    }

    @Test("shows lines in the place of those before, and nothing else changes")
    func renewed() throws {
        var (terminal, block) = try started(linesBefore: 2)
        block.show(["one", "two, which is longer", "three"])
        #expect(
            try terminal.screen().text.dropFirst(2) == ["one", "two, which is longer", "three"])
        block.show(["four", "two"])
        #expect(try terminal.screen().text == ["before 0", "before 1", "four", "two"])
        block.show([])
        #expect(try terminal.screen().text == ["before 0", "before 1"])
        block.show(["five"])
        #expect(try terminal.screen().text.last == "five")
    }

    @Test("at the end of the screen pushes up what was before, once")
    func atTheEnd() throws {
        var (terminal, block) = try started(rows: 6, linesBefore: 5)
        for number in 0..<5 { block.show(["one", "two", "\(number)"]) }
        #expect(try terminal.screen().text.last == "4")
        #expect(
            try terminal.screen().text
                == ["before 2", "before 3", "before 4", "one", "two", "4"])
    }

    @Test("breaks lines that are too long between words, and finds its beginning again")
    func longLines() throws {
        var (terminal, block) = try started(columns: 10, linesBefore: 1)
        block.show([
            "open the app and scan", "abcdefghijklmnopqrstuvwxyz", "1234567890", "日本語日本語",
        ])
        #expect(
            try terminal.screen().text == [
                "before 0", "open the", "app and", "scan", "abcdefghij", "klmnopqrst", "uvwxyz",
                "1234567890", "日本語日本", "語",
            ])
        block.show(["1234567890"])
        #expect(try terminal.screen().text == ["before 0", "1234567890"])
    }

    @Test("lets no text move the cursor")
    func harmless() throws {
        var (terminal, block) = try started(linesBefore: 1)
        block.show(["a\u{1B}[2Jb\nc\rd"])
        #expect(try terminal.screen().text == ["before 0", "a\\u{1b}[2Jb\\u{a}c\\u{d}d"])
    }

    @Test("shows a QR code that a reader reads, with colours on any ground, without on a dark one")
    func readable() throws {
        for hasColor in [true, false] {
            var (terminal, block) = try started(linesBefore: 3, hasColor: hasColor)
            block.show(["Scan the code"], code: code)
            #expect(try terminal.codes(.dark) == [Self.login], "colour: \(hasColor)")
            if hasColor { #expect(try terminal.codes(.light) == [Self.login]) }
            let screen = try terminal.screen()
            #expect(screen.lines[23] == "Scan the code")
            #expect(screen.row == 23)
            #expect(!screen.lines.contains { $0.contains("before") })
        }
    }

    @Test("shows a new QR code in the place of the one before")
    func renewedCode() throws {
        var (terminal, block) = try started(columns: 100, rows: 60, linesBefore: 1)
        for second in 0..<3 {
            let text = Self.login + "\(second)"
            block.show(["Scan the code", "\(second) s"], code: try QRCode(encoding: text))
            #expect(try terminal.codes() == [text])
        }
        #expect(try terminal.screen().lines[0] == "before 0")
        block.show(["Thank you"])
        #expect(try terminal.codes() == [])
        #expect(try terminal.screen().text == ["before 0", "Thank you"])
    }

    @Test(
        "says that the window is too small for a QR code, until it is not",
        arguments: [
            (44, 24), (45, 23), (45, 1), (1, 1),
        ])
    func tooSmall(columns: Int, rows: Int) throws {
        var (terminal, block) = try started(columns: columns, rows: rows)
        block.show(["Scan"], code: code)
        let text = try terminal.screen().text
        #expect(text.count <= rows)
        if columns > 1 { #expect(text.first?.hasPrefix("The window is too small for the") == true) }
        if rows > 10 { #expect(text.joined(separator: " ") == Self.tooSmall + " Scan") }
        try terminal.resize(columns: 45, rows: 24)
        block.show(["Scan"], code: code)
        #expect(try terminal.codes() == [Self.login])
        #expect(try terminal.screen().lines[23] == "Scan")
    }

    @Test("begins on a clean screen when the window became narrower")
    func narrower() throws {
        var (terminal, block) = try started(columns: 60, rows: 30, linesBefore: 2)
        block.show(["Scan the code"], code: code)
        try terminal.resize(columns: 40, rows: 30)
        block.show(["Scan"], code: code)
        #expect(try terminal.screen().text.joined(separator: " ") == Self.tooSmall + " Scan")
    }

    @Test("writes nothing when nothing changed, and goes below itself in the end")
    func finished() throws {
        var (terminal, block) = try started(linesBefore: 1)
        let file = try File(terminal.path, .overwriting)
        block.finish()
        #expect(try terminal.screen().row == 1)
        block.show(["one", "two"])
        try file.write(Array("+".utf8))
        block.show(["one", "two"])
        #expect(try terminal.screen().text == ["before 0", "one", "two+"])
        block.finish()
        block.finish()
        let screen = try terminal.screen()
        #expect(screen.row == 3 && screen.column == 0)
        block.show(["again"])
        #expect(try terminal.screen().text == ["before 0", "one", "two+", "again"])
    }

    @Test("elsewhere prints each line when it is new, and no QR code")
    func elsewhere() throws {
        let workspace = try Workspace()
        let path = workspace.files + "/errors"
        var block = LiveBlock(
            try File(path, .writing(permissions: 0o600)), isLive: false, hasColor: true)
        block.show(["Start the app"], code: code)
        block.show(["Start the app", "Waiting"], code: try QRCode(encoding: Self.login + "1"))
        block.show(["Scan the code"], code: code)
        block.show(["Start the app"])
        block.finish()
        #expect(
            try workspace.read(path) == """
                A QR code is shown on a terminal only.
                Start the app
                Waiting
                Scan the code
                Start the app

                """)
    }

    @Test("ends its line when the user interrupts the program")
    func interrupted() async throws {
        let result = try await #require(
            processExitsWith: .exitCode(130), observing: [\.standardErrorContent]
        ) {
            ProcessControl.exitOnInterrupt(status: 130)
            var block = LiveBlock(.standardError, isLive: true, hasColor: true)
            block.show(["one"])
            var none = sigset_t()
            unsafe sigemptyset(&none)
            unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
            raise(SIGINT)
        }
        #expect(
            String(decoding: result.standardErrorContent, as: UTF8.self).hasSuffix("one\u{1B}[0m\n")
        )
    }
}
