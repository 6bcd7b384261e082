// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// Where to begin to look.
public enum FailureClass: String, CaseIterable, Sendable {
    /// The person who logs in.
    case user
    /// The settings of the client, here or at the provider.
    case configuration
    /// Clocks that differ.
    case clock
    /// The provider, or the eID behind it.
    case broker
    /// What lies between the provider and this program.
    case network
    /// What an attack looks like, whether it is one or not.
    case attack
    /// The ledger, or the program that records into it.
    case ledger
}

/// How much attention a single case needs.
public enum FailureSeverity: String, CaseIterable, Sendable {
    /// It belongs to every day; only many at once mean something.
    case info
    /// Somebody should look at it.
    case warning
    /// Somebody has to look at it now.
    case incident
}

/// What each code means, what shows it, where it may come from, and what to do about it.
///
/// Titles and hints state what is known; what is inferred stands among the likely causes. A new
/// code needs three things: its name in `FailureReason`, where the compiler of events knows it; an
/// entry in one of the lists beside this file; and, by `UPDATE_GOLDEN=1`, its place in
/// `Schemas/failure-codes.json` and a golden explanation.
public enum FailureCatalogue {
    /// A setting of the request that belongs to the evidence of some codes.
    enum Asked: Sendable {
        case acr
        case redirectURI
        case responseMode
        case scope
    }

    /// What is said of a code.
    public struct Entry: Equatable, Sendable {
        /// The code, for example `nonce-mismatch`.
        public let code: String
        /// Where to begin to look.
        public let failureClass: FailureClass
        /// How much attention a single case needs.
        public let severity: FailureSeverity
        /// The code in a sentence.
        public let title: String
        /// Which recorded facts show it, in sentences. Names in backticks are words of events and
        /// their members.
        public let evidence: [String]
        /// What may have led to it, the likeliest first.
        public let likelyCauses: [LikelyCause]
        /// What to do.
        public let hint: String
        /// Whether the user may simply try again.
        public let retrySafe: Bool
        /// The settings of the request that belong to the evidence.
        let asked: Set<Asked>

        init(
            _ code: String, _ failureClass: FailureClass, _ severity: FailureSeverity,
            retrySafe: Bool, _ title: String, evidence: [String], causes: [LikelyCause],
            hint: String, asked: Set<Asked> = []
        ) {
            self.code = code
            self.failureClass = failureClass
            self.severity = severity
            self.title = title
            self.evidence = evidence
            likelyCauses = causes
            self.hint = hint
            self.retrySafe = retrySafe
            self.asked = asked
        }
    }

    /// Hints that several codes have.
    enum Hint {
        static let treatAsAttack =
            "Treat it as an attack until you know better; do not accept the login."
        static let reportToProvider = "Report it to the provider with the time and the trace id."
        static let setClock =
            "Compare the clocks; set yours by NTP rather than widening the tolerance."
    }

    /// Every entry, sorted by code.
    public static let entries: [Entry] =
        (userFailures + requestFailures + settingFailures + clockFailures + brokerFailures
        + networkFailures + attackFailures + ledgerFailures).sorted { $0.code < $1.code }

    private static let entriesByCode = Dictionary(
        uniqueKeysWithValues: entries.map { ($0.code, $0) })

    /// What is said of a code. There is an entry for every code; a test holds it.
    public static func entry(_ reason: FailureReason) -> Entry {
        guard let entry = entriesByCode[reason.code] else {
            preconditionFailure("\(reason.code) has no entry in the failure catalogue")
        }
        return entry
    }

    /// The catalogue for programs; `Schemas/failure-codes.json` holds the same.
    public static var object: JSONObject {
        ["codes": .array(entries.map { .object($0.object) })]
    }
}

extension FailureCatalogue.Entry {
    /// The entry for programs.
    public var object: JSONObject {
        [
            "class": .string(failureClass.rawValue), "code": .string(code),
            "evidence": .array(evidence.map { .string($0) }), "hint": .string(hint),
            "likelyCauses": .array(likelyCauses.map { .string($0.text) }),
            "retrySafe": .bool(retrySafe), "severity": .string(severity.rawValue),
            "title": .string(title),
        ]
    }

    /// The entry as a page for a person.
    public var text: String {
        var page = TextPage()
        page.add("\(code): \(title)")
        page.add("class \(failureClass.rawValue) · severity \(severity.rawValue)")
        page.add(list: evidence.map { ("-", [$0]) }, under: "What shows it:")
        page.addNumbered(
            likelyCauses.map { [$0.text] }, under: "Likely causes, the likeliest first:")
        page.add(hint: hint, retrySafe: retrySafe)
        return page.text
    }
}
