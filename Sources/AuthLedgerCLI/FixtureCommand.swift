// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import Replay

/// Fixtures as `replay` writes and reads them.
struct FixtureCommand {
    let global: GlobalOptions

    /// Writes a session as a fixture. Nothing is shown of it, so no access is recorded.
    func write(_ session: String, _ log: EventLog, to directory: String) throws {
        do {
            guard try ReplayFixture.isFree(directory) else { throw FixtureError.notEmpty }
            let fixture = try FixtureMaker(log).make(session)
            try fixture.write(to: directory)
            let bytes = fixture.files.values.reduce(0) { $0 + $1.count }
            try global.output.print([
                "bytes": .integer(Int64(bytes)), "files": .integer(Int64(fixture.files.count)),
                "fixture": .string(directory), "session": .string(session),
                "standsFor": .string(fixture.session),
            ]) {
                """
                fixture \(directory) of session \(session): \(fixture.files.count) files
                it comes to the same, and no recorded value is in it
                """
            }
        } catch let error as FixtureError {
            throw CommandError(writing: error, to: directory)
        }
    }

    /// Reads a fixture from its directory.
    static func read(_ directory: String) throws -> ReplayFixture {
        do {
            return try ReplayFixture.read(directory)
        } catch let error as FixtureError {
            throw CommandError(
                .usage, "fixture-malformed", "\(directory) is not a fixture: \(error)",
                hint: "write it anew with authledger replay <session> --fixture <directory>")
        }
    }
}

extension CommandError {
    fileprivate init(writing error: FixtureError, to directory: String) {
        switch error {
        case .notEmpty:
            self.init(
                .usage, "fixture-exists", "\(directory) is there already, and not empty",
                hint: "name a directory that is not there yet")
        case .erased:
            self.init(.inconclusive, "session-erased", "\(error)")
        default:
            self.init(
                .inconclusive, "fixture-refused", "no fixture was written: \(error)",
                hint: "authledger replay <session> shows what the session itself comes to")
        }
    }
}
