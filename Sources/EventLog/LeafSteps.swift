// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// The steps from a leaf to its stored bytes, one by one, to measure what each costs and saves.
///
/// Nothing here writes: events are recorded by ``EventLog/prepare(_:after:dataKey:)`` and
/// ``EventLog/append(_:)``, which take the same steps.
public struct LeafSteps: Sendable {
    /// A leaf without what the log knows anyway: a text to deflate, and bytes that do not deflate.
    public struct Packed: Sendable {
        /// What is deflated.
        public let text: [UInt8]
        /// What is stored as it is.
        public let literals: [UInt8]
    }

    let codec: FrameCodec

    /// Takes out of a leaf what the log knows or can store as bytes; nil when it is no leaf.
    ///
    /// - Parameter steps: what is taken out.
    public func pack(
        _ leaf: [UInt8], of envelope: EventEnvelope, _ steps: PackingSteps = .all
    ) -> Packed? {
        LeafPacking.pack(leaf, place: place(of: envelope), steps: steps).map {
            Packed(text: $0.text, literals: $0.literals)
        }
    }

    /// Puts a leaf of `length` bytes together again.
    public func unpack(_ packed: Packed, of envelope: EventEnvelope, length: Int) -> [UInt8]? {
        LeafPacking.unpack(
            LeafPacking.Packed(text: packed.text, literals: packed.literals),
            place: place(of: envelope), length: length)
    }

    /// Deflates with the ledger's newest dictionary.
    public func deflate(_ text: [UInt8]) throws -> [UInt8] {
        try codec.deflate(text)
    }

    /// Inflates what ``deflate(_:)`` made of `count` bytes; nil when it made no such thing.
    public func inflate(_ deflated: [UInt8], count: Int) -> [UInt8]? {
        codec.inflate(deflated, count: count)
    }

    private func place(of envelope: EventEnvelope) -> StreamPlace {
        StreamPlace(
            subject: envelope.subject, revision: envelope.revision, previous: envelope.previous)
    }
}

extension EventLog {
    /// The steps as this ledger takes them.
    public var leafSteps: LeafSteps { LeafSteps(codec: codec) }
}
