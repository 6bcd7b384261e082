// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Projections
internal import ReadModels
internal import SessionEvents

/// Which provider's keys are asked for.
struct KeyArchiveOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only keys of this issuer.", valueName: "url"))
    var issuer: String?

    func archive(_ global: GlobalOptions) throws -> (EventLog, KeyArchive) {
        let log = try global.openLedger(.reading)
        guard case .opened(let store) = try SessionSource.projections(of: log, global) else {
            throw CommandError(
                .inputOutput, "projections-unavailable", "the projections cannot be had",
                hint: "authledger projections status")
        }
        return (log, try KeyArchive(store, issuer: issuer))
    }
}

struct KeysListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List every key of a provider that was ever seen.",
        discussion: """
            Examples:
              authledger keys list
              authledger keys list --issuer https://login.example.org --json

            When each was first and last seen, who saw it (own: fetched by this program; reported: \
            came with a token that another program reported), how many logins had tokens of it, \
            whether it is gone from the provider's key set by now, and what is wrong with it.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var options: KeyArchiveOptions

    func run() throws {
        let (_, archive) = try options.archive(global)
        var lines = LineBuffer()
        for history in archive.histories {
            for life in history.keys {
                let use = archive.use(of: life, issuer: history.issuer)
                try lines.append(
                    global.json
                        ? CanonicalJSON.encode(life.object(history.issuer, use))
                        : Array(life.line(history.issuer, use).utf8))
            }
        }
        try lines.flush()
    }
}

struct KeysShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a key of a provider, and the logins with tokens of it.",
        discussion: """
            Examples:
              authledger keys show key-2026-11
              authledger keys show key-2026-11 --issuer https://login.example.org --json

            The key is named by its id (`kid`) or its thumbprint (RFC 7638).
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var options: KeyArchiveOptions

    @Argument(help: ArgumentHelp("The key's id or thumbprint.", valueName: "key"))
    var key: String

    @Option(help: ArgumentHelp("List at most so many logins.", valueName: "n"))
    var limit = 20

    func run() throws {
        let (log, archive) = try options.archive(global)
        let found = archive.histories.flatMap { history in
            history.keys.filter(isMeant).map { (history.issuer, $0) }
        }
        guard !found.isEmpty else {
            throw CommandError(
                .inputOutput, "key-unknown", "no key set that was ever seen has this key",
                hint: "authledger keys list")
        }
        let source = try SessionSource(log, global, asOf: nil)
        for (issuer, life) in found {
            let use = archive.use(of: life, issuer: issuer)
            var sessions: [String] = []
            try source.forEach(SessionQuery()) { session in
                if session.issuer?.isIdentical(to: issuer) ?? false,
                    let used = session.tokenKey, life.isNamed(by: used)
                {
                    sessions.append(session.session)
                }
                return sessions.count < max(0, limit)
            }
            var object = life.object(issuer, use)
            object["keySets"] = .array(life.keySets.map { .string($0.base64URL) })
            object["sessions"] = .array(sessions.map { .string($0) })
            try global.output.print(object) {
                ([life.line(issuer, use)]
                    + life.keySets.map { "  in the key set \($0.base64URL)" }
                    + sessions.map { "  used by \($0)" }).joined(separator: "\n")
            }
        }
    }

    private func isMeant(_ life: KeyHistory.Life) -> Bool {
        life.key.keyID?.isIdentical(to: key) ?? false || life.key.thumbprint?.base64URL == key
    }
}

struct KeysTimelineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timeline",
        abstract: "Show how a provider's key set changed, and when nobody looked.",
        discussion: """
            Examples:
              authledger keys timeline
              authledger keys timeline --issuer https://login.example.org --json

            A time of more than a day in which the key set was not seen is named as a gap: a key \
            may have come and gone in it.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var options: KeyArchiveOptions

    func run() throws {
        let (_, archive) = try options.archive(global)
        var lines = LineBuffer()
        for history in archive.histories {
            for change in history.timeline {
                try lines.append(
                    global.json
                        ? CanonicalJSON.encode(change.object(history.issuer))
                        : Array(change.line(history.issuer).utf8))
            }
        }
        try lines.flush()
    }
}

// MARK: - Output

extension KeyHistory.Key {
    fileprivate var name: String { keyID ?? thumbprint?.base64URL ?? "a key without a name" }
}

extension KeyHistory.Life {
    /// Whether events of sessions mean this key.
    fileprivate func isNamed(by used: TokenKey) -> Bool {
        guard let digest = used.keySetDigest, keySets.contains(digest) else { return false }
        guard let keyID = used.keyID, let own = key.keyID else {
            return used.keyID == nil && key.keyID == nil
        }
        return keyID.isIdentical(to: own)
    }

    fileprivate func object(_ issuer: String, _ use: KeyArchive.Use) -> JSONObject {
        var object: JSONObject = [
            "algorithm": .string(key.algorithm), "failed": .integer(Int64(use.failed)),
            "firstSeen": .string(firstSeen.rfc3339), "issuer": .string(issuer),
            "lastSeen": .string(lastSeen.rfc3339),
            "sources": .array(sources.map(\.rawValue).sorted().map { .string($0) }),
            "verified": .integer(Int64(use.verified)),
        ]
        object["keyID"] = key.keyID.map { .string($0) }
        object["thumbprint"] = key.thumbprint.map { .string($0.base64URL) }
        object["withdrawnAt"] = withdrawnAt.map { .string($0.rfc3339) }
        object["flaw"] = key.flaw.map { .string($0) }
        return object
    }

    fileprivate func line(_ issuer: String, _ use: KeyArchive.Use) -> String {
        var parts = [
            "\(issuer)  \(key.name)  \(key.algorithm)",
            "seen \(firstSeen.rfc3339) to \(lastSeen.rfc3339)",
            sources.map(\.rawValue).sorted().joined(separator: " and "),
            "\(use.verified) verified, \(use.failed) failed",
        ]
        parts += withdrawnAt.map { ["WITHDRAWN by \($0.rfc3339)"] } ?? []
        parts += key.flaw.map { ["NOT USABLE: \($0)"] } ?? []
        return parts.joined(separator: "; ")
    }
}

extension KeyHistory.Change {
    fileprivate func object(_ issuer: String) -> JSONObject {
        var object: JSONObject = [
            "added": .array(added.map { .string($0.name) }), "issuer": .string(issuer),
            "keySet": .string(digest.base64URL), "source": .string(source.rawValue),
            "time": .string(time.rfc3339), "withdrawn": .array(withdrawn.map { .string($0.name) }),
        ]
        object["position"] = position.map { .integer(Int64($0)) }
        object["gapSeconds"] = gapSeconds.map { .integer($0) }
        return object
    }

    fileprivate func line(_ issuer: String) -> String {
        var parts = ["\(time.rfc3339)  \(issuer)  key set \(digest.base64URL) (\(source.rawValue))"]
        if !added.isEmpty { parts.append("came: " + added.map(\.name).joined(separator: ", ")) }
        if !withdrawn.isEmpty {
            parts.append("went: " + withdrawn.map(\.name).joined(separator: ", "))
        }
        parts +=
            gapSeconds.map {
                ["GAP: not seen for \($0 / 3600) h before"]
            } ?? []
        return parts.joined(separator: "; ")
    }
}
