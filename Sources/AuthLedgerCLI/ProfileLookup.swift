// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import RelyingParty

/// Finds profiles by name or file.
struct ProfileLookup {
    private let global: GlobalOptions

    init(_ global: GlobalOptions) {
        self.global = global
    }

    /// Where profiles lie: what the ledger has goes before what the user has.
    private func folders() throws -> [String] {
        [
            try global.ledgerDirectory() + "/providers",
            try Path.parent(of: global.keyRoot()) + "/providers",
        ]
    }

    /// The names of the profiles in both folders.
    func names() throws -> [String] {
        var names: Set<String> = []
        for folder in try folders() where Directory.exists(folder) {
            for entry in try Directory.entries(of: folder) where entry.hasSuffix(".yaml") {
                names.insert(String(entry.dropLast(5)))
            }
        }
        return names.sorted()
    }

    /// The profile in a file, or of a name.
    func profile(_ nameOrFile: String, environment: String? = nil) throws -> ProviderProfile {
        try ProfileFile.read(file(of: nameOrFile), environment: environment)
    }

    /// The file of a profile.
    func file(of nameOrFile: String) throws -> String {
        if let path = try path(of: nameOrFile) { return path }
        if ProfileTemplate(nameOrFile) != nil {
            throw CommandError(
                .usage, "profile-incomplete", "this built-in profile has no client of yours in it",
                hint: "write a profile with `extends: \(nameOrFile)`, `clientID` and `redirectURI`")
        }
        throw unknown
    }

    /// The members of a profile in a file or of a name, or of one that is built in.
    func members(_ nameOrFile: String, environment: String? = nil) throws -> JSONObject {
        if let path = try path(of: nameOrFile) {
            return try ProfileFile.read(path, environment: environment).object
        }
        guard let template = ProfileTemplate(nameOrFile) else { throw unknown }
        return try template.members(environment: environment)
    }

    /// The known profiles but the one in a file, each as it is without further options. What cannot
    /// be read is told and left out.
    func others(than file: String) throws -> [ProviderProfile] {
        let own = try Path.absolute(file)
        return try known().compactMap { name, path, profile in
            guard try !Path.absolute(path).isIdentical(to: own) else { return nil }
            do {
                return try profile.get()
            } catch {
                say(name, error)
                return nil
            }
        }
    }

    /// Every known profile that can be read, by its name in the folder; of the others it is told
    /// that they cannot.
    func readable() throws -> [(name: String, profile: ProviderProfile)] {
        try known().compactMap { name, _, profile in
            do {
                return (name, try profile.get())
            } catch {
                say(name, error)
                return nil
            }
        }
    }

    /// What is to be said of the certificates that profiles name.
    func certificates(at instant: Instant) throws -> [Diagnosis] {
        try known().compactMap { name, _, profile in
            do {
                return ProviderCheck.certificate(
                    of: try profile.get(), knownAs: name, at: instant,
                    unreadable: .warning)
            } catch {
                return Diagnosis(
                    "profile \(name)", .warning, CommandError(error).message,
                    hint: "authledger providers check \(name)")
            }
        }
    }

    private func known() throws -> [(String, String, Result<ProviderProfile, any Error>)] {
        try names().compactMap { name in
            try path(named: name).map { path in
                (name, path, Result { try ProfileFile.read(path) })
            }
        }
    }

    private func say(_ name: String, _ error: any Error) {
        let message = "the profile \(name) cannot be read: \(CommandError(error).message)"
        global.notices.say("authledger: " + TerminalText.escaped(message))
    }

    private func path(of nameOrFile: String) throws -> String? {
        if nameOrFile.contains("/") || nameOrFile.hasSuffix(".yaml") { return nameOrFile }
        return try path(named: nameOrFile)
    }

    private func path(named name: String) throws -> String? {
        try folders().map { $0 + "/" + name + ".yaml" }.first(where: Directory.exists)
    }

    private var unknown: CommandError {
        CommandError(
            .usage, "provider-unknown", "there is no profile of this name",
            hint: "authledger providers list")
    }
}
