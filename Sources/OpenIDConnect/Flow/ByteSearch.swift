// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
    /// Where a part begins and ends for the first time; nil when it is empty or not in it.
    func firstRange(of part: [UInt8]) -> Range<Int>? {
        guard let first = part.first, part.count <= count else { return nil }
        for start in 0...(count - part.count)
        where self[start] == first && self[start...].starts(with: part) {
            return start..<(start + part.count)
        }
        return nil
    }

    /// Every occurrence replaced; nil when there is none.
    func replacing(_ part: [UInt8], with replacement: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        var rest = self
        var isFound = false
        while let range = rest.firstRange(of: part) {
            output += rest[..<range.lowerBound] + replacement
            rest = Array(rest[range.upperBound...])
            isFound = true
        }
        return isFound ? output + rest : nil
    }
}
