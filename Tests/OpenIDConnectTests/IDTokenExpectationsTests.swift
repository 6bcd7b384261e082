// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import OpenIDConnect
import Testing

@Suite("What is expected of a token")
struct IDTokenExpectationsTests {
    @Test("tolerates at most five minutes between two clocks")
    func skew() throws {
        var login = try Login()
        let late = Login.now.advanced(byMilliseconds: 599_999)
        let tooLate = Login.now.advanced(byMilliseconds: 600_000)
        #expect(try login.verdict(at: late)[.exp].code == "token-expired")
        for seconds in [300, 301, Int.max] {
            login.expectations.skew = ClockSkew(expirationSeconds: seconds)
            #expect(try login.verdict(at: late)[.exp] == .passed)
            #expect(try login.verdict(at: tooLate)[.exp].code == "token-expired")
        }
        login.expectations.skew = ClockSkew(
            expirationSeconds: -1, notBeforeSeconds: 0, issuedAtSeconds: Int.min)
        #expect(login.expectations.skew.expirationSeconds == 0)
        #expect(try login.verdict(["exp": "1700000000"])[.exp].code == "token-expired")
        #expect(try login.verdict(["exp": "1700000000.001"])[.exp] == .passed)
        #expect(try login.verdict(["nbf": "1700000000.001"])[.nbf].code == "not-yet-valid")
        #expect(try login.verdict(["iat": "1700000001"])[.iat].code == "iat-invalid")
    }

    @Test("says by rule whether a nonce must be there")
    func nonceRules() throws {
        var login = try Login()
        login.expectations.nonceRule = .ifPresent
        #expect(try login.verdict(["nonce": ""])[.nonce] == .notApplicable)
        #expect(try login.verdict()[.nonce] == .passed)
        #expect(try login.verdict(["nonce": #""x""#])[.nonce].code == "nonce-mismatch")
        login.expectations.nonce = nil
        #expect(try login.verdict()[.nonce].code == "nonce-mismatch")
        login.expectations.nonceRule = .required
        #expect(try login.verdict()[.nonce].code == "nonce-mismatch")
        login.expectations.nonceRule = .ignored
        let verdict = try login.verdict()
        #expect(verdict[.nonce] == .notChecked)
        #expect(verdict.isAccepted)
        #expect(try login.verdict(["nonce": ""])[.nonce] == .notApplicable)
    }

    @Test("leaves a hash unchecked when it is not known what was hashed")
    func unknownHash() throws {
        var login = try Login()
        let hash = LeftHalfHash.encode("access", algorithm: .es256)
        let changes = ["at_hash": "\"\(hash)\""]
        #expect(try login.verdict(changes)[.accessTokenHash] == .notChecked)
        #expect(try login.verdict()[.accessTokenHash] == .notApplicable)
        login.expectations.accessToken = HashExpectation(.leftHalf(hash))
        #expect(try login.verdict(changes)[.accessTokenHash] == .passed)
        login.expectations.accessToken = HashExpectation(.leftHalf("other"))
        #expect(try login.verdict(changes)[.accessTokenHash].code == "at-hash-mismatch")
    }

    @Test("demands no level of assurance and no age unless told")
    func defaults() throws {
        var login = try Login()
        let verdict = try login.verdict(["acr": "7", "auth_time": #""x""#])
        #expect(verdict[.acr] == .notApplicable)
        #expect(verdict[.authTime] == .notApplicable)
        #expect(verdict.isAccepted)
        login.expectations.issuedAgeSecondsMax = nil
        #expect(try login.verdict(["iat": "0"])[.iat] == .passed)
        for age in [Int.max, Int.min] {
            login.expectations.issuedAgeSecondsMax = age
            login.expectations.authenticationAgeSecondsMax = age
            _ = try login.verdict(["iat": "0", "auth_time": "9007199254740991"])
        }
    }
}
