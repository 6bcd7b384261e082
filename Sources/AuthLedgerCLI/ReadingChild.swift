// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// Runs a command once more in a process of its own. The storage trusts its pages: where they are
/// damaged, a signal may end who reads them, and then the first process can still say so.
enum ReadingChild {
    /// Runs the command that this process was started with, and ends as it ended.
    ///
    /// - Parameters:
    ///   - command: the command's name, the first argument of this process.
    ///   - arguments: more arguments for the child, before its others.
    ///   - afterCrash: says what there is to say when a crash ended the child.
    static func run(
        _ command: String, _ arguments: [String] = [],
        afterCrash: (_ message: String) throws -> Void
    ) throws {
        let all = [command, "--in-process"] + arguments + CommandLine.arguments.dropFirst(2)
        let end = try ChildProcess.runThisProgram(all)
        switch end {
        case .exited(let status):
            throw CommandEnd(status: ExitStatus(rawValue: status) ?? .inputOutput)
        case .signalled(let signal):
            guard end.isCrash else {
                throw CommandError(
                    .inputOutput, "\(command)-ended",
                    "the process that read was ended by signal \(signal)",
                    hint: "run the command again")
            }
            try afterCrash("reading the storage ended by signal \(signal)")
        }
    }
}
