// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import SessionEvents

/// The stored form of a session's row.
extension SessionSummary {
    /// The stored form.
    public var encoded: [UInt8] {
        var row = RowWriter()
        row.put(session)
        row.put(observed.rawValue)
        row.put(provider)
        row.put(issuer)
        row.put(clientID)
        row.put(flow.rawValue)
        row.put(state)
        row.put(reason?.code)
        row.put(stage?.rawValue)
        row.put(acr)
        row.put(firstPosition)
        row.put(lastPosition)
        row.put(startedAt)
        row.put(lastEventAt)
        row.put(endedAt)
        row.put(UInt64(events))
        row.put(tokenKey) { $0.put($1) }
        row.put(erasedAt)
        row.put(erasedPosition) { $0.put($1) }
        return row.bytes
    }

    /// Reads the stored form.
    public init(encoded: [UInt8]) throws(RowError) {
        var row = RowReader(encoded)
        session = try row.text()
        observed = try row.word(Observer.self)
        provider = try row.text()
        issuer = try row.optionalText()
        clientID = try row.text()
        flow = try row.word(Flow.self)
        state = try row.text()
        reason = try row.optional { row throws(RowError) in
            guard let reason = FailureReason(try row.text()) else { throw RowError() }
            return reason
        }
        stage = try row.optional { row throws(RowError) in try row.word(Stage.self) }
        acr = try row.optionalText()
        firstPosition = try row.number()
        lastPosition = try row.number()
        startedAt = try row.instant()
        lastEventAt = try row.instant()
        endedAt = try row.optionalInstant()
        events = try row.count()
        tokenKey = try row.optional { row throws(RowError) in try row.tokenKey() }
        erasedAt = try row.optionalInstant()
        erasedPosition = try row.optional { row throws(RowError) in try row.number() }
        try row.finish()
    }
}
