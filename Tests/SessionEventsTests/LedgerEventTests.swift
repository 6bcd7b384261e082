// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents
import TestSupport
import Testing

@Suite("Events outside of sessions")
struct LedgerEventTests {
    private static let directory = "Tests/SessionEventsTests/LedgerGolden"

    @Test("are what the code writes today", arguments: LedgerSample.all)
    func writing(sample: LedgerSample) throws {
        let bytes = CanonicalJSON.encode(sample.event.clearMembers) + [0x0A]
        let golden = try Golden.expected(at: "\(Self.directory)/\(sample.file)", now: bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == String(decoding: golden, as: UTF8.self),
            "UPDATE_GOLDEN=1 swift test --filter SessionEventsTests")
    }

    @Test("mean what was written into them", arguments: LedgerSample.all)
    func meaning(sample: LedgerSample) throws {
        let event = try LedgerEventCodec.decode(
            type: sample.event.type.rawValue, version: sample.event.type.currentVersion,
            data: sample.event.clearMembers)
        #expect(event == sample.event)
    }

    @Test("are there as golden files and as schemas, every version of every type")
    func completeness() throws {
        let names = try Repository.names(in: Self.directory)
        let schemas = try Repository.names(in: "\(Schemas.directory)/events")
        for type in LedgerEventType.allCases {
            for version in 1...type.currentVersion {
                let stem = "\(type.rawValue).v\(version)."
                #expect(names.contains { $0.hasPrefix(stem) }, "\(stem)*.json")
                #expect(schemas.contains(stem + "schema.json"), "\(stem)schema.json")
            }
        }
        #expect(names.count == LedgerSample.all.count)
    }

    @Test("fit their schemas, which name the members that the code writes and no others")
    func schemas() throws {
        let verdicts = try Schemas.verdicts(
            on: LedgerSample.all.map { Schemas.Case($0.schema, .object($0.event.clearMembers)) })
        for (sample, verdict) in zip(LedgerSample.all, verdicts) {
            #expect(verdict.isValid, "\(sample): \(verdict)")
            let schema = try Schemas.read(sample.schema)
            let properties = try #require(schema["properties"]?.objectValue)
            let names = Set(properties.members.map(\.name))
                .subtracting(["sealed", "sealedBlob", "keyCommitment"])
            let required = Set(schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [])
            let written = Set(sample.event.clearMembers.members.map(\.name))
            #expect(written == (sample.extent == .fullest ? names : required), "\(sample)")
            #expect(schema["additionalProperties"] == .bool(false))
        }
    }

    @Test("agree with their schemas on payloads that differ in one place")
    func agreement() throws {
        let mutants = LedgerSample.all.flatMap { sample in
            Mutations.all(of: sample.event.clearMembers).compactMap { mutant in
                ["sealed", "sealedBlob", "keyCommitment"].contains {
                    mutant.object[$0] != nil
                } ? nil : (sample, mutant)
            }
        }
        let verdicts = try Schemas.verdicts(
            on: mutants.map { Schemas.Case($0.schema, .object($1.object)) })
        #expect(mutants.count > 2000)
        for ((sample, mutant), verdict) in zip(mutants, verdicts) {
            let event = try? LedgerEventCodec.decode(
                type: sample.event.type.rawValue, version: 1, data: mutant.object)
            // An empty list is left out when it is written.
            let isTaken =
                event?.clearMembers == mutant.object
                || event != nil && mutant.object["accesses"] == .array([])
            #expect(isTaken == verdict.isValid, "\(sample), \(mutant.name): schema says \(verdict)")
        }
    }

    @Test("with a version or a type that nobody wrote yet are told apart from damaged ones")
    func unknown() {
        let data = LedgerSample.all[0].event.clearMembers
        #expect(throws: LedgerEventDecodingError.unknownType) {
            try LedgerEventCodec.decode(type: "authledger.ledger.other", version: 1, data: data)
        }
        #expect(throws: LedgerEventDecodingError.unknownVersion(.erasureStarted, 2)) {
            try LedgerEventCodec.decode(
                type: "authledger.ledger.erasure-started", version: 2, data: data)
        }
    }
}

@Suite("A legal basis")
struct LegalBasisTests {
    @Test("has its code whichever way people write it")
    func recognized() {
        for text in ["GDPR Art. 17(1)(a)", "gdpr-17-1-a", "Art 17 (1) a", "DSGVO Article 17.1.a"] {
            #expect(LegalBasis(text: text) == .notNecessary, "\(text)")
        }
        #expect(LegalBasis(text: "GDPR Art. 17(1)(f)") == .child)
        #expect(LegalBasis(text: "GDPR Art. 5(1)(e)") == .storageLimitation)
        for text in ["", "other", "17", "GDPR Art. 17(1)(g)", "because Kari asked"] {
            #expect(LegalBasis(text: text) == .other, "\(text)")
        }
    }
}

@Suite("An identifier of a person")
struct SubjectIdentifierTests {
    private func identifier(_ input: String) -> SubjectIdentifier? {
        SubjectIdentifier(input: Array(input.utf8))
    }

    @Test("is the same whichever way it is written")
    func normalForm() {
        #expect(identifier(" 010170 12345\n") == identifier("01017012345"))
        #expect(
            SubjectIdentifier(.nationalID, scope: "se", value: "19700101-1234")
                == SubjectIdentifier(.nationalID, scope: "se", value: "700101-1234"))
        #expect(
            SubjectIdentifier(.email, value: "Kari@Example.org")
                == SubjectIdentifier(.email, value: "kari@example.org"))
        #expect(identifier("{378c74dc}")?.value == "{378c74dc}")
        #expect(identifier("131052-308T")?.value == "131052-308T")
    }

    @Test("is refused where it is none")
    func refused() {
        for text in ["", " ", "a\nb", #"{"kind":"x","value":"1"}"#, #"{"kind":"sub"}"#, #"{"a""#] {
            #expect(identifier(text) == nil, "\(text)")
        }
        #expect(SubjectIdentifier(input: [0xFF]) == nil)
    }

    @Test("is found in claims, tokens, subjects and login hints")
    func found() throws {
        let payload = Base64URL.encode(
            Array(#"{"sub":"s1","iss":"https://i.example","exp":1.5}"#.utf8))
        let all = SubjectIdentifier.all(
            inSealed: [
                "claims": .object([
                    "country": .string("NO"), "ssn": .string("01017012345"),
                    "email": .string("K@example.org"),
                ]),
                "idToken": .string("e30.\(payload).c2ln"),
                "loginHint": .string("sub:ssn:02027012345"), "subject": .string("s2"),
            ], issuer: "https://j.example")
        let expected = [
            SubjectIdentifier(.nationalID, scope: "no", value: "01017012345"),
            SubjectIdentifier(.any, value: "01017012345"),
            SubjectIdentifier(.email, value: "k@example.org"),
            SubjectIdentifier(.subject, scope: "https://i.example", value: "s1"),
            SubjectIdentifier(.any, value: "s1"),
            SubjectIdentifier(.subject, scope: "https://j.example", value: "s2"),
            SubjectIdentifier(.any, value: "s2"),
            SubjectIdentifier(.any, value: "02027012345"),
        ].compactMap { $0 }
        #expect(all.isSuperset(of: expected))
    }
}
