// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import OpenSSL
import Testing

@Suite("A key set")
struct JSONWebKeySetTests {
    let first: KeyPair
    let second: KeyPair
    let rsa: KeyPair

    init() throws {
        first = try KeyPair(.elliptic(.p256), .es256, keyID: "first")
        second = try KeyPair(.elliptic(.p256), .es256, keyID: "second")
        rsa = try KeyPair(.rsa(bits: 2048), .rs256, keyID: "rsa")
    }

    private func selection(
        _ keys: [JSONWebKey], _ algorithm: SignatureAlgorithm, _ keyID: String?
    ) -> Result<String?, KeySelectionError> {
        do {
            return .success(
                try JSONWebKeySet(keys).key(for: algorithm, keyID: keyID).thumbprint?.base64URL)
        } catch {
            return .failure(error)
        }
    }

    private func thumbprint(_ pair: KeyPair) -> Result<String?, KeySelectionError> {
        .success(pair.published.thumbprint?.base64URL)
    }

    @Test("gives the key of the kid and never another one")
    func byKeyID() {
        let keys = [first.published, second.published, rsa.published]
        #expect(selection(keys, .es256, "first") == thumbprint(first))
        #expect(selection(keys, .es256, "second") == thumbprint(second))
        #expect(selection(keys, .es256, "third") == .failure(.keyIDUnknown))
        #expect(selection([first.published], .es256, "second") == .failure(.keyIDUnknown))
        #expect(selection(keys, .es256, "rsa") == .failure(.misfit))
        #expect(selection(keys, .rs256, "first") == .failure(.misfit))
        #expect(selection([], .es256, "first") == .failure(.keyIDUnknown))
    }

    @Test("gives without a kid the one key that fits")
    func withoutKeyID() {
        let keys = [first.published, second.published, rsa.published]
        #expect(selection(keys, .rs256, nil) == thumbprint(rsa))
        #expect(selection(keys, .es256, nil) == .failure(.keyIDMissing(fitting: 2)))
        #expect(selection(keys, .edDSA, nil) == .failure(.keyIDMissing(fitting: 0)))
        #expect(selection([], .rs256, nil) == .failure(.keyIDMissing(fitting: 0)))
    }

    @Test("holds a key to the algorithm that it names")
    func namedAlgorithm() {
        #expect(selection([rsa.published], .ps256, "rsa") == .failure(.misfit))
        #expect(selection([rsa.published], .rs512, "rsa") == .failure(.misfit))
        #expect(selection([rsa.published], .ps256, nil) == .failure(.keyIDMissing(fitting: 0)))
        let unnamed = JSONWebKey(
            .object(
                JSONWebKey.members(
                    of: rsa.privateKey.publicKey, keyID: "rsa", algorithm: nil)))
        #expect(selection([unnamed], .ps256, "rsa") == thumbprint(rsa))
    }

    @Test("makes keys that share a kid unusable, and the others not")
    func duplicateKeyID() throws {
        let twin = try KeyPair(.elliptic(.p256), .es256, keyID: "first")
        let keys = [first.published, second.published, twin.published]
        #expect(selection(keys, .es256, "first") == .failure(.unusable(.duplicateKeyID)))
        #expect(selection(keys, .es256, "second") == thumbprint(second))
        let same = [first.published, first.published]
        #expect(selection(same, .es256, "first") == .failure(.unusable(.duplicateKeyID)))
    }

    @Test("lets an unusable key stand beside a usable one of the same kid")
    func unusableTwin() {
        var members = JSONWebKey.members(
            of: second.privateKey.publicKey, keyID: "first", algorithm: nil)
        members["use"] = .string("enc")
        let keys = [JSONWebKey(.object(members)), first.published]
        #expect(selection(keys, .es256, "first") == thumbprint(first))
    }

    @Test("takes composed and decomposed letters of a kid for different ones")
    func normalisation() throws {
        let composed = try KeyPair(.elliptic(.p256), .es256, keyID: "caf\u{E9}")
        let decomposed = try KeyPair(.elliptic(.p256), .es256, keyID: "cafe\u{301}")
        let keys = [composed.published, decomposed.published]
        #expect(selection(keys, .es256, "caf\u{E9}") == thumbprint(composed))
        #expect(selection(keys, .es256, "cafe\u{301}") == thumbprint(decomposed))
    }

