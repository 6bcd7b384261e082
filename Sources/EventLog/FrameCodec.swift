// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenSSL
internal import Synchronization
internal import Zlib

/// A dictionary that primes the compression of leaves; a ledger keeps every one it ever used.
struct FrameDictionary: Sendable {
    let id: UInt64
    let bytes: [UInt8]

    /// A window of 16 KiB holds the dictionary and an ordinary leaf; with less memory for hashing
    /// the state to copy for each message stays small.
    static let parameters = DeflateParameters(windowBits: 14, level: 6, memoryLevel: 6)
}

extension FrameDictionary {
    /// The packed texts of sample events, one behind the other; the nearest matches are the
    /// cheapest, so the most frequent kind of event should come last.
    ///
    /// - Parameter origin: the ledger's name, which is the source of the events of its own.
    static func bytes(from samples: [SampleEvent], origin: String) -> [UInt8] {
        samples.flatMap { sample in
            var envelope = sample.envelope
            if envelope.recordedTime == nil { envelope.source = origin }
            let place = StreamPlace(
                subject: envelope.subject, revision: envelope.revision,
                previous: envelope.previous)
            let leaf = envelope.leaf(data: CanonicalJSON.encode(sample.data))
            return LeafPacking.pack(leaf, place: place)?.text ?? []
        }
    }
}

/// Compresses and expands leaves. Safe to share: every use takes a free coder from a pool.
final class FrameCodec: Sendable {
    private let current: FrameDictionary
    private let dictionaries: [UInt64: FrameDictionary]
    private let idleDeflaters = Mutex<Pool<Deflater>>(Pool())
    private let idleInflaters = Mutex<Pool<(UInt64, Inflater)>>(Pool())

    /// - Parameter dictionaries: all of the ledger's; the one with the highest id compresses.
    init?(dictionaries: [FrameDictionary]) {
        guard let newest = dictionaries.max(by: { $0.id < $1.id }) else { return nil }
        current = newest
        self.dictionaries = Dictionary(dictionaries.map { ($0.id, $0) }) { first, _ in first }
    }

    /// Makes the body of a frame.
    func body(leaf: [UInt8], place: StreamPlace, packing: Frame.Packing) throws -> FrameBody {
        var packed = LeafPacking.Packed(text: leaf)
        if packing == .packed {
            guard let made = LeafPacking.pack(leaf, place: place),
                LeafPacking.unpack(made, place: place, length: leaf.count) == leaf
            else { throw LedgerError.internalFault("a leaf does not survive packing") }
            packed = made
        }
        let deflated = try deflate(packed.text)
        return FrameBody(
            FrameBody.Fields(
                packing: packing, dictionaryID: current.id, leafLength: leaf.count,
                literals: packed.literals[...], textLength: packed.text.count,
                deflated: deflated[...]))
    }

    /// The leaf of a frame's body; nil when the body is damaged.
    func leaf(_ body: FrameBody, place: StreamPlace) -> [UInt8]? {
        body.unpacked(place: place) { fields in
            dictionaries[fields.dictionaryID]
                .flatMap { inflate(fields.deflated, count: fields.textLength, with: $0) }
                .map(LeafTemplate.init)
        }?.leaf
    }

    /// A decoder for one thread that expands many frames.
    func makeDecoder() -> FrameDecoder { FrameDecoder(dictionaries: dictionaries) }

    /// Deflates with the newest dictionary.
    func deflate(_ text: [UInt8]) throws -> [UInt8] {
        let idle = idleDeflaters.withLock { $0.take() }
        let deflater =
            try idle
            ?? Deflater(dictionary: current.bytes, parameters: FrameDictionary.parameters)
        let deflated = try deflater.deflate(text)
        idleDeflaters.withLock { $0.give(deflater) }
        return deflated
    }

    /// Inflates what was deflated with the newest dictionary; nil when it is damaged.
    func inflate(_ deflated: [UInt8], count: Int) -> [UInt8]? {
        inflate(deflated[...], count: count, with: current)
    }

    private func inflate(
        _ deflated: ArraySlice<UInt8>, count: Int, with dictionary: FrameDictionary
    ) -> [UInt8]? {
        let idle = idleInflaters.withLock { $0.take { $0.0 == dictionary.id } }
        guard
            let inflater = idle?.1
                ?? (try? Inflater(
                    dictionary: dictionary.bytes,
                    windowBits: FrameDictionary.parameters.windowBits))
        else { return nil }
        let text = try? inflater.inflate(deflated, count: count)
        idleInflaters.withLock { $0.give((dictionary.id, inflater)) }
        return text
    }
}

extension FrameBody {
    /// The leaf; nil when the body is damaged.
    ///
    /// - Parameter template: the template with the text that the body holds compressed.
    fileprivate func unpacked(
        place: StreamPlace, template: (Fields) -> LeafTemplate?
    ) -> LeafPacking.Unpacked? {
        guard let fields = fields(), let template = template(fields) else { return nil }
        switch fields.packing {
        case .whole:
            guard template.text.count == fields.leafLength, fields.literals.isEmpty else {
                return nil
            }
            return LeafPacking.Unpacked(whole: template.text)
        case .packed:
            return LeafPacking.unpack(
                template, fields.literals, place: place, length: fields.leafLength)
        }
    }
}

/// Expands leaves for one thread, with inflaters of its own. Not for use by two threads at once.
final class FrameDecoder {
    private let dictionaries: [UInt64: FrameDictionary]
    private var inflaters: [UInt64: Inflater] = [:]
    private var templates = KnownTemplates()

    fileprivate init(dictionaries: [UInt64: FrameDictionary]) {
        self.dictionaries = dictionaries
    }

    /// The leaf of a frame's body; nil when the body is damaged.
    func leaf(_ body: FrameBody, place: StreamPlace) -> LeafPacking.Unpacked? {
        body.unpacked(place: place) { fields in
            templates.template(fields) { fields in
                guard let inflater = inflater(fields.dictionaryID) else { return nil }
                return try? inflater.inflate(fields.deflated, count: fields.textLength)
            }
        }
    }

    private func inflater(_ id: UInt64) -> Inflater? {
        if let known = inflaters[id] { return known }
        guard let dictionary = dictionaries[id],
            let made = try? Inflater(
                dictionary: dictionary.bytes, windowBits: FrameDictionary.parameters.windowBits)
        else { return nil }
        inflaters[id] = made
        return made
    }
}

/// Coders not in use.
private struct Pool<Coder>: @unchecked Sendable {
    private var idle: [Coder] = []

    mutating func take(where isFit: (Coder) -> Bool = { _ in true }) -> Coder? {
        idle.lastIndex(where: isFit).map { idle.remove(at: $0) }
    }

    mutating func give(_ coder: Coder) {
        if idle.count < 8 { idle.append(coder) }
    }
}

/// SHA-256 of a stream's name.
enum StreamNameHash {
    static func hash(_ text: [UInt8]) -> [UInt8] {
        Digest(SHA256.hash(text)).array
    }
}
