// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import TestSupport

/// What had been acknowledged by a moment.
struct Acknowledged: Hashable {
    /// `init` had said that the ledger is there.
    var isLedgerThere = false
    /// How many events of the log, from the first on.
    var events = 0

    private var unfinished: [UInt32: [UInt8]] = [:]

    init() {}

    /// Takes in what a program printed.
    mutating func take(_ record: Recording.Record) {
        guard record.kind == .output else { return }
        var text = unfinished[record.process] ?? []
        text += record.data
        while let end = text.firstIndex(of: UInt8(ascii: "\n")) {
            takeLine(Array(text[..<end]))
            text.removeSubrange(...end)
        }
        unfinished[record.process] = text
    }

    private mutating func takeLine(_ line: [UInt8]) {
        guard let object = try? JSONReader.read(line, numbers: .anyAsText).objectValue else {
            return
        }
        if object["formatVersion"] != nil { isLedgerThere = true }
        if let position = object["position"]?.integerValue {
            events = max(events, Int(position) + 1)
        }
    }
}

/// Which states are looked at: moments of the recording, and what of the uncertain survives.
struct Plan {
    struct State {
        /// How many records were done when the power went.
        let cut: Int
        let style: Choice.Style
        let seed: UInt64
    }

    let states: [State]
    /// How many moments of the recording there are.
    let cuts: Int

    private struct Identity: Hashable {
        let durableVersion: Int
        let acknowledged: Acknowledged
        let choice: Choice
    }

    /// Plans so many states, no two alike, spread over all moments.
    ///
    /// Every moment with everything uncertain lost and with all of it kept, then, as often as is
    /// needed, every moment in every other style; of what is too much a random part is taken.
    init(_ recording: Recording, rootPath: String, lie: Lie, states count: Int, seed: UInt64) throws
    {
        var generator = SeededGenerator(seed: seed)
        var found: [State] = []
        var seen = Set<Identity>()
        var styles: [[Choice.Style]] = [[.allLost, .allKept]]
        let others = Choice.Style.allCases.filter { $0 != .allLost && $0 != .allKept }
        for _ in 0..<40 { styles.append(others) }
        for (number, round) in styles.enumerated() where found.count < count || number < 2 {
            var disk = Disk(rootPath: rootPath, lie: lie)
            var acknowledged = Acknowledged()
            let before = found.count
            for (index, record) in recording.records.enumerated() {
                try disk.advance(record)
                acknowledged.take(record)
                for style in round {
                    let state = State(cut: index + 1, style: style, seed: generator.next())
                    let identity = Identity(
                        durableVersion: disk.durableVersion, acknowledged: acknowledged,
                        choice: disk.choice(style, seed: state.seed))
                    if seen.insert(identity).inserted { found.append(state) }
                }
            }
            if found.count == before { break }
        }
        if found.count > count {
            found.shuffle(using: &generator)
            found.removeLast(found.count - count)
        }
        states = found.sorted { ($0.cut, $0.seed) < ($1.cut, $1.seed) }
        cuts = recording.records.count
    }
}
