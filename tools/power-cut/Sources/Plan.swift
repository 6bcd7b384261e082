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
    /// How many events the newest checkpoint covers.
    var checkpointSize = 0
    /// `erase` had said that it is done.
    var isErased = false

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
        if object["keysDestroyed"] != nil { isErased = true }
        if object["note"] != nil, let size = object["size"]?.integerValue {
            checkpointSize = max(checkpointSize, Int(size))
        }
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
    /// Every moment is taken in every style once, with everything uncertain lost and with all of it
    /// kept among them, then again as often as is needed. Of what is far too much only a random
    /// part is worked out.
    init(_ recording: Recording, rootPath: String, lie: Lie, states count: Int, seed: UInt64) throws
    {
        var generator = SeededGenerator(seed: seed)
        var found: [State] = []
        var seen = Set<Identity>()
        let all = Choice.Style.allCases.count * recording.records.count
        // About half of what is worked out is like another.
        let part = 4 * Double(count) / Double(all)
        for round in 0..<40 where found.count < count {
            var disk = Disk(rootPath: rootPath, lie: lie)
            var acknowledged = Acknowledged()
            for (index, record) in recording.records.enumerated() {
                try disk.advance(record)
                acknowledged.take(record)
                for style in Choice.Style.allCases
                where round > 0 || Double.random(in: 0..<1, using: &generator) < part {
                    let state = State(cut: index + 1, style: style, seed: generator.next())
                    let identity = Identity(
                        durableVersion: disk.durableVersion, acknowledged: acknowledged,
                        choice: disk.choice(style, seed: state.seed))
                    if seen.insert(identity).inserted { found.append(state) }
                }
            }
        }
        if found.count > count {
            found.shuffle(using: &generator)
            found.removeLast(found.count - count)
        }
        states = found.sorted { ($0.cut, $0.seed) < ($1.cut, $1.seed) }
        cuts = recording.records.count
    }
}
