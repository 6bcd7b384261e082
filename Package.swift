// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// Every Swift target builds with the same strictness; see CONTRIBUTING.md.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A module of ours. The list of dependencies is the whole list of what it may import.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A test module. Files that tests read by path are excluded from the build.
func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let argumentParser: Target.Dependency =
    .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "authledger",
    products: [
        .executable(name: "authledger", targets: ["authledger"]),
        .library(name: "AuthLedger", targets: ["Ingestion", "EventLog", "LMDB", "Platform"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Wrappers: the only place where `unsafe` may stand.
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        module("LMDB", ["CLMDB"]),
        module("OpenSSL", ["COpenSSL"]),
        module("Zlib", ["CZlib"]),
        module("Platform"),

        // Pure core: no clock, no input or output, no async.
        module("LedgerPrimitives"),
        module("Capabilities", ["LedgerPrimitives"]),
        module("JOSE", ["LedgerPrimitives", "OpenSSL"]),
        module("MerkleTree", ["LedgerPrimitives", "OpenSSL"]),
        module("SignedNote", ["LedgerPrimitives", "OpenSSL"]),
        module("OpenIDConnect", ["JOSE", "LedgerPrimitives"]),
        module("SessionEvents", ["LedgerPrimitives"]),
        module("Sessions", ["LedgerPrimitives", "SessionEvents"]),

        // Shell.
        module(
            "EventLog",
            [
                "Capabilities", "JOSE", "LedgerPrimitives", "LMDB", "MerkleTree", "OpenSSL",
                "Platform", "SignedNote", "Zlib",
            ]),
        module(
            "Ingestion",
            [
                "Capabilities", "EventLog", "LedgerPrimitives", "OpenIDConnect", "SessionEvents",
                "Sessions",
            ]),

        // Edge.
        module(
            "AuthLedgerCLI",
            [
                "Capabilities", "EventLog", "Ingestion", "LedgerPrimitives", "OpenSSL", "Platform",
                "LMDB", "SessionEvents", "SignedNote", argumentParser,
            ]),
        .executableTarget(
            name: "authledger", dependencies: ["AuthLedgerCLI"], swiftSettings: strict),

        // Tests.
        tests("LMDBTests", ["LMDB"]),
        tests("MerkleTreeTests", ["LedgerPrimitives", "MerkleTree", "OpenSSL"]),
        tests(
            "EventLogTests",
            [
                "Capabilities", "EventLog", "LMDB", "LedgerPrimitives", "MerkleTree", "Platform",
                "SessionEvents", "SignedNote",
            ]),
        tests("TidyTests", []),
        tests("CommandLineTests", ["authledger", "Ingestion"], exclude: ["Golden"]),
    ]
)
