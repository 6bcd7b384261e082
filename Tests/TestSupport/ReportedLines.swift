// SPDX-License-Identifier: Apache-2.0

/// Lines of input to `ingest`: two whole logins and everything that is out of the ordinary.
public enum ReportedLines {
    /// The directory of the ledger that is kept with the format document.
    public static let exampleDirectory = "Schemas/examples/event-log-v1"

    /// The lines that the ledger in ``exampleDirectory`` was made from.
    public static func example() throws -> [[UInt8]] {
        try lines(of: "\(exampleDirectory)/reported.jsonl")
    }

    /// All lines, in an order in which every one of them is taken.
    public static func all() throws -> [[UInt8]] {
        try example() + unusual.map { Array($0.utf8) }
    }

    /// The lines of a file, without their newlines.
    public static func lines(of path: String) throws -> [[UInt8]] {
        try Repository.read(path).split(separator: UInt8(ascii: "\n")).map(Array.init)
    }

    private static func line(
        _ number: Int, _ session: Int, _ type: String, time: String, data: String
    ) -> String {
        """
        {"specversion":"1.0","id":"0198b0f2-6c1e-7a44-9d6b-0f6f3f0ca0\(number)",\
        "source":"https://shop.example.org/~auth@backend","type":"authledger.session.\(type)",\
        "typeversion":1,"subject":"0198b0f2-6c1d-7c55-8e2a-5a3f1f0ca0\(session)",\
        "time":"\(time)","datacontenttype":"application/json","data":\(data)}
        """
    }

    private static let unusual = [
        line(
            10, 90, "initiated", time: "2026-11-20T10:15:02.1149+01:00",
            data: #"{"provider":"a","clientID":"b","flow":"headless","requestedExpiry":90}"#),
        // What is sealed may be any JSON.
        line(
            11, 90, "polled", time: "2026-11-20t09:15:03z",
            data: #"""
                {"status":"slow-down","attempt":1,"error":"planted 01019912345","gap":true,\#
                "endpoint":"https://idp.example.org/bc","hint":"planted 01019912345",\#
                "sealed":{"x":[1.50,-0,1e400,null,true,{"":"\u00e5\u0000\ud83d\ude00"}],"ä":{}}}
                """#),
        line(
            12, 90, "failed", time: "2026-11-20T09:15:04Z",
            data: #"""
                {"stage":"polling","reason":"poll-timeout","checks":[],"exchanges":[{\#
                "purpose":"userinfo","endpoint":"https://idp.example.org/u","status":503}],\#
                "sealed":{}}
                """#),
        line(
            20, 91, "initiated", time: "2026-11-20T09:15:02.5Z",
            data: #"{"provider":"a","clientID":"b","flow":"implicit","responseMode":"other"}"#),
        line(
            21, 91, "redirected", time: "2026-11-20T09:15:02.5Z",
            data: #"{"endpoint":"https://idp.example.org/select","to":"account-selector"}"#),
        line(
            22, 91, "callback", time: "2026-11-20T09:15:02.5Z",
            data: #"{"from":"account-selector","sealed":{"response":"\#(long)"}}"#),
        line(
            23, 91, "redirected", time: "2026-11-20T09:15:02.5Z",
            data: #"{"endpoint":"https://idp.example.org/authorize"}"#),
        line(
            24, 91, "callback", time: "2026-11-20T09:15:02.5Z",
            data: #"{"responseMode":"fragment","stateMatched":true,"sealed":{"a":"\#(full)"}}"#),
        line(
            25, 91, "token-issued", time: "2026-11-20T09:15:02.5Z",
            data: #"""
                {"algorithm":"X 01019912345","keyID":"planted 01019912345","tokenType":"Mac",\#
                "attempt":3,"acceptedAt":"2026-11-20t10:15:02+01:00",\#
                "keySet":{"keys":[{"kty":"oct","kid":"é"}],"more":[1]},\#
                "policy":{"issuer":"i","audience":"a","clockSkewSeconds":{"exp":1},\#
                "hintClaims":["ssn"]}}
                """#),
        line(
            26, 91, "verified", time: "2026-11-20T09:15:02.5Z",
            data: #"""
                {"algorithm":"RS256","checks":[],"acr":"urn:x:01019912345",\#
                "tokenIssuedAt":"2026-11-20T10:15:02+01:00"}
                """#),
    ]

    /// More than fits into a leaf.
    private static let long = String(repeating: "0123456789abcdef", count: 2500)
    /// Comes to a plaintext that needs no padding: `{"a":""}` has eight bytes.
    private static let full = String(repeating: "x", count: 56)
}
