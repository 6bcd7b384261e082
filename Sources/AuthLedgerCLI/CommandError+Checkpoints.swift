// SPDX-License-Identifier: Apache-2.0

internal import EventLog

extension CommandError {
    /// What concerns checkpoints and proofs.
    init(onCheckpoints error: LedgerError) {
        switch error {
        case .signingKeyMissing(let path):
            self.init(
                .inputOutput, "signing-key-missing", "the signing key is not in \(path)",
                hint: "put the key file back from where you keep its copy")
        case .rolledBack(let what):
            self.init(
                .integrity, "rolled-back", "the log is not what was signed: \(what)",
                hint: "authledger verify; then restore the newest log that you have")
        case .checkpointInvalid(let path):
            self.init(
                .integrity, "checkpoint-invalid",
                "\(path) is no checkpoint that this ledger signed",
                hint: "authledger verify; a new one is made once the file is moved away")
        case .publishOccupied(let path):
            self.init(
                .inputOutput, "publish-occupied",
                "\(path) is no checkpoint of this ledger and was left alone",
                hint: "choose another place, or move the file away")
        case .publishListMalformed(let path):
            self.init(
                .usage, "publish-list-malformed",
                "\(path) has a line that is no absolute path")
        case .beyondEnd(let asked, let size):
            self.init(
                .usage, "beyond-end", "\(asked) lies beyond the \(size) events that there are")
        default:
            self.init(.inputOutput, "internal", "something unexpected went wrong: \(error)")
        }
    }

    init(_ error: TileError) {
        switch error {
        case .occupied(let path):
            self.init(
                .usage, "export-occupied", "\(path) has something else in it; nothing was changed",
                hint: "choose another directory")
        case .foreign(let path):
            self.init(
                .integrity, "export-foreign",
                "the export in \(path) is not one of this ledger as it is now",
                hint: "choose another directory; authledger verify if it should be one")
        case .incomplete(let what):
            self.init(
                .usage, "export-incomplete", "this is no whole export: \(what)",
                hint: "authledger export tiles DIR")
        case .damaged(let what, let position):
            let place = position.map { "at position \($0): " } ?? ""
            self.init(
                .integrity, "export-damaged", "\(place)\(what); no ledger was made",
                hint: "export once more, or take another copy")
        }
    }
}
