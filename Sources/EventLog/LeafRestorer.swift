// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import MerkleTree

/// Restores many leaves on one thread, with a coder of its own that is made once. Not for use by
/// two threads at once.
///
/// Every leaf is compared with its hash, as ``EventLog/restore(_:)`` does. All leaves of a call are
/// expanded before the first one is hashed: the code of both does not fit next to the processor
/// with everything else that is done to an event, and going from one to the other costs more than
/// either.
final class LeafRestorer {
    private let decoder: FrameDecoder

    init(_ log: EventLog) {
        decoder = log.codec.makeDecoder()
    }

    /// - Parameter frames: as many as fit next to the processor, some dozens.
    func restore(_ frames: ArraySlice<StoredFrame>) throws(LedgerError) -> [LeafPacking.Unpacked] {
        // By their numbers: going through the elements would copy each with all it refers to.
        var leaves: [LeafPacking.Unpacked] = []
        leaves.reserveCapacity(frames.count)
        for index in frames.indices {
            let leaf = decoder.leaf(frames[index].frame.body, place: frames[index].place)
            guard let leaf else {
                throw .damaged("the frame cannot be expanded", position: frames[index].position)
            }
            leaves.append(leaf)
        }
        for index in leaves.indices {
            let place = frames.startIndex + index
            guard MerkleTree.leafHash(leaves[index].leaf) == frames[place].frame.header.leafHash
            else {
                throw .damaged(
                    "the event is not the one that was hashed", position: frames[place].position)
            }
        }
        return leaves
    }
}
