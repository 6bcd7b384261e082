// SPDX-License-Identifier: Apache-2.0

/// Files that are there whole or not at all.
public enum DurableFile {
    /// Puts a file in the place of whatever is at the path, and forces it to disk.
    ///
    /// It is written beside its place, as `<path>.tmp`, and renamed; what a crash leaves there is
    /// overwritten the next time. Two writers of one path must exclude each other.
    ///
    /// - Parameter syncsDirectory: whether the new name is forced to disk, too. Whoever writes many
    ///   files may do that once for all of them with ``Directory/sync(_:)``.
    public static func write(
        _ bytes: [UInt8], to path: String, permissions: UInt32 = 0o600, syncsDirectory: Bool = true
    ) throws(SystemError) {
        let temporary = path + ".tmp"
        let file = try File(temporary, .writing(permissions: permissions))
        try file.write(bytes)
        try file.sync()
        try Directory.rename(temporary, to: path)
        if syncsDirectory { try Directory.sync(Path.parent(of: path)) }
    }
}
