// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Synchronization

/// What came of looking at states.
struct Tally {
    var looked = 0
    var cuts = 0
    var bad = 0
    var counts: [Damage: Int] = [:]
    /// The first few findings.
    var examples: [String] = []

    mutating func add(_ damages: Set<Damage>, _ texts: [String]) {
        if damages.isEmpty { return }
        bad += 1
        for damage in damages { counts[damage, default: 0] += 1 }
        if examples.count < 5, let text = texts.first { examples.append(text) }
    }

    func summary(of name: String) -> String {
        let kinds = Damage.allCases.map { "\($0.rawValue) \(counts[$0] ?? 0)" }
        let lines =
            [
                "\(name): \(looked) states at \(cuts) moments, \(bad) with damage "
                    + "(\(kinds.joined(separator: ", ")))"
            ] + examples.map { "  e.g. \($0)" }
        return lines.joined(separator: "\n")
    }
}

/// Has the states of a plan looked at by other processes: a damaged LMDB file may end whoever
/// reads it by a signal, and that counts as a finding of its state.
struct Survey {
    private let watched: Watched
    private let lie: Lie
    private let count: Int
    private let seed: UInt64
    private let plan: Plan

    init(
        _ watched: Watched, _ recording: Recording, lie: Lie, states: Int, seed: UInt64
    ) throws {
        self.watched = watched
        self.lie = lie
        count = states
        self.seed = seed
        plan = try Plan(
            recording, rootPath: watched.places.root, lie: lie, states: states, seed: seed)
    }

    func run(jobs: Int) throws -> Tally {
        let tally = Mutex(Tally())
        let size = (plan.states.count + jobs - 1) / max(1, jobs)
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: jobs) { job in
            let part = min(plan.states.count, job * size)..<min(plan.states.count, (job + 1) * size)
            do {
                try look(at: part, job: job) { damages, texts in
                    tally.withLock { $0.add(damages, texts) }
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        if let failure = failures.withLock({ $0.first }) { throw Problem(failure) }
        var result = tally.withLock { $0 }
        result.looked = plan.states.count
        result.cuts = Set(plan.states.map(\.cut)).count
        return result
    }

    /// Looks at a part of the plan; after a crash a new process goes on behind it.
    private func look(
        at part: Range<Int>, job: Int, _ add: (Set<Damage>, [String]) -> Void
    ) throws {
        let scratch = "\(watched.scratch)/\(lie.rawValue)-\(job)"
        try FileManager.default.createDirectory(
            atPath: scratch, withIntermediateDirectories: true)
        var next = part.lowerBound
        while next < part.upperBound {
            let outcome = try Program.run(
                Program.own,
                [
                    "probe", watched.directory, "--states", "\(count)", "--seed", "\(seed)",
                    "--lie", lie.rawValue, "--first", "\(next)", "--last",
                    "\(part.upperBound - 1)",
                ], environment: ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"],
                scratch: scratch)
            var reader = ProbeReport(outcome.output)
            next = reader.end
            guard outcome.isSignalled || outcome.status == 0 else {
                throw Problem("a probe ended with \(outcome.status): \(outcome.errors)")
            }
            if outcome.isSignalled {
                reader.addCrash(signal: outcome.status)
            } else if next != part.upperBound {
                throw Problem("a probe ended early: \(outcome.errors)")
            }
            for state in reader.states { add(state.damages, state.texts) }
        }
    }
}

/// What a probe printed: `@ N` when it began with a state, then its findings.
private struct ProbeReport {
    struct State {
        let number: Int
        var damages: Set<Damage> = []
        var texts: [String] = []
    }

    private(set) var states: [State] = []

    /// The state behind the last one that was begun.
    var end: Int { (states.last?.number ?? -1) + 1 }

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            if words.count == 2, words[0] == "@", let number = Int(words[1]) {
                states.append(State(number: number))
            } else if let damage = words.first.flatMap({ Damage(rawValue: String($0)) }),
                !states.isEmpty
            {
                states[states.count - 1].damages.insert(damage)
                states[states.count - 1].texts.append(String(line))
            }
        }
    }

    mutating func addCrash(signal: Int32) {
        guard !states.isEmpty else { return }
        states[states.count - 1].damages.insert(.crashed)
        states[states.count - 1].texts.append("crashed by signal \(signal)")
    }
}

/// Builds states and looks at each; runs in a process of its own.
struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "probe", shouldDisplay: false)

    @Argument var directory: String
    @Option var states: Int
    @Option var seed: UInt64
    @Option var lie: String
    @Option var first: Int
    @Option var last: Int

    func run() throws {
        guard let lie = Lie(rawValue: lie) else { throw Problem("there is no such lie") }
        let places = Places(root: directory + "/root")
        let recording = try Recording(directory + "/recording")
        let plan = try Plan(
            recording, rootPath: places.root, lie: lie, states: states, seed: seed)
        let expectation = try Expectation(places, earlier: Watched.earlier(directory))
        let lockFile = FileManager.default.contents(atPath: places.ledger + "/log/lock.mdb")
        var disk = Disk(rootPath: places.root, lie: lie)
        var acknowledged = Acknowledged()
        var done = 0
        // Where a probe that a signal ends leaves it to be removed with everything else.
        let root = directory + "/probe-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (number, state) in zip(first..., plan.states[first...last]) {
            while done < state.cut {
                try disk.advance(recording.records[done])
                acknowledged.take(recording.records[done])
                done += 1
            }
            print("@ \(number)")
            fflush(nil)
            try? FileManager.default.removeItem(atPath: root)
            try disk.write(
                disk.choice(state.style, seed: state.seed), to: root,
                lockFile: number % 2 == 0 ? lockFile : nil)
            try Places(root: root).adopt(from: places)
            let found = expectation.findings(Places(root: root), acknowledged)
            for finding in found {
                print(
                    "\(finding.damage.rawValue) after \(state.cut) operations, \(state.style) "
                        + "\(state.seed): \(finding.text)")
            }
        }
        fflush(nil)
    }
}
