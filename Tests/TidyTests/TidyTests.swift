// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Rules of CONTRIBUTING.md that a machine can hold. Each failure names a line.
@Suite("The source is tidy")
struct TidyTests {
    @Test("lines have at most 100 columns")
    func lineLength() throws {
        try report { file, line in
            line.text.count > 100 && !file.isGolden ? "\(line.text.count) columns" : nil
        }
    }

    @Test("files have at most 500 lines")
    func fileLength() throws {
        let long = try SourceFile.all(in: ["Sources", "Tests"]).filter { $0.lines.count > 500 }
        #expect(long.map(\.path) == [])
    }

    @Test("functions have at most 70 lines")
    func functionLength() throws {
        for file in try SourceFile.all(in: ["Sources", "Tests"]) {
            for function in file.functions where function.lineCount > 70 {
                Issue.record(
                    "\(file.path):\(function.line): \(function.lineCount) lines in a function")
            }
        }
    }

    @Test("every file begins with its licence")
    func licence() throws {
        for file in try SourceFile.all(in: ["Sources", "Tests", "tools"]) {
            let first = file.lines.first { !$0.hasPrefix("// swift-tools-version") } ?? ""
            #expect(first == "// SPDX-License-Identifier: Apache-2.0", "\(file.path)")
        }
    }

    @Test("`unsafe` stands in the wrappers alone")
    func unsafeOnlyInWrappers() throws {
        let wrappers = ["LMDB", "OpenSSL", "Curl", "QRCode", "Zlib", "Platform"]
        try report(in: ["Sources"]) { file, line in
            let isMarked = line.code.split(separator: " ").contains {
                $0 == "unsafe" || $0 == "@unsafe" || $0.hasPrefix("nonisolated(unsafe)")
            }
            return isMarked && !wrappers.contains(file.module) ? "unsafe outside a wrapper" : nil
        }
    }

    @Test("the pure core asks neither the clock nor the dice nor the system")
    func coreIsPure() throws {
        let core = [
            "LedgerPrimitives", "JOSE", "OpenIDConnect", "MerkleTree", "SignedNote",
            "SessionEvents", "Sessions", "Projections", "Capabilities", "HTTPMessages",
        ]
        let forbidden = [
            "import Foundation", "import Glibc", "import Dispatch", "import LMDB", "import Curl",
            "import Platform", "Date()", ".random(in", "randomElement(", "SystemRandom",
            "ContinuousClock", " async ", "await ", "randomBytes(32",
        ]
        try report(in: ["Sources"]) { file, line in
            guard core.contains(file.module) else { return nil }
            // The types of `send` and `wait` have to say that these take time.
            let takeTime = ["HTTPRequest) async", "_ milliseconds: Int64) async"]
            if file.module == "Capabilities", takeTime.contains(where: line.code.contains) {
                return nil
            }
            return forbidden.first { line.code.contains($0) }.map { "\($0) in the core" }
        }
    }

    @Test("modules import what the layers allow")
    func layers() throws {
        let layers: [String: Int] = [
            "CLMDB": 0, "COpenSSL": 0, "CQREncode": 0, "CZlib": 0, "CCurl": 0, "CPlatform": 0,
            "LMDB": 1, "OpenSSL": 1, "QRCode": 1, "Zlib": 1,
            "Curl": 1, "Platform": 1, "LedgerPrimitives": 2, "HTTPMessages": 2, "Capabilities": 2,
            "JOSE": 2,
            "MerkleTree": 2, "SignedNote": 2, "OpenIDConnect": 2, "SessionEvents": 2,
            "Sessions": 2, "Projections": 2, "Custody": 3, "EventLog": 3, "Ingestion": 3,
            "RelyingParty": 3, "Replay": 3, "ReadModels": 3,
            "Exports": 3, "Evidence": 3, "ProviderSimulator": 3,
            "AuthLedgerCLI": 4, "LiveNetwork": 4,
            "Service": 4, "authledger": 5,
        ]
        let modules = try FileManager.default.contentsOfDirectory(
            atPath: SourceFile.root + "/Sources")
        for module in modules {
            #expect(layers[module] != nil, "\(module) belongs to no layer")
        }
        try report(in: ["Sources"]) { file, line in
            let words = line.code.split(separator: " ")
            guard let keyword = words.firstIndex(of: "import"), keyword + 1 < words.count,
                let imported = layers[String(words[keyword + 1])],
                let own = layers[file.module]
            else { return nil }
            return imported > own ? "imports a higher layer" : nil
        }
    }

    @Test("nothing is left to do, and nothing is switched off")
    func nothingLeftOver() throws {
        let marks = [
            "TO" + "DO", "FIX" + "ME", "XX" + "X", ".disa" + "bled(", "try" + "!", "as" + "! ",
        ]
        try report { _, line in
            marks.first { line.text.contains($0) }.map { "\($0) left" }
        }
    }

    private func report(
        in folders: [String] = ["Sources", "Tests"],
        _ problem: (SourceFile, SourceFile.Line) -> String?
    ) throws {
        for file in try SourceFile.all(in: folders) {
            for line in file.numberedLines {
                if let problem = problem(file, line) {
                    Issue.record("\(file.path):\(line.number): \(problem)")
                }
            }
        }
    }
}

/// A Swift file of the project.
private struct SourceFile {
    struct Line {
        let number: Int
        let text: String
        /// The line without its comment.
        var code: String {
            text.range(of: "//").map { String(text[..<$0.lowerBound]) } ?? text
        }
    }

    struct Function {
        let line: Int
        let lineCount: Int
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    let path: String
    let lines: [String]

    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    var isGolden: Bool { path.contains("/Golden/") || path.contains("/Vectors/") }

    var numberedLines: [Line] {
        lines.enumerated().map { Line(number: $0.offset + 1, text: $0.element) }
    }

    /// Functions by their indentation: from `func` or `init` to the brace that closes it.
    var functions: [Function] {
        var functions: [Function] = []
        for (index, line) in lines.enumerated() {
            let trimmed = line.drop { $0 == " " }
            let words = trimmed.split(separator: " ")
            let begins = words.contains("func") || trimmed.contains("init(")
            guard begins, !trimmed.hasPrefix("//"), !trimmed.contains("self.init(") else {
                continue
            }
            let indentation = line.prefix { $0 == " " }
            guard let end = lines[index...].firstIndex(of: indentation + "}") else { continue }
            functions.append(Function(line: index + 1, lineCount: end - index + 1))
        }
        return functions
    }

    static func all(in folders: [String]) throws -> [SourceFile] {
        try folders.flatMap { folder in
            let names = FileManager.default.enumerator(atPath: root + "/" + folder)
            return try (names?.compactMap { $0 as? String } ?? [])
                .filter { $0.hasSuffix(".swift") && !$0.contains(".build") }
                .map { name in
                    let path = folder + "/" + name
                    let text = try String(contentsOfFile: root + "/" + path, encoding: .utf8)
                    return SourceFile(path: path, lines: text.components(separatedBy: "\n"))
                }
        }
    }
}
