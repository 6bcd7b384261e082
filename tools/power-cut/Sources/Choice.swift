// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport

/// What of the uncertain reached the disk before the power went.
struct Choice: Hashable {
    /// What became of one write or truncation.
    enum Fate: Hashable {
        case lost
        case kept
        /// The file has grown, but its new part is zeros.
        case sizeOnly
        /// Only these sectors of it.
        case torn(sectorBytes: Int, kept: [Bool])
    }

    /// How choices are made.
    enum Style: CaseIterable {
        case allLost, allKept
        case prefix
        case subset
        case tornSectors, tornPages
        case oneLost, oneKept
        case sizes
    }

    var names: [Bool]
    var changes: [Fate]
}

/// A write or truncation that is not certain.
struct Uncertain {
    let node: DiskNode
    /// Its place among the pending changes of its file.
    let index: Int
    let record: Int
    /// Length of a write in bytes; nil for a truncation.
    let length: Int?
}

extension Disk {
    /// The uncertain changes of content in the order in which they were made.
    var uncertain: [Uncertain] {
        var found: [Uncertain] = []
        for file in files where !file.isLockFile {
            for (index, pending) in file.pending.enumerated() where !pending.isDurable {
                var length: Int?
                if case .write(_, let bytes) = pending.change { length = bytes.count }
                found.append(
                    Uncertain(
                        node: file, index: index, record: pending.record, length: length))
            }
        }
        return found.sorted { $0.record < $1.record }
    }

    /// Decides what survives.
    func choice(_ style: Choice.Style, seed: UInt64) -> Choice {
        var generator = SeededGenerator(seed: seed)
        let uncertain = uncertain
        let count = uncertain.count
        let one = count > 0 ? Int.random(in: 0..<count, using: &generator) : 0
        let odds = [0.1, 0.5, 0.9].randomElement(using: &generator) ?? 0.5
        let changes = uncertain.enumerated().map { index, change -> Choice.Fate in
            let isKept = Double.random(in: 0..<1, using: &generator) < odds
            switch style {
            case .allLost: return .lost
            case .allKept: return .kept
            case .prefix: return index < one ? .kept : .lost
            case .subset: return isKept ? .kept : .lost
            case .oneLost: return index == one ? .lost : .kept
            case .oneKept: return index == one ? .kept : .lost
            case .sizes: return isKept ? .sizeOnly : .lost
            case .tornSectors, .tornPages:
                guard let length = change.length else { return isKept ? .kept : .lost }
                let bytes = style == .tornSectors ? 512 : 4096
                return .torn(
                    sectorBytes: bytes,
                    kept: (0..<(length + bytes - 1) / bytes).map { _ in
                        Double.random(in: 0..<1, using: &generator) < odds
                    })
            }
        }
        return Choice(names: names(style, &generator), changes: changes)
    }

    /// Which changes of names survive: with a journal those up to a moment, without one any.
    private func names(_ style: Choice.Style, _ generator: inout SeededGenerator) -> [Bool] {
        let count = pendingNames.count
        switch style {
        case .allLost: return [Bool](repeating: false, count: count)
        case .allKept: return [Bool](repeating: true, count: count)
        default:
            let end = Int.random(in: 0...count, using: &generator)
            let hasJournal = Bool.random(using: &generator)
            return (0..<count).map { index in
                hasJournal ? index < end : Bool.random(using: &generator)
            }
        }
    }

    // MARK: - Making a state

    /// Writes the state under a directory that does not exist yet.
    ///
    /// - Parameter lockFile: what the lock files of LMDB hold; nil for zeros.
    func write(_ choice: Choice, to path: String, lockFile: Data?) throws {
        var names: [ObjectIdentifier: [String: DiskNode]] = [:]
        for (change, isKept) in zip(pendingNames, choice.names) where isKept {
            Self.apply(change.kind, entries: { names[ObjectIdentifier($0)] ?? $0.entries }) {
                names[ObjectIdentifier($0)] = $1
            }
        }
        var fates: [ObjectIdentifier: [Int: Choice.Fate]] = [:]
        for (change, fate) in zip(uncertain, choice.changes) {
            fates[ObjectIdentifier(change.node), default: [:]][change.index] = fate
        }
        try write(root, names, to: path) { node in
            if node.isLockFile { return lockFile ?? Data(count: 8192) }
            return Self.content(of: node, fates[ObjectIdentifier(node)] ?? [:])
        }
    }

    private func write(
        _ directory: DiskNode, _ names: [ObjectIdentifier: [String: DiskNode]], to path: String,
        content: (DiskNode) -> Data
    ) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        for (name, node) in names[ObjectIdentifier(directory)] ?? directory.entries {
            if node.isDirectory {
                try write(node, names, to: path + "/" + name, content: content)
            } else {
                try content(node).write(to: URL(filePath: path + "/" + name))
            }
        }
    }

    private static func content(of node: DiskNode, _ fates: [Int: Choice.Fate]) -> Data {
        var content = node.durable
        for (index, pending) in node.pending.enumerated() {
            switch pending.isDurable ? .kept : fates[index] ?? .lost {
            case .lost: break
            case .kept: apply(pending.change, to: &content)
            case .sizeOnly:
                if case .write(let offset, let bytes) = pending.change {
                    let missing = offset + bytes.count - content.count
                    if missing > 0 { content.append(Data(count: missing)) }
                }
            case .torn(let sectorBytes, let kept):
                guard case .write(let offset, let bytes) = pending.change else { break }
                for (number, isKept) in kept.enumerated() where isKept {
                    let start = number * sectorBytes
                    let end = min(bytes.count, start + sectorBytes)
                    let first = bytes.startIndex
                    apply(
                        .write(offset: offset + start, bytes[first + start..<first + end]),
                        to: &content)
                }
            }
        }
        return content
    }
}
