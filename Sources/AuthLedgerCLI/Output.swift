// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import Platform

/// Standard output: data only, for people or, with `--json`, for programs.
struct Output {
    let isJSON: Bool

    /// Prints a document in the form that was asked for.
    func print(_ object: JSONObject, text: () -> String) throws {
        try write(isJSON ? CanonicalJSON.encode(object) : Array(text().utf8))
    }

    /// Prints a line.
    func write(_ line: [UInt8]) throws {
        try File.standardOutput.write(line + [UInt8(ascii: "\n")])
    }
}

/// Standard output for many lines: they leave in large pieces.
struct LineBuffer {
    private var bytes: [UInt8] = []

    mutating func append(_ line: [UInt8]) throws {
        bytes.append(contentsOf: line)
        bytes.append(UInt8(ascii: "\n"))
        if bytes.count >= 65_536 { try flush() }
    }

    mutating func flush() throws {
        if bytes.isEmpty { return }
        try File.standardOutput.write(bytes)
        bytes.removeAll(keepingCapacity: true)
    }
}

/// Standard error: messages to people. What cannot be written there is let go.
struct Notices {
    let isQuiet: Bool
    let isVerbose: Bool

    /// Says something unless `--quiet` was given.
    func say(_ text: String) {
        if !isQuiet { Self.write(text) }
    }

    /// Says something if `--verbose` was given.
    func detail(_ text: String) {
        if isVerbose { Self.write(text) }
    }

    /// Says something in any case.
    static func write(_ text: String) {
        try? File.standardError.write(Array((text + "\n").utf8))
    }
}

/// Progress of long work on standard error: on a terminal a line that renews itself, elsewhere a
/// line every ten seconds.
struct Progress {
    private let label: String
    private let isShown: Bool
    private let isTerminal = File.standardError.isTerminal
    private let start = ProcessControl.monotonicNanoseconds
    private var lastShown: UInt64
    private var hasLine = false

    init(_ label: String, isShown: Bool) {
        self.label = label
        self.isShown = isShown
        lastShown = start
    }

    /// Seconds since the start.
    var seconds: Double {
        Double(ProcessControl.monotonicNanoseconds - start) / 1_000_000_000
    }

    /// Tells how far the work is; `fraction` of it is done where that is known.
    mutating func update(_ done: UInt64, unit: String, fraction: Double?) {
        let now = ProcessControl.monotonicNanoseconds
        let pause: UInt64 = isTerminal ? 200_000_000 : 10_000_000_000
        guard isShown, now - lastShown >= pause else { return }
        lastShown = now
        var line = "\(label): \(done) \(unit), \(Int(Double(done) / max(seconds, 0.001)))/s"
        if let fraction, fraction > 0 {
            let left = Int((seconds / fraction - seconds).rounded())
            line += ", \(Int(fraction * 100)) %, \(max(0, left)) s left"
        }
        if isTerminal {
            try? File.standardError.write(Array("\r\u{1B}[K\(line)".utf8))
            hasLine = true
        } else {
            Notices.write(line)
        }
    }

    /// Removes the line from a terminal.
    mutating func finish() {
        if hasLine { try? File.standardError.write(Array("\r\u{1B}[K".utf8)) }
        hasLine = false
    }
}
