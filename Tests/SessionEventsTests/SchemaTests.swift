// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import TestSupport
import Testing

@testable import SessionEvents

@Suite("The schemas of the session events")
struct SchemaTests {
    @Test("fit every golden payload, bare and with what the log adds")
    func goldenPayloads() throws {
        let cases = Sample.all.flatMap { sample in
            let sealed = sample.event.clearMembers.with("sealed", .string(Self.box))
            let blob = sample.event.clearMembers.with("sealedBlob", .string(Self.digest))
                .with("keyCommitment", .string(Self.digest))
            return [sample.event.clearMembers, sealed, blob].map {
                Schemas.Case(sample.schema, .object($0))
            }
        }
        for (item, verdict) in zip(cases, try Schemas.verdicts(on: cases)) {
            #expect(verdict.isValid, "\(item.schema): \(verdict)")
        }
    }

    @Test("refuse what is sealed in two places, and what is no box of ours")
    func sealedMembers() throws {
        let foreign = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0" + Self.box.dropFirst(39)
        let cases = Sample.all.flatMap { sample in
            let clear = sample.event.clearMembers
            let both = clear.with("sealed", .string(Self.box))
                .with("sealedBlob", .string(Self.digest))
            let object = clear.with("sealed", .object(["state": .string("x")]))
            return [both, object, clear.with("sealed", .string(foreign))].map {
                Schemas.Case(sample.schema, .object($0))
            }
        }
        for (item, verdict) in zip(cases, try Schemas.verdicts(on: cases)) {
            #expect(!verdict.isValid, "\(item.schema)")
        }
    }

    /// A payload is of the recorded form if it can be read, and is written again as it was.
    @Test("agree with the code on thousands of payloads that differ in one place")
    func agreement() throws {
        let mutants = Sample.all.flatMap { sample in
            Mutations.all(of: sample.event.clearMembers).compactMap { mutant in
                // The code that reads payloads leaves the log's members to the log.
                SessionEventCodec.logMembers.contains { mutant.object[$0] != nil }
                    ? nil : (sample, mutant)
            }
        }
        let verdicts = try Schemas.verdicts(
            on: mutants.map { Schemas.Case($0.schema, .object($1.object)) })
        #expect(mutants.count > 5000)
        for ((sample, mutant), verdict) in zip(mutants, verdicts) {
            let isTaken = isRecordedForm(mutant.object, of: sample.event.type)
            #expect(isTaken == verdict.isValid, "\(sample), \(mutant.name): schema says \(verdict)")
        }
    }

    private func isRecordedForm(_ data: JSONObject, of type: SessionEventType) -> Bool {
        let event = try? SessionEventCodec.decode(
            type: type.rawValue, version: type.currentVersion, data: data)
        return event?.clearMembers == data
    }

    // MARK: - Names

    @Test("name the members that the code writes and no others", arguments: Sample.all)
    func memberNames(sample: Sample) throws {
        let schema = try Schemas.read(sample.schema)
        let properties = try #require(schema["properties"]?.objectValue)
        let names = Set(properties.members.map(\.name)).subtracting(SessionEventCodec.logMembers)
        #expect(properties.members.count == names.count + SessionEventCodec.logMembers.count)
        let required = Set(schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        let written = Set(sample.event.clearMembers.members.map(\.name))
        #expect(written == (sample.extent == .fullest ? names : required))
        #expect(schema["additionalProperties"] == .bool(false))
    }

    @Test("name the members of exchanges and checks", arguments: ["exchange", "check"])
    func innerNames(name: String) throws {
        for sample in Sample.all where sample.extent == .fullest {
            let definitions = try Schemas.read(sample.schema)["$defs"]?.objectValue
            guard let inner = definitions?[name]?.objectValue else { continue }
            let properties = try #require(inner["properties"]?.objectValue)
            let elements = sample.event.clearMembers["\(name)s"]?.arrayValue ?? []
            let written = Set(elements.compactMap(\.objectValue).flatMap(\.members).map(\.name))
            if elements.isEmpty { continue }
            #expect(written == Set(properties.members.map(\.name)), "\(sample)")
            #expect(inner["additionalProperties"] == .bool(false))
        }
    }

    // MARK: - Vocabulary

    private func enumeration(_ path: String..., in type: SessionEventType) throws -> Set<String> {
        var value = JSONValue.object(
            try Schemas.read("events/\(type.rawValue).v1.schema.json"))
        for name in path + ["enum"] {
            value = try #require(value.objectValue?[name])
        }
        let words = try #require(value.arrayValue).compactMap(\.stringValue)
        #expect(words.count == Set(words).count, "\(path)")
        return Set(words)
    }

    private func words<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type
    ) -> Set<String> where Word.RawValue == String {
        Set(Word.allCases.map(\.rawValue))
    }

    @Test("list the words of the vocabulary")
    func vocabulary() throws {
        #expect(try enumeration("properties", "flow", in: .initiated) == words(Flow.self))
        #expect(try enumeration("properties", "to", in: .redirected) == words(Waypoint.self))
        #expect(try enumeration("properties", "from", in: .callback) == words(Waypoint.self))
        #expect(
            try enumeration("properties", "stateBinding", in: .callback)
                == words(StateBinding.self))
        #expect(try enumeration("properties", "status", in: .polled) == words(PollStatus.self))
        #expect(try enumeration("properties", "stage", in: .failed) == words(Stage.self))
        #expect(
            try enumeration("$defs", "documentSource", in: .tokenIssued)
                == words(DocumentSource.self))
        #expect(
            try enumeration("$defs", "check", "properties", "outcome", in: .verified)
                == words(Check.Outcome.self))
        #expect(
            try enumeration("properties", "reason", in: .failed) == FailureReason.catalogue)
    }

    @Test("list the registered names, and the word for all others")
    func registeredNames() throws {
        let other: Set = [RegisteredNames.other]
        for type in [SessionEventType.callback, .polled, .failed] {
            #expect(
                try enumeration("$defs", "error", in: type) == RegisteredNames.errors.union(other))
        }
        for type in [SessionEventType.initiated, .callback] {
            #expect(
                try enumeration("$defs", "responseMode", in: type)
                    == RegisteredNames.responseModes.union(other))
        }
        for type in [SessionEventType.tokenIssued, .verified] {
            #expect(
                try enumeration("$defs", "algorithm", in: type)
                    == RegisteredNames.algorithms.union(other))
        }
        #expect(
            try enumeration("properties", "tokenType", in: .tokenIssued)
                == RegisteredNames.tokenTypes.union(other))
    }

    private static let digest = String(repeating: "A", count: 43)
    private static let box =
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA."
        + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"
}

extension JSONObject {
    /// The object with another member.
    fileprivate func with(_ name: String, _ value: JSONValue) -> JSONObject {
        var object = self
        object[name] = value
        return object
    }
}
