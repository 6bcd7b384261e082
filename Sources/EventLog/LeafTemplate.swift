// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// A packed text: what leaves of one kind have in common, with a marker for each value that they
/// do not. Thousands of sessions share a handful of them. For one thread.
final class LeafTemplate {
    /// A marker, and where it stands in the text.
    struct Placed {
        let kind: UInt8
        let index: Int
    }

    let text: [UInt8]
    /// The markers in their order: every control byte, be it one that stands for something or not.
    let markers: [Placed]
    /// Whether more than one leaf had it.
    fileprivate(set) var isShared = false
    private var shapes: [LeafShape] = []
    /// Which requests no shape was found for.
    private var shapeless: [ExcerptRequest] = []

    init(text: [UInt8]) {
        self.text = text
        var markers: [Placed] = []
        var index = PlainText.controlByte(in: text.span, from: 0)
        while index < text.count {
            markers.append(Placed(kind: text[index], index: index))
            index = PlainText.controlByte(in: text.span, from: index + 1)
        }
        self.markers = markers
    }

    /// What was found out about the leaves of this template for a request.
    func shape(for request: ExcerptRequest) -> LeafShape? {
        shapes.first { $0.request === request }
    }

    /// Keeps what comes to light about the leaves of this template, once there are more than one.
    ///
    /// - Parameter unpacked: a leaf of this template.
    func learn(
        _ excerpt: LeafExcerpt, _ text: ExcerptText, of unpacked: LeafPacking.Unpacked,
        place: StreamPlace, for request: ExcerptRequest
    ) {
        guard isShared, !shapeless.contains(where: { $0 === request }) else { return }
        if let shape = shape(for: request) {
            shape.learn(text)
        } else if let shape = LeafShape(request, excerpt, unpacked, place: place) {
            shapes.append(shape)
        } else {
            shapeless.append(request)
        }
    }
}

/// The templates that came last, by the compressed bytes that they were expanded from: where a
/// body has the same ones, nothing needs to be expanded. For one thread.
struct KnownTemplates {
    private struct Entry {
        let dictionaryID: UInt64
        let deflated: [UInt8]
        let template: LeafTemplate
    }

    /// A power of two, and more than there are in a ledger in which the logins of some dozen
    /// clients are alike. One that is in the place of another takes it.
    private static let places = 1024
    /// Longer texts are not kept: few leaves have one in common, and many would take much memory.
    private static let textBytesMax = 4096

    private var entries = [Entry?](repeating: nil, count: places)

    /// The template of a body.
    ///
    /// - Parameter expand: makes the text where it is not known.
    /// - Returns: nil when the text cannot be expanded.
    mutating func template(
        _ fields: FrameBody.Fields, _ expand: (FrameBody.Fields) -> [UInt8]?
    ) -> LeafTemplate? {
        let deflated = fields.deflated.span
        let place = Int(
            truncatingIfNeeded: ByteWords.fingerprint(of: deflated) % UInt64(Self.places))
        if let known = entries[place], known.dictionaryID == fields.dictionaryID,
            known.template.text.count == fields.textLength,
            ByteWords.areSame(known.deflated.span, deflated)
        {
            known.template.isShared = true
            return known.template
        }
        guard let text = expand(fields) else { return nil }
        let template = LeafTemplate(text: text)
        if text.count <= Self.textBytesMax {
            entries[place] = Entry(
                dictionaryID: fields.dictionaryID, deflated: Array(fields.deflated),
                template: template)
        }
        return template
    }
}
