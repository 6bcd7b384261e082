// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives

extension EventLog {
    /// The session that a prefix names.
    ///
    /// - Throws: ``CommandError`` when it names none or several.
    func session(withPrefix prefix: String) throws -> String {
        guard let found = try streams(withPrefix: prefix, limit: 2) else {
            throw CommandError(
                .usage, "session-malformed", "a session id is a lower-case UUID or its beginning")
        }
        switch found.count {
        case 0:
            throw CommandError(.inputOutput, "session-unknown", "there is no such session")
        case 1:
            return found[0]
        default:
            throw CommandError(
                .usage, "session-ambiguous", "several sessions begin so", hint: "give more of it")
        }
    }

    /// The id of the session that a prefix names.
    func sessionID(withPrefix prefix: String) throws -> UUIDv7 {
        guard let id = UUIDv7(try session(withPrefix: prefix)) else {
            throw CommandError(.inputOutput, "session-unknown", "there is no such session")
        }
        return id
    }
}
