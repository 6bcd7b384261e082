// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import Synchronization

/// A stream held by this process; see ``EventLog/hold(_:)``.
public final class StreamHold: Sendable {
    private let holds: StreamHolds
    private let offset: Int64

    fileprivate init(_ holds: StreamHolds, _ offset: Int64) {
        self.holds = holds
        self.offset = offset
    }

    deinit {
        holds.release(offset)
    }
}

/// The streams that this process holds: locks on bytes of one open file, however many they are.
/// They end with the process, whatever ends it.
final class StreamHolds: Sendable {
    private struct Holds {
        var file: File?
        var offsets: Set<Int64> = []
    }

    private let path: String
    private let holds = Mutex(Holds())

    init(path: String) {
        self.path = path
    }

    /// Nil when this process or another holds the stream.
    func hold(_ subject: String) throws -> StreamHold? {
        let digest = StreamNameHash.hash(Array(subject.utf8))
        let offset = digest[..<8].reduce(Int64(0)) { $0 << 8 | Int64($1) } & (1 << 62 - 1)
        return try holds.withLock { holds in
            guard !holds.offsets.contains(offset) else { return nil }
            let file = try holds.file ?? File(path, .locking(permissions: 0o600))
            holds.file = file
            // Locks of one open file never exclude each other, hence the set.
            guard try file.lockByte(at: offset) else { return nil }
            holds.offsets.insert(offset)
            return StreamHold(self, offset)
        }
    }

    fileprivate func release(_ offset: Int64) {
        holds.withLock { holds in
            holds.offsets.remove(offset)
            // At worst the process holds it until it ends.
            try? holds.file?.unlockByte(at: offset)
        }
    }
}
