// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import Testing

@Suite("A date of HTTP")
struct HTTPDateTests {
    @Test(
        "is written as it is read",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_577_836_800, "Wed, 01 Jan 2020 00:00:00 GMT"),
        ] as [(Int64, String)])
    func same(seconds: Int64, text: String) {
        let instant = Instant(millisecondsSince1970: seconds * 1000)
        #expect(instant.httpDate == text)
        #expect(Instant(httpDate: text) == instant)
        #expect(instant.advanced(byMilliseconds: 999).httpDate == text)
    }
}
