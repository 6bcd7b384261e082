// SPDX-License-Identifier: Apache-2.0

public import Foundation

extension Process {
    /// Runs it and closes here the files that it was given as its standard streams: they are the
    /// program's now. A `Process` that has run keeps them open for good, and one that starts while
    /// more than a thousand files are open reads behind its list of them, which may end the tests.
    ///
    /// - Throws: an error when the program cannot be started.
    public func runHandingOverFiles() throws {
        let streams = [standardInput, standardOutput, standardError]
        defer {
            for case let file as FileHandle in streams where file !== FileHandle.nullDevice {
                try? file.close()
            }
        }
        try run()
    }
}
