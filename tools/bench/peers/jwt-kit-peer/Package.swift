// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let package = Package(
    name: "jwt-kit-peer",
    platforms: [.macOS(.v13)],
    dependencies: [.package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1")],
    targets: [
        .executableTarget(
            name: "jwt-kit-peer", dependencies: [.product(name: "JWTKit", package: "jwt-kit")])
    ]
)
