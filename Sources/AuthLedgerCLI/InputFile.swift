// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import Platform

/// Files that a command reads whole, and standard input, which is called `-`.
enum InputFile {
    /// The name of standard input.
    static let standardInput = "-"

    /// Opens a file, or standard input.
    static func open(_ path: String) throws -> File {
        path.isIdentical(to: standardInput) ? File.standardInput : try File(path, .reading)
    }

    /// Reads a file up to a limit, without a newline at its end unless it is asked for. Of a larger
    /// file at least a byte more than the limit comes back, and not much more is ever read.
    static func read(
        _ path: String, bytesMax: Int, keepsNewline: Bool = false
    ) throws -> [UInt8] {
        let file = try open(path)
        // Room for the newline, so that it does not count.
        let readMax = bytesMax + 3
        var content: [UInt8] = []
        while content.count < readMax {
            let part = try file.read(upTo: min(65_536, readMax - content.count))
            if part.isEmpty { break }
            content += part
        }
        return keepsNewline ? content : withoutNewline(content)
    }

    private static func withoutNewline(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.last == UInt8(ascii: "\n") else { return bytes }
        let line = bytes.dropLast()
        return Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }
}

extension String {
    /// Whether this may be a token in compact form, which must not be repeated anywhere: three
    /// parts or more of base64url, and longer than any file name of that form is likely to be.
    var looksLikeToken: Bool {
        let isWord = utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                || (0x61...0x7A).contains(byte) || "-_.=".utf8.contains(byte)
        }
        return isWord && utf8.count >= 40 && utf8.count { $0 == UInt8(ascii: ".") } >= 2
    }
}
