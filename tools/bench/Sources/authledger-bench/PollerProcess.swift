// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import LiveNetwork
import Platform
import RelyingParty
import Subprocess
import SystemPackage

/// The process that polls, so that its memory is its own, and so that it can be killed.
enum PollerProcess {
    /// What a process came to that was not killed.
    struct Figures {
        /// How many logins it took up, and in how many seconds.
        var taken: Int
        var takeUpSeconds: Double
        /// How long it polled.
        var seconds: Double
        /// Processor time meanwhile.
        var processorSeconds: Double
        var peakBytes: Double
    }

    /// Polls for all logins of a ledger until they are over.
    static func run(_ ledger: String) async throws -> Figures {
        var figures: Figures?
        let result = try await start(ledger) { execution in
            var numbers: [Double] = []
            let lines = LineIterator(execution.standardOutput)
            while let line = try await lines.next() {
                numbers += line.split(separator: " ").compactMap { Double($0) }
            }
            guard numbers.count == 5 else { return }
            figures = Figures(
                taken: Int(numbers[0]), takeUpSeconds: numbers[1], seconds: numbers[2],
                processorSeconds: numbers[3], peakBytes: numbers[4])
        }
        guard let figures, result.isSuccess else {
            throw BenchError("the process that polls did not end well: \(result)")
        }
        return figures
    }

    /// Polls, and is killed after a time.
    ///
    /// - Parameter last: runs right before that.
    static func run(
        _ ledger: String, killedAfterMilliseconds milliseconds: Int, last: () throws -> Void
    ) async throws {
        let result = try await start(ledger) { execution in
            try await Task.sleep(for: .milliseconds(milliseconds))
            try last()
            try execution.send(signal: .kill)
            let lines = LineIterator(execution.standardOutput)
            while try await lines.next() != nil {}
        }
        guard case .signaled = result else {
            throw BenchError("the process that polls ended before it was killed: \(result)")
        }
    }

    private static func start(
        _ ledger: String,
        _ body: (Execution<NoInput, SequenceOutput, FileDescriptorOutput>) async throws -> Void
    ) async throws -> TerminationStatus {
        try await Subprocess.run(
            .path("/proc/self/exe"), arguments: ["poller", "--directory", ledger],
            input: .none, output: .sequence, error: .currentStandardError
        ) { execution in
            try await body(execution)
        }.terminationStatus
    }

    /// The child's part.
    static func serve(_ ledger: String) async throws {
        let began = ProcessControl.monotonicNanoseconds
        let log = try EventLog(
            ledger, keyRoot: Path.parent(of: ledger) + "/keys", access: .appending,
            capabilities: .live)
        let party = RelyingParty(
            log: log, capabilities: .live(LiveTransport(userAgent: "AuthLedger/bench")))
        let start = PollingStart()
        try await party.pollAll(
            .toTheEnd,
            began: { census in
                let seconds = Double(ProcessControl.monotonicNanoseconds - began) / 1e9
                start.note()
                try? File.standardOutput.write(Array("\(census.taken) \(seconds)\n".utf8))
            })
        let (seconds, processorSeconds) = start.passed
        let line = "\(seconds) \(processorSeconds) \(try MemoryUse.peakBytes())\n"
        try File.standardOutput.write(Array(line.utf8))
    }
}
