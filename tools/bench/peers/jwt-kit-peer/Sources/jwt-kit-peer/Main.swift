// SPDX-License-Identifier: Apache-2.0

import Foundation
import JWTKit

/// Verifies the signatures of all tokens in a file, again and again for some seconds, by so many
/// tasks, and prints how many it did in a second.
/// usage: jwt-kit-peer --tokens FILE --keys FILE --processes N --seconds S
@main
struct Peer {
    /// Claims that are not looked at.
    struct Nothing: JWTPayload {
        func verify(using algorithm: some JWTAlgorithm) throws {}
    }

    static func main() async throws {
        var options: [String: String] = [:]
        var rest = CommandLine.arguments.dropFirst()
        while let name = rest.popFirst(), let value = rest.popFirst() { options[name] = value }
        guard let tokensFile = options["--tokens"], let keysFile = options["--keys"],
            let tasks = options["--processes"].flatMap({ Int($0) }),
            let seconds = options["--seconds"].flatMap({ Double($0) })
        else {
            fatalError("usage: jwt-kit-peer --tokens FILE --keys FILE --processes N --seconds S")
        }
        let tokens = try String(contentsOfFile: tokensFile, encoding: .utf8)
            .split(separator: "\n").map { Array($0.utf8) }
        let keySet = try String(contentsOfFile: keysFile, encoding: .utf8)
        let start = ContinuousClock.now
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    let keys = JWTKeyCollection()
                    try await keys.add(jwksJSON: keySet)
                    var count = 0
                    var index = task * tokens.count / tasks
                    while true {
                        for _ in 0..<500 {
                            _ = try await keys.verify(tokens[index], as: Nothing.self)
                            index = (index + 1) % tokens.count
                        }
                        count += 500
                        if ContinuousClock.now - start > .seconds(seconds) { return count }
                    }
                }
            }
            var total = 0
            for try await count in group { total += count }
            return total
        }
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        print(Double(count) / elapsed)
    }
}
