// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// How a login goes.
public enum Flow: String, CaseIterable, Sendable {
    case code
    case pkce
    case jarm
    case implicit
    case ciba
    case headless

    /// Whether the user's browser carries the request and the answer; else we poll for it.
    public var usesRedirect: Bool {
        switch self {
        case .code, .pkce, .jarm, .implicit: true
        case .ciba, .headless: false
        }
    }
}

/// Where a session failed.
public enum Stage: String, CaseIterable, Sendable {
    case discovery
    case authorizationRequest = "authorization-request"
    case callback
    case token
    case verification
    case userinfo
    case polling
}

/// A place on a redirect's way other than the authorization endpoint.
public enum Waypoint: String, CaseIterable, Sendable {
    case accountSelector = "account-selector"
}

/// What the backchannel answered.
public enum PollStatus: String, CaseIterable, Sendable {
    /// The request was acknowledged.
    case accepted
    /// The user has not answered yet.
    case pending
    /// As pending, and we asked too often.
    case slowDown = "slow-down"
    /// The provider could not answer: no answer, a server error or too many requests. The request
    /// goes on.
    case unavailable
    /// The request is over without a token.
    case error
}

/// Who says that a document belongs to an event.
public enum DocumentSource: String, CaseIterable, Sendable {
    /// We fetched or applied it ourselves.
    case own
    /// The program that reported the event did.
    case reported
}

/// Who made sure that a callback belongs to the session.
public enum StateBinding: String, CaseIterable, Sendable {
    /// The caller named the session that its user agent holds.
    case session
    /// Nobody: the session was found by the state that came in.
    case none
}

/// The outcome of one named check.
public struct Check: Equatable, Sendable {
    /// What came out.
    public enum Outcome: String, CaseIterable, Sendable {
        case passed
        case failed
        case notApplicable = "not-applicable"
        case notChecked = "not-checked"
    }

    /// The check's name, for example `nonce` or `at_hash`.
    public var name: String
    /// What came out.
    public var outcome: Outcome

    /// An outcome of a check.
    public init(_ name: String, _ outcome: Outcome) {
        self.name = name
        self.outcome = outcome
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        name = try members.required("name", .checkName)
        outcome = try members.required("outcome", .outcome)
    }

    func object() -> JSONObject {
        ["name": .string(name), "outcome": .string(outcome.rawValue)]
    }
}

/// A request beside the flow's own, made between two events: PAR, UserInfo, permissions.
public struct Exchange: Equatable, Sendable {
    /// What it was for.
    public var purpose: String
    /// Where it went.
    public var endpoint: String
    /// What the server answered; nil when it did not.
    public var status: Int?
    /// How long it took, in milliseconds.
    public var durationMilliseconds: Int?
    /// The provider's id for it.
    public var traceID: String?

    /// A request and its answer.
    public init(
        purpose: String, endpoint: String, status: Int? = nil, durationMilliseconds: Int? = nil,
        traceID: String? = nil
    ) {
        self.purpose = purpose
        self.endpoint = endpoint
        self.status = status
        self.durationMilliseconds = durationMilliseconds
        self.traceID = traceID
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        purpose = try members.required("purpose", .purpose)
        endpoint = try members.required("endpoint", .url)
        status = try members.optional("status", .httpStatus)
        durationMilliseconds = try members.optional("durationMs", .milliseconds)
        traceID = try members.optional("traceID", .traceID)
    }

    func object() -> JSONObject {
        var object = JSONObject()
        object.set("purpose", purpose, .purpose)
        object.set("endpoint", endpoint, .url)
        object.set("status", status, .httpStatus)
        object.set("durationMs", durationMilliseconds, .milliseconds)
        object.set("traceID", traceID, .traceID)
        return object
    }
}

/// How a token was encrypted to us (RFC 7516). What was inside is what is checked.
public struct Encryption: Equatable, Sendable {
    /// How the content key was encrypted.
    public var algorithm: String
    /// How the content was.
    public var contentEncryption: String
    /// Which key of ours it names.
    public var keyID: String?

    /// How a token was encrypted.
    public init(algorithm: String, contentEncryption: String, keyID: String? = nil) {
        self.algorithm = algorithm
        self.contentEncryption = contentEncryption
        self.keyID = keyID
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        algorithm = try members.required("algorithm", .keyManagement)
        contentEncryption = try members.required("contentEncryption", .contentEncryption)
        keyID = try members.optional("keyID", .keyID)
    }

    func object() -> JSONObject {
        var object = JSONObject()
        object.set("algorithm", algorithm, .keyManagement)
        object.set("contentEncryption", contentEncryption, .contentEncryption)
        object.set("keyID", keyID, .keyID)
        return object
    }
}

extension MemberKind where Value == String {
    static let purpose = text(
        "a word of up to 32 lower-case letters and hyphens", bytesMax: 32,
        { $0.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") } })

    static let checkName = text(
        "a check's name of up to 32 lower-case letters, _ and -", bytesMax: 32,
        { text in
            text.utf8.allSatisfy { (0x61...0x7A).contains($0) || "_-".utf8.contains($0) }
        })
}

extension MemberKind where Value == Check.Outcome {
    static let outcome: MemberKind = .word("passed, failed, not-applicable or not-checked")
}

extension MemberKind where Value == Flow {
    static let flow: MemberKind = .word("code, pkce, jarm, implicit, ciba or headless")
}

extension MemberKind where Value == Waypoint {
    static let waypoint: MemberKind = .word("account-selector")
}

extension MemberKind where Value == StateBinding {
    static let stateBinding: MemberKind = .word("session or none")
}

extension MemberKind where Value == PollStatus {
    static let pollStatus: MemberKind = .word(
        "accepted, pending, slow-down, unavailable or error")
}

extension MemberKind where Value == DocumentSource {
    static let documentSource: MemberKind = .word("own or reported")
}

extension MemberKind where Value == Stage {
    static let stage: MemberKind = .word(
        """
        discovery, authorization-request, callback, token, verification, userinfo or \
        polling
        """)
}
