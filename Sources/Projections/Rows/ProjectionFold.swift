// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
internal import SessionEvents

/// Where a fold finds the rows that earlier folds made.
public protocol ProjectionRows {
    /// The session whose first event has this position.
    func session(at first: UInt64) throws -> SessionSummary?
    /// The row of a projection that has this key.
    func group<Row: GroupRow>(_ type: Row.Type, _ key: [UInt8]) throws -> Row?
    /// A block of the log.
    func block(_ number: UInt64) throws -> LogBlock?
    /// The position of a session's first event.
    func firstPosition(of session: UUIDv7) throws -> UInt64?
}

/// Folds events of the log, in their order, into the rows of every projection. It holds the rows
/// that it touched; those of before come from where they are kept.
public struct ProjectionFold<Rows: ProjectionRows> {
    private let rows: Rows
    private var places: [UInt64: Int] = [:]
    /// The sessions that were touched.
    public private(set) var sessions: [SessionSummary] = []
    /// The rows of ``ProjectionName/providerHealth`` that were touched, by key.
    public private(set) var health: [[UInt8]: ProviderHealth] = [:]
    /// The rows of ``ProjectionName/failures`` that were touched, by key.
    public private(set) var failures: [[UInt8]: FailureGroup] = [:]
    /// The rows of ``ProjectionName/keyUsage`` that were touched, by key.
    public private(set) var keyUsage: [[UInt8]: KeyUsage] = [:]
    /// The blocks that were touched, by number.
    public private(set) var blocks: [UInt64: LogBlock] = [:]
    /// The latest instant at which an event was recorded, of all so far.
    public private(set) var recordedMax: Instant?

    /// A fold that goes on with rows that were made before.
    ///
    /// - Parameter recordedMax: the latest instant at which one of the events before was recorded.
    public init(_ rows: Rows, recordedMax: Instant?) {
        self.rows = rows
        self.recordedMax = recordedMax
    }

    /// Takes the next event of the log in.
    ///
    /// - Parameter first: the position of the first event of its stream.
    /// - Throws: what the rows of before cannot be had for.
    public mutating func fold(_ event: ProjectedEvent, first: UInt64) throws {
        let recorded = max(recordedMax ?? event.recordedAt, event.recordedAt)
        recordedMax = recorded
        let number = LogBlock.number(of: event.position)
        if blocks[number] == nil {
            blocks[number] = try rows.block(number) ?? LogBlock(recordedMax: recorded)
        }
        blocks[number]?.fold(recordedAt: recorded)
        switch event.content {
        case .session(let payload): try fold(event, payload, first: first)
        case .erased(let erased):
            for session in erased { try foldErasure(of: session, event) }
        case .other: break
        }
    }

    private mutating func fold(
        _ event: ProjectedEvent, _ payload: SessionEvent, first: UInt64
    ) throws {
        if let index = try place(of: first) {
            sessions[index].fold(event, payload)
            switch payload {
            case .verified, .failed: try change(.ended, event, index)
            case .initiated, .redirected, .callback, .polled, .tokenIssued: break
            }
        } else if case .initiated(let initiated) = payload, event.position == first {
            let session = SessionSummary(event, initiated)
            blocks[LogBlock.number(of: first)]?.fold(start: session.startedAt)
            places[first] = sessions.count
            sessions.append(session)
            try change(.began, event, sessions.count - 1)
        }
    }

    private mutating func foldErasure(of session: UUIDv7, _ event: ProjectedEvent) throws {
        guard let first = try rows.firstPosition(of: session), first < event.position,
            let index = try place(of: first), sessions[index].erasedAt == nil
        else { return }
        sessions[index].foldErasure(event)
        try change(.erased, event, index)
    }

    private mutating func place(of first: UInt64) throws -> Int? {
        if let known = places[first] { return known }
        guard let session = try rows.session(at: first) else { return nil }
        places[first] = sessions.count
        sessions.append(session)
        return sessions.count - 1
    }

    private mutating func change(
        _ kind: SessionChange.Kind, _ event: ProjectedEvent, _ index: Int
    ) throws {
        let change = SessionChange(
            kind: kind, position: event.position, time: event.time, session: sessions[index])
        try rows.fold(change, into: &health)
        try rows.fold(change, into: &failures)
        try rows.fold(change, into: &keyUsage)
    }
}

extension ProjectionRows {
    /// Takes a change in, in the row that it belongs in.
    fileprivate func fold<Row: GroupRow>(
        _ change: SessionChange, into touched: inout [[UInt8]: Row]
    ) throws {
        guard let key = Row.key(of: change) else { return }
        if touched[key] == nil {
            touched[key] = try group(Row.self, key) ?? Row(for: change)
        }
        touched[key]?.fold(change)
    }
}
