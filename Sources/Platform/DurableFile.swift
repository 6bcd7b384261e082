// SPDX-License-Identifier: Apache-2.0

internal import Glibc

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

    /// Makes a file that must not be there yet, and forces it to disk.
    ///
    /// - Throws: an error whose ``SystemError/isAlreadyThere`` is true when something is at the
    ///   path; it stays as it was.
    public static func create(
        _ bytes: [UInt8], at path: String, permissions: UInt32 = 0o600
    ) throws(SystemError) {
        let temporary = path + ".tmp"
        // What a crash left there may be open to others.
        try? Directory.removeFile(temporary)
        let file = try File(temporary, .creating(permissions: permissions))
        do throws(SystemError) {
            try file.write(bytes)
            try file.sync()
            // Unlike a rename, a link never takes the place of what is there.
            guard unsafe link(temporary, path) == 0 else { throw SystemError("link", path) }
        } catch {
            try? Directory.removeFile(temporary)
            throw error
        }
        try Directory.removeFile(temporary)
        try Directory.sync(Path.parent(of: path))
    }
}
