// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import MerkleTree

extension EventLog {
    /// Sizes and counts as ``head()`` had them when the log had so many events. They are added up
    /// event by event.
    ///
    /// - Throws: ``LedgerError/beyondEnd(asked:size:)`` when there are fewer.
    public func head(ofFirst size: UInt64) throws -> LogHead {
        let head = try head()
        guard size <= head.size else { throw LedgerError.beyondEnd(asked: size, size: head.size) }
        if size == head.size { return head }
        var earlier = EarlierHead()
        var next: UInt64 = 0
        while next < size {
            let end = min(size, next + Self.eventsPerTransaction)
            for frame in try storedFrames(in: next..<end) {
                let leaf = try restore(frame)
                try earlier.add(
                    frame, try decode(frame.position, frame.frame.header.leafHash, leaf))
            }
            next = end
        }
        for blob in earlier.blobs {
            let key = LMDBKey.bytes(blob.array)
            let bytes = try environment.read {
                try $0.withValue(key, in: tables.blobs) { $0.count }
            }
            earlier.head.blobs += bytes == nil ? 0 : 1
            earlier.head.blobBytes += UInt64(bytes ?? 0)
        }
        return earlier.head
    }
}

/// Sums over the first events of a log.
private struct EarlierHead {
    var head = LogHead()
    /// The documents that the events name.
    private(set) var blobs: Set<Digest> = []

    mutating func add(_ frame: StoredFrame, _ event: RecordedEvent) throws {
        head.frontier.append(frame.frame.header.leafHash)
        head.bytesRaw += UInt64(event.leaf.count)
        head.bytesStored += UInt64(frame.length)
        if frame.place.revision == 1, event.envelope.type.hasPrefix(EventLog.sessionTypePrefix) {
            head.sessions += 1
        }
        for name in [DataMember.sealedBlob] + DataMember.documentDigests {
            if let digest = event.data[name]?.stringValue.flatMap(Digest.init(base64URL:)) {
                blobs.insert(digest)
            }
        }
    }
}
