// SPDX-License-Identifier: Apache-2.0

import Capabilities
import LedgerPrimitives
import Platform
import ProviderSimulator
import Subprocess
import SystemPackage

/// The simulated provider in a process of its own, so that what its signatures cost is not counted
/// here. It writes its issuer on its standard output, then a line of counts for each line that it
/// reads, and ends with its standard input.
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

        var line: String { "\(tokenRequests) \(codes) \(processorSeconds)\n" }
    }

    let issuer: String
    private let ask: () async throws -> String

    /// What it received so far.
    func report() async throws -> Counts {
        guard let counts = Counts(try await ask()) else {
            throw BenchError("the provider told nothing")
        }
        return counts
    }

    /// Starts a provider, lets something happen with it, and ends it.
    static func run(
        _ broker: LoginBroker, _ body: (ProviderProcess) async throws -> Void
    ) async throws {
        let result = try await Subprocess.run(
            .path("/proc/self/exe"),
            arguments: ["provider", "--directory", "/", "--broker", broker.rawValue],
            input: .inputWriter, output: .sequence, error: .currentStandardError
        ) { execution in
            let lines = LineIterator(execution.standardOutput)
            guard let issuer = try await lines.next() else {
                throw BenchError("the provider did not start")
            }
            let provider = ProviderProcess(issuer: issuer) {
                _ = try await execution.standardInputWriter.write("\n")
                return try await lines.next() ?? ""
            }
            try await body(provider)
        }
        guard result.terminationStatus.isSuccess else {
            throw BenchError("the provider did not end well: \(result.terminationStatus)")
        }
    }

    /// The child's part.
    static func serve(_ broker: LoginBroker) async throws {
        let live = Capabilities.live
        try await ProviderServer.run(
            broker.settings, now: live.now, randomBytes: live.randomBytes
        ) { server in
            try File.standardOutput.write(Array("\(server.issuer)\n".utf8))
            // Reading blocks, and must not take a thread from those who answer.
            let (questions, asked) = AsyncStream.makeStream(of: Void.self)
            let reader = try WorkerThread {
                while let read = try? File.standardInput.read(upTo: 1), !read.isEmpty {
                    asked.yield()
                }
                asked.finish()
            }
            for await _ in questions {
                try File.standardOutput.write(Array(counts(of: server.provider).line.utf8))
            }
            reader.join()
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
private final class LineIterator {
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
