// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import Platform
internal import Projections
internal import Replay
internal import Sessions

/// Goes through the states of a session on a terminal.
struct ReplayWalk {
    let global: GlobalOptions
    let replay: SessionReplay

    /// Shows one state after the other, as the lines of standard input say. At its end the rest
    /// is shown, so that the walk can be piped as well.
    func run() throws {
        guard !replay.steps.isEmpty else { return }
        var index = 0
        var input = LineReader(.standardInput, lineBytesMax: 64) { _ in }
        while true {
            try show(index)
            guard case .whole(let bytes)? = try input.next() else {
                for rest in (index + 1)..<max(index + 1, replay.steps.count) { try show(rest) }
                break
            }
            let word = String(decoding: bytes, as: UTF8.self).filter { $0 != " " && $0 != "\r" }
            if word == "q" { break }
            if word == "b" {
                index = max(0, index - 1)
            } else if let number = Int(word), (1...replay.steps.count).contains(number) {
                index = number - 1
            } else if index + 1 < replay.steps.count {
                index += 1
            } else {
                break
            }
        }
        if !global.json {
            let verdict = replay.lines(isVerbose: false).suffix { !$0.hasPrefix("  ") }
            try global.output.write(Array(verdict.joined(separator: "\n").utf8))
        }
    }

    private func show(_ index: Int) throws {
        let step = replay.steps[index]
        try global.output.print(step.object) {
            """
            [\(index + 1)/\(replay.steps.count)] \(step.line)
                \(step.event.words)
                state: \(step.phase?.rawValue ?? "none")
            """
        }
    }
}

extension Array {
    /// The elements from the first of the last ones that all pass a test.
    fileprivate func suffix(while passes: (Element) -> Bool) -> ArraySlice<Element> {
        self[(lastIndex { !passes($0) }.map { $0 + 1 } ?? startIndex)...]
    }
}
