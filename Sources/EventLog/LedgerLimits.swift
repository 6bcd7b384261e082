// SPDX-License-Identifier: Apache-2.0

/// The limits of a ledger of format 1.
public enum LedgerLimits {
    /// The largest leaf, in bytes.
    public static let leafBytesMax = 61_440
    /// The largest blob, in bytes before compression.
    public static let blobBytesMax = 16_777_216
    /// The longest name of a stream, in bytes.
    public static let subjectBytesMax = 400
    /// Address space for one LMDB environment, in bytes: how large a ledger may grow.
    static let mapBytes = 1 << 40
    /// How many append requests one transaction takes in at most.
    static let requestsPerCommitMax = 1024
}
