// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect

/// Gives every text of a session another one that says nothing, the same one each time it comes.
///
/// The rules of a login compare texts, and hash some of them. So equal texts get equal stand-ins,
/// different ones different stand-ins, and of a state or a code the hashes are those of its
/// stand-in. Stand-ins are counted in the order in which texts come: no randomness is in them.
final class StandIns {
    /// A text by its bytes: `String` takes other bytes for the same.
    struct Bytes: Hashable {
        let utf8: [UInt8]

        init(_ text: String) { utf8 = Array(text.utf8) }
    }

    /// Texts longer than this have a stand-in of the same length, as a length may decide.
    private static let plainBytesMax = 200

    private var texts: [Bytes: String] = [:]
    private var counts: [String: Int] = [:]
    /// What was left as it is, because it is a registered word.
    private(set) var kept: Set<Bytes> = []
    /// By how much every time is moved, in whole seconds.
    let shiftSeconds: Int64
    /// What the profile looks for in descriptions, with what stands for it.
    private var phrases: [(text: String, standIn: String)] = []

    init(shiftSeconds: Int64) {
        self.shiftSeconds = shiftSeconds
    }

    /// What was replaced.
    var replaced: [String] {
        texts.keys.map { String(decoding: $0.utf8, as: UTF8.self) } + phrases.map(\.text)
    }

    /// How many were replaced.
    var count: Int { texts.count }

    /// How many of each kind.
    var countsByKind: JSONObject {
        counts.keys.sorted().reduce(into: JSONObject()) { object, kind in
            object[kind] = .integer(Int64(counts[kind] ?? 0))
        }
    }

    func known(_ text: String) -> String? { texts[Bytes(text)] }

    func remember(_ text: String, as standIn: String) { texts[Bytes(text)] = standIn }

    func keep(_ text: String) -> String {
        kept.insert(Bytes(text))
        return text
    }

    /// The next number of a kind.
    func next(_ kind: String) -> Int {
        counts[kind, default: 0] += 1
        return counts[kind] ?? 0
    }

    /// What stands for a text of a kind.
    func text(_ text: String, _ kind: String) -> String {
        if text.isEmpty { return text }
        if let known = known(text) { return known }
        var standIn: String
        if Self.isNumber(text) {
            standIn = number(text)
        } else {
            standIn = "\(kind)-\(next(kind))"
            let missing = text.utf8.count - standIn.utf8.count
            if text.utf8.count > Self.plainBytesMax {
                standIn += String(repeating: "-", count: max(0, missing))
            }
            remember(text, as: standIn)
        }
        if kind == "state" || kind == "code" { rememberHashes(of: text, standIn) }
        return standIn
    }

    /// What `c_hash` and `s_hash` may say of a code or a state.
    private func rememberHashes(of text: String, _ standIn: String) {
        for algorithm in [SignatureAlgorithm.rs256, .rs384, .rs512] {
            remember(
                LeftHalfHash.encode(text, algorithm: algorithm),
                as: LeftHalfHash.encode(standIn, algorithm: algorithm))
        }
    }

    // MARK: - Numbers of persons

