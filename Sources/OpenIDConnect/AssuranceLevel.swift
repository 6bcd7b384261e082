// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// What level of assurance an `acr` stands for, where it does not say so itself.
public struct AssuranceLevel: Sendable, Hashable {
    /// The whole value of `acr`, compared byte by byte.
    public let acr: String
    /// 1 (little) to 4 (very high).
    public let level: Int

    /// A line of the table.
    public init(acr: String, level: Int) {
        self.acr = acr
        self.level = level
    }

    /// The levels of ISO/IEC 29115, which the parameter `LOA` counts.
    private static let range = 1...4

    /// The level of an `acr`: by the table, or else by its one parameter `LOA`, as in
    /// `urn:bankid:bis;LOA=3`. Nil when neither says one.
    ///
    /// The whole parameter is read: to search for `LOA=3` would refuse a stronger login and take
    /// `LOA=30` for one.
    public static func level(of acr: String, table: [AssuranceLevel]) -> Int? {
        if let line = table.first(where: { $0.acr.isIdentical(to: acr) }) { return line.level }
        let parameters = Array(acr.utf8).split(
            separator: UInt8(ascii: ";"), omittingEmptySubsequences: false
        ).dropFirst()
        let levels = parameters.filter { $0.starts(with: "LOA=".utf8) }
        guard levels.count == 1, let digits = levels.first?.dropFirst(4), digits.count == 1,
            let digit = digits.first, (0x30...0x39).contains(digit)
        else { return nil }
        let level = Int(digit) - 0x30
        return range.contains(level) ? level : nil
    }
}
