// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import Foundation
import LedgerPrimitives
import SessionEvents

/// What is wrong with a ledger after a power cut.
enum Damage: String, CaseIterable {
    /// Something acknowledged is not there.
    case lost
    /// Something acknowledged cannot be read, or its sealed part cannot be opened.
    case unreadable
    /// An event is not the one that was written there.
    case altered
    /// The ledger does not open, or its own check finds something.
    case dirty
    /// The ledger takes no further event.
    case stuck
    /// Something erased can still be opened.
    case kept
    /// A signal ended who looked.
    case crashed
}

/// One thing that is wrong.
struct Finding {
    let damage: Damage
    let text: String

    init(_ damage: Damage, _ text: String) {
        self.damage = damage
        self.text = text
    }
}

extension Capabilities {
    /// The clock and random numbers of the system.
    static let system = Capabilities(
        now: { Instant(millisecondsSince1970: Int64(Date().timeIntervalSince1970 * 1000)) },
        randomBytes: { count in
            var generator = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        })
}

/// Where the parts of a recorded or rebuilt disk are.
struct Places {
    let root: String
    var ledger: String { root + "/data/ledger" }
    var config: String { root + "/config" }
    var keyRoot: String { config + "/authledger/keys" }

    /// Where checkpoints are published to, outside of the ledger.
    var published: String { root + "/published/checkpoint" }

    /// Everything that lies in key directories.
    func keyFiles() throws -> [String] {
        guard FileManager.default.fileExists(atPath: keyRoot) else { return [] }
        return try FileManager.default.subpathsOfDirectory(atPath: keyRoot)
            .map { keyRoot + "/" + $0 }
    }

    /// Makes a copy of a disk one of its own: the publish list names places by absolute paths.
    func adopt(from other: Places) throws {
        for list in try keyFiles() where list.hasSuffix("/publish") {
            let text = try String(contentsOfFile: list, encoding: .utf8)
            try Data(text.replacing(other.root + "/", with: root + "/").utf8)
                .write(to: URL(filePath: list))
        }
    }

    /// A filesystem in memory where there is one: nothing here need survive anything, and what is
    /// recorded is the same.
    static let memory =
        FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()

    func open(_ access: EventLog.Access = .appending) throws -> EventLog {
        try EventLog(ledger, keyRoot: keyRoot, access: access, capabilities: .system)
    }

    static var samples: [SampleEvent] {
        SyntheticSamples.events.map { SampleEvent(envelope: $0.envelope, data: $0.data) }
    }
}

/// Events of the tool's own, which can be found by a secret value.
enum FindableStream {
    static let source = "power-cut"

    static func state(of subject: String) -> String { "state of \(subject)" }
}
