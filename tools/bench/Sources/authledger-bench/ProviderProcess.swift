// SPDX-License-Identifier: Apache-2.0

import Capabilities
import LedgerPrimitives
import Platform
import ProviderSimulator
import Subprocess
import SystemPackage

/// The simulated provider in a process of its own, so that what its signatures cost is not counted
/// here. It writes its issuer on its standard output, then a line for each line that it reads, and
/// ends with its standard input.
struct ProviderProcess {
    /// What the provider received, and what it took.
    struct Counts {
        var tokenRequests: Int
        /// How many different codes there were in them.
        var codes: Int
        var processorSeconds: Double

        init(tokenRequests: Int, codes: Int, processorSeconds: Double) {
            self.tokenRequests = tokenRequests
            self.codes = codes
            self.processorSeconds = processorSeconds
        }

        init?(_ line: String) {
            let parts = line.split(whereSeparator: \.isWhitespace)
            guard parts.count == 3, let requests = Int(parts[0]), let codes = Int(parts[1]),
                let seconds = Double(parts[2])
            else { return nil }
            self.init(tokenRequests: requests, codes: codes, processorSeconds: seconds)
        }

        var line: String { "\(tokenRequests) \(codes) \(processorSeconds)" }
    }

    /// How polls came, by the provider's own clock.
    struct Polls {
        var count: Int
        /// Those that came before they were due.
        var early: Int
        /// The lateness of the others but the first of each request, in milliseconds: the least
        /// that so many hundredths of them do not exceed, from one to a hundred.
        var latenessMilliseconds: [Double]
    }

    /// What it is asked for, in a line: a word, then numbers or names.
    private enum Question: String {
        case counts
        case polls
        case requests
    }

    let issuer: String
    private let ask: (_ question: String) async throws -> String

    /// What it received so far.
    func report() async throws -> Counts {
        guard let counts = Counts(try await ask(Question.counts.rawValue)) else {
            throw BenchError("the provider told nothing")
        }
        return counts
    }

    /// How polls came so far.
    func polls() async throws -> Polls {
        let numbers = try await numbers(Question.polls)
        guard numbers.count >= 2 else { throw BenchError("the provider told nothing of polls") }
        return Polls(
            count: numbers[0], early: numbers[1],
            latenessMilliseconds: numbers.dropFirst(2).map { Double($0) })
    }

    /// How often each request was polled.
    func pollCounts(of requestIDs: [String]) async throws -> [Int] {
        var counts: [Int] = []
        for start in stride(from: 0, to: requestIDs.count, by: Self.requestsPerLine) {
            let part = Array(requestIDs[start...].prefix(Self.requestsPerLine))
            counts += try await numbers(Question.requests, part)
        }
        guard counts.count == requestIDs.count else {
            throw BenchError("the provider does not tell how often it was polled")
        }
        return counts
    }

    private static let requestsPerLine = 500

    private func numbers(_ question: Question, _ words: [String] = []) async throws -> [Int] {
        try await ask(([question.rawValue] + words).joined(separator: " "))
            .split(separator: " ").compactMap { Int($0) }
    }

    /// Starts a provider, lets something happen with it, and ends it.
    ///
    /// - Parameter backchannelSeconds: how long requests without a browser are good.
    static func run(
        _ broker: LoginBroker, backchannelSeconds: Int? = nil,
        _ body: (ProviderProcess) async throws -> Void
    ) async throws {
        let own = ["provider", "--directory", "/", "--broker", broker.rawValue]
        let result = try await Subprocess.run(
            .path("/proc/self/exe"),
            arguments: Arguments(
                own + (backchannelSeconds.map { ["--backchannel-seconds", "\($0)"] } ?? [])),
            input: .inputWriter, output: .sequence, error: .currentStandardError
        ) { execution in
            let lines = LineIterator(execution.standardOutput)
            guard let issuer = try await lines.next() else {
                throw BenchError("the provider did not start")
            }
            let provider = ProviderProcess(issuer: issuer) { question in
                _ = try await execution.standardInputWriter.write(question + "\n")
                return try await lines.next() ?? ""
            }
            try await body(provider)
        }
        guard result.terminationStatus.isSuccess else {
            throw BenchError("the provider did not end well: \(result.terminationStatus)")
        }
    }

    // MARK: - The child's part

    static func serve(_ broker: LoginBroker, backchannelSeconds: Int?) async throws {
        let live = Capabilities.live
        try await ProviderServer.run(
            broker.settings(backchannelSeconds: backchannelSeconds), now: live.now,
            randomBytes: live.randomBytes
        ) { server in
            try File.standardOutput.write(Array("\(server.issuer)\n".utf8))
            // Reading blocks, and must not take a thread from those who answer.
            let (questions, asked) = AsyncStream.makeStream(of: String.self)
            let reader = try WorkerThread {
                var line: [UInt8] = []
                while let read = try? File.standardInput.read(upTo: 65_536), !read.isEmpty {
                    for byte in read {
                        if byte != UInt8(ascii: "\n") {
                            line.append(byte)
                        } else {
                            asked.yield(String(decoding: line, as: UTF8.self))
                            line = []
                        }
                    }
                }
                asked.finish()
            }
            for await question in questions {
                let answer = answer(to: question, server.provider)
                try File.standardOutput.write(Array((answer + "\n").utf8))
            }
            reader.join()
        }
    }

    private static func answer(to question: String, _ provider: SharedProvider) -> String {
        let words = question.split(separator: " ").map(String.init)
        switch words.first.flatMap(Question.init) {
        case .polls:
            let polls = provider.polls
            let sorted = polls.laterLatenessMilliseconds.sorted()
            return ([polls.count, polls.early] + places(of: sorted)).map { "\($0)" }
                .joined(separator: " ")
        case .requests:
            return words.dropFirst().map { "\(provider.pollCount(of: $0))" }
                .joined(separator: " ")
        case .counts, nil:
            return counts(of: provider).line
        }
    }

    /// The least value that so many hundredths of all do not exceed, for each hundredth.
    private static func places(of sorted: [Int32]) -> [Int] {
        guard !sorted.isEmpty else { return [] }
        return (1...100).map { hundredth in
            Int(sorted[(sorted.count * hundredth + 99) / 100 - 1])
        }
    }

    private static func counts(of provider: SharedProvider) -> Counts {
        Counts(
            tokenRequests: provider.requests(to: .token),
            codes: Set(provider.tokenRequests.compactMap(\.code)).count,
            processorSeconds: Double(ProcessControl.processorNanoseconds) / 1e9)
    }
}

/// The lines that a process writes, one after the other.
final class LineIterator {
    private var iterator: SubprocessOutputSequence.StringSequence<UTF8>.AsyncIterator

    init(_ output: SubprocessOutputSequence) {
        iterator = output.strings().makeAsyncIterator()
    }

    /// The next line without its end; nil at the end.
    func next() async throws -> String? {
        var iterator = self.iterator
        defer { self.iterator = iterator }
        return try await iterator.next().map { String($0.filter { !$0.isNewline }) }
    }
}
