// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Capabilities
import EventLog
import Foundation
import LedgerPrimitives
import Platform
import Synchronization

/// Names a place outside of the ledger to which checkpoints are published.
struct PublishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "publish", shouldDisplay: false)

    @Argument var root: String

    func run() throws {
        let places = Places(root: root)
        try Directory.createWithParents(Path.parent(of: places.published))
        let list = try places.open(.reading).publishListPath
        try DurableFile.write(Array((places.published + "\n").utf8), to: list)
    }
}

/// Appends from many callers at once to streams that can be found again, with documents of many
/// sizes, and prints the position of each event that is acknowledged.
struct WorkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "work", shouldDisplay: false)

    @Argument var root: String
    @Option var callers = 6
    @Option var streams = 2
    @Option var revisions = 4

    func run() async throws {
        let log = try Places(root: root).open()
        let (callers, streams, revisions) = (callers, streams, revisions)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    for _ in 0..<streams {
                        try await Self.tell(log, revisions: revisions, caller: caller)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private static func tell(_ log: EventLog, revisions: Int, caller: Int) async throws {
        let capabilities = Capabilities.system
        let subject = capabilities.makeUUIDv7().description
        let key = try log.makeDataKey(for: subject)
        let entry = try log.lookupEntry(
            .state, FindableStream.state(of: subject), subject: subject)
        var head: StreamHead?
        for revision in 1...revisions {
            let draft = EventDraft(
                id: capabilities.makeUUIDv7(), source: FindableStream.source,
                type: "authledger.session.polled", typeVersion: 1, subject: subject,
                time: capabilities.now(), clear: ["attempt": .integer(Int64(revision))],
                sealed: ["secret": .string(String(repeating: "s", count: 10 * caller * revision))],
                documents: [capabilities.randomBytes(caller * caller * revision * 60 + 1)])
            let event = try log.prepare(draft, after: head, dataKey: key.key)
            let isFirst = head == nil
            // As before a poll, whose outcome the event is.
            if !isFirst { try await log.noteAttempt(revision, of: subject) }
            let receipt = try await log.append(
                AppendBatch(
                    events: [event], newDataKeys: isFirst ? [key] : [],
                    lookups: isFirst ? [entry] : []))
            acknowledge(receipt)
            head = event.head
        }
    }

    private static let output = Mutex(FileHandle.standardOutput)

    private static func acknowledge(_ receipt: AppendReceipt) {
        for position in receipt.positions {
            output.withLock { $0.write(Data("{\"position\":\(position)}\n".utf8)) }
        }
    }
}
