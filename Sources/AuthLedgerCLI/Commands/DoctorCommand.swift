// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Curl
internal import EventLog
internal import LMDB
internal import LedgerPrimitives
internal import OpenSSL
internal import Platform
internal import QRCode
internal import Zlib

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at the ledger and what it lives on, and say what to do.",
        discussion: """
            Examples:
              authledger doctor
              authledger doctor --json

            Looks at the filesystem, the room on it, format, root key, readers, permissions, \
            leftovers of crashes, projections, the clock, the clients' certificates that provider profiles \
            name and the libraries, and changes nothing. A problem ends with exit status 1; \
            warnings alone with 0. Whether events were changed, `authledger verify` tells.
            """)

    @OptionGroup var global: GlobalOptions

    /// Set for the process that reads.
    @Flag(help: .hidden)
    var inProcess = false

    func run() throws {
        if inProcess {
            let ledger = try LedgerDoctor.examine(
                global.ledgerDirectory(), keyRoot: global.keyRoot(),
                limits: global.storageLimits(), capabilities: .live)
            let certificates = try ProfileLookup(global).certificates(at: .present)
            let projections = ProjectionChecking.diagnosis(global)
            try report(ledger + projections + certificates + [Self.libraries])
        } else {
            try ReadingChild.run("doctor") { message in
                try report([
                    Diagnosis(
                        "ledger", .problem, message + ": the storage is damaged",
                        hint: "restore the ledger from a backup")
                ])
            }
        }
    }

    private func report(_ found: [Diagnosis]) throws {
        let result: JSONObject = ["checks": found.objects, "ok": .bool(found.isFine)]
        try global.output.print(result) { found.text }
        if !found.isFine { throw CommandEnd(status: .findings) }
    }

    private static var libraries: Diagnosis {
        Diagnosis(
            "libraries", .ok,
            "authledger \(AuthLedgerProgram.version), LMDB \(LMDBEnvironment.libraryVersion), "
                + "OpenSSL \(OpenSSLLibrary.version), zlib \(Deflater.libraryVersion), "
                + "libcurl \(CurlTransport.libraryVersion), qrencode \(QRCode.libraryVersion)")
    }
}
