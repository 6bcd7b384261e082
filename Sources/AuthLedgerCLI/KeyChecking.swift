// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LMDB
internal import LedgerPrimitives

/// The part of `verify` that needs the root key. Without it the check goes on without this part,
/// and says so.
struct KeyChecking {
    /// The log, with its keys where they are at hand.
    let log: EventLog
    /// Why the keys are not checked.
    private(set) var obstacle: String?
    private(set) var report: KeyReport?

    init(_ global: GlobalOptions) throws {
        do {
            log = try global.openLedger(.unsealing, survivesDamage: false)
        } catch let error as LedgerError {
            guard let words = Self.words(error) else { throw error }
            obstacle = words
            log = try global.openLedger(.reading, survivesDamage: false)
        } catch let error as LMDBError where error.operation == "stat" {
            obstacle = "keys/ is not there"
            log = try global.openLedger(.reading, survivesDamage: false)
        }
    }

    private static func words(_ error: LedgerError) -> String? {
        switch error {
        case .rootKeyMissing: "the root key is not there"
        case .rootKeyWrong: "the root key is another one"
        case .rootKeyUnavailable, .custodyInvalid: "the root key cannot be had"
        default: nil
        }
    }

    mutating func run(opensBoxes: Bool, isQuiet: Bool) throws {
        guard obstacle == nil else { return }
        var progress = Progress("verify keys", isShown: !isQuiet)
        report = try log.checkKeys(opensBoxes: opensBoxes) { done, total in
            progress.update(done, unit: "events", fraction: Double(done) / Double(max(total, 1)))
        }
        progress.finish()
    }

    /// The member `keys` of `verify --json`.
    var value: JSONValue {
        guard let report else { return .null }
        return .object([
            "erased": .integer(Int64(report.erased)), "opened": .integer(Int64(report.opened)),
            "pending": .integer(Int64(report.pending)),
            "streams": .integer(Int64(report.streams)),
        ])
    }

    /// One line for people.
    var line: String {
        guard let report else { return "keys not checked: \(obstacle ?? "level frames")" }
        var line = "keys of \(report.streams) streams checked, \(report.erased) erased"
        if report.pending > 0 {
            line += ", \(report.pending) of an erasure that the next command that writes finishes"
        }
        return report.opened > 0 ? line + ", \(report.opened) boxes opened" : line
    }
}
