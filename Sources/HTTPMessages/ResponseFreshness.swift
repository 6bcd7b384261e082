// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// For how long a response may be used again without asking, by its own word (RFC 9111 §4.2).
///
/// It is read as by the cache of a single client, so `s-maxage`, `public`, `private` and their like
/// say nothing. There is no asking whether a response is still good (§4.3): what would need it is
/// not used again. Where the response contradicts itself or cannot be read, it is not used again
/// either (§4.2.1): to ask once more costs little, a key that was withdrawn may cost a lot.
///
/// - `Cache-Control: no-store`, `no-cache` with or without names, and `Vary: *` forbid it.
/// - `Cache-Control: max-age` states the seconds, and goes before `Expires` (§5.3).
/// - `Expires` states the seconds from `Date` of the same response, so that our clock and theirs
///   need not agree. Without `Date`, or in another form than the one that senders must use, as in
///   the usual `0`, it states none.
/// - `Age` is taken off: for as long the response was on its way through caches.
///
/// What a response that is no longer fresh may still be good for is not said here.
public struct ResponseFreshness: Equatable, Sendable {
    /// What a response says of its lifetime.
    public enum Lifetime: Equatable, Sendable {
        /// Nothing: whoever uses it chooses (§4.2.2).
        case unstated
        /// So many seconds from when its origin made it.
        case seconds(Int)
        /// It answers the one request and no other.
        case forbidden
    }

    /// What the response says of its lifetime.
    public let lifetime: Lifetime
    /// How old it was when it came, in seconds, as far as the caches on its way said so.
    public let ageSeconds: Int

    /// Reads the header of a response.
    public init(_ response: HTTPResponse) {
        lifetime = Self.lifetime(response)
        // A value that is none is ignored, and so is whatever follows the first one (§5.1).
        ageSeconds =
            response.values("Age").first.map { Array($0.utf8) }?
            .split(separator: UInt8(ascii: ",")).first
            .flatMap { DeltaSeconds.read(trimmed($0)) } ?? 0
    }

    /// For how many seconds from when it was asked for the response may be used.
    ///
    /// - Parameters:
    ///   - unstated: the lifetime that is chosen where it states none, in seconds.
    ///   - limit: the longest time that comes out, in seconds.
    public func seconds(unstated: Int, limit: Int) -> Int {
        switch lifetime {
        case .unstated: min(max(unstated - ageSeconds, 0), limit)
        case .seconds(let seconds): min(max(seconds - ageSeconds, 0), limit)
        case .forbidden: 0
        }
    }

    private static func lifetime(_ response: HTTPResponse) -> Lifetime {
        guard let directives = CacheDirectives(response.values("Cache-Control")),
            !directives.has("no-store"), !directives.has("no-cache"),
            !response.values("Vary").contains(where: { $0.utf8.contains(UInt8(ascii: "*")) })
        else { return .forbidden }
        let maxAges = directives.arguments("max-age").map { $0.flatMap(DeltaSeconds.read) }
        if let first = maxAges.first {
            guard let first, maxAges.allSatisfy({ $0 == first }) else { return .forbidden }
            return .seconds(first)
        }
        let expirations = response.values("Expires")
        guard let expiration = expirations.first else { return .unstated }
        let dates = response.values("Date")
        guard expirations.count == 1, dates.count == 1, let made = Instant(httpDate: dates[0]),
            let end = Instant(httpDate: expiration)
        else { return .seconds(0) }
        let seconds = (end.millisecondsSince1970 - made.millisecondsSince1970) / 1000
        return .seconds(Int(max(0, min(seconds, Int64(DeltaSeconds.most)))))
    }
}

/// The directives of a response's `Cache-Control` fields, all together (RFC 9111 §5.2).
private struct CacheDirectives {
    private var directives: [(name: String, argument: ArraySlice<UInt8>?)] = []

    /// Nil when a quoted argument does not end: it may hide other directives.
    init?(_ fields: [String]) {
        for field in fields {
            guard let elements = Self.elements(of: Array(field.utf8)) else { return nil }
            for element in elements {
                let parts = element.split(
                    separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                let name = String(decoding: trimmed(parts[0]), as: UTF8.self).lowercased()
                directives.append((name, parts.count == 2 ? parts[1] : nil))
            }
        }
    }

    func has(_ name: String) -> Bool {
        directives.contains { $0.name.isIdentical(to: name) }
    }

    /// The arguments of all directives of a name, without quotation marks; nil for one without.
    func arguments(_ name: String) -> [ArraySlice<UInt8>?] {
        directives.filter { $0.name.isIdentical(to: name) }.map { directive in
            directive.argument.map { argument in
                let isQuoted = argument.count >= 2 && argument.first == UInt8(ascii: "\"")
                return isQuoted ? argument.dropFirst().dropLast() : argument
            }
        }
    }

    /// What stands between the commas that are not quoted.
    private static func elements(of text: [UInt8]) -> [ArraySlice<UInt8>]? {
        var elements: [ArraySlice<UInt8>] = []
        var start = 0
        var isQuoted = false
        var isEscaped = false
        for (index, byte) in text.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if isQuoted {
                isEscaped = byte == UInt8(ascii: "\\")
            } else if byte == UInt8(ascii: ",") {
                elements.append(trimmed(text[start..<index]))
                start = index + 1
            }
        }
        elements.append(trimmed(text[start...]))
        return isQuoted ? nil : elements
    }
}

/// Whole seconds as header fields have them (RFC 9111 §1.2.2).
private enum DeltaSeconds {
    /// What stands for every larger number.
    static let most = 2_147_483_648

    static func read(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty else { return nil }
        var value = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = min(value * 10 + Int(digit - 0x30), most)
        }
        return value
    }
}

/// The bytes without spaces and tabs at either end.
private func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes
    while let byte = bytes.first, byte == 0x20 || byte == 0x09 { bytes.removeFirst() }
    while let byte = bytes.last, byte == 0x20 || byte == 0x09 { bytes.removeLast() }
    return bytes
}

extension HTTPResponse {
    /// The values of all fields with this name, whatever its case.
    fileprivate func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}
