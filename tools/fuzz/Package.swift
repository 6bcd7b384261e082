// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let ledger: Target.Dependency = .product(name: "AuthLedger", package: "authledger")

let package = Package(
    name: "authledger-fuzz",
    dependencies: [.package(name: "authledger", path: "../..")],
    targets: [
        .target(name: "FuzzTargets", dependencies: [ledger], swiftSettings: strict),
        .executableTarget(
            name: "authledger-fuzz", dependencies: ["FuzzTargets"],
            swiftSettings: strict),
    ]
)
