// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents
import TestSupport
import Testing

@testable import Ingestion

@Suite("The schema of an ingest line")
struct IngestLineSchemaTests {
    private static let schema = "ingest-line.v1.schema.json"

    private func object(_ line: [UInt8]) throws -> JSONObject {
        try #require(try JSONReader.read(line, numbers: .anyAsText).objectValue)
    }

    @Test("fits every line that is taken")
    func fixtures() throws {
        let cases = try ReportedLines.all().map { line in
            Schemas.Case(Self.schema, .object(try object(line)))
        }
        for (item, verdict) in zip(cases, try Schemas.verdicts(on: cases)) {
            #expect(verdict.isValid, "\(item.instance): \(verdict)")
        }
    }

    @Test("agrees with the code on thousands of lines that differ in one place")
    func agreement() throws {
        var lineOfType: [String: JSONObject] = [:]
        for line in try ReportedLines.all() where line.count < 4096 {
            let line = try object(line)
            lineOfType[try #require(line["type"]?.stringValue)] = line
        }
        #expect(lineOfType.count == SessionEventType.allCases.count)
        // The attributes around the payload are the same for all types, so one is enough for them.
        let failed = try #require(lineOfType[SessionEventType.failed.rawValue])
        var mutants = Mutations.all(of: failed)
        for line in lineOfType.values {
            for mutant in Mutations.all(of: line["data"]?.objectValue ?? [:]) {
                mutants.append(mutant.within("data", of: line))
            }
        }
        let verdicts = try Schemas.verdicts(
            on: mutants.map { Schemas.Case(Self.schema, .object($0.object)) })
        #expect(mutants.count > 10_000)
        for (mutant, verdict) in zip(mutants, verdicts) {
            let error = refusal(CanonicalJSON.encode(mutant.object))
            #expect(
                (error == nil) == verdict.isValid,
                "\(mutant.name): schema says \(verdict), code says \(String(describing: error))")
        }
    }

    @Test("takes the texts of providers as they come, and what is kept of them fits as well")
    func outsideTexts() throws {
        let kids = ["key 1", "nøkkel", String(repeating: "k", count: 129), "", "other"]
        for kid in kids {
            let data: JSONObject = [
                "keyID": .string(kid),
                "keySet": .object(["keys": .array([.object(["kid": .string(kid)])])]),
            ]
            var line = try object(try #require(try ReportedLines.example().first))
            line["type"] = .string(SessionEventType.tokenIssued.rawValue)
            line["data"] = .object(data)
            let intake = try Intake(
                try ReportedEvent(line: CanonicalJSON.encode(line)), tokenKeyID: nil)
            #expect(intake.event.clearMembers["keyID"] == .string("other"))
            #expect(
                intake.sealed?["withheld"]
                    == (kid == "other" ? nil : .object(["keyID": .string(kid)])))
        }
    }

    @Test("keeps what a user is at in the clear only in a word that is registered")
    func pollHints() throws {
        let hints = [
            ("userSign", "userSign"), ("awaiting user identification", nil), ("other", "other"),
            ("usersign", "other"), ("planted 01019912345", "other"), ("", "other"),
        ]
        for (hint, clear) in hints {
            var line = try object(try #require(try ReportedLines.example().first))
            line["type"] = .string(SessionEventType.polled.rawValue)
            line["data"] = .object([
                "status": .string("pending"), "attempt": .integer(1), "hint": .string(hint),
            ])
            let intake = try Intake(
                try ReportedEvent(line: CanonicalJSON.encode(line)), tokenKeyID: nil)
            #expect(intake.event.clearMembers["hint"] == .string(clear ?? hint))
            let withheld: JSONObject? = clear == "other" ? ["hint": .string(hint)] : nil
            #expect(intake.sealed?["withheld"]?.objectValue == withheld)
        }
    }

    /// Why a line is refused for what it is, whatever session it belongs to.
    private func refusal(_ line: [UInt8]) -> LineRejection? {
        do {
            _ = try Intake(try ReportedEvent(line: line), tokenKeyID: nil)
            return nil
        } catch {
            return error
        }
    }
}
