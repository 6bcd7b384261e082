// SPDX-License-Identifier: Apache-2.0

import Subprocess

/// The rate that the `openssl` command measures of itself.
enum OpenSSLSpeed {
    /// RSA-2048 verifications a second: of processor time for one process, as the command counts
    /// by itself; of elapsed time for several, where waiting for a processor counts too.
    ///
    /// - Parameter seconds: how long it measures signing and verifying, each.
    static func rsaVerificationsPerSecond(processes: Int, seconds: Int) async throws -> Double {
        var arguments = ["speed", "-seconds", String(seconds)]
        if processes > 1 { arguments += ["-elapsed", "-multi", String(processes)] }
        return try await rsaRates(arguments).verifications
    }

    /// How often a core makes an RSA-2048 signature and verifies one, in a second of processor
    /// time.
    ///
    /// - Parameter seconds: how long it measures signing and verifying, each.
    static func rsaSignaturesAndVerificationsPerSecond(seconds: Int) async throws -> Double {
        let rates = try await rsaRates(["speed", "-seconds", String(seconds)])
        return 1 / (1 / rates.signatures + 1 / rates.verifications)
    }

    private static func rsaRates(
        _ arguments: [String]
    ) async throws -> (signatures: Double, verifications: Double) {
        let text = try await output(of: arguments + ["rsa2048"])
        // rsa 2048 bits 0.000241s 0.000016s   4141.0  61127.0
        let line = text.split(separator: "\n").last { $0.hasPrefix("rsa") }
        let rates = line?.split(separator: " ").suffix(2).compactMap { Double($0) } ?? []
        guard rates.count == 2, rates.allSatisfy({ $0 > 0 }) else {
            throw BenchError("`openssl speed` printed no result for RSA")
        }
        return (rates[0], rates[1])
    }

    private static func output(of arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            .name("openssl"), arguments: Arguments(arguments), output: .string(limit: 65_536),
            error: .discarded)
        guard result.terminationStatus.isSuccess else {
            throw BenchError("`openssl speed` did not end well: \(result.terminationStatus)")
        }
        return result.standardOutput
    }
}
