// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LMDB
internal import LedgerPrimitives
internal import Platform
internal import Projections

extension ProjectionStore {
    /// How many events one transaction takes in.
    private static let eventsPerTransaction = 32 * EventFeed.eventsPerPart
    /// Fewer events than this are read by the thread that folds them.
    private static let eventsWithoutThreads = 2 * EventFeed.eventsPerPart
    private static let workers = 2
    /// What a transaction may take up on disk.
    private static let transactionBytesMax: UInt64 = 64 << 20

    /// Takes in what the log has beyond the watermark, up to an event that cannot be read.
    ///
    /// - Parameter size: how many events of the log count; nil for all there are now.
    func catchUp(
        to size: UInt64? = nil, limits: StorageLimits,
        progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) throws {
        while true {
            let state = try state()
            let end = try size ?? log.head().size
            if state.watermark >= end { return }
            if let stop = state.stop, try isStill(stop, at: state.watermark) { return }
            guard isWritable else {
                throw ProjectionError.unavailable("nothing may be written in projections/")
            }
            try checkSpace(limits)
            if try fold(state.watermark..<end, progress) { return }
            // Another process took some of it in meanwhile; go on behind it.
        }
    }

    /// Whether the event that was in the way still is: another program may read it.
    private func isStill(_ stop: ProjectionStop, at watermark: UInt64) throws -> Bool {
        try DecodedPart(log, watermark..<watermark + 1).stop == stop
    }

    private func checkSpace(_ limits: StorageLimits) throws {
        let space = try DiskSpace(at: log.paths.root).available
        guard space >= limits.reserveBytes + Self.transactionBytesMax else {
            throw ProjectionError.unavailable("there is too little room on the disk")
        }
    }

    /// Folds events; false when another process was faster.
    private func fold(
        _ range: Range<UInt64>, _ progress: (UInt64, UInt64) -> Void
    ) throws -> Bool {
        guard UInt64(range.count) > Self.eventsWithoutThreads else {
            return try commit([try DecodedPart(log, range)])
        }
        let feed = try EventFeed(log, range, workers: Self.workers)
        var parts: [DecodedPart] = []
        var events = 0
        while let part = try feed.next() {
            parts.append(part)
            events += part.events.count
            guard part.stop != nil || events >= Self.eventsPerTransaction else { continue }
            guard try commit(parts) else { return false }
            if part.stop != nil { return true }
            progress(part.start + UInt64(part.events.count), range.upperBound)
            parts = []
            events = 0
            log.releasePages()
            environment.releasePages()
        }
        return try parts.isEmpty || commit(parts)
    }

    /// Takes parts of the log in; false when the watermark is not where they begin.
    private func commit(_ parts: [DecodedPart]) throws -> Bool {
        guard let start = parts.first?.start else { return true }
        let end = start + parts.reduce(UInt64(0)) { $0 + UInt64($1.events.count) }
        let root = try log.root(ofFirst: end)
        let isDone = try environment.write { transaction in
            let state = try tables.state(in: transaction)
            guard state.watermark == start else { return false }
            let rows = RowSource(
                tables: tables, transaction: transaction, log: log, watermark: start)
            var fold = ProjectionFold(rows, recordedMax: state.recordedMax)
            for part in parts {
                for (event, first) in part.events { try fold.fold(event, first: first) }
            }
            var put = RowPut(tables, transaction, state)
            try put.put(fold, newFrom: start)
            var next = put.state
            next.watermark = end
            next.root = root
            next.stop = parts.last?.stop
            try transaction.put(ProjectionTables.stateName, next.encoded, in: tables.meta)
            try reached(.insideTransaction)
            return true
        }
        try reached(.committed)
        return isDone
    }
}
