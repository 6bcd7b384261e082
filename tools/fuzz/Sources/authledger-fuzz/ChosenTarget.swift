// SPDX-License-Identifier: Apache-2.0

internal import FuzzTargets
internal import Glibc

/// The target of this process; set once, before the first input.
enum ChosenTarget {
    nonisolated(unsafe) static var target: FuzzTarget?
}

/// Seeds as the files that libFuzzer begins with.
enum SeedFiles {
    static func write(_ seeds: [[UInt8]], to directory: String) {
        for (number, seed) in seeds.enumerated() {
            let path = "\(directory)/seed-\(number)"
            guard let file = unsafe fopen(path, "w") else {
                fatalError("\(path) cannot be written")
            }
            _ = unsafe fwrite(seed, 1, seed.count, file)
            unsafe fclose(file)
        }
    }
}
