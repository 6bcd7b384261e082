// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenIDConnect
import Projections
import SessionEvents
import TestSupport
import Testing

@Suite("The failure catalogue")
struct FailureCatalogueTests {
    private static let file = "\(Schemas.directory)/failure-codes.json"
    private static let schema = "failure-codes.schema.json"

    @Test("has one entry for each code, and for nothing else")
    func total() {
        let codes = FailureCatalogue.entries.map(\.code)
        #expect(Set(codes) == FailureReason.catalogue)
        #expect(codes == Set(codes).sorted())
        for reason in FailureReason.catalogue.compactMap(FailureReason.init) {
            #expect(FailureCatalogue.entry(reason).code == reason.code)
        }
    }

    @Test("is what Schemas/failure-codes.json holds")
    func document() throws {
        let now = PrettyJSON.encode(.object(FailureCatalogue.object))
        let expected = try Golden.expected(at: Self.file, now: now)
        #expect(String(decoding: now, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
        let read = try JSONReader.read(expected, numbers: .integersOnly)
        #expect(read == .object(FailureCatalogue.object))
    }

    @Test("fits its schema, and nothing does that differs in one place")
    func schema() throws {
        let entry = try #require(FailureCatalogue.entries.first?.object)
        var wrong = entry.members.map { member -> JSONObject in
            var less = entry
            less[member.name] = nil
            return less
        }
        let long = String(repeating: "x", count: 160) + "."
        let changes: [(String, JSONValue)] = [
            ("other", .null), ("code", .string("State_mismatch")), ("class", .string("weather")),
            ("severity", .string("panic")), ("title", .string("No full stop")),
            ("title", .string(long)), ("evidence", .array([])), ("likelyCauses", .string("One.")),
            ("likelyCauses", .array([.string("Twice."), .string("Twice.")])),
            ("retrySafe", .string("yes")),
        ]
        for (name, value) in changes {
            var other = entry
            other[name] = value
            wrong.append(other)
        }
        let documents = [FailureCatalogue.object] + wrong.map { ["codes": .array([.object($0)])] }
        let verdicts = try Schemas.verdicts(
            on: documents.map { Schemas.Case(Self.schema, .object($0)) })
        #expect(verdicts[0].isValid, "\(verdicts[0])")
        for (document, verdict) in zip(documents, verdicts).dropFirst() {
            #expect(!verdict.isValid, "\(document)")
        }
    }

    @Test("and its schema name the same classes and severities")
    func words() throws {
        let properties = try Schemas.read(Self.schema)["$defs"]?.objectValue?["entry"]?
            .objectValue?["properties"]?.objectValue
        func words(_ name: String) -> [String]? {
            properties?[name]?.objectValue?["enum"]?.arrayValue?.compactMap(\.stringValue)
        }
        #expect(words("class") == FailureClass.allCases.map(\.rawValue))
        #expect(words("severity") == FailureSeverity.allCases.map(\.rawValue))
    }

    @Test("speaks in whole sentences of at most 160 bytes", arguments: FailureCatalogue.entries)
    func sentences(entry: FailureCatalogue.Entry) {
        let causes = entry.likelyCauses.map(\.text)
        for sentence in [entry.title, entry.hint] + entry.evidence + causes {
            #expect(sentence.hasSuffix("."), "\(entry.code): \(sentence)")
            #expect(sentence.utf8.count <= 160, "\(entry.code): \(sentence)")
            #expect(sentence.allSatisfy { $0 != "\n" } && !sentence.contains("  "))
        }
        #expect(!entry.evidence.isEmpty && !entry.likelyCauses.isEmpty)
        #expect(Set(causes).count == causes.count, "\(entry.code)")
    }

    @Test("calls no attack and no incident safe to try again", arguments: FailureCatalogue.entries)
    func attacks(entry: FailureCatalogue.Entry) {
        if entry.failureClass == .attack || entry.severity == .incident {
            #expect(!entry.retrySafe, "\(entry.code)")
        }
    }

    @Test(
        "calls what would let a stranger in an attack",
        arguments: [
            "iss-mismatch", "iss-missing", "state-missing", "state-mismatch", "nonce-mismatch",
            "sig-invalid", "header-refused", "at-hash-mismatch", "c-hash-mismatch",
            "s-hash-mismatch", "azp-mismatch", "alg-not-allowed", "callback-replayed",
            "token-replayed", "jarm-invalid", "subject-mismatch", "userinfo-subject-mismatch",
            "cert-binding-mismatch",
        ])
    func strangers(code: String) throws {
        let reason = try #require(FailureReason(code))
        #expect(FailureCatalogue.entry(reason).failureClass == .attack)
    }

    /// So that the evidence of an entry cannot speak of members that no event has.
    @Test("names events, members, errors and commands that there are")
    func names() throws {
        var members: [String: Set<String>] = [:]
        for type in SessionEventType.allCases {
            let properties = try Schemas.read("events/\(type.rawValue).v1.schema.json")[
                "properties"]?.objectValue
            members[type.word] = Set(properties?.members.map(\.name) ?? [])
        }
        let schemas = try Repository.names(in: "\(Schemas.directory)/events")
        for entry in FailureCatalogue.entries {
            for sentence in entry.evidence {
                let parts = sentence.split(separator: "`", omittingEmptySubsequences: false)
                #expect(parts.count % 2 == 1, "\(entry.code): \(sentence)")
                for (index, part) in parts.enumerated() where index % 2 == 1 {
                    let words = part.split(separator: ".", maxSplits: 1).map(String.init)
                    let isMember =
                        words.count == 2 && members[words[0]]?.contains(words[1]) == true
                    let isKnown =
                        isMember || members[String(part)] != nil
                        || RegisteredNames.errors.contains(String(part))
                        || schemas.contains("\(part).v1.schema.json")
                        || part.hasPrefix("authledger ")
                    #expect(isKnown, "\(entry.code): there is no `\(part)`")
                }
            }
        }
    }

    @Test("has a page for each code that fits a terminal", arguments: FailureCatalogue.entries)
    func pages(entry: FailureCatalogue.Entry) {
        let lines = entry.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(entry.text.hasPrefix("\(entry.code): "))
        #expect(lines.allSatisfy { $0.count <= 80 && !$0.hasSuffix(" ") })
        #expect(lines.contains("Likely causes, the likeliest first:"))
    }
}

/// JSON with a line for each member and element, as people read it.
enum PrettyJSON {
    static func encode(_ value: JSONValue) -> [UInt8] {
        Array((text(value, "") + "\n").utf8)
    }

    private static func text(_ value: JSONValue, _ indentation: String) -> String {
        let inner = indentation + "  "
        switch value {
        case .object(let object):
            let members = object.members.map { member in
                let name = String(
                    decoding: CanonicalJSON.encode(.string(member.name)), as: UTF8.self)
                return "\(inner)\(name): \(text(member.value, inner))"
            }
            return "{\n" + members.joined(separator: ",\n") + "\n\(indentation)}"
        case .array(let elements):
            let texts = elements.map { inner + text($0, inner) }
            return "[\n" + texts.joined(separator: ",\n") + "\n\(indentation)]"
        case .null, .bool, .integer, .number, .string:
            return String(decoding: CanonicalJSON.encode(value), as: UTF8.self)
        }
    }
}
