// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show sizes and counts.",
        discussion: """
            Examples:
              authledger stats
              authledger stats --json
              authledger stats --as-of 2026-03-31

            bytesRaw is the sum of all leaf lengths, bytesStored that of all frames, \
            bytesOnDisk what log/ and keys/ take up on disk.

            With --as-of the sums are added up event by event, documents count when an event names \
            them, and what was on disk then is not known.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var asOf: AsOfOption

    func run() throws {
        let log = try global.openLedger(.reading)
        let size = try asOf.size(of: log, global)
        let head = try size.map { try log.head(ofFirst: $0) } ?? log.head()
        let onDisk = try size == nil ? log.bytesOnDisk() : nil
        let ratio = head.bytesRaw == 0 ? 0 : Double(head.bytesStored) / Double(head.bytesRaw)
        let perEvent = head.size == 0 ? 0 : Double(head.bytesStored) / Double(head.size)
        let result: JSONObject = [
            "blobBytes": .integer(Int64(head.blobBytes)),
            "blobs": .integer(Int64(head.blobs)),
            "bytesOnDisk": onDisk.map { .integer(Int64($0)) } ?? .null,
            "bytesPerEvent": .number(decimal(perEvent)),
            "bytesRaw": .integer(Int64(head.bytesRaw)),
            "bytesStored": .integer(Int64(head.bytesStored)),
            "events": .integer(Int64(head.size)),
            "ratio": .number(decimal(ratio)),
            "sessions": .integer(Int64(head.sessions)),
            "treeSize": .integer(Int64(head.size)),
        ]
        try global.output.print(result) {
            """
            events         \(head.size)
            sessions       \(head.sessions)
            leaf bytes     \(head.bytesRaw)
            stored bytes   \(head.bytesStored) (\(decimal(ratio * 100)) % of the leaves, \
            \(decimal(perEvent)) an event)
            documents      \(head.blobs) (\(head.blobBytes) bytes)
            """ + (onDisk.map { "\non disk        \($0) bytes" } ?? "")
        }
    }

    /// A number with three digits behind the point.
    private func decimal(_ value: Double) -> String {
        let thousandths = Int((value * 1000).rounded())
        let fraction = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.count)
            + fraction
    }
}
