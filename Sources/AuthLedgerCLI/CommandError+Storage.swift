// SPDX-License-Identifier: Apache-2.0

internal import EventLog

extension CommandError {
    /// Says what is wrong with the disk, the format or a backup.
    init(storage error: LedgerError) {
        switch error {
        case .formatReadOnly(let version, let features):
            self.init(
                .inputOutput, "format-read-only",
                "the ledger has format \(version) with \(features.joined(separator: ", ")), "
                    + "which this program can read but not write",
                hint: "use the program that wrote it, or a newer one, to write")
        case .formatOutdated(let version):
            self.init(
                .inputOutput, "format-outdated",
                "the ledger has format \(version), which this program reads but does not write",
                hint: "authledger upgrade")
        case .networkFileSystem(let path, let name):
            self.init(
                .inputOutput, "network-filesystem",
                "\(path) lies on \(name): a ledger needs a disk of its own machine",
                hint: "choose a directory on a local disk")
        case .diskNearlyFull(let available, let reserve):
            self.init(
                .inputOutput, "disk-nearly-full",
                "only \(ByteCount.text(available)) are free, \(ByteCount.text(reserve)) are kept "
                    + "in reserve; nothing was written, and the ledger can still be read",
                hint: "make room on the disk")
        case .sizeReached(let bytes):
            self.init(
                .inputOutput, "ledger-full",
                "log/ has the largest size it may have, \(ByteCount.text(bytes)); nothing was "
                    + "written, and the ledger can still be read",
                hint: "raise AUTHLEDGER_SIZE_MAX, or begin a new ledger")
        case .backupInvalid(let what):
            self.init(.integrity, "backup-invalid", what, hint: "use another backup")
        default:
            self.init(.inputOutput, "internal", "something unexpected went wrong: \(error)")
        }
    }
}