    /// Whether a text is compared as a number, which spaces and hyphens may divide.
    private static func isNumber(_ text: String) -> Bool {
        text.utf8.contains { isDigit($0) }
            && text.utf8.allSatisfy { isDigit($0) || $0 == 0x20 || $0 == 0x2D }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    /// A number of the same form: what divides it stays. A nine and noughts begin it, so that it is
    /// no day of birth, and nobody's.
    private func number(_ text: String) -> String {
        let digits = text.utf8.filter(Self.isDigit)
        let plain = String(decoding: digits, as: UTF8.self)
        let own: String
        if let known = known(plain) {
            own = known
        } else {
            let count = String(next("number"))
            let noughts = max(0, digits.count - 1 - count.utf8.count)
            own = "9" + String(repeating: "0", count: noughts) + count
            remember(plain, as: own)
        }
        guard digits.count < text.utf8.count else { return own }
        // The digits that were added stand in front.
        var rest = Array(own.utf8)[...]
        var standIn = Array(rest.prefix(max(0, rest.count - digits.count)))
        rest = rest.dropFirst(standIn.count)
        for byte in text.utf8 {
            guard Self.isDigit(byte) else {
                standIn.append(byte)
                continue
            }
            if let digit = rest.popFirst() { standIn.append(digit) }
        }
        let result = String(decoding: standIn, as: UTF8.self)
        remember(text, as: result)
        return result
    }

    /// What stands for a whole number: the same as for its digits.
    func integer(_ number: Int64) -> Int64 {
        let own = Int64(self.number(String(number.magnitude))) ?? 9
        return number < 0 ? -own : own
    }

    // MARK: - Descriptions

    /// Learns what the profile looks for in descriptions.
    func learn(phrase text: String) -> String {
        if let known = phrases.first(where: { $0.text.isIdentical(to: text) }) {
            return known.standIn
        }
        let standIn = "(phrase \(next("phrase")))"
        phrases.append((text, standIn))
        return standIn
    }

    /// A description has the phrases in it that it had.
    func description(_ text: String) -> String {
        if text.isEmpty { return text }
        if let known = known(text) { return known }
        let found = phrases.filter {
            Array(text.utf8).firstRange(of: Array($0.text.utf8)) != nil
        }
        let standIn = (["description-\(next("description"))"] + found.map(\.standIn))
            .joined(separator: " ")
        remember(text, as: standIn)
        return standIn
    }

    // MARK: - Addresses

    private static let pathWords: Set<String> = [
        ".well-known", "authorize", "authorization", "auth", "callback", "cb", "certs", "connect",
        "bc-authorize", "headless", "jwks", "jwks.json", "login", "oauth2", "oidc", "oauth", "par",
        "permissions", "openid-configuration", "protocol", "realms", "select", "token", "userinfo",
        "v1", "v2",
    ]

    /// What stands for a URL: the same scheme, another host, and of the path the usual words.
    func url(_ text: String) -> String {
        if text.isEmpty { return text }
        if let known = known(text) { return known }
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix),
            text.utf8.allSatisfy({
                (0x21...0x7E).contains($0) && !"#\"<>\\^`{|}".utf8.contains($0)
            })
        else { return self.text(text, "url") }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, !authority.contains("@") else { return self.text(text, "url") }
        let path = rest.dropFirst(authority.count).prefix { $0 != "?" }
        let query = rest.dropFirst(authority.count + path.count)
        var standIn = scheme + self.authority(String(authority))
        standIn += self.path(String(path))
        if !query.isEmpty { standIn += "?" + self.text(String(query.dropFirst()), "query") }
        remember(text, as: standIn)
        return standIn
    }

    /// A path of usual words alone is a usual path.
    func path(_ text: String) -> String {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.allSatisfy({ $0.isEmpty || Self.pathWords.containsIdentical($0) }) {
            return keep(text)
        }
        return parts.map { Self.pathWords.containsIdentical($0) ? $0 : self.text($0, "path") }
            .joined(separator: "/")
    }

    /// What stands for a host, with its port.
    func authority(_ text: String) -> String {
        if let known = known(text) { return known }
        let standIn =
            EndpointURL.isLoopback(text)
            ? keep("127.0.0.1") + ":\(40_000 + next("port"))" : "host-\(next("host")).example"
        remember(text, as: standIn)
        return standIn
    }

    // MARK: - Times

    func shifted(_ instant: Instant) -> Instant {
        instant.advanced(byMilliseconds: shiftSeconds * 1000)
    }

    /// A NumericDate as much later, or one that is as far from being a date.
    func shifted(numericDate value: JSONValue) -> JSONValue {
        switch value {
        case .integer(let seconds):
            seconds < 0 ? .integer(-1) : .integer(max(0, seconds + shiftSeconds))
        case .number(let text):
            if let instant = Instant(numericDate: value) {
                .number(Self.decimal(shifted(instant)))
            } else {
                .number(text.hasPrefix("-") ? "-1.5" : "1e300")
            }
        default: value
        }
    }

    private static func decimal(_ instant: Instant) -> String {
        let milliseconds = max(0, instant.millisecondsSince1970)
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000)."
            + String(repeating: "0", count: 3 - rest.utf8.count) + rest
    }
}
