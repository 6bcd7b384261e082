// SPDX-License-Identifier: Apache-2.0

import Foundation
import QRCode
import Testing

@Suite("A QR code")
struct QRCodeTests {
    private static let texts = [
        "a", "0123456789", "AUTHLEDGER", "https://example.com/?a=b", "bankid.æøå.\u{1F511}",
        // As long as those of a login by BankID.
        "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0."
            + "dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8",
        String(repeating: "x", count: 2331),
    ]

    @Test("has the modules that the qrencode program draws", arguments: texts, [true, false])
    func modules(text: String, isLow: Bool) throws {
        let code = try QRCode(encoding: text, errorCorrection: isLow ? .low : .medium)
        let drawn = try Self.drawn(text, level: isLow ? "L" : "M")
        let lines = (0..<code.size).map { row in
            (0..<code.size).map { code[row, $0] ? "##" : "  " }.joined()
        }
        #expect(lines == drawn)
    }

    @Test("of a login by BankID fits a terminal of 24 lines with its quiet zone and one line more")
    func smallEnough() throws {
        #expect(try QRCode(encoding: Self.texts[5]).size + 2 * 2 <= (24 - 1) * 2)
    }

    @Test("takes as many bytes as a QR code can hold and not one more")
    func longest() throws {
        for (correction, bytes) in [(QRCode.ErrorCorrection.low, 2953), (.medium, 2331)] {
            let text = String(repeating: "x", count: bytes)
            #expect(try QRCode(encoding: text, errorCorrection: correction).size == 177)
            let error = #expect(throws: QRCodeError.self) {
                try QRCode(encoding: text + "x", errorCorrection: correction)
            }
            #expect(error?.isTextTooLong == true)
        }
    }

    @Test("is refused for no text at all, and that is another error")
    func empty() {
        let error = #expect(throws: QRCodeError.self) { try QRCode(encoding: "") }
        #expect(error?.isTextTooLong == false)
    }

    @Test("holds what stands behind a zero byte")
    func zeroByte() throws {
        #expect(try QRCode(encoding: "a\0b") != QRCode(encoding: "a"))
    }

    /// The lines that the qrencode program draws: two characters a module, no quiet zone.
    private static func drawn(_ text: String, level: String) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/qrencode")
        process.arguments = ["-8", "-l", level, "-t", "ASCII", "-m", "0", "-o", "-", "--", text]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
