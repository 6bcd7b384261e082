// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import Platform

/// Where what a request asks for stands in all leaves of a template, so that none of them has to
/// be read once one was.
///
/// Everything that a marker stands for is a number, or lies within a text without ending it. So
/// leaves of one template have the same members in the same order, and an excerpt of one is that of
/// another if the literals are the same that lie in the members asked for. For one thread.
final class LeafShape {
    /// Leaves that keep differing in what is asked for are not worth more.
    private static let textsMax = 32

    let request: ExcerptRequest
    /// Whether the first sealed box is what the request wants to be opened.
    let opensBox: Bool
    /// The number of the marker that stands for the time of the event.
    private let time: Int
    /// The number of the one that stands for what the event says of the stream's key.
    private let commitment: Int?
    /// For each marker whether it lies in what the text was made of.
    private let isInText: [Bool]
    /// What was read, by the literals that lie in it: each with what says how long it is, one
    /// behind the other.
    private var texts: [(literals: [UInt8], text: ExcerptText)] = []
    /// What those literals are found by.
    private var fingerprints: [UInt64] = []
    /// Those of the leaf that was looked at last.
    private var literals: [UInt8] = []
    /// Whether that leaf has this shape.
    private var isFit = false

    /// Finds the shape of a leaf; nil where the leaf has something of what is asked for in another
    /// form than all leaves have.
    init?(
        _ request: ExcerptRequest, _ excerpt: LeafExcerpt, _ unpacked: LeafPacking.Unpacked,
        place: StreamPlace
    ) {
        guard let template = unpacked.template,
            let markers = Self.markers(template, unpacked.literals.span, place)
        else { return nil }
        func number(of range: Range<Int>, _ kind: UInt8) -> Int? {
            markers.firstIndex { $0.leaf == range && $0.kind == kind }
        }
        guard number(of: excerpt.revisionPlace, LeafPacking.Marker.revision) != nil,
            let time = number(of: excerpt.timePlace, LeafPacking.Marker.instant)
        else { return nil }
        var commitment: Int?
        if let range = excerpt[.keyCommitment] {
            commitment = number(of: range, LeafPacking.Marker.digest)
            guard commitment != nil else { return nil }
        }
        var opensBox = false
        if let sealed = excerpt[.sealed], request.opensBox(of: unpacked.leaf[excerpt.type]) {
            guard unpacked.boxPlace == sealed else { return nil }
            opensBox = true
        }
        isInText = markers.map { marker in
            marker.leaf.lowerBound >= excerpt.type.lowerBound
                || excerpt.members.contains { $0.contains(marker.leaf.lowerBound) }
        }
        // What the log knows by itself has no literal by which texts could be told apart.
        guard !zip(markers, isInText).contains(where: { $0.literal.isEmpty && $1 }) else {
            return nil
        }
        self.request = request
        self.time = time
        self.commitment = commitment
        self.opensBox = opensBox
    }

    /// A marker of a leaf: what stands for it there, and its literal.
    private struct Found {
        let kind: UInt8
        let leaf: Range<Int>
        let literal: Range<Int>
    }

    private static func markers(
        _ template: LeafTemplate, _ literals: Span<UInt8>, _ place: StreamPlace
    ) -> [Found]? {
        var found: [Found] = []
        var next = 0
        var added = 0
        for marker in template.markers {
            var text: [UInt8] = []
            guard let literal = LeafPacking.literal(marker.kind, in: literals, &next),
                LeafPacking.append(marker.kind, literals.extracting(literal), place, to: &text)
            else { return nil }
            let start = marker.index + added
            found.append(
                Found(kind: marker.kind, leaf: start..<start + text.count, literal: literal))
            added += text.count - 1
        }
        return found
    }

    /// What of a leaf its literals tell.
    struct Values {
        let time: Instant
        /// Where in the literals lies what the event says of the stream's key.
        let commitment: Range<Int>?
        let text: ExcerptText
    }

    /// Finds the values of a leaf with this shape; nil for one whose text is not known yet.
    func values(
        _ template: LeafTemplate, _ literals: ArraySlice<UInt8>, place: StreamPlace
    ) -> Values? {
        isFit = false
        self.literals.removeAll(keepingCapacity: true)
        let subject = place.subject.utf8.span
        guard PlainText.end(in: subject, from: 0) == subject.count else { return nil }
        let bytes = literals.span
        var time: Instant?
        var commitment: Range<Int>?
        var next = 0
        for number in template.markers.indices {
            let start = next
            let kind = template.markers[number].kind
            guard let literal = LeafPacking.literal(kind, in: bytes, &next) else { return nil }
            if isInText[number] {
                self.literals.append(copying: bytes.extracting(start..<next))
            }
            if number == self.time { time = LeafPacking.instant(bytes.extracting(literal)) }
            if number == self.commitment { commitment = literal }
        }
        guard let time, time.isWritable else { return nil }
        isFit = true
        return knownText.map { Values(time: time, commitment: commitment, text: $0) }
    }

    private var knownText: ExcerptText? {
        let literals = literals
        let fingerprint = ByteWords.fingerprint(of: literals.span)
        guard let index = fingerprints.firstIndex(of: fingerprint) else { return nil }
        let known = texts[index].literals
        return ByteWords.areSame(known.span, literals.span) ? texts[index].text : nil
    }

    /// Keeps the text of the leaf that ``values(_:_:place:)`` looked at last.
    func learn(_ text: ExcerptText) {
        guard isFit, texts.count < Self.textsMax else { return }
        texts.append((literals, text))
        fingerprints.append(ByteWords.fingerprint(of: literals.span))
    }
}
