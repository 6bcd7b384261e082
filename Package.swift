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
/// The HTTP server, and what its interface shows of the packages below it.
let httpServer: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HummingbirdCore", package: "hummingbird"),
    .product(name: "Logging", package: "swift-log"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
]

let package = Package(
    name: "authledger",
    products: [
        .executable(name: "authledger", targets: ["authledger"]),
        .library(
            name: "AuthLedger",
            targets: [
                "Capabilities", "Custody", "EventLog", "HTTPMessages", "Ingestion", "JOSE", "LMDB",
                "LedgerPrimitives", "LiveNetwork", "MerkleTree", "OpenIDConnect", "OpenSSL",
                "Platform", "Projections", "ReadModels", "RelyingParty", "Replay",
                "SessionEvents", "Sessions", "SignedNote",
            ]),
        .library(name: "ProviderSimulator", targets: ["ProviderSimulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    ],
    targets: [
        // Wrappers: the only place where `unsafe` may stand.
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPlatform"),
        .systemLibrary(
            name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        module("Curl", ["CCurl", "Platform"]),
        module("LMDB", ["CLMDB"]),
        module("OpenSSL", ["COpenSSL"]),
        module("QRCode", ["CQREncode"]),
        module("Zlib", ["CZlib"]),
        module("Platform", ["CPlatform"]),

        // Pure core: no clock, no input or output, no async.
        module("LedgerPrimitives"),
        module("HTTPMessages", ["LedgerPrimitives"]),
        module("Capabilities", ["HTTPMessages", "LedgerPrimitives"]),
        module("JOSE", ["LedgerPrimitives", "OpenSSL"]),
        module("MerkleTree", ["LedgerPrimitives", "OpenSSL"]),
        module("SignedNote", ["LedgerPrimitives", "OpenSSL"]),
        module("OpenIDConnect", ["HTTPMessages", "JOSE", "LedgerPrimitives", "OpenSSL"]),
        module("SessionEvents", ["LedgerPrimitives"]),
        module(
            "Sessions",
            ["HTTPMessages", "JOSE", "LedgerPrimitives", "OpenIDConnect", "SessionEvents"]),

        module("Projections", ["LedgerPrimitives", "SessionEvents"]),

        // Shell.
        module(
            "EventLog",
            [
                "Capabilities", "JOSE", "LedgerPrimitives", "LMDB", "MerkleTree", "OpenSSL",
                "Platform", "SessionEvents", "SignedNote", "Zlib",
            ]),
        module(
            "Custody",
            ["Capabilities", "EventLog", "LedgerPrimitives", "SessionEvents", "SignedNote"]),
        module(
            "Ingestion",
            [
                "Capabilities", "EventLog", "LedgerPrimitives", "OpenIDConnect", "SessionEvents",
                "Sessions",
            ]),
        module(
            "ProviderSimulator",
            [
                "HTTPMessages", "JOSE", "LedgerPrimitives", "OpenIDConnect", "OpenSSL",
            ] + httpServer),

        // The provider profiles themselves are in ops/, where operators look for them.
        .target(
            name: "BuiltInProfiles", path: "ops/providers", exclude: ["README.md"],
            resources: [
                .embedInCode("bankid-no.yaml"), .embedInCode("generic.yaml"),
                .embedInCode("idpartner.yaml"), .embedInCode("idura.yaml"),
            ], swiftSettings: strict),
        module(
            "RelyingParty",
            [
                "BuiltInProfiles", "Capabilities", "EventLog", "HTTPMessages", "JOSE",
                "LedgerPrimitives", "OpenIDConnect", "OpenSSL", "Platform", "SessionEvents",
                "Sessions", .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Yams", package: "Yams"),
            ]),

        module(
            "ReadModels",
            [
                "EventLog", "JOSE", "LedgerPrimitives", "LMDB", "OpenSSL", "Platform",
                "Projections",
                "SessionEvents",
            ]),
        module(
            "Replay",
            [
                "EventLog", "HTTPMessages", "JOSE", "LedgerPrimitives", "OpenIDConnect", "OpenSSL",
                "Platform", "SessionEvents", "Sessions",
            ]),

        // Edge.
        module("LiveNetwork", ["Curl", "HTTPMessages", "LedgerPrimitives", "OpenSSL"]),
        module(
            "AuthLedgerCLI",
            [
                "Capabilities", "Curl", "Custody", "EventLog", "HTTPMessages", "Ingestion", "JOSE",
                "LedgerPrimitives", "LiveNetwork", "LMDB", "MerkleTree", "OpenIDConnect", "OpenSSL",
                "Platform", "Projections", "ProviderSimulator", "QRCode", "ReadModels",
                "RelyingParty", "Replay", "SessionEvents", "Sessions", "SignedNote", "Zlib",
                argumentParser,
            ] + httpServer),
        .executableTarget(
            name: "authledger", dependencies: ["AuthLedgerCLI"], swiftSettings: strict),

        // Tools.
        .executableTarget(
            name: "power-cut",
            dependencies: [
                "Capabilities", "EventLog", "Ingestion", "LedgerPrimitives", "Platform",
                "SessionEvents", "SignedNote", "TestSupport", argumentParser,
            ], path: "tools/power-cut/Sources", swiftSettings: strict),

        // Tests.
        .target(
            name: "TestSupport", dependencies: ["LedgerPrimitives"], path: "Tests/TestSupport",
            swiftSettings: strict),
        tests("LedgerPrimitivesTests", ["LedgerPrimitives", "TestSupport"]),
        tests("HTTPMessagesTests", ["HTTPMessages", "LedgerPrimitives", "TestSupport"]),
        tests(
            "SessionEventsTests", ["LedgerPrimitives", "SessionEvents", "TestSupport"],
            exclude: ["Golden", "LedgerGolden"]),
        tests(
            "SessionsTests",
            [
                "HTTPMessages", "JOSE", "LedgerPrimitives", "OpenIDConnect", "OpenSSL",
                "SessionEvents", "Sessions",
            ]),
        .target(
            name: "LoginSupport",
            dependencies: [
                "Capabilities", "EventLog", "HTTPMessages", "JOSE", "LedgerPrimitives", "OpenSSL",
                "ProviderSimulator", "RelyingParty", "SessionEvents", "TestSupport",
            ], path: "Tests/LoginSupport", swiftSettings: strict),
        tests(
            "RelyingPartyTests",
            [
                "Capabilities", "EventLog", "HTTPMessages", "JOSE", "LedgerPrimitives",
                "LoginSupport", "OpenIDConnect", "OpenSSL", "Platform", "ProviderSimulator",
                "RelyingParty", "SessionEvents", "Sessions", "TestSupport",
            ]),
        tests(
            "ProjectionsTests",
            [
                "LedgerPrimitives", "OpenIDConnect", "Projections", "SessionEvents", "Sessions",
                "TestSupport",
            ], exclude: ["Golden"]),
        tests(
            "ReadModelsTests",
            [
                "Capabilities", "EventLog", "LMDB", "LedgerPrimitives", "OpenSSL", "Platform",
                "Projections", "ReadModels", "SessionEvents", "TestSupport",
            ]),
        tests(
            "ReplayTests",
            [
                "Capabilities", "EventLog", "HTTPMessages", "JOSE", "LMDB", "LedgerPrimitives",
                "LoginSupport", "OpenIDConnect", "ProviderSimulator", "RelyingParty", "Replay",
                "SessionEvents", "Sessions", "TestSupport",
            ], exclude: ["Fixtures"]),
        tests(
            "IngestionTests",
            ["Ingestion", "LedgerPrimitives", "SessionEvents", "TestSupport"]),
        tests(
            "EventLogTests",
            [
                "Capabilities", "EventLog", "Ingestion", "JOSE", "LMDB", "LedgerPrimitives",
                "MerkleTree", "OpenSSL", "Platform", "SessionEvents", "SignedNote", "TestSupport",
            ], exclude: ["Golden"]),
        tests(
            "CurlTests", ["AuthLedgerCLI", "Curl", "HTTPMessages", "LiveNetwork", "Platform"],
            exclude: ["Servers"]),
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "EventLog", "Ingestion", "JOSE", "LedgerPrimitives", "MerkleTree", "OpenSSL",
                "SessionEvents", "SignedNote", "TestSupport",
            ], path: "tools/fuzz/Sources", exclude: ["authledger-fuzz"],
            sources: ["FuzzTargets", "FuzzTests"],
            swiftSettings: strict),
        tests("LMDBTests", ["LMDB"]),
        tests("MerkleTreeTests", ["LedgerPrimitives", "MerkleTree", "OpenSSL"]),
        tests("SignedNoteTests", ["LedgerPrimitives", "OpenSSL", "SignedNote"]),
        tests("TidyTests", []),
        tests("OpenSSLTests", ["OpenSSL"]),
        tests("ZlibTests", ["TestSupport", "Zlib"]),
        tests("QRCodeTests", ["QRCode"]),
        tests("PowerCutTests", ["authledger", "power-cut"]),
        tests("JOSETests", ["JOSE", "LedgerPrimitives", "OpenSSL"], exclude: ["Vectors"]),
        tests(
            "OpenIDConnectTests",
            [
                "HTTPMessages", "JOSE", "LedgerPrimitives", "OpenIDConnect", "OpenSSL",
                "TestSupport",
            ], exclude: ["Vectors"]),
        tests(
            "TokenCommandTests",
            [
                "AuthLedgerCLI", "JOSE", "LedgerPrimitives", "OpenSSL", "TestSupport", "authledger",
            ]),
        tests(
            "RealProviderTests",
            [
                "HTTPMessages", "JOSE", "LedgerPrimitives", "LiveNetwork", "OpenSSL",
                "TestSupport", "authledger",
            ],
            exclude: ["Servers"]),
        tests(
            "ProviderSimulatorTests",
            [
                "HTTPMessages", "JOSE", "LedgerPrimitives", "OpenIDConnect", "OpenSSL",
                "ProviderSimulator", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        tests(
            "CommandLineTests",
            [
                "AuthLedgerCLI", "authledger", "Ingestion", "LedgerPrimitives", "OpenSSL",
                "Platform", "ProviderSimulator", "QRCode", "TestSupport",
            ],
            exclude: ["Fixtures", "Golden"]),
    ]
)
