// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

extension Instant {
    /// Reads a date in the form that senders must use: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110
    /// §5.6.7). The two obsolete forms are not read.
    public init?(httpDate text: String) {
        let days = ["Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard text.utf8.count == 29, parts.count == 6, days.contains(parts[0]), parts[5] == "GMT",
            let month = months.firstIndex(of: parts[2])
        else { return nil }
        let number = (month < 9 ? "0" : "") + String(month + 1)
        self.init(rfc3339: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }
}
