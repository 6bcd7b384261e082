// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// Reads lines from a file or a pipe without ever holding more than one long line.
struct LineReader {
    /// A line of input, without its newline.
    enum Line {
        case whole([UInt8])
        /// It was longer than the limit; its bytes went to `overflow`.
        case tooLong
    }

    private let file: File
    private let lineBytesMax: Int
    /// Gets the pieces of lines that are too long, newline included.
    private let overflow: ([UInt8]) throws -> Void
    private var buffer: [UInt8] = []
    private var start = 0
    /// Up to here the buffer is known to hold no newline.
    private var searched = 0
    private var isAtEnd = false
    private(set) var bytesRead = 0

    init(_ file: File, lineBytesMax: Int, overflow: @escaping ([UInt8]) throws -> Void) {
        self.file = file
        self.lineBytesMax = lineBytesMax
        self.overflow = overflow
    }

    /// Whether the next line can be had without waiting for the other end.
    mutating func isReady() -> Bool {
        nextNewline() != nil || isAtEnd || file.isReadable
    }

    /// The next line; nil at the end.
    mutating func next() throws -> Line? {
        while true {
            if let newline = nextNewline() {
                let line = Array(buffer[start..<newline])
                start = newline + 1
                searched = start
                return line.count <= lineBytesMax ? .whole(line) : try spill(line)
            }
            if buffer.count - start > lineBytesMax { return try spillRest() }
            if isAtEnd {
                guard start < buffer.count else { return nil }
                let line = Array(buffer[start...])
                start = buffer.count
                searched = start
                return .whole(line)
            }
            try fill()
        }
    }

    private mutating func nextNewline() -> Int? {
        while searched < buffer.count {
            if buffer[searched] == UInt8(ascii: "\n") { return searched }
            searched += 1
        }
        return nil
    }

    private mutating func fill() throws {
        if start > 0 {
            buffer.removeFirst(start)
            searched -= start
            start = 0
        }
        let part = try file.read(upTo: 262_144)
        isAtEnd = part.isEmpty
        bytesRead += part.count
        buffer.append(contentsOf: part)
    }

    private func spill(_ line: [UInt8]) throws -> Line {
        try overflow(line + [UInt8(ascii: "\n")])
        return .tooLong
    }

    /// Passes a line on whose end is not in sight.
    private mutating func spillRest() throws -> Line {
        while true {
            if let newline = nextNewline() {
                try overflow(Array(buffer[start...newline]))
                start = newline + 1
                searched = start
                return .tooLong
            }
            try overflow(Array(buffer[start...]))
            start = buffer.count
            if isAtEnd { return .tooLong }
            try fill()
        }
    }
}
