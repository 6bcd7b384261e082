// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL
internal import SignedNote

@testable internal import Ingestion

extension FuzzTarget {
    /// The strict JSON reader and the canonical writer.
    static let json = FuzzTarget(
        "json",
        seeds: [
            #"{"a":[1,-2,{"b":null}],"c":"\u00e5\ud83d\ude00\n","d":true}"#,
            #"[1.5,1e400,-0,0.10,9007199254740991,9007199254740992]"#,
            #" {"" : "\"\\\/\b\f\n\r\t" , "é":"e\u0301" } "#,
            #"[[[[[[[[[[[[]]]]]]]]]]]]"#, #"{"a":1,"\u0061":2}"#, "\u{FEFF}{}", #"["\ud800"]"#,
        ].map { Array($0.utf8) }
    ) { input in
        let whole = try? JSONReader.read(input, numbers: .integersOnly)
        let any = try? JSONReader.read(input, numbers: .anyAsText)
        if let whole {
            try holds(whole == any, "what integers-only takes, the other mode takes for the same")
            try holds(whole.hasOnlyIntegers, "only integers are taken")
            try holds(
                (try? JSONSerialization.jsonObject(
                    with: Data(input), options: .fragmentsAllowed)) != nil,
                "what we take is JSON to Foundation")
        }
        guard let any else { return }
        let written = CanonicalJSON.encode(any)
        let again = try? JSONReader.read(written, numbers: .anyAsText)
        try holds(again == any, "what was read, written and read is the same")
        try holds(CanonicalJSON.encode(any) == written, "writing is stable")
        if whole != nil {
            try holds(
                (try? JSONReader.read(written, numbers: .integersOnly)) == whole,
                "canonical text of integers is taken")
        }
        try holds(again.map { CanonicalJSON.encode($0) } == written, "canonical stays canonical")
    }

    /// base64url, base64, UUIDs, instants.
    static let encodings = FuzzTarget(
        "encodings",
        seeds: [
            "", "AA", "AAA", "AAAA", "-_-_", "QUJDRA", "+/+/", "QQ==", "QUI=", "QUJD",
            "018f0000-0000-7000-8000-000000000001", "2026-11-20T09:15:02.114Z",
            "2026-02-29T23:59:60.999999999+14:00", "0000-01-01T00:00:00Z", "00ff",
        ].map { Array($0.utf8) }
    ) { input in
        if let bytes = Base64URL.decode(input[...]) {
            try holds(Array(Base64URL.encode(bytes).utf8) == input, "base64url has one spelling")
        }
        try holds(
            Base64URL.decode(Base64URL.encode(input)) == input, "base64url comes back the same")
        try holds(Base64.decode(Base64.encode(input)) == input, "base64 comes back the same")
        if let bytes = Hexadecimal.decode(input[...]) {
            try holds(Array(Hexadecimal.encode(bytes).utf8) == input, "hex has one spelling")
        }
        let text = String(decoding: input, as: UTF8.self)
        guard Array(text.utf8) == input else { return }
        if let bytes = Base64.decode(text) {
            try holds(Base64.encode(bytes).isIdentical(to: text), "base64 has one spelling")
        }
        if let id = UUIDv7(text) {
            try holds(id.description.isIdentical(to: text), "a UUID has one spelling")
        }
        if let instant = Instant(rfc3339: text) {
            let written = Instant(rfc3339: instant.rfc3339)
            try holds(written == instant, "an instant comes back the same")
        }
    }

    /// Signatures in compact form, against two keys.
    static let jws = FuzzTarget(
        "jws", seeds: KnownTokens.tokens.map { Array($0.utf8) }
    ) { input in
        guard let token = try? CompactJWS(parsing: input) else { return }
        let parts = input.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let decoded = parts.compactMap { Base64URL.decode($0) }
        try holds(
            decoded.map { Base64URL.encode($0) }.joined(separator: ".").utf8.elementsEqual(input),
            "a token has one spelling")
        try holds(decoded.count == 3 && decoded[1] == token.unverifiedPayload, "payload")
        guard
            let verified = try? token.verified(
                with: KnownTokens.keys, allowing: SignatureAlgorithm.allCases)
        else { return }
        try holds(
            verified.payload == KnownTokens.payload, "only what was signed is verified")
    }

