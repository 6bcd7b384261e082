// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Projections
internal import ReadModels
internal import SessionEvents

struct ProjectionsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the rows of a projection.",
        discussion: """
            Examples:
              authledger projections show provider-health
              authledger projections show failures --json
              authledger projections show key-usage

            provider-health has a row for each provider and hour: sessions that began in it, and \
            those that ended in it, with how long they took. failures has one for each reason, \
            provider and client, key-usage one for each key of an issuer and the key set that it \
            was found in. Each counts the sessions whose keys are destroyed.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("Which of them.", valueName: "name"))
    var name: ProjectionArgument

    func run() throws {
        let log = try global.openLedger(.reading)
        let store = try ProjectionStore.open(log, limits: global.storageLimits())
        var lines = LineBuffer()
        let append = { (object: JSONObject, text: String) in
            try lines.append(global.json ? CanonicalJSON.encode(object) : Array(text.utf8))
        }
        switch name.name {
        case .sessions:
            try store.forEachSession(SessionQuery()) {
                try append($0.object, $0.line)
                return true
            }
        case .providerHealth:
            try store.forEachRow(ProviderHealth.self) { try append($0.object, $0.line) }
        case .failures:
            try store.forEachRow(FailureGroup.self) { try append($0.object, $0.line) }
        case .keyUsage:
            try store.forEachRow(KeyUsage.self) { try append($0.object, $0.line) }
        }
        try lines.flush()
        if let stop = try store.state().stop { throw CommandError(stop) }
    }
}

extension ProviderHealth {
    fileprivate var object: JSONObject {
        var reasons = JSONObject()
        for (code, count) in failed.sorted(by: { $0.key < $1.key }) {
            reasons[code] = .integer(Int64(count))
        }
        return [
            "durationClasses": .array(durationCounts.map { .integer(Int64($0)) }),
            "durationMaxMs": .integer(durationMaxMilliseconds),
            "durationSumMs": .integer(durationSumMilliseconds),
            "erased": .integer(Int64(erased)), "failed": .integer(Int64(failedInAll)),
            "hour": .string(hour.rfc3339), "provider": .string(provider),
            "reasons": .object(reasons), "started": .integer(Int64(started)),
            "verified": .integer(Int64(verified)),
        ]
    }

    fileprivate var line: String {
        let ended = verified + failedInAll
        let mean = ended == 0 ? "" : ", \(durationSumMilliseconds / Int64(ended)) ms each"
        return "\(hour)  \(provider)  \(started) started, \(verified) verified, "
            + "\(failedInAll) failed\(mean)" + (erased == 0 ? "" : ", \(erased) erased")
    }
}

extension FailureGroup {
    fileprivate var object: JSONObject {
        var object: JSONObject = [
            "clientID": .string(clientID), "count": .integer(Int64(count)),
            "erased": .integer(Int64(erased)), "firstAt": .string(firstAt.rfc3339),
            "lastAt": .string(lastAt.rfc3339), "lastPosition": .integer(Int64(lastPosition)),
            "provider": .string(provider), "reason": .string(reason.code),
        ]
        object["example"] = example.map { .string($0) }
        return object
    }

    fileprivate var line: String {
        "\(reason.code)  \(provider)  \(clientID)  \(count) times, the last at \(lastAt)"
            + (example.map { "  (\($0))" } ?? "") + (erased == 0 ? "" : ", \(erased) erased")
    }
}

extension KeyUsage {
    fileprivate var object: JSONObject {
        var object: JSONObject = [
            "erased": .integer(Int64(erased)), "failed": .integer(Int64(failed)),
            "firstAt": .string(firstAt.rfc3339), "lastAt": .string(lastAt.rfc3339),
            "verified": .integer(Int64(verified)),
        ]
        object["algorithm"] = key.algorithm.map { .string($0) }
        object["issuer"] = issuer.map { .string($0) }
        object["keyID"] = key.keyID.map { .string($0) }
        object["keySetDigest"] = key.keySetDigest.map { .string($0.base64URL) }
        return object
    }

    fileprivate var line: String {
        "\(issuer ?? "-")  \(key.keyID ?? "-")  \(key.algorithm ?? "-")  "
            + "key set \(key.keySetDigest?.base64URL ?? "-")  \(verified) verified, "
            + "\(failed) failed, \(firstAt) to \(lastAt)"
            + (erased == 0 ? "" : ", \(erased) erased")
    }
}
