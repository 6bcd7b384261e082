// SPDX-License-Identifier: Apache-2.0

extension FailureCatalogue {
    /// What lies with the ledger, or with the program that records into it.
    static let ledgerFailures: [Entry] = [
        Entry(
            "append-conflict", .ledger, .info, retrySafe: true,
            "Another process wrote to the session at the same time.",
            evidence: [
                "The command ends with this code; nothing was recorded of it."
            ],
            causes: [
                "Two processes drive or report the same session.",
                "The same callback came twice at the same moment.",
            ],
            hint: "Run the command again."),
        Entry(
            "disk-nearly-full", .ledger, .incident, retrySafe: false,
            "The disk has less room than is kept in reserve, and nothing was recorded.",
            evidence: [
                "The command ends with this code and says how much room is left.",
                "`authledger doctor` shows disk and reserve.",
            ],
            causes: [
                "The ledger has grown.",
                "Something else fills the same disk.",
            ],
            hint: "Make room on the disk. The ledger can be read meanwhile."),
        Entry(
            "frame-damaged", .ledger, .incident, retrySafe: false,
            "A recorded event is not what was hashed when it was recorded.",
            evidence: [
                "A finding of `authledger verify`, with the event's position."
            ],
            causes: [
                "The disk, its controller or the memory has failed.",
                "Somebody changed the event.",
            ],
            hint: """
                Stop writing, keep a copy of the files, and compare with a backup and with \
                checkpoints outside.
                """),
        Entry(
            "id-conflict", .ledger, .warning, retrySafe: false,
            "An event with the same id and other content is in the session already.",
            evidence: [
                "`authledger ingest` rejects the line with this code; nothing was recorded of it."
            ],
            causes: [
                "The reporting program changed an event and sent it again.",
                "Two programs, or two copies of one, use the same ids.",
            ],
            hint: "Send the event as it was, or with an id of its own."),
        Entry(
            "key-missing", .ledger, .incident, retrySafe: false,
            "The data key of a session is not there, and no erasure says so.",
            evidence: [
                "A finding of `authledger verify`, with the position of the session's first event.",
                "No `authledger.ledger.erased` names the session.",
            ],
            causes: [
                "`keys/` is an older copy than `log/`.",
                "Somebody removed keys by hand.",
            ],
            hint: """
                Bring back the copy of `keys/` that belongs to this `log/`, and run `authledger \
                verify`.
                """),
        Entry(
            "link-mismatch", .ledger, .incident, retrySafe: false,
            "An event does not stand in the place in its session that it names.",
            evidence: [
                "A finding of `authledger verify`, with the event's position."
            ],
            causes: [
                "Somebody took an event out, or put one in.",
                "The storage is damaged.",
            ],
            hint: """
                Stop writing, keep a copy of the files, and compare with a backup and with \
                checkpoints outside.
                """),
        Entry(
            "result-lost", .ledger, .warning, retrySafe: true,
            "An answer with tokens was lost before everything that it was for was done.",
            evidence: [
                "The last `polled` is pending, and no `token-issued` follows.",
                "`polled.gap`: an attempt may have left unrecorded.",
                """
                Or UserInfo was to be asked for, and the access token was with a process that \
                died.
                """,
            ],
            causes: [
                "This program ended between the answer and its record.",
                "The record could not be written.",
            ],
            hint: "What was recorded is not lost. A new login is safe."),
        Entry(
            "root-mismatch", .ledger, .incident, retrySafe: false,
            "The events hash to another root than the ledger has recorded.",
            evidence: [
                "A finding of `authledger verify`; the root is that of all events."
            ],
            causes: [
                "Somebody changed, added or removed events.",
                "The storage is damaged.",
            ],
            hint: """
                Stop writing, keep a copy of the files, and compare with a backup and with \
                checkpoints outside.
                """),
        Entry(
            "storage-damaged", .ledger, .incident, retrySafe: false,
            "The ledger's storage cannot be read: its pages are damaged.",
            evidence: [
                "The command ends with this code, or it is a finding of `authledger verify`."
            ],
            causes: [
                "The disk, its controller or the memory has failed.",
                "Something else wrote into the files.",
            ],
            hint: """
                Stop writing, keep a copy of the files, and restore the ledger from a backup.
                """),
    ]
}
