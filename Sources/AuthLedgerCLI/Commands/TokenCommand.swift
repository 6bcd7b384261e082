// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import Platform

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Look at a token, or verify it, without a ledger.",
        discussion: """
            Examples:
              authledger token inspect token.jwt
              authledger token verify token.jwt --jwks keys.json \\
                  --issuer https://op.example --audience my-client
            """,
        subcommands: [TokenInspectCommand.self, TokenVerifyCommand.self])
}

/// Where a token comes from. It is never an argument: those can be seen by other processes.
struct TokenInput: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "A file with one token in compact form; - or nothing for standard input.",
            valueName: "file"))
    var file = InputFile.standardInput

    /// The bytes of the token. Of one that is too large they are cut off, but not so far that it
    /// would pass.
    func read() throws -> [UInt8] {
        do {
            return try InputFile.read(file, bytesMax: CompactJWS.bytesMax)
        } catch let error as SystemError {
            if file.looksLikeToken { throw Self.tokenInArguments }
            throw error
        }
    }

    private static let tokenInArguments = CommandError(
        .usage, "token-in-arguments",
        "a token is not taken from the arguments, where other processes can see it",
        hint: "put it into a file, or pipe it in")
}

// MARK: - What both commands print

/// The outcome of one check, as it is printed.
struct TokenCheckLine {
    let check: TokenCheck
    let outcome: CheckOutcome
    /// Why nothing was compared, where that is worth a word.
    var remark: String?

    /// More than the outcome; in fixed words, never the token's.
    var detail: String? {
        if case .failed(_, let detail) = outcome { return detail }
        return remark
    }

    /// `{name, outcome, reason?, detail?}`.
    var object: JSONObject {
        var object: JSONObject = [
            "name": .string(check.rawValue), "outcome": .string(outcome.name),
        ]
        if case .failed(let reason, _) = outcome { object["reason"] = .string(reason.rawValue) }
        if let detail { object["detail"] = .string(detail) }
        return object
    }

    /// A mark, the name, and what there is to say.
    var text: String {
        let name = check.rawValue.padded(to: 10)
        switch outcome {
        case .passed:
            return "  ✓ \(check.rawValue)"
        case .failed(let reason, let detail):
            return "  ✗ \(name) \(detail) (\(reason.rawValue))"
        case .notApplicable:
            return "  – \(name) not applicable" + (remark.map { ": \($0)" } ?? "")
        case .notChecked:
            return "  – \(name) not checked" + (remark.map { ": \($0)" } ?? "")
        }
    }
}

/// A payload, as it is printed: claims, a text, or only so many bytes.
struct TokenPayload {
    /// Claims whose numbers count seconds since 1970.
    private static let dateClaims = ["exp", "iat", "nbf", "auth_time", "updated_at"]

    let bytes: [UInt8]
    /// The members, if it is an object of strict JSON.
    let claims: JSONObject?
    /// What keeps it from being strict JSON, in fixed words.
    let problem: String?

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        do {
            let value = try JSONReader.read(bytes, numbers: .anyAsText)
            claims = value.objectValue
            problem = claims == nil ? "it is no object" : nil
        } catch {
            claims = nil
            problem = error.description
        }
    }

    /// Adds `claims` and `instants`, or for other payloads `payload`, to a document.
    func add(to object: inout JSONObject) {
        guard let claims else {
            var payload: JSONObject = ["bytes": .integer(Int64(bytes.count))]
            payload["problem"] = problem.map(JSONValue.string)
            payload["text"] = String(validating: bytes, as: UTF8.self).map(JSONValue.string)
            object["payload"] = .object(payload)
            return
        }
        object["claims"] = .object(claims)
        var instants = JSONObject()
        for name in Self.dateClaims {
            instants[name] = instant(of: name).map { .string($0.rfc3339) }
        }
        object["instants"] = .object(instants)
    }

    /// The lines for people.
    var lines: [String] {
        guard let claims else {
            let text = String(validating: bytes, as: UTF8.self).map(TerminalText.escaped)
            return ["payload: \(bytes.count) bytes, not claims: \(problem ?? "")"]
                + (text.map { ["  \($0)"] } ?? [])
        }
        return ["claims"] + claims.lines { name in instant(of: name)?.rfc3339 }
    }

    private func instant(of name: String) -> Instant? {
        guard Self.dateClaims.contains(where: name.isIdentical(to:)) else { return nil }
        return claims?[name].flatMap(Instant.init(numericDate:))
    }
}

extension JSONObject {
    /// A line for each member, with a remark behind some.
    func lines(remark: (String) -> String? = { _ in nil }) -> [String] {
        members.map { member in
            let name = TerminalText.escaped(member.name).padded(to: 10)
            let remark = remark(member.name).map { "  (\($0))" } ?? ""
            return "  \(name) \(TerminalText.json(member.value))\(remark)"
        }
    }
}

extension String {
    /// This text with spaces behind it up to a width.
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
