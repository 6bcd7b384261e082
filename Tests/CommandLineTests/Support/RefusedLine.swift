// SPDX-License-Identifier: Apache-2.0

import Ingestion

/// A line that must be refused, inside a session that is fine without it.
struct RefusedLine: Sendable {
    typealias Code = LineRejection.Code
    typealias Change = @Sendable (JSON, SampleSession) -> JSON
    typealias RawChange = @Sendable (String) -> [UInt8]

    /// What is wrong with it.
    let name: String
    let code: Code
    /// What the message must say.
    let message: String
    private let flow: String
    private let step: String
    private let keepsOriginal: Bool
    private let change: Change
    private let rawChange: RawChange?

    /// A line that a change to an event's JSON makes.
    ///
    /// - Parameters:
    ///   - step: the event that is changed; what comes before it in the session is recorded first.
    ///   - afterOriginal: whether the unchanged event is recorded before the changed one, not
    ///     after.
    init(
        _ code: Code, _ name: String, _ step: String = "initiated", flow: String = "pkce",
        afterOriginal: Bool = false, says message: String, _ change: @escaping Change
    ) {
        self.code = code
        self.name = name
        self.message = message
        self.flow = flow
        self.step = step
        self.change = change
        keepsOriginal = afterOriginal
        rawChange = nil
    }

    /// A line with one member set to a value, or removed if that is nil.
    init(
        _ code: Code, _ name: String, _ step: String = "initiated", flow: String = "pkce",
        says message: String, set path: String, _ value: JSON?
    ) {
        self.init(code, name, step, flow: flow, says: message) { event, _ in
            event.setting(path, value)
        }
    }

    /// A line that is no JSON of ours.
    init(raw name: String, says message: String, _ change: @escaping RawChange) {
        code = .jsonMalformed
        self.name = name
        self.message = message
        flow = "pkce"
        step = "initiated"
        keepsOriginal = false
        self.change = { event, _ in event }
        rawChange = change
    }

    /// The line with the good lines of its session before and after it.
    func story(_ number: Int) -> (before: [String], line: [UInt8], after: [String]) {
        let session = SampleSession(number, flow: flow)
        let index = session.index(of: step) + (keepsOriginal ? 1 : 0)
        let text = change(session.event(step), session).text
        return (
            session.lines[..<index].map(\.self), rawChange?(text) ?? Array(text.utf8),
            session.lines[index...].map(\.self)
        )
    }

    /// Values of the line that its message must not repeat: texts and numbers of some length,
    /// apart from the words that messages are made of.
    func values(_ number: Int) -> [String] {
        let session = SampleSession(number, flow: flow)
        return Self.values(of: change(session.event(step), session)).filter { $0.utf8.count >= 5 }
    }

    private static func values(of json: JSON) -> [String] {
        switch json {
        case .string(let text): [text]
        case .integer(let number): [String(number)]
        case .raw(let text): [text]
        case .array(let elements): elements.flatMap(values)
        case .object(let members): members.flatMap { values(of: $0.value) }
        case .null, .bool: []
        }
    }
}
