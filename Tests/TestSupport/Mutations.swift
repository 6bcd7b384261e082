// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Objects that differ from a given one in one place.
///
/// A schema and the code that reads what it describes must agree on every one of them.
public enum Mutations {
    /// An object and what was done to it.
    public struct Mutant: Sendable {
        /// What was done, in words.
        public let name: String
        /// What came out.
        public let object: JSONObject

        /// The same as a member of another object.
        public func within(_ name: String, of outer: JSONObject) -> Mutant {
            var changed = outer
            changed[name] = .object(object)
            return Mutant(name: "\(name).\(self.name)", object: changed)
        }
    }

    /// The object itself, and all that come of it by taking a member away, by adding one, or by
    /// giving one another value, also in objects further in.
    public static func all(of object: JSONObject) -> [Mutant] {
        [Mutant(name: "unchanged", object: object)] + below(object, path: "")
    }

    private static func below(_ object: JSONObject, path: String) -> [Mutant] {
        var mutants: [Mutant] = []
        func add(_ name: String, _ change: (inout JSONObject) -> Void) {
            var changed = object
            change(&changed)
            mutants.append(Mutant(name: path + name, object: changed))
        }
        for member in object.members {
            add("\(member.name) missing") { $0[member.name] = nil }
            for (index, value) in values.enumerated() {
                add("\(member.name) = value \(index)") { $0[member.name] = value }
            }
            switch member.value {
            case .object(let inner):
                for mutant in below(inner, path: "\(member.name).") {
                    add(mutant.name) { $0[member.name] = .object(mutant.object) }
                }
            case .array(let elements):
                guard let first = elements.first?.objectValue else { continue }
                for mutant in below(first, path: "\(member.name)[].") {
                    add(mutant.name) { $0[member.name] = .array([.object(mutant.object)]) }
                }
                for count in [0, 64, 65] {
                    add("\(member.name) \(count) times") {
                        $0[member.name] = .array(
                            [JSONValue](repeating: .object(first), count: count))
                    }
                }
            default: break
            }
        }
        for name in ["extra", "Extra1", "", "__proto__"] + namesOfOthers {
            guard object[name] == nil else { continue }
            add("\(name) added") { $0[name] = .string("other") }
        }
        return mutants
    }

    private static let namesOfOthers = [
        "provider", "error", "checks", "attempt", "sealed", "sealedBlob", "keyCommitment",
        "keySet", "policy", "keySetDigest", "withheld", "recordedtime", "data",
    ]

    /// Values of every kind, at and beyond the limits that members have.
    public static let values: [JSONValue] = {
        let numbers: [Int64] = [
            -1, 0, 1, 2, 9, 10, 99, 100, 300, 301, 599, 600, 1000, 1001, 1023, 1024, 2047, 2048,
            16_384, 16_385, 1_000_000, 1_000_001, 1_048_576, 1_048_577, 31_536_000, 31_536_001,
            86_400_000, 86_400_001, 2_147_483_647, 2_147_483_648, 9_007_199_254_740_991,
        ]
        let others: [JSONValue] = [
            .null, .bool(true), .bool(false), .array([]), .object([:]), .array([.string("a")]),
            .array([.object([:])]), .array([.null]), .object(["a": .integer(1)]), .number("1.5"),
        ]
        return texts.map { .string($0) } + numbers.map { .integer($0) } + others
    }()

    private static let texts: [String] = {
        let lengths = [
            1, 16, 31, 32, 33, 40, 64, 65, 128, 129, 200, 201, 256, 257, 400, 401, 1024, 1025, 2048,
            2049,
        ]
        let base = "https://a.test/"
        let zeros = String(repeating: "A", count: 42)
        return lengths.map { String(repeating: "a", count: $0) }
            + [2048, 2049].map { base + String(repeating: "a", count: $0 - base.utf8.count) }
            + [
                zeros + "A", zeros + "B", zeros + "AA", zeros, zeros + "=", zeros + "E",
                "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
                "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "2026-11-20T09:15:02.114Z",
                "2026-11-20T09:15:02Z", "2026-11-20T10:15:02.114+01:00", "2026-11-20",
                "2026-11-20t09:15:02.114z", "2026-11-20T09:15:02.1140Z",
            ]
            + words.split(separator: " ").map(String.init) + awkward
    }()

    /// Every word of the vocabulary, and some that are near to one.
    private static let words = """
        other Other OTHER code pkce jarm implicit ciba headless PKCE account-selector session none \
        accepted pending slow-down slow_down error passed failed not-applicable not-checked own \
        reported discovery authorization-request callback token verification userinfo polling \
        access-denied access_denied nonce-mismatch RS256 rs256 HS256 EdDSA ES256K Bearer bearer \
        BEARER DPoP N_A query fragment form_post jwt query.jwt when-sent always 1.0 1.1 \
        application/json authledger.session.initiated authledger.session.verified \
        authledger.session.Verified authledger.ledger.erased authledger shop-backend nonce at_hash \
        At_hash par PAR iat 1234 12345 a1234b5678 urn:grn:authn:no:bankid urn:x:12345 \
        eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA
        """

    private static let awkward = [
        "", " ", "a b", "a  b", " a", "a ", "a\tb", "a\n", "a\0", "\u{E5}se", "a\u{30A}",
        "a\u{7F}", "ES256\u{212A}", "o\u{200D}ther", "a\"b", "a\\b", "a/b", "a;b", "a=b", "a:b",
        "a,b", "a+b", "a~b", "a@b", "a?b", "a#b", "a%20b", "a{b}", "http://", "https://",
        "https:", "https:/", "HTTPS://a.test", "https://a.test", "http://a.test:80/b",
        "https://[::1]/", "https://u@a.test", "https://a.test?b", "https://a.test#b",
        "https://a.test/b c", "https://a.test/\u{E5}", "ftp://a.test", "app:/callback",
        "com.example.app:/callback", "a-b+c.d:x", ":x", "x:", "://", "1a:b", "a_b:c",
        "<script>:x",
    ]
}
