// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import JOSE
public import LedgerPrimitives
internal import OpenSSL
internal import Platform
public import SignedNote

/// The ledger signs with another key from here on.
///
/// The event names the key; a checkpoint behind it carries the signatures of both keys, so that
/// whoever trusts the old one may trust the new one.
public struct SigningKeyRotated: Equatable, Sendable {
    /// The event's type. Its stream is the ledger's own.
    public static let type = "authledger.ledger.signing-key-rotated"

    /// The key that signs from here on.
    public let verifierKey: VerifierKey
    /// The key that signed until now.
    public let previousVerifierKey: VerifierKey

    init(verifierKey: VerifierKey, previousVerifierKey: VerifierKey) {
        self.verifierKey = verifierKey
        self.previousVerifierKey = previousVerifierKey
    }

    /// Reads the members of `data`; nil when they are not those of this event.
    public init?(_ data: JSONObject) {
        guard let key = data["verifierKey"]?.stringValue.flatMap(VerifierKey.init),
            let previous = data["previousVerifierKey"]?.stringValue.flatMap(VerifierKey.init)
        else { return nil }
        self.init(verifierKey: key, previousVerifierKey: previous)
    }

    var clearMembers: JSONObject {
        [
            "previousVerifierKey": .string(previousVerifierKey.description),
            "verifierKey": .string(verifierKey.description),
        ]
    }
}

extension EventLog {
    /// The keys that the ledger says it signs with: the one in its record, and those that events
    /// announce, in their order.
    public func verifierKeys() throws -> [VerifierKey] {
        try [info.verifierKey]
            + stream(info.ledgerID.description)
            .filter { $0.envelope.type == SigningKeyRotated.type }
            .compactMap { SigningKeyRotated($0.data)?.verifierKey }
    }

    /// Puts a new signing key in the place of the old one.
    ///
    /// In this order: the new key is on disk beside the old one; the event that announces it is in
    /// the log; a checkpoint that covers the event is signed by both; the new key takes the old
    /// one's place. Opening the log for appending goes on where a crash broke this off.
    ///
    /// - Returns: what was recorded, and the checkpoint.
    public func rotateSigningKey() throws -> (SigningKeyRotated, SignedCheckpoint) {
        guard let checkpointer else { throw LedgerError.notWritable }
        return try checkpointer.alone {
            _ = try finishRotation(checkpointer)
            guard let old = try keyDirectory.readSigner(checkpointer.rootKey, name: info.origin)
            else { throw LedgerError.signingKeyMissing(keyDirectory.path + "/signing.key") }
            var seed = capabilities.randomBytes(Ed25519PrivateKey.seedBytes)
            defer { cleanse(&seed) }
            let new = try NoteSigner(name: info.origin, seed: SecretBytes(seed))
            guard let new else { throw LedgerError.invalidOrigin }
            try keyDirectory.writeNextSigningKey(
                sealed: DirectEncryption.seal(
                    seed, key: checkpointer.rootKey.signingFileKey,
                    nonce: capabilities.randomBytes(AES256GCM.nonceBytes)))
            let rotated = SigningKeyRotated(
                verifierKey: new.verifierKey, previousVerifierKey: old.verifierKey)
            try announce(rotated)
            guard let checkpoint = try finishRotation(checkpointer) else {
                throw LedgerError.internalFault("the rotation was not recorded")
            }
            try checkpointer.publish(checkpoint)
            return (rotated, checkpoint)
        }
    }

    /// Ends a rotation that a crash broke off, if there is one.
    func finishRotation() throws {
        guard let checkpointer,
            try keyDirectory.readNextSigner(checkpointer.rootKey, name: info.origin) != nil
        else { return }
        // Whoever is at it in another process holds the lock until it is done. The next checkpoint
        // publishes what this one could not.
        try checkpointer.alone {
            if let checkpoint = try finishRotation(checkpointer) {
                try? checkpointer.publish(checkpoint)
            }
        }
    }

    private func finishRotation(_ checkpointer: Checkpointer) throws -> SignedCheckpoint? {
        let rootKey = checkpointer.rootKey
        guard let next = try keyDirectory.readNextSigner(rootKey, name: info.origin) else {
            return nil
        }
        guard try verifierKeys().contains(next.verifierKey) else {
            try keyDirectory.removeNextSigningKey()
            return nil
        }
        let old = try keyDirectory.readSigner(rootKey, name: info.origin)
        let checkpoint = try checkpointer.sign(signers: [old, next].compactMap { $0 })
        try keyDirectory.promoteNextSigningKey()
        return checkpoint
    }

    private func announce(_ rotated: SigningKeyRotated) throws {
        let subject = info.ledgerID.description
        while true {
            let head = try streamHead(subject)
            // Later events of this stream may be sealed, and a stream's key is named by its first.
            let oldKey = head == nil ? try dataKey(for: subject) : nil
            let newKey = head == nil && oldKey == nil ? try makeDataKey(for: subject) : nil
            let draft = EventDraft(
                id: capabilities.makeUUIDv7(), source: info.origin, type: SigningKeyRotated.type,
                typeVersion: 1, subject: subject, time: capabilities.now(),
                clear: rotated.clearMembers)
            let event = try prepare(draft, after: head, dataKey: oldKey ?? newKey?.key)
            do {
                _ = try appendAndWait(
                    AppendBatch(events: [event], newDataKeys: newKey.map { [$0] } ?? []))
                return
            } catch is AppendConflict {
                continue
            } catch is DataKeyConflict {
                continue
            }
        }
    }
}
