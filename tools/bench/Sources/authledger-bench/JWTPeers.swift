// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import Platform
import Subprocess
import SystemPackage

/// JWT libraries that check the signatures of the same tokens, each in processes of its own.
struct JWTPeers {
    private static let names = ["jwt-kit", "PyJWT", "joserfc"]
    private static let seconds = 2

    private let program: String?
    private let scratch: Scratch
    /// What is not there.
    let notes: [String]

    init(_ options: BenchOptions, _ samples: ReverifySamples) throws {
        program = options.jwtPeerProgram
        notes = program == nil ? ["JWT libraries: run by tools/bench/run only"] : []
        scratch = try Scratch(in: options.directory)
        let tokens = samples.items.reduce(into: [UInt8]()) { $0 += $1.token + [UInt8(ascii: "\n")] }
        try DurableFile.write(tokens, to: scratch.path + "/tokens")
        let keys = samples.keys.keys.compactMap { key in
            key.publicKey.map {
                JSONValue.object(JSONWebKey.members(of: $0, keyID: key.keyID, algorithm: .rs256))
            }
        }
        try DurableFile.write(
            CanonicalJSON.encode(["keys": .array(keys)] as JSONObject),
            to: scratch.path + "/keys.json")
    }

    /// Signature checks a second of each library that is there, by its name.
    func rates(processes: Int) async throws -> [(name: String, rate: Double)] {
        guard let program else { return [] }
        var rates: [(String, Double)] = []
        for name in Self.names {
            let result = try await Subprocess.run(
                .path(FilePath(program)),
                arguments: [
                    name, "--tokens", scratch.path + "/tokens", "--keys",
                    scratch.path + "/keys.json", "--processes", String(processes), "--seconds",
                    String(Self.seconds),
                ], output: .string(limit: 4096), error: .string(limit: 65_536))
            guard result.terminationStatus.isSuccess,
                let rate = result.standardOutput.split(separator: "\n").first.flatMap({ Double($0) }
                )
            else {
                try? File.standardError.write(Array("\(name) is not there\n".utf8))
                continue
            }
            rates.append((name, rate))
        }
        return rates
    }
}
