// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Which syncs the disk pretends to have done: to show that the check notices. All but the last
/// lie only once the ledger has been made.
enum Lie: String, CaseIterable {
    /// Every sync works.
    case none
    /// No sync does anything.
    case all
    /// None of the event log's.
    case log
    /// None of the key store's.
    case keys
    /// No write that should be on disk when it returns, which is how LMDB ends a commit.
    case commits
    /// None of a directory's.
    case directories
}

/// A file or a directory.
final class DiskNode {
    /// A change of a file's content.
    enum Change {
        case write(offset: Int, Data)
        case truncate(length: Int)
    }

    struct PendingChange {
        let change: Change
        /// The number of the record.
        let record: Int
        /// Already on disk; stands here for its place in the order.
        let isDurable: Bool
    }

    let isDirectory: Bool
    /// LMDB's lock file says nothing after a power cut and is not varied.
    let isLockFile: Bool
    /// Where it was made; what belongs to which environment.
    let firstPath: String
    /// What is on disk for certain.
    var durable = Data()
    /// What may be on disk or not, in order.
    var pending: [PendingChange] = []
    /// On disk for certain, for a directory.
    var entries: [String: DiskNode] = [:]
    /// As the running program sees it, for a directory.
    var visible: [String: DiskNode] = [:]

    init(isDirectory: Bool, path: String) {
        self.isDirectory = isDirectory
        firstPath = path
        isLockFile = path.hasSuffix("/lock.mdb")
    }
}

/// A change of names in directories.
struct NameChange {
    enum Kind {
        case link(DiskNode, String, DiskNode)
        case remove(DiskNode, String)
        case move(DiskNode, String, DiskNode, String)
    }

    let kind: Kind
    /// The directories that must be synced before it is certain.
    var waitsFor: [DiskNode]
}

/// What is on a disk for certain and what may be, after each operation of a recording.
///
/// The model is harsher than most filesystems: a write that was not synced may be there, may be
/// missing, and may be there in part, by sectors, whatever came after it; a new name, a rename or
/// a removal is certain only when its directory was synced, even where the file itself was. A
/// write through an opening with `O_DSYNC` is certain when it returns, and nothing else is by it.
/// A rename is done or not done, never half.
struct Disk {
    let lie: Lie
    private(set) var root: DiskNode
    private(set) var pendingNames: [NameChange] = []
    /// Grows whenever something becomes certain.
    private(set) var durableVersion = 0
    /// Every file that ever was, in the order in which they were made.
    private(set) var files: [DiskNode] = []
    private let rootPath: String
    private var inodes: [UInt64: DiskNode] = [:]
    private var recordNumber = 0
    private var programs = 0

    init(rootPath: String, lie: Lie) {
        self.rootPath = rootPath
        self.lie = lie
        root = DiskNode(isDirectory: true, path: rootPath)
    }

    mutating func advance(_ record: Recording.Record) throws {
        recordNumber += 1
        switch record.kind {
        case .begin:
            inodes[record.inode] = root
            programs += 1
        case .open: try open(record)
        case .write:
            try change(
                record.inode, .write(offset: record.offset, record.data), record.isSynchronous)
        case .truncate: try change(record.inode, .truncate(length: record.offset), false)
        case .sync: sync(try node(record.inode))
        case .rename: try rename(record.path, record.otherPath)
        case .unlink:
            let (parent, name) = try place(record.path)
            parent.visible[name] = nil
            pendingNames.append(NameChange(kind: .remove(parent, name), waitsFor: [parent]))
        case .makeDirectory:
            make(DiskNode(isDirectory: true, path: record.path), at: try place(record.path), record)
        case .output, .foreign: break
        }
    }

    // MARK: - Operations

    private mutating func open(_ record: Recording.Record) throws {
        if record.isCreation {
            let node = DiskNode(isDirectory: false, path: record.path)
            files.append(node)
            make(node, at: try place(record.path), record)
        } else if record.path != rootPath {
            let (parent, name) = try place(record.path)
            guard let node = parent.visible[name] else {
                throw Problem("\(record.path) is opened, but was never made")
            }
            inodes[record.inode] = node
            if record.isEmptying {
                try change(record.inode, .truncate(length: 0), false)
            }
        }
    }

