// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Why a ledger cannot be made, opened, read or written.
public enum LedgerError: Error, Equatable {
    /// There is no ledger in this directory.
    case notFound(String)
    /// Something is in the way where a ledger should be made.
    case alreadyExists(String)
    /// An origin has a character other than letters, digits and `._/-`, or none.
    case invalidOrigin
    /// The ledger has a format that this program does not know.
    case unknownFormat(version: Int64, features: [String])
    /// Another process works on the ledger as a whole.
    case locked(String)
    /// This process has the ledger open already.
    case alreadyOpen(String)
    /// The root key is not where it should be.
    case rootKeyMissing(String)
    /// A key file is malformed, or does not belong to this ledger.
    case rootKeyWrong(String)
    /// The stored bytes are not what was written. `position` where one event is concerned.
    case damaged(String, position: UInt64?)
    /// The data key of a stream that has sealed data is not there.
    case keyMissing(subject: String)
    /// The stored data key is not the one that the stream's first event commits to.
    case keyMismatch(subject: String)
    /// The key that signs checkpoints is not where it should be.
    case signingKeyMissing(String)
    /// The log is older than a checkpoint of it, or not the one that it was made of.
    case rolledBack(String)
    /// A checkpoint in the ledger directory is malformed, or no key of the ledger signed it.
    case checkpointInvalid(String)
    /// Where a checkpoint should be published, something else is.
    case publishOccupied(String)
    /// The list of places to publish checkpoints at has a line that is no absolute path.
    case publishListMalformed(String)
    /// The log has fewer events than were asked for.
    case beyondEnd(asked: UInt64, size: UInt64)
    /// An event is larger than a leaf may be.
    case eventTooLarge(bytes: Int)
    /// A document or a sealed payload is larger than a blob may be.
    case blobTooLarge(bytes: Int)
    /// The ledger was opened for reading, or is closed.
    case notWritable
    /// The program itself is at fault.
    case internalFault(String)
}

/// The end of a stream, which the next event must name.
public struct StreamHead: Hashable, Sendable {
    /// Revision of the last event.
    public let revision: Int
    /// Leaf hash of the last event.
    public let leafHash: Digest

    /// The end of a stream.
    public init(revision: Int, leafHash: Digest) {
        self.revision = revision
        self.leafHash = leafHash
    }
}

/// An event was made for another end of its stream than the one it met; nothing was written.
public struct AppendConflict: Error, Equatable {
    /// The stream.
    public let subject: String
    /// The end that the event was made for; nil for a stream without events.
    public let expected: StreamHead?
    /// The end that is there.
    public let actual: StreamHead?
}

/// Another process has just given the stream a data key; what was sealed with ours is not
/// written.
public struct DataKeyConflict: Error, Equatable {
    /// The stream.
    public let subject: String
}
