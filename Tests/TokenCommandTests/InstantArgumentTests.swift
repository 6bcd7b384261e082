// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

@testable import AuthLedgerCLI

@Suite("An instant on the command line")
struct InstantArgumentTests {
    private let now = Instant(millisecondsSince1970: 1_700_000_000_000)

    private func texts(_ argument: String) -> [String]? {
        InstantArgument(argument: argument).map {
            [$0.instant(now: now).rfc3339, $0.end(now: now).rfc3339]
        }
    }

    @Test("is RFC 3339, a date or so long ago")
    func forms() {
        let same = { (text: String) in [text, text] }
        #expect(texts("2026-11-20T09:15:02.114Z") == same("2026-11-20T09:15:02.114Z"))
        #expect(texts("2026-11-20T09:15:02+02:00") == same("2026-11-20T07:15:02.000Z"))
        #expect(texts("2024-02-29") == ["2024-02-29T00:00:00.000Z", "2024-03-01T00:00:00.000Z"])
        #expect(texts("2026-12-31") == ["2026-12-31T00:00:00.000Z", "2027-01-01T00:00:00.000Z"])
        #expect(texts("-20s") == same("2023-11-14T22:13:00.000Z"))
        #expect(texts("-13m") == same("2023-11-14T22:00:20.000Z"))
        #expect(texts("-2h") == same("2023-11-14T20:13:20.000Z"))
        #expect(texts("-7d") == same("2023-11-07T22:13:20.000Z"))
        #expect(texts("-1w") == texts("-7d"))
    }

    @Test("is nothing else")
    func refused() {
        let wrong = [
            "", "-", "-h", "2h", "+2h", "--2h", "-2", "-2y", "-2H", "-2.5h", "-2 h", "-99999999d",
            "-9999999999999999999s", "2026-02-29", "2026-13-01", "2026-11-20T09:15", "20261120",
            "2026-11-20 09:15:02Z", "2026-11-20T", "now", "-٢h", "2026-11-20T09:15:02",
        ]
        for text in wrong { #expect(texts(text) == nil, "\(text)") }
    }

    @Test("bounds a range that holds its start and not its end")
    func range() throws {
        let range = try InstantRange(
            since: InstantArgument(argument: "2023-11-13"),
            until: InstantArgument(argument: "2023-11-14"), now: now)
        let contains = { (text: String) in Instant(rfc3339: text).map(range.contains) }
        #expect(contains("2023-11-12T23:59:59.999Z") == false)
        #expect(contains("2023-11-13T00:00:00Z") == true)
        #expect(contains("2023-11-14T23:59:59.999Z") == true)
        #expect(contains("2023-11-15T00:00:00Z") == false)
        let open = try InstantRange(since: nil, until: nil, now: now)
        #expect(open.contains(now))
        let day = InstantArgument(argument: "2023-11-14")
        #expect(throws: Never.self) { try InstantRange(since: day, until: day, now: now) }
        #expect(throws: CommandError.self) {
            try InstantRange(
                since: InstantArgument(argument: "-1h"), until: InstantArgument(argument: "-2h"),
                now: now)
        }
    }
}
