// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A short run of every target without libFuzzer: inputs changed at random, not led by what code
/// they reach. `tools/fuzz/run` does it properly.
@Suite("Bytes from outside")
struct FuzzTests {
    private static let rounds = 400

    @Test(
        "keep what is promised of them, however seeds are changed",
        arguments: FuzzTarget.all.map(\.name))
    func changedSeeds(name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let corpus = try Corpus.inputs(name)
        for seed in Seeds.all {
            var mutator = Mutator(seed: seed, inputs: corpus + target.seeds)
            for round in 0..<Self.rounds {
                let input = mutator.next()
                if let violation = target.violation(input) {
                    Issue.record(
                        "\(violation), round \(round): \(Base64Text.of(input)) \(Seeds.hint(seed))")
                    return
                }
            }
        }
    }

    @Test(
        "keep what is promised of them for every input that is kept",
        arguments: FuzzTarget.all.map(\.name))
    func keptInputs(name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let inputs = try Corpus.inputs(name)
        #expect(!inputs.isEmpty)
        for input in inputs + target.seeds {
            #expect(target.violation(input) == nil, "\(Base64Text.of(input))")
        }
    }

    @Test("have a directory of inputs for every target and no other")
    func corpusIsComplete() throws {
        #expect(try Repository.names(in: Corpus.path) == FuzzTarget.all.map(\.name).sorted())
    }
}

private enum Corpus {
    static let path = "tools/fuzz/corpus"

    static func inputs(_ name: String) throws -> [[UInt8]] {
        try Repository.names(in: "\(path)/\(name)").map {
            try Repository.read("\(path)/\(name)/\($0)")
        }
    }
}

private enum Base64Text {
    static func of(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}

/// Changes inputs: bits, bytes, parts doubled, moved, taken out, and put together from two.
private struct Mutator {
    private var generator: SeededGenerator
    private let inputs: [[UInt8]]

    init(seed: UInt64, inputs: [[UInt8]]) {
        generator = SeededGenerator(seed: seed)
        self.inputs = inputs
    }

    mutating func next() -> [UInt8] {
        var input = inputs.randomElement(using: &generator) ?? []
        for _ in 0..<Int.random(in: 0...4, using: &generator) { change(&input) }
        return input
    }

    private mutating func change(_ input: inout [UInt8]) {
        guard let index = input.indices.randomElement(using: &generator) else {
            input = generator.bytes(Int.random(in: 0...40, using: &generator))
            return
        }
        let end = min(input.count, index + Int.random(in: 1...16, using: &generator))
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: input[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: input[index] = UInt8.random(in: 0...255, using: &generator)
        case 2: input.insert(Self.telling.randomElement(using: &generator) ?? 0, at: index)
        case 3: input.removeSubrange(index..<end)
        case 4: input.insert(contentsOf: input[index..<end], at: index)
        case 5: input.removeSubrange(index...)
        case 6:
            let other = inputs.randomElement(using: &generator) ?? []
            input = Array(input[..<index]) + other.suffix(other.count - min(index, other.count))
        default: input[index] = Self.telling.randomElement(using: &generator) ?? 0
        }
    }

    /// Bytes that mean something to one target or another.
    private static let telling =
        Array("\"\\{}[]:,.+-_=eE0919 \n/u\u{0}\u{1}\u{8}\u{1F}".utf8)
        + [0x7F, 0x80, 0xBF, 0xC3, 0xED, 0xF0, 0xFF]
}
