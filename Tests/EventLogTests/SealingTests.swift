// SPDX-License-Identifier: Apache-2.0

import Capabilities
import LedgerPrimitives
import Testing

@testable import EventLog

@Suite("Sealed data")
struct SealingTests {
    @Test("opens again after the ledger was closed")
    func opensAgain() throws {
        let ledger = try TemporaryLedger()
        let secret: JSONObject = ["claims": .object(["iat": .number("1.5")]), "ssn": .string("x")]
        var subject = ""
        do {
            let log = try ledger.created()
            var author = try StreamAuthor(log)
            subject = author.subject
            _ = try log.appendAndWait(try author.next(log, sealed: secret))
            _ = try log.appendAndWait(try author.next(log))
        }
        let log = try ledger.open()
        let key = try required(try log.dataKey(for: subject))
        let events = try log.stream(subject)
        #expect(events[0].data["keyCommitment"] == .string(key.commitment.base64URL))
        #expect(events[1].data["keyCommitment"] == nil)
        #expect(try log.openSealed(events[0], dataKey: key) == secret)
        #expect(try log.openSealed(events[1], dataKey: key) == nil)
    }

    @Test("belongs to one key, one stream and one revision")
    func isBound() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        let key = try log.makeDataKey(for: "a").key
        let other = try log.makeDataKey(for: "a").key
        let sameSecretOtherStream = DataKey(subject: "b", secret: key.secret)
        let box = key.seal(Array("{}".utf8), revision: 3, nonce: [UInt8](repeating: 1, count: 12))
        #expect(key.open(box, revision: 3) == Array("{}".utf8))
        #expect(key.open(box, revision: 4) == nil)
        #expect(other.open(box, revision: 3) == nil)
        #expect(sameSecretOtherStream.open(box, revision: 3) == nil)
        #expect(key.commitment != other.commitment)
    }

    @Test("is refused after any single bit was changed")
    func detectsEveryBit() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        let key = try log.makeDataKey(for: "a").key
        let box = Array(
            key.seal(Array("{}".utf8), revision: 1, nonce: [UInt8](repeating: 1, count: 12)).utf8)
        for index in box.indices {
            for bit in 0..<7 {
                var changed = box
                changed[index] ^= 1 << UInt8(bit)
                guard let text = String(validating: changed, as: UTF8.self) else { continue }
                #expect(key.open(text, revision: 1) == nil, "byte \(index), bit \(bit)")
            }
        }
    }

    @Test("tells its length in steps of 32 bytes only")
    func isPadded() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        let key = try log.makeDataKey(for: "a").key
        let lengths = (2...64).map { count in
            let text = "\"" + String(repeating: "x", count: count - 2) + "\""
            return key.seal(
                Array(text.utf8), revision: 1, nonce: [UInt8](repeating: 1, count: 12)
            ).utf8.count
        }
        #expect(Set(lengths).count == 2)
    }

    @Test("that is too large for a leaf goes to a blob, and comes back the same")
    func usesBlob() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        let large: JSONObject = ["body": .string(String(repeating: "secret ", count: 20_000))]
        _ = try log.appendAndWait(try author.next(log, sealed: large))
        let event = try log.stream(author.subject)[0]
        #expect(event.data["sealed"] == nil)
        #expect(event.data["sealedBlob"]?.stringValue?.utf8.count == 43)
        #expect(try log.openSealed(event, dataKey: author.key) == large)
    }

    @Test("stands nowhere in the clear: not in leaves, frames, blobs or files")
    func isNowhereClear() throws {
        let ledger = try TemporaryLedger()
        let secrets = [
            "01017012345", "Kari Nordmann", "c0de-with-enough-letters", "eyJhbGciOi.x.y",
        ]
        var stored: [[UInt8]] = []
        do {
            let log = try ledger.created()
            var author = try StreamAuthor(log)
            for secret in secrets {
                _ = try log.appendAndWait(
                    try author.next(log, sealed: ["v": .string(secret)], documents: [[1, 2, 3]]))
                let long = String(repeating: secret, count: 5000)
                _ = try log.appendAndWait(try author.next(log, sealed: ["v": .string(long)]))
            }
            stored = try log.leaves()
            for event in try log.stream(author.subject) {
                if let name = event.data["sealedBlob"]?.stringValue {
                    let digest = try required(Digest(base64URL: name))
                    stored.append(try required(try log.blob(digest)))
                }
            }
        }
        for part in ["log/data.mdb", "keys/data.mdb", "LOCK"] {
            stored.append(try fileBytes(ledger.path + "/" + part))
        }
        for secret in secrets {
            for spelling in spellings(of: Array(secret.utf8)) {
                for bytes in stored {
                    #expect(!bytes.contains(spelling), "\(secret)")
                }
            }
        }
    }

    /// The text itself, its hexadecimal form, and what base64 makes of it at all three places
    /// where it may begin in a longer text.
    private func spellings(of secret: [UInt8]) -> [[UInt8]] {
        var spellings = [secret, Array(Hexadecimal.encode(secret).utf8)]
        for shift in 0..<3 {
            let shifted = [UInt8](repeating: 0, count: shift) + secret
            let usable = shifted.count / 3 * 3
            for text in [
                Base64URL.encode(Array(shifted[..<usable])),
                Base64.encode(Array(shifted[..<usable])),
            ] {
                spellings.append(Array(text.utf8.dropFirst(shift == 0 ? 0 : 4)))
            }
        }
        return spellings
    }
}

extension [UInt8] {
    fileprivate func contains(_ part: [UInt8]) -> Bool {
        guard let first = part.first, count >= part.count else { return false }
        var index = startIndex
        while let found = self[index...].firstIndex(of: first) {
            if self[found...].starts(with: part) { return true }
            index = found + 1
        }
        return false
    }
}