    @Test("tells why a key cannot be used")
    func unusable() throws {
        let weak = try KeyPair(.rsa(bits: 1024), .rs256, keyID: "weak")
        let keys = [weak.published, first.published]
        #expect(selection(keys, .rs256, "weak") == .failure(.unusable(.modulusTooSmall)))
        #expect(selection(keys, .rs256, nil) == .failure(.keyIDMissing(fitting: 0)))
        #expect(
            selection([weak.published], .rs256, nil) == .failure(.unusable(.modulusTooSmall)))
        #expect(selection(keys, .es256, nil) == thumbprint(first))
    }

    @Test("is refused when it is not one")
    func malformed() {
        for text in ["[]", "{}", #"{"keys":{}}"#, #"{"keys":null}"#, "7"] {
            #expect(throws: JSONWebKeySetError.keysMissing) {
                try JSONWebKeySet(parsing: Array(text.utf8))
            }
        }
        let texts: [(String, JSONError.Problem)] = [
            ("", .endOfText), ("<html>", .unexpectedByte), (#"{"keys":[],}"#, .unexpectedByte),
            (#"{"keys":[],"\u006beys":[]}"#, .duplicateMember), ("\u{FEFF}{}", .byteOrderMark),
            (#"{"keys":[{"kid":"a","kid":"b"}]}"#, .duplicateMember),
        ]
        for (text, problem) in texts {
            do throws(JSONWebKeySetError) {
                _ = try JSONWebKeySet(parsing: Array(text.utf8))
                Issue.record("\(text) was taken")
            } catch {
                guard case .notJSON(let error) = error else {
                    Issue.record("\(text): \(error)")
                    continue
                }
                #expect(error.problem == problem)
            }
        }
    }

    @Test("tells the names of its keys also where nothing else of them is of use")
    func names() throws {
        let text = #"{"keys":[{"kid":"a"},{"kid":7},{"kid":"b","kty":"RSA"},{},{"kid":"a"}]}"#
        #expect(try JSONWebKeySet.keyIDs(parsing: Array(text.utf8)) == ["a", "b", "a"])
        let keys = try JSONWebKeySet(parsing: Array(text.utf8)).keys
        #expect(keys.map(\.keyID) == ["a", nil, "b", nil, "a"])
        #expect(throws: JSONWebKeySetError.keysMissing) {
            try JSONWebKeySet.keyIDs(parsing: Array(#"{"kid":"a"}"#.utf8))
        }
    }

    @Test("is refused with too many keys or too many bytes")
    func limits() throws {
        let keys = { (count: Int) -> [UInt8] in
            let list = Array(repeating: "{}", count: count).joined(separator: ",")
            return Array(#"{"keys":[\#(list)]}"#.utf8)
        }
        #expect(try JSONWebKeySet(parsing: keys(256)).keys.count == 256)
        #expect(throws: JSONWebKeySetError.tooManyKeys) {
            try JSONWebKeySet(parsing: keys(257))
        }
        #expect(throws: JSONWebKeySetError.tooManyKeys) {
            try JSONWebKeySet(parsing: keys(10_000))
        }
        let large = [UInt8](repeating: 0x20, count: 10 << 20)
        #expect(throws: JSONWebKeySetError.tooLarge) { try JSONWebKeySet(parsing: large) }
    }

    @Test("keeps its good keys when others are bad")
    func badKeys() throws {
        var members = JSONWebKey.members(
            of: first.privateKey.publicKey, keyID: "first", algorithm: .es256)
        members["later"] = .string("members without meaning")
        let good = String(decoding: CanonicalJSON.encode(members), as: UTF8.self)
        let text = #"{"keys":[7,null,[],{"kty":"oct","k":"AA"},\#(good)],"next":1e400}"#
        let set = try JSONWebKeySet(parsing: Array(text.utf8))
        let reasons = set.keys.map(\.unusableReason)
        #expect(reasons == [.malformed, .malformed, .malformed, .symmetric, nil])
        #expect(answer(try first.sign(header: ["kid": .string("first")]), keys: set) == "verified")
    }
}
