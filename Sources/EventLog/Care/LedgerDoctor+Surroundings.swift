// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import LedgerPrimitives
internal import Platform
internal import SignedNote

extension LedgerDoctor {
    // MARK: - Disk

    mutating func lookAtFileSystem() {
        let name = "filesystem"
        do {
            let fileSystem = try probe.fileSystem(paths.log)
            switch fileSystem.kind {
            case .local:
                add(name, .ok, "the ledger lies on \(fileSystem.name)")
            case .memory:
                add(
                    name, .warning,
                    "the ledger lies on \(fileSystem.name), in memory: a restart loses it",
                    hint: "move the ledger to a disk")
            case .network:
                add(
                    name, .problem, "the ledger lies on \(fileSystem.name), across a network",
                    hint: "move the ledger to a disk of this machine")
            }
        } catch {
            add(name, failure: error)
        }
    }

    mutating func lookAtSpace() {
        let name = "disk-space"
        do {
            let space = try probe.space(paths.log)
            let text =
                "\(ByteCount.text(space.available)) free; appending ends at "
                + ByteCount.text(limits.reserveBytes)
            let hint = "make room, or move the ledger to a larger disk"
            if space.available < limits.reserveBytes {
                add(name, .problem, text + ": nothing can be appended now", hint: hint)
            } else if space.available < limits.reserveBytes * 4 {
                add(name, .warning, text, hint: hint)
            } else {
                add(name, .ok, text)
            }
            try lookAtSize()
        } catch {
            add(name, failure: error)
        }
    }

    private mutating func lookAtSize() throws {
        let used = UInt64(try Directory.allocatedBytes(of: paths.log))
        let text =
            "log/ takes \(ByteCount.text(used)) of at most \(ByteCount.text(limits.logBytesMax))"
        if used > limits.logBytesMax / 10 * 9 {
            add(
                "ledger-size", .warning, text,
                hint: "raise AUTHLEDGER_SIZE_MAX, or begin a new ledger")
        } else {
            add("ledger-size", .ok, text)
        }
    }

    // MARK: - Permissions

    mutating func lookAtPermissions() {
        let name = "permissions"
        do {
            var open: [String] = []
            let projections = [paths.projections].filter(Directory.isDirectory)
            let directories = [paths.root, paths.log, paths.keys] + projections
            for directory in directories + keyDirectories() {
                try collect(directory, into: &open)
                for entry in try Directory.entries(of: directory) {
                    let path = directory + "/" + entry
                    if Directory.isDirectory(path) { continue }
                    try collect(path, into: &open)
                }
            }
            if open.isEmpty {
                add(name, .ok, "ledger and keys are readable by their owner alone")
            } else {
                add(
                    name, .problem,
                    "others may use " + open.prefix(5).joined(separator: ", ")
                        + (open.count > 5 ? " and \(open.count - 5) more" : ""),
                    hint: "chmod 0700 for directories, 0600 for files")
            }
        } catch {
            add(name, failure: error)
        }
    }

    private func collect(_ path: String, into open: inout [String]) throws {
        // What the owner may do is no danger; what others may is.
        if try Directory.permissions(of: path) & 0o077 != 0 { open.append(path) }
    }

    /// The directory of this ledger's keys, where it is there and known.
    private func keyDirectories() -> [String] {
        let directory = ledgerID.flatMap { try? KeyDirectory(keyRoot, ledgerID: $0).path }
        return [directory].compactMap { $0 }.filter(Directory.isDirectory)
    }

    // MARK: - Checkpoint

    mutating func lookAtCheckpoint(_ log: EventLog, _ head: LogHead) {
        let name = "checkpoint"
        do {
            guard let newest = try log.newestCheckpoint()?.checkpoint else {
                if head.size == 0 {
                    return add(name, .ok, "none is needed yet, there are no events")
                }
                return add(
                    name, .warning, "none was ever made", hint: "authledger checkpoint")
            }
            let made = Directory.modificationMilliseconds(of: paths.checkpoint).map {
                max(0, capabilities.now().millisecondsSince1970 - $0) / 1000
            }
            let age = made.map { ", made \($0) s ago" } ?? ""
            if newest.size < head.size {
                add(
                    name, .warning,
                    "the newest covers \(newest.size) of \(head.size) events\(age)",
                    hint: "authledger checkpoint")
            } else if made == nil {
                add(
                    name, .warning, "\(paths.checkpoint) is not there",
                    hint: "authledger checkpoint")
            } else {
                add(name, .ok, "the newest covers all \(head.size) events\(age)")
            }
        } catch {
            add(name, failure: error)
        }
    }

    // MARK: - Leftovers

    mutating func lookAtLeftovers() {
        let name = "leftovers"
        do {
            let own = Path.name(of: paths.root)
            let beside = Path.parent(of: paths.root)
            var left = try Directory.entries(of: beside)
                .filter { $0.hasPrefix(own) && LedgerPaths.isTemporary($0) }
                .map { beside + "/" + $0 }
            left += try paths.unfinishedProjections()
            if Directory.isDirectory(keyRoot) {
                left += try Directory.entries(of: keyRoot).filter(LedgerPaths.isTemporary)
                    .map { keyRoot + "/" + $0 }
            }
            let halfDone = [paths.newKeys, paths.oldKeys].filter(Directory.exists)
            if !halfDone.isEmpty {
                add(
                    name, .warning,
                    "a change of keys was cut off: \(halfDone.joined(separator: ", "))",
                    hint: "authledger keys; whatever opens the ledger to write finishes it")
            }
            if left.isEmpty {
                add(name, .ok, "nothing unfinished lies around")
            } else {
                add(
                    name, .warning, "left over from a crash: \(left.joined(separator: ", "))",
                    hint: "remove it unless an init, backup, restore or rebuild is at work right now")
            }
        } catch {
            add(name, failure: error)
        }
    }

    // MARK: - Clock

    mutating func lookAtClock() {
        let name = "clock"
        guard let quality = capabilities.clock?.quality() else {
            return add(name, .warning, "nothing is known of the quality of this machine's clock")
        }
        if quality.isSynchronized {
            let bound = quality.maximumErrorMilliseconds.map { ", off by at most \($0) ms" } ?? ""
            add(name, .ok, "\(quality.source), synchronized\(bound)")
        } else {
            add(
                name, .warning, "\(quality.source), not synchronized: event times may be wrong",
                hint: "run an NTP client such as chrony or systemd-timesyncd")
        }
    }
}

/// Numbers of bytes for people.
public enum ByteCount {
    /// The number in the largest unit that leaves at least one, with one digit behind the point.
    public static func text(_ bytes: UInt64) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
        if bytes < 1024 { return "\(bytes) bytes" }
        var tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024
        var unit = 1
        while tenths >= 10_240, unit + 1 < units.count {
            tenths /= 1024
            unit += 1
        }
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// Reads a number of bytes with or without one of the letters K, M, G, T behind it, which stand
    /// for powers of 1024; nil when it is none.
    public static func parse(_ text: String) -> UInt64? {
        let letters: [Character: UInt64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
        let factor = text.last.flatMap { letters[$0] }
        let digits = factor == nil ? text[...] : text.dropLast()
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt64(digits)
        else { return nil }
        let (product, isTooLarge) = number.multipliedReportingOverflow(by: factor ?? 1)
        return isTooLarge ? nil : product
    }
}
