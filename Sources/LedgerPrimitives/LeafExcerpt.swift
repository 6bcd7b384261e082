// SPDX-License-Identifier: Apache-2.0

/// What of a leaf those need who ask millions of events for a few members each: no objects and
/// texts are made of what nobody asked for.
public struct LeafExcerpt: Sendable {
    /// Which members of a payload are asked for.
    public struct Request: Sendable {
        /// Those that come with the excerpt.
        public let members: MemberNameSet
        /// Those of which only the place is asked for, if they are texts without escapes.
        public let located: MemberNameSet

        /// A request.
        public init(members: MemberNameSet, located: MemberNameSet) {
            self.members = members
            self.located = located
        }
    }

    /// The leaf without all that was not asked for, and without what no two events have in common:
    /// an object in canonical JSON with `data`, `type` and `typeversion`.
    public let text: [UInt8]
    /// Where in the leaf the event type stands.
    public let type: Range<Int>
    /// Place in the stream.
    public let revision: Int
    /// Where in the leaf that number stands.
    package let revisionPlace: Range<Int>
    /// When it happened.
    public let time: Instant
    /// Where in the leaf that text stands.
    package let timePlace: Range<Int>
    /// Where in the leaf the members stand that come with the excerpt.
    package let members: [Range<Int>]
    /// The located members that are there, as their number in the request and the place of their
    /// text in the leaf.
    public let located: [(name: Int, text: Range<Int>)]

    /// Reads leaf bytes that are known to be the ones that were hashed, and so to be in the
    /// canonical form in which they were written. Nil for anything out of the ordinary, such as an
    /// escape in the envelope: ``RecordedEvent`` reads all there is.
    ///
    /// - Parameter known: a text without escapes that need not be looked through, by its place.
    public init?(_ leaf: [UInt8], _ request: Request, knownText known: Range<Int>? = nil) {
        var scanner = LeafScanner(leaf: leaf)
        guard scanner.skip(#"{"data":"#) else { return nil }
        var payload = PayloadExcerpt(leaf, request)
        guard let end = payload.read(from: scanner.index, known) else { return nil }
        scanner.index = end
        guard scanner.skip(#","id":""#), scanner.skipText(),
            !scanner.skip(#","previous":""#) || scanner.skipText(),
            !scanner.skip(#","recordedtime":""#) || scanner.skipText(),
            scanner.skip(#","revision":"#)
        else { return nil }
        let revisionStart = scanner.index
        guard let revision = scanner.number() else { return nil }
        revisionPlace = revisionStart..<scanner.index
        guard scanner.skip(#","source":""#), scanner.skipText(),
            scanner.skip(#","specversion":"1.0","subject":""#), scanner.skipText(),
            scanner.skip(#","time":""#), let timePlace = scanner.text({ $0.indices }),
            let time = Instant(rfc3339: leaf[timePlace])
        else { return nil }
        let rest = scanner.index
        guard scanner.skip(#","type":""#), let type = scanner.text({ $0.indices }),
            scanner.skip(#","typeversion":"#), scanner.number() != nil, scanner.skip("}"),
            scanner.isAtEnd
        else { return nil }
        self.type = type
        self.revision = revision
        self.time = time
        self.timePlace = timePlace
        members = payload.members
        located = payload.located
        payload.text.append(contentsOf: leaf[rest...])
        text = payload.text
    }
}

/// The part of an excerpt that comes from the payload.
private struct PayloadExcerpt {
    private let leaf: [UInt8]
    private let request: LeafExcerpt.Request
    var text: [UInt8] = []
    private(set) var members: [Range<Int>] = []
    private(set) var located: [(name: Int, text: Range<Int>)] = []

    init(_ leaf: [UInt8], _ request: LeafExcerpt.Request) {
        self.leaf = leaf
        self.request = request
    }

    /// - Returns: where the payload ends; nil for anything out of the ordinary.
    mutating func read(from start: Int, _ known: Range<Int>?) -> Int? {
        let leaf = leaf
        text.reserveCapacity(512)
        text.append(contentsOf: leaf[..<start])
        text.append(UInt8(ascii: "{"))
        var scanner = MemberScanner(leaf, from: start, knownText: known)
        while let member = scanner.next() {
            let name = leaf.span.extracting(member.name)
            if request.members.index(of: name) != nil {
                if !members.isEmpty { text.append(UInt8(ascii: ",")) }
                let place = member.name.lowerBound - 1..<member.value.upperBound
                members.append(place)
                text.append(contentsOf: leaf[place])
            } else if let number = request.located.index(of: name) {
                guard let place = plainText(member.value, known),
                    !located.contains(where: { $0.name == number })
                else { return nil }
                located.append((number, place))
            }
        }
        guard scanner.end() else { return nil }
        text.append(UInt8(ascii: "}"))
        return scanner.index
    }

    /// Where the text of a value stands; nil when it is none, or has an escape.
    private func plainText(_ value: Range<Int>, _ known: Range<Int>?) -> Range<Int>? {
        guard value.count >= 2, leaf[value.lowerBound] == UInt8(ascii: "\"") else { return nil }
        let place = value.lowerBound + 1..<value.upperBound - 1
        if place == known { return place }
        return PlainText.end(in: leaf.span, from: place.lowerBound) == place.upperBound
            ? place : nil
    }
}
