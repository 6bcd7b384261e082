// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect

struct TokenInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what is written in a token, without verifying anything.",
        discussion: """
            Examples:
              authledger token inspect token.jwt
              pbpaste | authledger token inspect --json

            Header and claims are decoded and shown in full, whoever wrote them: \
            nothing is verified, no key is asked for, no claim is judged. Header \
            members by which tokens attack their readers are pointed out.

            With --json, valid is null: it is not known. What is no JWS in compact \
            form, or has a header that is no strict JSON, ends with exit status 1 \
            and valid false.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var input: TokenInput

    func run() throws {
        let algorithms = SignatureAlgorithm.allCases
        let (verdict, jws) = SignatureVerifier(algorithms: algorithms).parse(try input.read())
        let checks = verdict.checks.map {
            TokenCheckLine(check: $0.check, outcome: $0.outcome)
        }
        guard let jws else {
            try global.output.print(Self.object(checks, valid: .bool(false))) {
                let failed = checks.filter { $0.detail != nil }.map(\.text)
                return (["NOT A TOKEN"] + failed).joined(separator: "\n")
            }
            throw CommandEnd(status: .findings)
        }
        let dangers = HeaderDanger.all(in: jws.header)
        let payload = TokenPayload(jws.unverifiedPayload)
        var object = Self.object(checks, valid: .null)
        object["dangers"] = .array(dangers.map { .object($0.object) })
        object["header"] = .object(jws.header.members)
        payload.add(to: &object)
        try global.output.print(object) {
            let lines =
                ["NOTHING WAS VERIFIED: anyone can have written this.", "header"]
                + jws.header.members.lines() + dangers.map { "danger: \($0.message)" }
                + payload.lines
            return lines.joined(separator: "\n")
        }
    }

    private static func object(_ checks: [TokenCheckLine], valid: JSONValue) -> JSONObject {
        [
            "checks": .array(checks.map { .object($0.object) }), "dangers": .array([]),
            "header": .null, "valid": valid, "verified": .bool(false),
        ]
    }
}

/// A member of a header by which tokens attack those who read them.
struct HeaderDanger: Equatable {
    /// A fixed word for scripts.
    let code: String
    /// What is wrong with it, in fixed words.
    let message: String

    var object: JSONObject { ["code": .string(code), "message": .string(message)] }

    /// Everything in a header that is worth a warning.
    static func all(in header: JWSHeader) -> [HeaderDanger] {
        refused(in: header) + algorithm(of: header) + certificates(in: header)
    }

    /// What `token verify` refuses whatever the signature.
    private static func refused(in header: JWSHeader) -> [HeaderDanger] {
        var dangers = RefusedHeaderMember.allCases.compactMap { member -> HeaderDanger? in
            let isThere = header.members[member.rawValue] != nil
            let isRefused = member == .kid ? isThere && header.keyID == nil : isThere
            return isRefused ? HeaderDanger(code: member.rawValue, message: words(member)) : nil
        }
        if header.members["crit"] != nil {
            dangers.append(
                HeaderDanger(
                    code: "crit", message: "`crit` demands extensions; none is known here"))
        }
        return dangers
    }

    private static func words(_ member: RefusedHeaderMember) -> String {
        switch member {
        case .jwk: "`jwk` brings its own key, which proves nothing"
        case .jku: "`jku` names an address to fetch keys from, chosen by whoever wrote it"
        case .x5u: "`x5u` names an address to fetch certificates from, chosen likewise"
        case .b64: "`b64` changes what is signed (RFC 7797)"
        case .zip: "`zip` demands decompression, which a signed token never needs"
        case .kid: "`kid` is no string, or longer than 512 bytes"
        }
    }

    private static func algorithm(of header: JWSHeader) -> [HeaderDanger] {
        if header.algorithm != nil { return [] }
        let message =
            switch AlgorithmArgument.family(of: header.algorithmName) {
            case .none: "`alg` is none: the token is not signed at all"
            case .hmac: "`alg` is an HMAC: whoever can verify it can also make it"
            case .other: "`alg` is no signature algorithm that is verified here"
            }
        return [HeaderDanger(code: "alg", message: message)]
    }

    private static func certificates(in header: JWSHeader) -> [HeaderDanger] {
        let names = ["x5c", "x5t", "x5t#S256"].filter { header.members[$0] != nil }
        return names.map {
            HeaderDanger(
                code: $0, message: "`\($0)` brings certificates along; no key is taken from them")
        }
    }
}
