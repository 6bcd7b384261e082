// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// Makes fixtures of recorded sessions, and proves each before it gives it out.
public struct FixtureMaker {
    /// When the first event of every fixture happened, to the second.
    static let beginning = Instant(millisecondsSince1970: 1_577_836_800_000)
    private static let about =
        "A recorded login as a regression test. Whatever identifies a person, a party or a time "
        + "was replaced, and the tokens were signed again with keys made for this fixture."

    private let source: any ReplaySource

    /// A maker for the sessions of a log that is open for reading what is sealed.
    public init(_ log: EventLog) {
        source = LedgerSource(log: log)
    }

    /// The fixture of a session.
    ///
    /// - Throws: ``FixtureError`` where there can be none, or an error of the ledger.
    public func make(_ session: String) throws -> ReplayFixture {
        let opened = try source.open(session, revisionsMax: nil)
        guard !opened.isErased else { throw FixtureError.erased }
        guard let first = opened.steps.first else { throw FixtureError.empty }
        let recorded = FixtureExpectation(try Replayer(source).replay(session))
        let shift = Self.beginning.secondsSince1970 - first.time.secondsSince1970
        let sanitiser = Sanitiser(
            standIns: StandIns(shiftSeconds: shift), keys: ThrowawayKeys())
        var files = try documents(opened.steps, sanitiser)
        let name = UUIDv7(
            at: sanitiser.standIns.shifted(first.time), random: [UInt8](repeating: 0, count: 10)
        ).description
        files[ReplayFixture.eventsFile] = opened.steps.enumerated().flatMap { number, step in
            line(step, number, name, sanitiser)
        }
        files[ReplayFixture.headFile] = OrderedJSON.lines([
            "format": .string(ReplayFixture.format),
            "version": .integer(Int64(ReplayFixture.version)), "about": .string(Self.about),
            "session": .string(name),
            "checksVersion": .integer(Int64(TokenVerification.checksVersion)),
            "expected": .object(recorded.object),
            "replaced": .object(sanitiser.standIns.countsByKind),
        ])
        let fixture = try ReplayFixture(files: files)
        try prove(fixture, recorded, opened.steps, sanitiser.standIns)
        return fixture
    }

    private func line(
        _ step: RecordedStep, _ number: Int, _ session: String, _ sanitiser: Sanitiser
    ) -> [UInt8] {
        let sealed = sanitiser.object(step.sealed, .message)
        var clear = sanitiser.object(step.event.clearMembers, .event)
        if case .initiated(let event) = step.event, let challenge = event.codeChallenge {
            clear["codeChallenge"] = .string(
                Self.challenge(challenge, step.sealed, sealed).base64URL)
        }
        return EventLine.encode(
            step.event, clear: clear, sealed: sealed, number: number, session: session,
            time: sanitiser.standIns.shifted(step.time),
            recordedTime: step.recordedTime.map(sanitiser.standIns.shifted))
    }

    /// The challenge of the verifier's stand-in, or one that is as wrong as it was.
    private static func challenge(
        _ recorded: Digest, _ sealed: JSONObject, _ standIn: JSONObject
    ) -> Digest {
        func challenge(_ sealed: JSONObject) -> Digest? {
            sealed["codeVerifier"]?.stringValue.flatMap { Digest(PKCE.challenge(of: $0)[...]) }
        }
        let other = Digest(ofDocument: Array("challenge".utf8))
        return challenge(sealed) == recorded ? challenge(standIn) ?? other : other
    }

    // MARK: - Documents

    private func documents(
        _ steps: [RecordedStep], _ sanitiser: Sanitiser
    ) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for (name, digest) in steps.flatMap({ Self.digests($0.event) })
        where sanitiser.documents[digest] == nil {
            let number = sanitiser.documents.count + 1
            guard let bytes = try source.document(digest) else {
                // It is not there, and is not there in the fixture either.
                sanitiser.documents[digest] = Digest(
                    ofDocument: Array("missing document \(number)".utf8))
                continue
            }
            let standIn =
                try document(bytes, name, sanitiser)
                ?? OrderedJSON.encode(.array([.string("unreadable document \(number)")]))
            let own = Digest(ofDocument: standIn)
            sanitiser.documents[digest] = own
            files["\(ReplayFixture.documentsFolder)/\(own.base64URL).json"] = standIn
        }
        return files
    }

    private func document(
        _ bytes: [UInt8], _ name: String, _ sanitiser: Sanitiser
    ) throws -> [UInt8]? {
        if name.isIdentical(to: "keySetDigest") {
            return try sanitiser.keys.standIn(forKeySet: bytes, sanitiser)
        }
        guard let value = try? JSONReader.read(bytes, numbers: .anyAsText),
            let object = value.objectValue
        else { return nil }
        return OrderedJSON.lines(sanitiser.object(object, .settings))
    }

    /// The documents that an event names, in the order of its members.
    private static func digests(_ event: SessionEvent) -> [(name: String, digest: Digest)] {
        event.clearMembers.members.compactMap { member in
            guard member.name.hasSuffix("Digest"),
                let digest = member.value.stringValue.flatMap({ Digest(base64URL: $0) })
            else { return nil }
            return (member.name, digest)
        }
    }

    // MARK: - Proof

    /// Holds the fixture to what the session comes to, and looks for what must not be in it.
    private func prove(
        _ fixture: ReplayFixture, _ recorded: FixtureExpectation, _ steps: [RecordedStep],
        _ standIns: StandIns
    ) throws {
        let replay = try Replayer(fixture).replay(fixture.session)
        if let place = FixtureExpectation(replay).firstDifference(from: recorded.object) {
            throw FixtureError.outcomeDiffers(place)
        }
        let left = ValueSearch(fixture, standIns).count(of: steps)
        guard left == 0 else { throw FixtureError.valuesLeft(left) }
    }
}
