// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// Reads lines from a file or a pipe without ever holding more than one long line.
struct LineReader {
    /// A line of input, without its newline.
    enum Line {
        case whole([UInt8])
        /// It is longer than the limit; its bytes go to `overflow` when the next line is read.
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
    /// Whether the buffer begins with a line that is too long and still has to be passed on.
    private var isSpilling = false
    private(set) var bytesRead = 0

    init(_ file: File, lineBytesMax: Int, overflow: @escaping ([UInt8]) throws -> Void) {
        self.file = file
        self.lineBytesMax = lineBytesMax
        self.overflow = overflow
    }

    /// Whether the next line, all of it, can be had without waiting for the other end.
    mutating func isReady() throws -> Bool {
        while nextNewline() == nil, !isAtEnd, buffer.count - start <= lineBytesMax {
            guard file.isReadable else { return false }
            try fill()
        }
        return true
    }

    /// The next line; nil at the end.
    mutating func next() throws -> Line? {
        if isSpilling { try spill() }
        while true {
            let end = nextNewline() ?? (isAtEnd ? buffer.count : nil)
            if (end ?? buffer.count) - start > lineBytesMax {
                isSpilling = true
                return .tooLong
            }
            if let end {
                if end == buffer.count, start == end { return nil }
                defer {
                    start = min(end + 1, buffer.count)
                    searched = start
                }
                return .whole(Array(buffer[start..<end]))
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

    /// Passes a line on that is too long, however much of it is still to come.
    private mutating func spill() throws {
        isSpilling = false
        while true {
            if let newline = nextNewline() {
                try overflow(Array(buffer[start...newline]))
                start = newline + 1
                searched = start
                return
            }
            try overflow(Array(buffer[start...]))
            start = buffer.count
            if isAtEnd { return }
            try fill()
        }
    }
}