    private mutating func make(
        _ node: DiskNode, at place: (DiskNode, String), _ record: Recording.Record
    ) {
        inodes[record.inode] = node
        place.0.visible[place.1] = node
        pendingNames.append(
            NameChange(kind: .link(place.0, place.1, node), waitsFor: [place.0]))
    }

    private mutating func rename(_ path: String, _ other: String) throws {
        let (source, oldName) = try place(path)
        let (target, newName) = try place(other)
        target.visible[newName] = source.visible[oldName]
        source.visible[oldName] = nil
        pendingNames.append(
            NameChange(
                kind: .move(source, oldName, target, newName),
                waitsFor: source === target ? [source] : [source, target]))
    }

    private mutating func change(
        _ inode: UInt64, _ change: DiskNode.Change, _ isSynchronous: Bool
    ) throws {
        let node = try node(inode)
        let isDurable = isSynchronous && !isLiedTo(node) && !(lie == .commits && isLying)
        node.pending.append(
            DiskNode.PendingChange(change: change, record: recordNumber, isDurable: isDurable))
        if isDurable {
            Self.apply(change, to: &node.durable)
            durableVersion += 1
        }
    }

    private mutating func sync(_ node: DiskNode) {
        if isLiedTo(node) { return }
        if node.isDirectory {
            for index in pendingNames.indices {
                pendingNames[index].waitsFor.removeAll { $0 === node }
            }
            for name in pendingNames where name.waitsFor.isEmpty {
                Self.apply(name.kind, entries: { $0.entries }) { $0.entries = $1 }
                durableVersion += 1
            }
            pendingNames.removeAll { $0.waitsFor.isEmpty }
        } else if !node.pending.isEmpty {
            for pending in node.pending { Self.apply(pending.change, to: &node.durable) }
            node.pending = []
            durableVersion += 1
        }
    }

    /// The first program of a recording makes the ledger.
    private var isLying: Bool { programs > 1 }

    private func isLiedTo(_ node: DiskNode) -> Bool {
        switch lie {
        case .none, .commits: false
        case .all: isLying
        case .log: isLying && node.firstPath.hasSuffix("/log/data.mdb")
        case .keys:
            isLying
                && ["/keys/data.mdb", "/keys.new/data.mdb"].contains {
                    node.firstPath.hasSuffix($0)
                }
        case .directories: node.isDirectory
        }
    }

    // MARK: - Finding

    private func node(_ inode: UInt64) throws -> DiskNode {
        guard let node = inodes[inode] else { throw Problem("inode \(inode) was never opened") }
        return node
    }

    /// The directory and the name that a path leads to.
    private func place(_ path: String) throws -> (DiskNode, String) {
        guard path.hasPrefix(rootPath + "/") else { throw Problem("\(path) is outside the root") }
        var parts = path.dropFirst(rootPath.count).split(separator: "/").map(String.init)
        let name = parts.removeLast()
        var directory = root
        for part in parts {
            guard let next = directory.visible[part] else {
                throw Problem("\(path) leads through a directory that was never made")
            }
            directory = next
        }
        return (directory, name)
    }

    // MARK: - Changes

    static func apply(_ change: DiskNode.Change, to content: inout Data) {
        switch change {
        case .truncate(let length):
            if length < content.count {
                content.removeSubrange(length...)
            } else {
                content.append(Data(count: length - content.count))
            }
        case .write(let offset, let bytes):
            let end = offset + bytes.count
            if content.count < end { content.append(Data(count: end - content.count)) }
            content.replaceSubrange(offset..<end, with: bytes)
        }
    }

    /// Does what can be done: a name that is not there cannot be moved or removed.
    static func apply(
        _ change: NameChange.Kind, entries: (DiskNode) -> [String: DiskNode],
        set: (DiskNode, [String: DiskNode]) -> Void
    ) {
        switch change {
        case .link(let directory, let name, let node):
            var names = entries(directory)
            names[name] = node
            set(directory, names)
        case .remove(let directory, let name):
            var names = entries(directory)
            names[name] = nil
            set(directory, names)
        case .move(let source, let name, let target, let newName):
            var names = entries(source)
            guard let node = names[name] else { return }
            names[name] = nil
            set(source, names)
            names = entries(target)
            names[newName] = node
            set(target, names)
        }
    }
}
