// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// Files that a command writes secrets to.
enum PrivateFile {
    /// Opens a file that only its owner can read (mode 0600), emptied first. One that is there
    /// already and was open to others no longer is; what is no file, as `/dev/stdout`, stays as it
    /// is.
    static func open(_ path: String) throws -> File {
        let file = try File(path, .writing(permissions: 0o600))
        if file.isRegularFile(at: path) { try Directory.restrict(path, permissions: 0o600) }
        return file
    }
}
