// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import TestSupport
import Testing

@testable import SessionEvents

@Suite("The codec of session events")
struct SessionEventTests {
    private func refusal(
        _ data: JSONObject, of type: SessionEventType, version: Int = 1
    ) -> EventDecodingError? {
        do {
            _ = try SessionEventCodec.decode(type: type.rawValue, version: version, data: data)
            return nil
        } catch {
            return error
        }
    }

    private func changed(
        _ sample: Sample, _ name: String, _ value: JSONValue?
    ) -> JSONObject {
        var data = sample.event.clearMembers
        data[name] = value
        return data
    }

    // MARK: - Types and versions

    @Test("refuses types that are none of a session")
    func unknownType() {
        let types = [
            "", "initiated", "authledger.session", "authledger.session.",
            "authledger.session.Failed", "authledger.session.failed ", "authledger.ledger.erased",
            "session.failed",
        ]
        for type in types {
            #expect(throws: EventDecodingError.unknownType) {
                try SessionEventCodec.decode(type: type, version: 1, data: [:])
            }
        }
    }

    @Test("refuses versions that it does not know, and never takes one for another")
    func unknownVersion() {
        for sample in Sample.all {
            for version in [.min, -1, 0, sample.event.type.currentVersion + 1, 1000, .max] {
                #expect(
                    refusal(sample.event.clearMembers, of: sample.event.type, version: version)
                        == .unknownVersion(sample.event.type, version))
            }
        }
    }

    @Test("says types as people do")
    func words() {
        #expect(
            SessionEventType.allCases.map(\.word) == [
                "initiated", "redirected", "callback", "polled", "token-issued", "verified",
                "failed",
            ])
    }

    // MARK: - Members

    @Test("leaves the members of the log to the log", arguments: Sample.all)
    func logMembers(sample: Sample) throws {
        var data = sample.event.clearMembers
        for name in ["sealed", "sealedBlob", "keyCommitment"] {
            data[name] = .string("anything")
        }
        let event = try SessionEventCodec.decode(
            type: sample.event.type.rawValue, version: 1, data: data)
        #expect(event == sample.event)
    }

    @Test("refuses a payload without a member that must be there")
    func missing() {
        for sample in Sample.all where sample.extent == .smallest {
            for member in sample.event.clearMembers.members {
                #expect(
                    refusal(changed(sample, member.name, nil), of: sample.event.type)
                        == .member(MemberError(member.name, .missing)))
            }
        }
    }

    @Test("refuses members that the event does not have, null or not")
    func unknown() {
        for sample in Sample.all {
            for (name, value) in [("idToken", JSONValue.null), ("Provider", .string("x"))] {
                #expect(
                    refusal(changed(sample, name, value), of: sample.event.type)
                        == .member(MemberError(name, .unknown)))
            }
        }
    }

    @Test("refuses a member of another kind and says which kind it must be")
    func malformed() {
        for sample in Sample.all where sample.extent == .fullest {
            for member in sample.event.clearMembers.members {
                // Of an object's own members, another test tells.
                let object: [JSONValue] = member.value.objectValue == nil ? [.object([:])] : []
                for value in [JSONValue.null, .integer(-1), .string("")] + object {
                    let error = refusal(changed(sample, member.name, value), of: sample.event.type)
                    guard case .member(let problem) = error,
                        case .malformed(let expectation) = problem.problem
                    else {
                        Issue.record("\(sample), \(member.name): \(String(describing: error))")
                        continue
                    }
                    #expect(problem.path == member.name)
                    #expect(problem.description == "`\(member.name)` must be \(expectation)")
                }
            }
        }
    }

    @Test("says where in a list the problem is")
    func lists() {
        let check: JSONObject = ["name": .string("nonce"), "outcome": .string("passed")]
        var (unknown, missing, malformed) = (check, check, check)
        unknown["detail"] = .string("x")
        missing["outcome"] = nil
        malformed["name"] = .string("Nonce")
        let cases: [(JSONValue, path: String, isOfKind: (MemberError.Problem) -> Bool)] = [
            (.object(unknown), "checks[1].detail", { $0 == .unknown }),
            (.object(missing), "checks[1].outcome", { $0 == .missing }),
            (.object(malformed), "checks[1].name", { $0 != .unknown && $0 != .missing }),
            (.string("nonce"), "checks[1]", { $0 == .malformed(expectation: "an object") }),
        ]
        for (element, path, isOfKind) in cases {
            let data: JSONObject = [
                "algorithm": .string("RS256"), "checks": .array([.object(check), element]),
            ]
            guard case .member(let error) = refusal(data, of: .verified) else {
                Issue.record("taken: \(path)")
                continue
            }
            #expect(error.path == path)
            #expect(isOfKind(error.problem))
        }
    }

    @Test("takes up to 64 elements in a list")
    func listLimit() {
        let check = JSONValue.object(["name": .string("nonce"), "outcome": .string("passed")])
        for count in [0, 64, 65] {
            let data: JSONObject = [
                "algorithm": .string("RS256"),
                "checks": .array([JSONValue](repeating: check, count: count)),
            ]
            let error = refusal(data, of: .verified)
            #expect((error == nil) == (count <= 64))
        }
    }

    // MARK: - Silence

    /// Values in which something is planted that must not come out again.
    private static let planted = "01019912345"
    private static let plantedValues: [JSONValue] = [
        .string(planted), .string("x \(planted)"), .integer(1_019_912_345), .number("1.019912345"),
        .object([planted: .string(planted)]), .array([.string(planted)]),
        .array([.object([planted: .string(planted)])]),
    ]

    private func expectSilence(_ error: EventDecodingError, _ comment: String) {
        var texts = ["\(error)", String(reflecting: error)]
        if case .member(let problem) = error {
            texts += [problem.description, "\(problem.problem)", problem.path]
        }
        for text in texts {
            #expect(
                !text.contains("1019912345") && !text.contains("019912345"), "\(comment): \(text)")
        }
    }

    @Test("shows no value of any member in its errors")
    func silentValues() {
        for sample in Sample.all where sample.extent == .fullest {
            for member in sample.event.clearMembers.members {
                for value in Self.plantedValues {
                    let data = changed(sample, member.name, value)
                    guard let error = refusal(data, of: sample.event.type) else {
                        // Names that a relying party chooses for itself may have digits.
                        #expect(value.stringValue != nil, "\(sample), \(member.name)")
                        continue
                    }
                    expectSilence(error, "\(sample), \(member.name)")
                }
            }
        }
    }

    @Test("shows no value of a member inside a list either")
    func silentInnerValues() {
        for (list, name) in [("checks", "name"), ("checks", "outcome"), ("exchanges", "purpose")] {
            let element: JSONObject = [
                name: .string(Self.planted + "?"), "endpoint": .string("https://a.test"),
            ]
            let data: JSONObject = [
                "stage": .string("token"), "reason": .string("sig-invalid"),
                list: .array([.object(element)]),
            ]
            if let error = refusal(data, of: .failed) {
                expectSilence(error, "\(list).\(name)")
            } else {
                Issue.record("taken: \(list).\(name)")
            }
        }
    }

    @Test("shows the name of an unknown member only if it is one of letters")
    func silentNames() {
        let plain = ["idToken", "id_token", String(repeating: "a", count: 40)]
        let silent = [
            Self.planted, "ssn01019912345", "a1", "", "a b", "a\n", "kari@example.test", "\u{E5}ge",
            "a-b", "a.b", String(repeating: "a", count: 41), "KariHansen01019912345",
        ]
        for name in plain + silent {
            let shown = plain.contains(name) ? name : "(unprintable name)"
            var data = Sample.all[0].event.clearMembers
            data[name] = .null
            #expect(refusal(data, of: .initiated) == .member(MemberError(shown, .unknown)))
            let exchange: JSONObject = [
                "purpose": .string("par"), "endpoint": .string("https://a.test"), name: .null,
            ]
            data = [
                "endpoint": .string("https://a.test"), "exchanges": .array([.object(exchange)]),
            ]
            #expect(
                refusal(data, of: .redirected)
                    == .member(MemberError("exchanges[0].\(shown)", .unknown)))
        }
    }
}
