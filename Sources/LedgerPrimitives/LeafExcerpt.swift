// SPDX-License-Identifier: Apache-2.0

/// What of a leaf those need who ask millions of events for a few members each: no objects and
/// texts are made of what nobody asked for.
public struct LeafExcerpt: Sendable {
    /// Event type.
    public let type: String
    /// Schema version of the type.
    public let typeVersion: Int
    /// Place in the stream.
    public let revision: Int
    /// When it happened.
    public let time: Instant
    /// Those members of the payload that were asked for and are there.
    public let data: JSONObject
    /// Where in the leaf the bytes of the payload's sealed box stand; nil when it has none.
    public let box: Range<Int>?

    /// Reads leaf bytes that are known to be the ones that were hashed, and so to be in the
    /// canonical form in which they were written. Nil for anything out of the ordinary, such as an
    /// escape in the envelope: ``RecordedEvent`` reads all there is.
    ///
    /// - Parameters:
    ///   - wanted: the members of the payload to be read.
    ///   - box: the name of the member that is only located.
    public init?(_ leaf: [UInt8], only wanted: [String], locating box: String) {
        var scanner = LeafScanner(leaf: leaf)
        guard scanner.skip(#"{"data":"#),
            let payload = try? JSONReader.readMembers(
                of: leaf, from: scanner.index, only: wanted, locating: box)
        else { return nil }
        scanner.index = payload.end
        guard scanner.skip(#","id":""#), scanner.skipText(),
            !scanner.skip(#","previous":""#) || scanner.skipText(),
            !scanner.skip(#","recordedtime":""#) || scanner.skipText(),
            scanner.skip(#","revision":"#), let revision = scanner.number(),
            scanner.skip(#","source":""#), scanner.skipText(),
            scanner.skip(#","specversion":"1.0","subject":""#), scanner.skipText(),
            scanner.skip(#","time":""#), let time = scanner.text({ Instant(rfc3339: $0) }),
            scanner.skip(#","type":""#),
            let type = scanner.text({ String(validating: $0, as: UTF8.self) }),
            scanner.skip(#","typeversion":"#), let typeVersion = scanner.number(),
            scanner.skip("}"), scanner.isAtEnd
        else { return nil }
        self.type = type
        self.typeVersion = typeVersion
        self.revision = revision
        self.time = time
        data = payload.members
        self.box = payload.text
    }
}
