// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a program did to its files, forced to disk and printed, in order.
struct Recording {
    /// One operation, as `recorder.c` writes it.
    struct Record {
        enum Kind: UInt8 {
            case begin = 1
            case open = 2
            case write = 3
            case truncate = 4
            case sync = 5
            case rename = 6
            case unlink = 7
            case makeDirectory = 8
            case output = 9
            case foreign = 10
        }

        let kind: Kind
        let flags: UInt8
        let process: UInt32
        let inode: UInt64
        let offset: Int
        let path: String
        let otherPath: String
        let data: Data

        var isCreation: Bool { flags & 1 != 0 }
        var isEmptying: Bool { flags & 2 != 0 }
        var isSynchronous: Bool { flags & 4 != 0 }

        /// Whether it is one of those that can be made to fail.
        var canFail: Bool {
            switch kind {
            case .open: isCreation || isEmptying
            case .begin, .output, .foreign: false
            default: true
            }
        }
    }

    let records: [Record]

    private static let magic: UInt64 = 0x5455_4350
    private static let headerBytes = 40

    init(_ path: String) throws {
        let bytes = try Data(contentsOf: URL(filePath: path))
        var records: [Record] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= Self.headerBytes, Self.number(rest, 0, 4) == Self.magic,
                let kind = Record.Kind(rawValue: rest[rest.startIndex + 4])
            else { throw Problem("the recording \(path) is malformed") }
            let lengths = [
                Self.number(rest, 6, 2), Self.number(rest, 8, 4), Self.number(rest, 32, 8),
            ].map(Int.init)
            guard rest.count - Self.headerBytes >= lengths.reduce(0, +) else {
                throw Problem("the recording \(path) is cut off")
            }
            let header = rest.prefix(Self.headerBytes)
            rest = rest.dropFirst(Self.headerBytes)
            let parts = lengths.map { length in
                defer { rest = rest.dropFirst(length) }
                return rest.prefix(length)
            }
            records.append(
                Record(
                    kind: kind, flags: header[header.startIndex + 5],
                    process: UInt32(Self.number(header, 12, 4)),
                    inode: Self.number(header, 16, 8), offset: Int(Self.number(header, 24, 8)),
                    path: String(decoding: parts[0], as: UTF8.self),
                    otherPath: String(decoding: parts[1], as: UTF8.self), data: Data(parts[2])))
        }
        if let foreign = records.first(where: { $0.kind == .foreign }) {
            throw Problem("the program does what cannot be replayed: \(foreign.path)")
        }
        self.records = records
    }

    private static func number(_ bytes: Data, _ offset: Int, _ count: Int) -> UInt64 {
        let start = bytes.startIndex + offset
        return bytes[start..<start + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Why the tool cannot go on.
struct Problem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
