// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives

/// What a check of the keys came to.
public struct KeyReport: Equatable, Sendable {
    /// Streams that have a data key by their first event.
    public internal(set) var streams: UInt64 = 0
    /// Those whose key is destroyed, as the log attests.
    public internal(set) var erased: UInt64 = 0
    /// Those whose key is gone by an erasure that the log says has begun; the next command that
    /// writes brings it to its end.
    public internal(set) var pending: UInt64 = 0
    /// Sealed data that were opened.
    public internal(set) var opened: UInt64 = 0
    /// What was found, up to ``CheckReport/findingsMax``.
    public internal(set) var findings: [Finding] = []

    mutating func add(_ code: String, at position: UInt64, _ message: String) {
        guard findings.count < CheckReport.findingsMax else { return }
        findings.append(Finding(position: position, code: code, message: message))
    }
}

extension EventLog {
    /// Checks that every stream with sealed data has the data key that it commits to, or an erasure
    /// that the log attests.
    ///
    /// - Parameters:
    ///   - opensBoxes: also opens everything that is sealed.
    ///   - progress: called now and then with events read and events there are.
    /// - Throws: ``LedgerError/notWritable`` when the log was opened without keys.
    public func checkKeys(
        opensBoxes: Bool,
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws -> KeyReport {
        guard let keys else { throw LedgerError.notWritable }
        let size = try head().size
        let history = try history()
        let check = KeyCheck(
            log: self, keys: keys, history: history, pending: history.pending)
        var report = KeyReport()
        var position: UInt64 = 0
        while position < size {
            let end = min(size, position + Self.eventsPerTransaction)
            // What is damaged is found by the check of the frames.
            for frame in try readableFrames(in: position..<end) {
                let isFirst = frame.frame.header.revision == 1
                guard isFirst || opensBoxes, let leaf = try? restore(frame),
                    let event = try? RecordedEvent(
                        position: frame.position, leafHash: frame.frame.header.leafHash,
                        leaf: leaf)
                else { continue }
                if isFirst { try check.checkKey(of: event, &report) }
                if opensBoxes { try check.openBox(of: event, &report) }
            }
            position = end
            progress(position, size)
        }
        return report
    }

    private func readableFrames(in positions: Range<UInt64>) throws -> [StoredFrame] {
        try environment.read { transaction in
            positions.compactMap { try? tables.storedFrame(at: $0, in: transaction) }
        }
    }
}

private struct KeyCheck {
    let log: EventLog
    let keys: KeyStore
    let history: LedgerHistory
    let pending: Set<String>

    func checkKey(of first: RecordedEvent, _ report: inout KeyReport) throws {
        let subject = first.envelope.subject
        guard let commitment = first.data[DataMember.keyCommitment]?.stringValue else { return }
        report.streams += 1
        let isErased = history.erased[subject] != nil
        guard let key = try key(of: subject) else {
            if isErased {
                report.erased += 1
            } else if pending.contains(subject) {
                report.pending += 1
            } else {
                report.add(
                    "key-missing", at: first.position,
                    "the data key of this event's stream is not there, and no erasure says why")
            }
            return
        }
        if isErased {
            report.add(
                "key-not-erased", at: first.position,
                "the data key of this event's stream is there again, though it was erased; the "
                    + "next command that writes destroys it")
        } else if key?.commitment.base64URL != commitment {
            report.add(
                "key-mismatch", at: first.position,
                "the data key of this event's stream is not the one that the event commits to")
        }
    }

    /// The stored key; nil inside where it cannot be unwrapped, nil outside where there is none.
    private func key(of subject: String) throws -> DataKey?? {
        do {
            return try keys.dataKey(for: subject).map { .some($0) }
        } catch LedgerError.damaged {
            return .some(nil)
        }
    }

    func openBox(of event: RecordedEvent, _ report: inout KeyReport) throws {
        let isSealed =
            event.data[DataMember.sealed] != nil || event.data[DataMember.sealedBlob] != nil
        guard isSealed, let key = try key(of: event.envelope.subject), let key else { return }
        do {
            _ = try log.openSealed(event, dataKey: key)
            report.opened += 1
        } catch LedgerError.keyMismatch {
            // Found with the stream's first event.
        } catch is LedgerError {
            report.add(
                "sealed-damaged", at: event.position, "what is sealed in the event cannot be opened"
            )
        }
    }
}