    /// Sealed boxes.
    static let jwe = FuzzTarget(
        "jwe", seeds: ["", "{}", "a longer text that is sealed"].map { box(Array($0.utf8)) }
    ) { input in
        let text = String(decoding: input, as: UTF8.self)
        if let opened = DirectEncryption.open(text, key: boxKey) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            let nonce = Base64URL.decode(String(parts[2])) ?? []
            try holds(
                DirectEncryption.seal(opened, key: boxKey, nonce: nonce).isIdentical(to: text),
                "a box that opens is the one that was sealed")
        }
        let sealed = DirectEncryption.seal(input, key: boxKey, nonce: boxNonce)
        try holds(DirectEncryption.open(sealed, key: boxKey) == input, "a box opens to the same")
        // One character changed somewhere behind the header, as the input says.
        var changed = Array(sealed.utf8)
        let place = 41 + (input.reduce(0) { $0 &* 31 &+ Int($1) } & .max) % (changed.count - 41)
        changed[place] = changed[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        try holds(
            DirectEncryption.open(String(decoding: changed, as: UTF8.self), key: boxKey) == nil,
            "a changed box does not open")
    }

    /// Keys that verify signed notes.
    static let note = FuzzTarget(
        "note",
        seeds: [
            "example.org/logins", "a", "PeterNeumann",
        ].compactMap { name in
            VerifierKey(name: name, publicKey: [UInt8](repeating: 7, count: 32))
                .map { Array($0.description.utf8) }
        } + [Array("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".utf8)]
    ) { input in
        let text = String(decoding: input, as: UTF8.self)
        if let key = VerifierKey(text) {
            try holds(key.description.isIdentical(to: text), "a key has one spelling")
        }
        if let key = VerifierKey(name: text, publicKey: [UInt8](repeating: 9, count: 32)) {
            try holds(VerifierKey(key.description) == key, "a key comes back the same")
        }
    }

    /// Lines of input to `ingest`.
    static let reported = FuzzTarget(
        "reported",
        seeds: [
            #"""
            {"specversion":"1.0","id":"0198b0f2-6c1e-7a44-9d6b-0f6f3f0ca010","source":"shop",\#
            "type":"authledger.session.initiated","typeversion":1,\#
            "subject":"0198b0f2-6c1d-7c55-8e2a-5a3f1f0ca090",\#
            "time":"2026-11-20T10:15:02.1149+01:00","datacontenttype":"application/json",\#
            "data":{"provider":"a","clientID":"b","flow":"headless","sealed":{"x":1.50}}}
            """#
        ].map { Array($0.utf8) }
    ) { input in
        guard let event = try? ReportedEvent(line: input) else { return }
        try holds(UUIDv7(event.subject) != nil, "a session is a UUID")
        try holds(event.clear["sealed"] == nil, "what is to be sealed does not stay in the clear")
        try holds((1...200).contains(event.source.utf8.count), "a source is short")
    }

    private static let boxKey = SecretBytes([UInt8](repeating: 7, count: 32))
    private static let boxNonce = [UInt8](repeating: 9, count: 12)

    private static func box(_ plaintext: [UInt8]) -> [UInt8] {
        Array(DirectEncryption.seal(plaintext, key: boxKey, nonce: boxNonce).utf8)
    }
}

/// Two tokens with one payload, signed under keys of RFC 7515 A.2 and A.3.
private enum KnownTokens {
    private static let payloadText =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
        + "Ijp0cnVlfQ"

    static let payload = Base64URL.decode(payloadText) ?? []

    static let tokens = [
        "eyJhbGciOiJFUzI1NiJ9.\(payloadText)."
            + "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU"
            + "1Q",
        "eyJhbGciOiJSUzI1NiJ9.\(payloadText).AAAA", "eyJhbGciOiJub25lIn0.\(payloadText).",
        "e30.e30.e30", "a.b.c.d.e",
    ]

    static let keys: JSONWebKeySet = {
        let text = #"""
            {"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",\#
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}
            """#
        guard let keys = try? JSONWebKeySet(parsing: Array(text.utf8)) else {
            fatalError("the known key is malformed")
        }
        return keys
    }()
}
