// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect

struct TokenVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify an ID token, or the signature of any JWS, with given keys.",
        discussion: """
            Examples:
              authledger token verify token.jwt --jwks keys.json \\
                  --issuer https://op.example --audience my-client \\
                  --nonce-file nonce.txt
              authledger token verify token.jwt --jwks keys.json \\
                  --issuer https://op.example --audience my-client \\
                  --at 2026-11-20T09:15:02Z
              authledger token verify message.jws --jwks keys.json \\
                  --signature-only --alg ES256

            Nothing is fetched: the keys are those of --jwks, and only the one \
            that the token names with `kid` counts, or without a `kid` the only \
            one that fits.

            An ID token is valid when every check passes at the instant of --at. \
            It cannot be valid without --issuer and --audience: if nothing fails \
            but one of them is missing, the answer is inconclusive (exit status \
            3). Without --nonce-file the nonce is not checked, which is said but \
            leaves the token valid. Clocks may differ by 60 seconds. How old the \
            token may be is for its `exp` to say.

            --signature-only checks size, token, header, crit, alg, key and \
            signature and nothing else: no claim is looked at, the payload may be \
            any bytes, and a valid answer says only who signed them, not for whom \
            or until when.

            The claims are shown in full when the token is valid, and not at all \
            when it is not.

            Exit status: 0 valid · 1 not valid, also when the set has no key for
            the token · 2 usage · 3 inconclusive · 6 a file cannot be read.
            """)

    /// The most bytes of a nonce.
    private static let nonceBytesMax = 4096

    @OptionGroup var global: GlobalOptions
    @OptionGroup var input: TokenInput

    @Option(
        help: ArgumentHelp("The provider's key set, {\"keys\":[…]}.", valueName: "file"))
    var jwks: String

    @Option(help: ArgumentHelp("What `iss` must be, to the byte.", valueName: "issuer"))
    var issuer: String?

    @Option(
        help: ArgumentHelp("The client that `aud` must name, and nobody else.", valueName: "id"))
    var audience: String?

    @Option(
        help: ArgumentHelp(
            "A file with the nonce that was sent; a newline at its end is ignored.",
            valueName: "file"))
    var nonceFile: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Verify as of this instant: RFC 3339, a date, or -2h, -7d. (default: now)",
            valueName: InstantArgument.valueName))
    var at: InstantArgument?

    @Option(
        help: ArgumentHelp(
            "Take only this algorithm; may be repeated or hold a list with commas. "
                + "(default: RS, PS and ES with 256, 384 and 512, and EdDSA)",
            valueName: "alg"))
    var alg: [String] = []

    @Flag(help: "Check the signature alone; the payload may be anything.")
    var signatureOnly = false

    func validate() throws {
        if signatureOnly, issuer != nil || audience != nil || nonceFile != nil {
            throw ValidationError(
                "--signature-only looks at no claim: it excludes --issuer, --audience and "
                    + "--nonce-file.")
        }
        if issuer?.isEmpty ?? false { throw ValidationError("--issuer is empty.") }
        if audience?.isEmpty ?? false { throw ValidationError("--audience is empty.") }
        let fromStandardInput = [input.file, jwks, nonceFile ?? ""].filter {
            $0.isIdentical(to: InputFile.standardInput)
        }
        if fromStandardInput.count > 1 {
            throw ValidationError("Only one file can be standard input.")
        }
    }

    func run() throws {
        let algorithms = try AlgorithmArgument.algorithms(alg)
        let keys = try keySet()
        let nonce = try nonce()
        let instant = at.map { $0.instant(now: Capabilities.live.now()) }
        let token = try input.read()
        let report =
            signatureOnly
            ? TokenReport(signatureOf: token, keys: keys, algorithms: algorithms)
            : TokenReport(
                token, keys: keys, issuer: issuer, audience: audience, nonce: nonce,
                algorithms: algorithms, at: instant ?? Capabilities.live.now())
        try global.output.print(report.object) { report.text }
        switch report.answer {
        case .valid: return
        case .notValid: throw CommandEnd(status: .findings)
        case .inconclusive:
            global.notices.say("hint: give --issuer and --audience, or --signature-only")
            throw CommandEnd(status: .inconclusive)
        }
    }

    private func keySet() throws -> JSONWebKeySet {
        let limits = JSONWebKeyLimits()
        do {
            return try JSONWebKeySet(
                parsing: try InputFile.read(jwks, bytesMax: limits.setBytesMax), limits: limits)
        } catch let error as JSONWebKeySetError {
            let problem =
                switch error {
                case .tooLarge: "it has more than \(limits.setBytesMax) bytes"
                case .notJSON(let error): error.description
                case .keysMissing: "there is no array `keys`"
                case .tooManyKeys: "it has more than \(limits.keysMax) keys"
                }
            throw CommandError(
                .inputOutput, "key-set-malformed", "--jwks is no key set: \(problem)",
                hint: "a key set is {\"keys\":[…]} with public keys (RFC 7517)")
        }
    }

    private func nonce() throws -> String? {
        guard let nonceFile else { return nil }
        let bytes = try InputFile.read(nonceFile, bytesMax: Self.nonceBytesMax)
        guard !bytes.isEmpty, bytes.count <= Self.nonceBytesMax,
            let nonce = String(validating: bytes, as: UTF8.self)
        else {
            throw CommandError(
                .inputOutput, "nonce-malformed",
                "the nonce file is empty, longer than \(Self.nonceBytesMax) bytes or not UTF-8")
        }
        return nonce
    }
}
