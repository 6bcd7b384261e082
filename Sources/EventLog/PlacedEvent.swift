// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import LMDB
public import LedgerPrimitives
internal import Platform

/// An event, and where its stream begins.
public struct PlacedEvent: Sendable {
    /// The event.
    public let event: RecordedEvent
    /// The position of the first event of its stream.
    public let first: UInt64
}

/// An event that is not as it was written.
public struct UnreadableEvent: Error {
    /// Place in the log.
    public let position: UInt64
    /// What is wrong with it.
    public let error: LedgerError
}

/// What only those who fold the whole log need of it.
extension EventLog {
    private static let eventsPerPart: UInt64 = 64

    /// The events at some positions, each with the place where its stream begins. Those beyond the
    /// end of the log are left out, and all from the first on that cannot be read.
    ///
    /// - Parameters:
    ///   - positions: as many as may be held in memory.
    ///   - passingOver: members of `data` that are not read; an empty value stands for each.
    /// - Returns: the events, and what is wrong with the one behind them.
    public func placedEvents(
        in positions: Range<UInt64>, passingOver: [String] = []
    ) throws -> (events: [PlacedEvent], unreadable: UnreadableEvent?) {
        var events: [PlacedEvent] = []
        events.reserveCapacity(min(positions.count, 4096))
        let restorer = LeafRestorer(self)
        var next = positions.lowerBound
        while next < positions.upperBound {
            let part = next..<min(positions.upperBound, next + Self.eventsPerPart)
            do {
                let read = try places(in: part, passingOver, restorer)
                if read.isEmpty { break }
                events += read
            } catch LedgerError.damaged {
                // One by one: what went before it can be read.
                for position in part {
                    do {
                        events += try places(
                            in: position..<position + 1, passingOver, restorer)
                    } catch let error as LedgerError {
                        return (events, UnreadableEvent(position: position, error: error))
                    }
                }
            }
            next = part.upperBound
        }
        return (events, nil)
    }

    private func places(
        in positions: Range<UInt64>, _ passingOver: [String], _ restorer: LeafRestorer
    ) throws -> [PlacedEvent] {
        let frames = try storedFrames(in: positions)
        let leaves = try restorer.restore(frames[...])
        var events: [PlacedEvent] = []
        events.reserveCapacity(frames.count)
        for (stored, unpacked) in zip(frames, leaves) {
            guard let first = stored.frame.header.first(from: stored.position) else {
                throw LedgerError.damaged("a link leads out of the log", position: stored.position)
            }
            let event = try decode(
                stored.position, stored.frame.header.leafHash, unpacked.leaf,
                passingOver: passingOver)
            events.append(PlacedEvent(event: event, first: first))
        }
        return events
    }

    /// The position of a stream's first event; nil when it has none.
    public func firstPosition(ofStream subject: String) throws -> UInt64? {
        try environment.read { transaction in
            try tables.extent(of: StreamKey.key(subject), in: transaction)?.first
        }
    }

    /// A path beside ``LedgerPaths/projections`` at which nothing is, for making new ones.
    public func newProjectionsPath() -> String {
        paths.projections + LedgerPaths.Temporary.rebuild.suffix(capabilities.randomBytes(8))
    }

    /// Lets go of the memory of the pages that were read, for whoever walks over the whole log.
    public func releasePages() {
        environment.releasePages()
        keys?.environment.releasePages()
    }
}

extension LedgerPaths {
    /// Projections in the making, under way or left over from a crash.
    public func unfinishedProjections() throws -> [String] {
        try Directory.entries(of: root).filter(Self.isTemporary).map { root + "/" + $0 }
    }
}
