// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import MerkleTree
internal import SessionEvents

@testable internal import EventLog

extension FuzzTarget {
    /// Stored frames.
    static let frame = FuzzTarget("frame", seeds: KnownLeaves.frames) { input in
        guard let frame = Frame(input) else { return }
        try holds(frame.encoded() == input, "a frame's header has one spelling")
        if let fields = frame.body.fields() {
            try holds(FrameBody(fields) == frame.body, "a frame's body has one spelling")
        }
        for place in KnownLeaves.places {
            guard let leaf = KnownLeaves.codec.leaf(frame.body, place: place) else { continue }
            try holds(leaf.count <= LedgerLimits.leafBytesMax, "a leaf has its limit")
            if MerkleTree.leafHash(leaf) == frame.header.leafHash {
                try holds(
                    KnownLeaves.leaves.contains(leaf),
                    "only a leaf that was stored passes the hash check")
            }
        }
    }

    /// Leaves: read, written, packed, compressed.
    static let leaf = FuzzTarget("leaf", seeds: KnownLeaves.leaves) { input in
        guard let (envelope, data) = try? EventEnvelope.read(input) else { return }
        try holds(
            envelope.leaf(data: CanonicalJSON.encode(data)) == input, "a leaf has one spelling")
        let place = StreamPlace(
            subject: envelope.subject, revision: envelope.revision, previous: envelope.previous)
        guard input.count <= LedgerLimits.leafBytesMax else { return }
        let body = try KnownLeaves.codec.body(leaf: input, place: place, packing: .packed)
        try holds(
            KnownLeaves.codec.leaf(body, place: place) == input, "a leaf comes out of its frame")
    }

    /// Packing, of any bytes and back: the first byte says which way.
    static let packing = FuzzTarget(
        "packing", seeds: KnownLeaves.leaves.map { [0] + $0 } + KnownLeaves.packed
    ) { input in
        guard let way = input.first else { return }
        let rest = Array(input.dropFirst())
        for place in KnownLeaves.places {
            if way % 2 == 0 {
                guard let packed = LeafPacking.pack(rest, place: place) else { continue }
                try holds(
                    LeafPacking.unpack(packed, place: place, length: rest.count) == rest,
                    "what was packed comes back")
            } else {
                // The length of the text, the text, the literals.
                let length = min(Int(rest.first ?? 0) * 8, rest.count)
                let packed = LeafPacking.Packed(
                    text: Array(rest.prefix(length)), literals: Array(rest.dropFirst(length)))
                for count in [rest.count, Int(way) * 16] {
                    let leaf = LeafPacking.unpack(packed, place: place, length: count)
                    try holds(leaf == nil || leaf?.count == count, "the length is as promised")
                }
            }
        }
    }
}

/// A few leaves and what they become.
private enum KnownLeaves {
    /// The first event of a stream and two later ones.
    private static let samples = {
        let all = SyntheticSamples.events
        let isFirst = all.map { $0.envelope.revision == 1 }
        return zip(all, isFirst).filter(\.1).map(\.0).prefix(1)
            + zip(all, isFirst).filter { !$0.1 }.map(\.0).prefix(2)
    }()

    static let places: [StreamPlace] = samples.map { sample in
        StreamPlace(
            subject: sample.envelope.subject, revision: sample.envelope.revision,
            previous: sample.envelope.previous)
    }

    static let leaves: [[UInt8]] = samples.map { sample in
        sample.envelope.leaf(data: CanonicalJSON.encode(sample.data))
    }

    static let codec: FrameCodec = {
        let samples = SyntheticSamples.events.map {
            SampleEvent(envelope: $0.envelope, data: $0.data)
        }
        let dictionary = FrameDictionary(
            id: 1, bytes: FrameDictionary.bytes(from: samples, origin: "example.org/fuzz"))
        guard let codec = FrameCodec(dictionaries: [dictionary]) else {
            fatalError("there is a dictionary")
        }
        return codec
    }()

    static let frames: [[UInt8]] = zip(leaves, places).flatMap { leaf, place in
        [Frame.Packing.packed, .whole].compactMap { packing in
            let link: Frame.Link =
                place.revision == 1
                ? .first(subject: place.subject)
                : .later(firstDistance: 300, previousDistance: 2)
            let header = FrameHeader(
                leafHash: MerkleTree.leafHash(leaf), revision: place.revision, link: link)
            return (try? codec.body(leaf: leaf, place: place, packing: packing)).map {
                Frame(header: header, body: $0).encoded()
            }
        }
    }

    static let packed: [[UInt8]] = zip(leaves, places).compactMap { leaf, place in
        LeafPacking.pack(leaf, place: place).map {
            [1, UInt8($0.text.count / 8)] + $0.text + $0.literals
        }
    }
}
