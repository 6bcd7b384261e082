// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Files of the repository, found from where this file lies.
public enum Repository {
    /// The directory that holds `Package.swift`.
    public static let root: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()

    /// The bytes of a file.
    ///
    /// - Parameter path: absolute, or relative to ``root``.
    public static func read(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: absolute(path))))
    }

    /// Writes a file in place of the one that is there.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: absolute(path)))
    }

    /// The names in a directory, sorted.
    public static func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: absolute(directory)).sorted()
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : root + "/" + path
    }
}

/// Files that a test compares with what the code makes today.
public enum Golden {
    /// Whether the files are to be rewritten: `UPDATE_GOLDEN=1` stands in the environment.
    public static let isUpdating = ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1"

    /// What the file should hold: what it holds, or after rewriting it, `bytes`.
    public static func expected(at path: String, now bytes: [UInt8]) throws -> [UInt8] {
        if isUpdating { try Repository.write(bytes, to: path) }
        return try Repository.read(path)
    }
}
