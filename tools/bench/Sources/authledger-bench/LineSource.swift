// SPDX-License-Identifier: Apache-2.0

import Platform

/// Lines of reported events, from the generator or from a file, without holding all of them.
struct LineSource {
    private enum Origin {
        case workload(Workload)
        case file(File)
    }

    private var origin: Origin
    private var lines: [[UInt8]] = []
    private var next = 0
    /// The beginning of a line whose end was not read yet.
    private var rest: [UInt8] = []

    init(_ workload: Workload) {
        origin = .workload(workload)
    }

    init(file path: String) throws {
        origin = .file(try File(path, .reading))
    }

    /// Up to `count` lines; none at the end.
    mutating func next(upTo count: Int) throws -> [[UInt8]] {
        while lines.count - next < count, try fill() {}
        let end = min(lines.count, next + count)
        defer { next = end }
        return Array(lines[next..<end])
    }

    private mutating func fill() throws -> Bool {
        lines.removeFirst(next)
        next = 0
        switch origin {
        case .workload(var workload):
            guard let session = try workload.next() else { return false }
            origin = .workload(workload)
            lines += session
        case .file(let file):
            let part = try file.read(upTo: 262_144)
            if part.isEmpty { return false }
            rest += part
            let pieces = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            lines += pieces.dropLast().map { Array($0) }
            rest = Array(pieces[pieces.count - 1])
        }
        return true
    }
}
