// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenIDConnect
import Testing

@Suite("What binds an ID token to a backchannel request")
struct RequestBindingTests {
    private static let claim = "urn:openid:params:jwt:claim:auth_req_id"

    /// The verdict on a token without a nonce, as such flows have it.
    private static func verdict(
        _ request: RequestExpectation?, _ claims: [String: String] = [:],
        at instant: Instant = Login.now
    ) throws -> Verdict {
        var login = try Login()
        login.expectations.nonceRule = .ifPresent
        login.expectations.nonce = nil
        login.expectations.request = request
        return try login.verdict(claims.merging(["nonce": ""]) { one, _ in one }, at: instant)
    }

    @Test("is no part of a verdict in flows through a browser")
    func browser() throws {
        let verdict = try Self.verdict(nil, [Self.claim: #""other""#])
        #expect(verdict.isAccepted)
        #expect(!verdict.checks.map(\.check).contains { [.authReqID, .replay].contains($0) })
    }

    @Test("stands behind the other claims in a verdict, in a fixed order")
    func order() throws {
        let names = try Self.verdict(RequestExpectation()).checks.map(\.check.rawValue)
        #expect(names.count == TokenCheck.allCases.count)
        let index = try #require(names.firstIndex(of: "auth_req_id"))
        #expect(
            names[(index - 1)...(index + 3)] == [
                "auth_time", "auth_req_id", "subject", "replay", "size",
            ])
    }

    @Test("is nothing that could be checked where nothing is known; the token is accepted")
    func unknown() throws {
        let verdict = try Self.verdict(RequestExpectation())
        #expect(verdict.isAccepted)
        #expect(verdict[.authReqID] == .notChecked)
        #expect(verdict[.hintedSubject] == .notApplicable)
        #expect(verdict[.replay] == .notChecked)
        let named = try Self.verdict(RequestExpectation(), [Self.claim: #""id-1""#])
        #expect(named[.authReqID] == .notChecked)
    }

    // MARK: - The request's id

    @Test(
        "is the id of the request, byte by byte, where the token names one",
        arguments: [
            ("", "not-checked"), (#""id-1""#, "passed"), (#""id-11""#, "token-replayed"),
            (#""ID-1""#, "token-replayed"), (#""""#, "token-replayed"), ("7", "claim-malformed"),
            ("null", "claim-malformed"), (#"["id-1"]"#, "claim-malformed"),
        ])
    func requestID(claim: String, want: String) throws {
        let verdict = try Self.verdict(
            RequestExpectation(requestID: "id-1"), [Self.claim: claim])
        #expect(verdict[.authReqID].code == want)
        #expect(verdict.isAccepted == ["passed", "not-checked"].contains(want))
    }

    // MARK: - The person

    @Test(
        "is the person that was asked for, however a number is written",
        arguments: [
            (#""01819010001""#, "passed"), (#""018190-10001""#, "passed"),
            (#""0181 9010001""#, "passed"), (#""01819010002""#, "subject-mismatch"),
            (#""1819010001""#, "subject-mismatch"), (#""""#, "subject-mismatch"),
            (#""-""#, "subject-mismatch"), (#""٠١٨١٩٠١٠٠٠١""#, "subject-mismatch"),
            ("1819010001", "not-checked"), ("", "not-checked"),
        ])
    func person(claim: String, want: String) throws {
        let verdict = try Self.verdict(
            RequestExpectation(person: "018190 10001", personClaims: ["ssn"]), ["ssn": claim])
        #expect(verdict[.hintedSubject].code == want)
        #expect(verdict.isAccepted == ["passed", "not-checked"].contains(want))
    }

    @Test("is the person by the first claim that is there, and byte by byte unless it is a number")
    func personClaims() throws {
        var request = RequestExpectation(person: "caf\u{E9}", personClaims: ["altsub", "sub"])
        #expect(try Self.verdict(request)[.hintedSubject].code == "subject-mismatch")
        let same = ["sub": "\"caf\u{E9}\""]
        #expect(try Self.verdict(request, same)[.hintedSubject] == .passed)
        let decomposed = ["sub": "\"cafe\u{301}\""]
        #expect(try Self.verdict(request, decomposed)[.hintedSubject].code == "subject-mismatch")
        let both = same.merging(["altsub": #""x""#]) { one, _ in one }
        #expect(try Self.verdict(request, both)[.hintedSubject].code == "subject-mismatch")
        // Somebody is meant, but nobody else than the provider knows who.
        request.personClaims = []
        #expect(try Self.verdict(request, same)[.hintedSubject] == .notChecked)
    }

    // MARK: - Replay

    @Test("is that the very token never came before")
    func replay() throws {
        #expect(try Self.verdict(RequestExpectation(isReplayed: false))[.replay] == .passed)
        let replayed = try Self.verdict(RequestExpectation(isReplayed: true))
        #expect(replayed.reason == .tokenReplayed)
        #expect(!replayed.isAccepted)
    }

    // MARK: - Time

    @Test(
        "is that the token was made after the request was accepted, within the skew",
        arguments: [(0, "passed"), (60, "passed"), (61, "iat-too-old"), (299, "iat-too-old")])
    func issuedAt(secondsBefore: Int64, want: String) throws {
        // `iat` is Login.now; the token comes five minutes later at most.
        let accepted = Login.now.advanced(byMilliseconds: secondsBefore * 1000)
        let verdict = try Self.verdict(
            RequestExpectation(acceptedAt: accepted), at: accepted)
        #expect(verdict[.iat].code == want)
        #expect(try Self.verdict(RequestExpectation(), at: accepted)[.iat] == .passed)
    }

    @Test("shows neither id nor person in what it says")
    func details() throws {
        let secret = "01819010001"
        let verdict = try Self.verdict(
            RequestExpectation(
                requestID: secret, person: secret, personClaims: ["ssn"], isReplayed: true),
            [Self.claim: "\"x\(secret)\"", "ssn": "\"x\(secret)\""])
        var failures = 0
        for result in verdict.checks {
            guard case .failed(_, let detail) = result.outcome else { continue }
            failures += 1
            #expect(!detail.contains(secret))
        }
        #expect(failures == 3)
    }
}
