// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import RelyingParty
internal import SessionEvents

struct ProvidersCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say what is wrong with a profile or its provider.",
        discussion: """
            Examples:
              authledger providers check my-provider
              authledger providers check ./my-provider.yaml --json
              authledger providers check my-provider --environment production

            Looks at the client's secret, keys and certificate, fetches discovery and keys of the \
            provider, and holds what the profile asks against what the provider announces. \
            Nothing of the client's leaves, nobody logs in, and no ledger is needed. A problem \
            ends with exit status 1, warnings alone with 0, a profile that cannot be read with 2.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        help: ArgumentHelp(
            "The environment, instead of the one that the profile names.", valueName: "name"))
    var environment: String?

    @Argument(help: ArgumentHelp("A profile's name or file.", valueName: "name|file"))
    var name: String

    func run() async throws {
        let lookup = ProfileLookup(global)
        let file = try lookup.file(of: name)
        let profile = try ProfileFile.read(file, environment: environment)
        let found = await ProviderCheck.examine(
            profile, among: try lookup.others(than: file), capabilities: .live)
        var result: JSONObject = [
            "checks": found.objects,
            "flows": .array(profile.flows.map { .string($0.rawValue) }),
            "issuer": profile.issuer.map { .string($0) } ?? .null,
            "name": .string(profile.name), "ok": .bool(found.isFine),
        ]
        result["environment"] = profile.environment.map { .string($0) }
        try global.output.print(result) { found.text }
        if !found.isFine { throw CommandEnd(status: .findings) }
    }
}
