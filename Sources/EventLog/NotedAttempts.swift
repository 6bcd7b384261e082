// SPDX-License-Identifier: Apache-2.0

internal import LMDB

/// An attempt at something outside whose outcome will be the stream's next event.
struct NotedAttempt: Sendable {
    /// The stream.
    let subject: String
    /// Its number, as the stream counts.
    let number: Int
}

extension EventLog {
    /// Notes that an attempt is about to be made, and returns when the note is on disk.
    ///
    /// The stream's next event takes the note away, in the commit that records it. So a note that
    /// is found when nobody drives the stream any more is of an attempt that may have been made,
    /// and of which nobody recorded what it came to.
    ///
    /// - Parameter number: the attempt's number; it takes the place of an earlier note.
    /// - Throws: an error of the ledger.
    public func noteAttempt(_ number: Int, of subject: String) async throws {
        var batch = AppendBatch(events: [])
        batch.attempts = [NotedAttempt(subject: subject, number: number)]
        _ = try await append(batch)
    }

    /// The attempt of which nobody has recorded what it came to; nil when there is none.
    public func notedAttempt(of subject: String) throws -> Int? {
        guard let attempts = tables.attempts else { return nil }
        return try environment.read { transaction in
            try transaction.withValue(.bytes(StreamKey.key(subject)), in: attempts) {
                $0.bigEndianNumber.map { Int(clamping: $0) }
            } ?? nil
        }
    }
}

extension LogTables {
    func note(_ attempt: NotedAttempt, in transaction: LMDBTransaction) throws {
        guard let attempts else { throw LedgerError.notWritable }
        try transaction.put(
            .bytes(StreamKey.key(attempt.subject)), number: UInt64(attempt.number), in: attempts,
            .replacing)
    }
}
