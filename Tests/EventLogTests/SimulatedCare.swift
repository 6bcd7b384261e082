// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import MerkleTree
import SessionEvents
import SignedNote
import TestSupport

@testable import EventLog

/// Checkpoints, erasures and rotations of the simulated world, with the model of what must come of
/// them.
extension SimulatedWorld {
    // MARK: - Checkpoints

    /// Signs and publishes a checkpoint of everything.
    func checkpoint() throws {
        let checkpoint = try opened().checkpoint().checkpoint
        guard checkpoint.size == UInt64(acknowledged.count) else { throw MissingValue() }
        signed.append(checkpoint)
    }

    /// A checkpoint is signed and stored, and the process dies while it is published: the files are
    /// the old ones, and half of the new one lies beside.
    func checkpointCutOff() throws {
        let paths = [ledger + "/checkpoint", ledger + "/keys/checkpoint"]
        let before = paths.map { FileManager.default.contents(atPath: $0) }
        try checkpoint()
        close()
        for (path, bytes) in zip(paths, before) {
            let file = URL(filePath: path)
            let half = try Data(contentsOf: file).prefix(30)
            try half.write(to: URL(filePath: path + ".tmp"))
            try FileManager.default.removeItem(at: file)
            try bytes?.write(to: file)
        }
        try open()
    }

    /// No checkpoint that was signed is forgotten or contradicted.
    func checkpointDifferences() throws -> [String] {
        let log = try opened()
        var differences: [String] = []
        if let last = signed.last {
            let newest = try required(try log.newestCheckpoint()).checkpoint
            if newest.size < last.size { differences.append("the newest checkpoint shrank") }
            for old in signed.suffix(5) + signed.prefix(1) {
                let proof = try log.consistencyProof(from: old.size, to: newest.size)
                let isConsistent = MerkleTree.isConsistent(
                    oldSize: old.size, oldRoot: old.root, size: newest.size, root: newest.root,
                    proof: proof)
                if !isConsistent { differences.append("the checkpoint of \(old.size) events") }
            }
        }
        if let bytes = FileManager.default.contents(atPath: ledger + "/checkpoint") {
            let published = try SignedCheckpoint(Array(bytes)).checkpoint
            if try log.root(ofFirst: published.size) != published.root {
                differences.append("the published checkpoint is not the log's")
            }
        }
        return differences
    }

    // MARK: - Erasures

    /// Erases streams, perhaps until the process dies at a point; perhaps `keys/` and the key
    /// directory are put back afterwards as they were before.
    func erase(_ subjects: [String], until point: ErasurePoint?, putsBack: Bool) throws {
        close()
        let copies = [(ledger + "/keys", "keys"), (keyRoot, "root")]
            .map { ($0, directory.path + "/before-" + $1) }
        if putsBack { for (path, copy) in copies { try replace(copy, by: path) } }
        let request = ErasureRequest(
            sessions: try subjects.map { try required(UUIDv7($0)) }, legalBasis: .notNecessary,
            words: ["reason": .string("case 17")], by: Self.someone)
        try withCustody(until: point) { _ = try $0.erase(request) }
        for subject in subjects {
            streams[subject] = nil
            erased.insert(subject)
        }
        if putsBack { for (path, copy) in copies { try replace(path, by: copy) } }
        try open()
        try takeInOwn()
    }

    /// Rotates keys, perhaps until the process dies at a point.
    func rotate(_ kind: KeysRotated.Kind, until point: ErasurePoint?) throws {
        close()
        try withCustody(until: point) { try $0.rotate(kind, by: Self.someone) }
        try open()
        try takeInOwn()
    }

    private func withCustody(
        until point: ErasurePoint?, _ body: (LedgerCustody) throws -> Void
    ) throws {
        do {
            try body(
                LedgerCustody(
                    ledger, keyRoot: keyRoot, capabilities: capabilities, waitMilliseconds: 5000,
                    reached: { if $0 == point { throw InjectedFault() } }))
        } catch is InjectedFault {}
    }

    private func replace(_ path: String, by other: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: other, toPath: path)
    }

    /// What was erased has no key, is found by nothing, and is attested; nothing is half done.
    func erasureDifferences() throws -> [String] {
        let log = try opened()
        var differences = try log.checkKeys(opensBoxes: true).findings.map { "\($0)" }
        for subject in erased {
            if try log.dataKey(for: subject) != nil { differences.append("\(subject) has a key") }
            if try log.subject(of: .state, "state of \(subject)") != nil {
                differences.append("\(subject) is found by its state")
            }
        }
        let history = try log.history()
        if Set(history.erased.keys) != erased || !history.unfinished.isEmpty {
            differences.append("the log attests other erasures")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: ledger)
        if names.contains(where: { $0.hasPrefix("keys.") }) { differences.append("\(names)") }
        return differences
    }
}
