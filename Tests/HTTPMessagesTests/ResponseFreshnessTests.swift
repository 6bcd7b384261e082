// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import TestSupport
import Testing

/// Header fields, and what they say of the lifetime of a response.
struct FreshnessCase: Sendable, CustomTestStringConvertible {
    let fields: [HTTPField]
    let lifetime: ResponseFreshness.Lifetime

    init(_ fields: [(String, String)], _ lifetime: ResponseFreshness.Lifetime) {
        self.fields = fields.map { HTTPField($0.0, $0.1) }
        self.lifetime = lifetime
    }

    /// With fields `Cache-Control` alone.
    init(_ values: String..., says lifetime: ResponseFreshness.Lifetime) {
        self.init(values.map { ("Cache-Control", $0) }, lifetime)
    }

    var testDescription: String {
        fields.map { "\($0.name): \($0.value)" }.joined(separator: " | ")
    }

    var freshness: ResponseFreshness {
        ResponseFreshness(HTTPResponse(status: 200, fields: fields))
    }

    static let cacheControl = [
        FreshnessCase([], .unstated),
        FreshnessCase("", says: .unstated),
        FreshnessCase("public", says: .unstated),
        FreshnessCase("private, must-revalidate", says: .unstated),
        FreshnessCase("max-age=60", says: .seconds(60)),
        FreshnessCase("max-age=0", says: .seconds(0)),
        FreshnessCase("MAX-AGE=60", says: .seconds(60)),
        FreshnessCase(#"max-age="60""#, says: .seconds(60)),
        FreshnessCase("public,\t max-age=60 , must-revalidate", says: .seconds(60)),
        FreshnessCase(",, max-age=60,", says: .seconds(60)),
        FreshnessCase("max-age=007", says: .seconds(7)),
        FreshnessCase("public", "max-age=60", says: .seconds(60)),
        FreshnessCase("max-age=60", "max-age=60", says: .seconds(60)),
        FreshnessCase("max-age=99999999999999999999999", says: .seconds(2_147_483_648)),
        FreshnessCase("s-maxage=60", says: .unstated),
        FreshnessCase("s-maxage=60, max-age=5", says: .seconds(5)),
        FreshnessCase("x-max-age=60", says: .unstated),
        FreshnessCase(#"ext="a, no-store", max-age=60"#, says: .seconds(60)),
        FreshnessCase(#"ext="a\", no-store", max-age=60"#, says: .seconds(60)),
        FreshnessCase("no-store", says: .forbidden),
        FreshnessCase("No-Store, max-age=60", says: .forbidden),
        FreshnessCase("max-age=60", "no-store", says: .forbidden),
        FreshnessCase("no-cache", says: .forbidden),
        FreshnessCase("no-cache=\"set-cookie\", max-age=60", says: .forbidden),
        FreshnessCase("must-understand, no-store", says: .forbidden),
    ]

    static let unreadable = [
        FreshnessCase("max-age", says: .forbidden),
        FreshnessCase("max-age=", says: .forbidden),
        FreshnessCase("max-age=-1", says: .forbidden),
        FreshnessCase("max-age=1.5", says: .forbidden),
        FreshnessCase("max-age=60s", says: .forbidden),
        FreshnessCase("max-age= 60", says: .forbidden),
        FreshnessCase("max-age =60", says: .seconds(60)),
        FreshnessCase("max-age=\u{0661}", says: .forbidden),
        FreshnessCase("max-age=60, max-age=61", says: .forbidden),
        FreshnessCase("max-age=60, max-age=x", says: .forbidden),
        FreshnessCase(#"max-age="60"#, says: .forbidden),
        FreshnessCase(#"max-age="""#, says: .forbidden),
        FreshnessCase(#"max-age=""#, says: .forbidden),
        FreshnessCase(#"ext="a, max-age=60"#, says: .forbidden),
    ]

    private static let date = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")

    private static func expires(
        _ value: String, _ date: (String, String)? = date, says seconds: Int
    ) -> FreshnessCase {
        FreshnessCase([("Expires", value)] + (date.map { [$0] } ?? []), .seconds(seconds))
    }

    static let expirations = [
        expires("Sun, 06 Nov 1994 08:50:37 GMT", says: 60),
        expires("Mon, 06 Nov 1995 08:49:37 GMT", says: 31_536_000),
        expires("Sun, 06 Nov 1994 08:49:37 GMT", says: 0),
        expires("Sun, 06 Nov 1994 08:49:36 GMT", says: 0),
        expires("Thu, 31 Dec 9999 23:59:59 GMT", says: 2_147_483_648),
        expires(
            "Tue, 29 Feb 2000 00:00:00 GMT", ("Date", "Mon, 28 Feb 2000 00:00:00 GMT"), says: 86_400
        ),
        expires(
            "Thu, 29 Feb 2001 00:00:00 GMT", ("Date", "Wed, 28 Feb 2001 00:00:00 GMT"), says: 0),
        expires("0", says: 0),
        expires("-1", says: 0),
        expires("", says: 0),
        expires("Sun, 06 Nov 1994 08:50:37 GMT", nil, says: 0),
        expires("Sun, 06 Nov 1994 08:50:37 GMT", ("Date", "0"), says: 0),
        // Forms that senders must not use any more, and what is none.
        expires("Sunday, 06-Nov-94 08:50:37 GMT", says: 0),
        expires("Sun Nov  6 08:50:37 1994", says: 0),
        expires("Sun, 06 Nov 1994 08:50:37 UTC", says: 0),
        expires("sun, 06 nov 1994 08:50:37 gmt", says: 0),
        expires("Sun, 6 Nov 1994 08:50:37.0 GMT", says: 0),
        expires("Sun, 06 Nov 1994 24:50:37 GMT", says: 0),
        FreshnessCase(
            [date, ("Expires", "0"), ("Expires", "Sun, 06 Nov 1994 08:50:37 GMT")], .seconds(0)),
        FreshnessCase(
            [date, ("Expires", "Sun, 06 Nov 1994 08:50:37 GMT"), ("Cache-Control", "max-age=5")],
            .seconds(5)),
        FreshnessCase([("Expires", "0"), ("Cache-Control", "max-age=5")], .seconds(5)),
    ]

    static let others = [
        FreshnessCase([("Vary", "*"), ("Cache-Control", "max-age=5")], .forbidden),
        FreshnessCase([("Vary", "Accept, *")], .forbidden),
        FreshnessCase([("Vary", "Accept-Encoding"), ("cache-control", "max-age=5")], .seconds(5)),
        FreshnessCase([("Pragma", "no-cache")], .unstated),
        FreshnessCase([("ETag", "\"1\""), date], .unstated),
    ]
}

@Suite("The freshness of a response")
struct ResponseFreshnessTests {
    @Test(
        "is what its fields say, and none where they cannot be read",
        arguments: FreshnessCase.cacheControl + FreshnessCase.unreadable
            + FreshnessCase.expirations + FreshnessCase.others)
    func lifetime(example: FreshnessCase) {
        #expect(example.freshness.lifetime == example.lifetime)
    }

    @Test(
        "is less by the time that the response spent in other caches",
        arguments: [
            ("0", 0), ("90", 90), (" 90 ", 90), ("90, 10", 90), ("", 0), ("x", 0), ("-5", 0),
            ("1.5", 0), ("99999999999999999999", 2_147_483_648),
        ])
    func age(value: String, seconds: Int) {
        let example = FreshnessCase([("Age", value), ("Cache-Control", "max-age=120")], .unstated)
        #expect(example.freshness.ageSeconds == seconds)
        #expect(
            example.freshness.seconds(unstated: 7, limit: 1000) == max(0, 120 - seconds))
    }

    @Test("lies between nothing and the limit of whoever uses the response")
    func seconds() {
        func seconds(_ cacheControl: String?, age: String? = nil) -> Int {
            let fields = [
                cacheControl.map { ("Cache-Control", $0) }, age.map { ("Age", $0) },
            ].compactMap { $0 }
            return FreshnessCase(fields, .unstated).freshness.seconds(unstated: 300, limit: 3600)
        }
        #expect(seconds(nil) == 300)
        #expect(seconds(nil, age: "100") == 200)
        #expect(seconds(nil, age: "400") == 0)
        #expect(seconds("max-age=30") == 30)
        #expect(seconds("max-age=30", age: "31") == 0)
        #expect(seconds("max-age=86400") == 3600)
        #expect(seconds("max-age=86400", age: "7200") == 3600)
        #expect(seconds("max-age=86400", age: "86000") == 400)
        #expect(seconds("no-store") == 0)
        #expect(ResponseFreshness(HTTPResponse(status: 200)).seconds(unstated: 9, limit: 5) == 5)
    }

    @Test("is never more than the limit, and none once anything forbids it", arguments: Seeds.all)
    func anything(seed: UInt64) {
        var dice = SeededGenerator(seed: seed)
        let names = ["Cache-Control", "Age", "Expires", "Date", "Vary"]
        let pieces = [
            "max-age", "no-cache", "s-maxage", "=", ",", "\"", "\\", " ", "\t", "0", "60", "-",
            "9999999999", "*", "\u{E5}", "Sun, 06 Nov 1994 08:49:37 GMT", "GMT",
        ]
        for _ in 0..<20_000 {
            var fields = (0..<Int.random(in: 0...4, using: &dice)).map { _ in
                let value = (0..<Int.random(in: 0...6, using: &dice)).map { _ in
                    pieces[Int.random(in: 0..<pieces.count, using: &dice)]
                }
                return HTTPField(
                    names[Int.random(in: 0..<names.count, using: &dice)], value.joined())
            }
            let freshness = ResponseFreshness(HTTPResponse(status: 200, fields: fields))
            #expect((0...99).contains(freshness.seconds(unstated: 60, limit: 99)), "\(fields)")
            fields.insert(
                HTTPField("cache-control", "no-store"),
                at: Int.random(in: 0...fields.count, using: &dice))
            let forbidden = ResponseFreshness(HTTPResponse(status: 200, fields: fields))
            #expect(forbidden.lifetime == .forbidden, "seed \(seed): \(fields)")
        }
    }
}
