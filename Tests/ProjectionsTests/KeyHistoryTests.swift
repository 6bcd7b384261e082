// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Projections
import SessionEvents
import Testing

@Suite("The history of an issuer's keys")
struct KeyHistoryTests {
    private static func key(_ name: String, flaw: String? = nil) -> KeyHistory.Key {
        KeyHistory.Key(
            keyID: name, algorithm: "ES256",
            thumbprint: Digest(Array(repeating: UInt8(name.utf8.first ?? 0), count: 32)[...]),
            flaw: flaw)
    }

    private static func sighting(
        hour: Int64, _ keys: [KeyHistory.Key], source: DocumentSource = .own
    ) -> KeyHistory.Sighting {
        let name = keys.compactMap(\.keyID).joined()
        return KeyHistory.Sighting(
            time: Instant(millisecondsSince1970: 1_790_000_000_000 + hour * 3_600_000),
            position: UInt64(hour), digest: digest(of: name), source: source, keys: keys)
    }

    /// A digest of its own for each name.
    private static func digest(of name: String) -> Digest {
        let bytes = Array(name.utf8.prefix(32)) + [UInt8](repeating: 0, count: 32)
        guard let digest = Digest(bytes[..<32]) else { preconditionFailure("32 bytes are one") }
        return digest
    }

    @Test("says when each key was first and last seen, and when it was gone")
    func lives() throws {
        let history = KeyHistory(
            issuer: "https://op.example",
            [
                Self.sighting(hour: 0, [Self.key("a")]),
                Self.sighting(hour: 10, [Self.key("a"), Self.key("b")]),
                Self.sighting(hour: 20, [Self.key("b")]),
            ])
        #expect(history.keys.map(\.key.keyID) == ["a", "b"])
        let (a, b) = (history.keys[0], history.keys[1])
        #expect(a.lastSeen == Self.sighting(hour: 10, []).time)
        #expect(a.withdrawnAt == Self.sighting(hour: 20, []).time)
        #expect(b.firstSeen == Self.sighting(hour: 10, []).time)
        #expect(b.withdrawnAt == nil)
        #expect(a.keySets.count == 2)
        #expect(history.timeline.map { $0.added.compactMap(\.keyID) } == [["a"], ["b"], []])
        #expect(history.timeline.map { $0.withdrawn.compactMap(\.keyID) } == [[], [], ["a"]])
        #expect(history.timeline.allSatisfy { $0.gapSeconds == nil })
    }

    @Test("names a day in which nobody looked, also where nothing changed")
    func gaps() {
        let history = KeyHistory(
            issuer: "https://op.example",
            [
                Self.sighting(hour: 0, [Self.key("a")]), Self.sighting(hour: 24, [Self.key("a")]),
                Self.sighting(hour: 73, [Self.key("a")]),
            ])
        #expect(history.timeline.count == 2)
        #expect(history.timeline[1].gapSeconds == Int64(49 * 3600))
        #expect(history.timeline[1].added.isEmpty)
    }

    @Test("takes a key that comes back for the same one, and for there")
    func returned() {
        let history = KeyHistory(
            issuer: "https://op.example",
            [
                Self.sighting(hour: 0, [Self.key("a")]), Self.sighting(hour: 1, [Self.key("b")]),
                Self.sighting(hour: 2, [Self.key("a"), Self.key("b")]),
            ])
        #expect(history.keys.count == 2)
        #expect(history.keys.allSatisfy { $0.withdrawnAt == nil })
    }

    @Test("lets what others report add keys, and withdraw none")
    func reported() {
        let history = KeyHistory(
            issuer: "https://op.example",
            [
                Self.sighting(hour: 0, [Self.key("a"), Self.key("b")]),
                Self.sighting(hour: 1, [Self.key("c")], source: .reported),
                Self.sighting(hour: 2, [Self.key("a"), Self.key("b")]),
            ])
        #expect(history.keys.map(\.key.keyID) == ["a", "b", "c"])
        #expect(history.keys[2].sources == [.reported])
        #expect(history.keys.allSatisfy { $0.withdrawnAt == nil })
    }

    @Test("does not depend on the order in which sightings come")
    func order() {
        let sightings = [
            Self.sighting(hour: 0, [Self.key("a")]), Self.sighting(hour: 30, [Self.key("b")]),
            Self.sighting(hour: 31, [Self.key("b", flaw: "short")]),
        ]
        #expect(
            KeyHistory(issuer: "i", sightings) == KeyHistory(issuer: "i", sightings.reversed()))
    }
}
