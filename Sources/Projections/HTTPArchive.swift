// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
internal import SessionEvents

/// A login as an HTTP Archive (HAR 1.2), which browsers' developer tools and debuggers of HTTP
/// open: the session is the page, each of its exchanges an entry.
///
/// It is made of the clear members of events alone, and so holds nothing that would have to be
/// taken out: of what is sealed, a parameter's name is all that can stand in it.
public struct HTTPArchive: Sendable {
    /// What stands in the place of a value that is sealed, or was never kept.
    public static let withheld = "(withheld)"

    /// The session as lists show it.
    public let session: SessionSummary
    /// The names of the checks that did not pass.
    private let failedChecks: [String]
    private let entries: [HTTPArchiveEntry]

    /// How many exchanges there are.
    public var count: Int { entries.count }

    /// The exchanges of a session.
    ///
    /// - Parameters:
    ///   - events: all events of the session, in order, or the first of them.
    ///   - erasedAt: when what was sealed in it was erased; nil while it is not.
    /// - Returns: nil for a stream that is no session.
    /// - Throws: ``EventDecodingError`` or ``LedgerEventDecodingError`` for an event that this
    ///   program cannot read.
    public init?(_ events: [RecordedEvent], erasedAt: Instant? = nil) throws {
        guard let subject = events.first?.envelope.subject else { return nil }
        let table = try events.reduce(into: SessionTable()) { try $0.fold($1) }
        guard var session = table[subject] else { return nil }
        session.erasedAt = erasedAt
        self.session = session
        let story = try SessionStory(events)
        failedChecks = story.steps.last?.event.failedChecks ?? []
        entries = story.exchanges
    }
}

extension HTTPArchive {
    /// The document.
    ///
    /// - Parameter version: of the program, which is named as the creator.
    public func object(version: String) -> JSONObject {
        var entries = entries.map { $0.object(page: session.session) }
        // What the login came to stands with the last exchange, too, which led to it.
        if let last = entries.indices.last, session.endedAt != nil {
            entries[last]["_verdict"] = .string(session.state)
            entries[last]["_reason"] = session.reason.map { .string($0.code) }
        }
        return [
            "log": .object([
                "comment": .string(Self.comment),
                "creator": .object(["name": .string("AuthLedger"), "version": .string(version)]),
                "entries": .array(entries.map { .object($0) }), "pages": .array([.object(page)]),
                "version": .string("1.2"),
            ])
        ]
    }

    private static let comment = """
        Made from what an event log has in the clear. Values that are sealed there, or were never \
        kept, are given as \(withheld); headers and bodies are left out. When an exchange began \
        follows from when it ended and how long it took; methods and the names of parameters \
        follow from the flow. What a browser saw is not known, so its answers have the status 0. \
        Discovery documents and key sets, which logins share, are not among the entries.
        """

    private var page: JSONObject {
        var title = "\(session.provider) \(session.flow.rawValue): \(session.state)"
        if let reason = session.reason { title += " (\(reason.code))" }
        let milliseconds = session.durationMilliseconds
        var page: JSONObject = [
            "id": .string(session.session), "title": .string(title),
            "startedDateTime": .string(session.startedAt.rfc3339),
            "pageTimings": .object([
                "onContentLoad": .integer(-1), "onLoad": .integer(max(-1, milliseconds)),
            ]),
            "_clientID": .string(session.clientID), "_events": .integer(Int64(session.events)),
            "_failedChecks": .array(failedChecks.map { .string($0) }),
            "_flow": .string(session.flow.rawValue),
            "_observed": .string(session.observed.rawValue),
            "_provider": .string(session.provider), "_state": .string(session.state),
        ]
        page["_acr"] = session.acr.map { .string($0) }
        page["_erasedAt"] = session.erasedAt.map { .string($0.rfc3339) }
        page["_issuer"] = session.issuer.map { .string($0) }
        page["_reason"] = session.reason.map { .string($0.code) }
        page["_stage"] = session.stage.map { .string($0.rawValue) }
        page["_verdict"] = session.endedAt.map { _ in .string(session.state) }
        return page
    }
}

extension SessionEvent {
    fileprivate var failedChecks: [String] {
        let checks: [Check]? =
            switch self {
            case .verified(let payload): payload.checks
            case .failed(let payload): payload.checks
            case .initiated, .redirected, .callback, .polled, .tokenIssued: nil
            }
        return (checks ?? []).filter { $0.outcome == .failed }.map(\.name)
    }
}
