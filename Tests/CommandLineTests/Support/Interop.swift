// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What `checkpoint --json` prints.
struct CheckpointReport: Decodable {
    let origin: String
    let size: Int
    let root: String
    let note: String
}

/// What `checkpoint verify --json` prints.
struct CheckpointVerifyReport: Decodable {
    struct Finding: Decodable {
        let code: String
    }

    let ok: Bool
    let size: Int?
    let root: String?
    let signedBy: [String]
    let keyGiven: Bool
    let unknownSignatures: Int
    let consistent: Bool?
    let findings: [Finding]
}

/// What `prove --session` prints.
struct SessionProofReport: Decodable {
    struct Event: Decodable {
        let position: Int
        let leaf: String
        let leafHash: String
        let proof: [String]
    }

    let session: String
    let gapFree: Bool
    let checkpoint: String
    let events: [Event]
    let notProven: [String]
}

/// The members of `verify --json` that come from checkpoints.
struct ProvenReport: Decodable {
    struct Range: Decodable {
        let key: String
        let keyGiven: Bool
        let from: Int
        let size: Int
        let root: String
    }

    struct Finding: Decodable {
        let position: Int?
        let code: String
    }

    let ok: Bool
    let level: String
    let proven: [Range]
    let findings: [Finding]
    let notProven: [String]
}

extension Workspace {
    private static let project = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// A ledger of its own name with the steps of so many logins in it; answers its key, too.
    static func signed(
        seed: UInt64, sessions: Int
    ) async throws -> (workspace: Workspace, key: String) {
        let workspace = try Workspace()
        let made: InitReport = try await workspace.succeed(
            "init", "--origin", "example.org/logins", "--json"
        ).json()
        _ = try await workspace.ingest(Workload(seed: seed, sessions: sessions).lines)
        return (workspace, made.verifierKey)
    }

    /// Verifies by `Tests/Support/verify_proof.py`, which has `openssl` look at the signatures.
    func verifyProof(_ text: String, _ key: String, _ arguments: String...) async throws -> Outcome
    {
        try await python("verify_proof.py", [key] + arguments, stdin: .text(text))
    }

    /// Checks an export by pymerkle, see `Tests/Support/check_tiles.py`.
    func pymerkle(_ arguments: [String]) async throws -> Outcome {
        try await pythonWithPackages("check_tiles.py", arguments)
    }

    /// Reads HTTP Archives by haralyzer, see `Tests/Support/check_har.py`.
    func haralyzer(_ arguments: [String]) async throws -> Outcome {
        try await pythonWithPackages("check_har.py", arguments)
    }

    private func pythonWithPackages(
        _ script: String, _ arguments: [String]
    ) async throws -> Outcome {
        let python = Self.project + "/.build-tools/python/bin/python"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw TestFailure(
                "packages of PyPI are missing; these tests need them: tools/install-packages test")
        }
        return try await start(
            python, [Self.project + "/Tests/Support/" + script] + arguments
        ).end(within: .seconds(120))
    }

    /// Checks an export by the packages of Go's checksum database, see `Tests/Support/sumdb`.
    func sumdb(_ arguments: [String]) async throws -> Outcome {
        guard FileManager.default.fileExists(atPath: "/usr/share/gocode/src/golang.org/x/mod")
        else {
            throw TestFailure(
                "golang-golang-x-mod-dev is missing; these tests need it: "
                    + "tools/install-packages test")
        }
        return try await start(
            "/usr/bin/go", ["run", Self.project + "/Tests/Support/sumdb/main.go"] + arguments,
            environment: [
                "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
                "GOCACHE": Self.project + "/.build-tools/go",
            ]
        ).end(within: .seconds(240))
    }
}
