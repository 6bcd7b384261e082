// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Who did something with a ledger, as the operating system reports it. It is a statement of the
/// machine on which the command ran, and no proof.
public struct Operator: Equatable, Sendable {
    /// The name of the user; `other` where the system has none that may stand here.
    public var user: String
    /// The number of the user.
    public var uid: Int

    /// An operator. A name of other characters than letters, digits and `._-` is left out.
    public init(user: String?, uid: Int) {
        self.user = user.flatMap { MemberKind.name.read(.string($0)) } ?? RegisteredNames.other
        self.uid = uid
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        user = try members.required("user", .name)
        uid = try members.required("uid", .userID)
    }

    func write(to object: inout JSONObject) {
        object.set("user", user, .name)
        object.set("uid", uid, .userID)
    }
}

/// On what ground data were erased. What was said beyond it is sealed.
public enum LegalBasis: String, CaseIterable, Sendable {
    /// GDPR Art. 17(1)(a): no longer necessary.
    case notNecessary = "gdpr-17-1-a"
    /// GDPR Art. 17(1)(b): consent withdrawn.
    case consentWithdrawn = "gdpr-17-1-b"
    /// GDPR Art. 17(1)(c): objection.
    case objection = "gdpr-17-1-c"
    /// GDPR Art. 17(1)(d): unlawfully processed.
    case unlawful = "gdpr-17-1-d"
    /// GDPR Art. 17(1)(e): legal obligation to erase.
    case obligation = "gdpr-17-1-e"
    /// GDPR Art. 17(1)(f): information society services offered to a child.
    case child = "gdpr-17-1-f"
    /// GDPR Art. 5(1)(e): the time of storage has run out.
    case storageLimitation = "gdpr-5-1-e"
    /// Something else; the words are sealed.
    case other

    /// The code for what a person wrote, as `GDPR Art. 17(1)(a)` or `gdpr-17-1-a`; `other` for
    /// what is none of the list.
    public init(text: String) {
        var letters = text.lowercased().unicodeScalars.filter {
            ("a"..."z").contains($0) || ("0"..."9").contains($0)
        }.map { String($0) }.joined()
        for word in ["gdpr", "dsgvo", "article", "art"] where letters.hasPrefix(word) {
            letters.removeFirst(word.count)
        }
        self =
            Self.allCases.first {
                $0 != .other && letters == $0.rawValue.dropFirst(5).filter { $0 != "-" }
            } ?? .other
    }
}

/// The ledger is about to destroy the keys of these sessions. From here on they count as erased as
/// soon as a program can see to it.
public struct ErasureStarted: SessionEventPayload {
    /// How many sessions, and how many records of accesses, one event names at most; more make
    /// several events.
    public static let streamsMax = 700

    /// The erasure, which may take several events.
    public var erasure: UUIDv7
    /// Which of the erasure's events this is, from 1.
    public var part: Int
    /// How many events the erasure takes.
    public var parts: Int
    /// The sessions.
    public var sessions: [UUIDv7]
    /// Records of accesses to these sessions and of searches for the same person, whose keys go
    /// with them; see ``AccessStream``.
    public var accesses: [UUIDv7]
    /// On what ground.
    public var legalBasis: LegalBasis
    /// Who asked for it.
    public var by: Operator

    /// The beginning of an erasure.
    public init(
        erasure: UUIDv7, part: Int = 1, parts: Int = 1, sessions: [UUIDv7],
        accesses: [UUIDv7] = [], legalBasis: LegalBasis, by operator: Operator
    ) {
        self.erasure = erasure
        self.part = part
        self.parts = parts
        self.sessions = sessions
        self.accesses = accesses
        self.legalBasis = legalBasis
        by = `operator`
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        erasure = try members.required("erasure", .uuid)
        part = try members.required("part", .part)
        parts = try members.required("parts", .part)
        sessions = try members.required("sessions", .streams)
        accesses = try members.optional("accesses", .streams) ?? []
        legalBasis = try members.required("legalBasis", .legalBasis)
        by = try Operator(reading: &members)
    }

    func write(to object: inout JSONObject) {
        object.set("erasure", erasure, .uuid)
        object.set("part", part, .part)
        object.set("parts", parts, .part)
        object.set("sessions", sessions, .streams)
        object.set("accesses", accesses.isEmpty ? nil : accesses, .streams)
        object.set("legalBasis", legalBasis, .legalBasis)
        by.write(to: &object)
    }
}

/// The keys of these sessions are destroyed: what was sealed in them can no more be opened.
public struct Erased: SessionEventPayload {
    /// What became of the root key under which the destroyed keys were wrapped.
    public enum RootKeyFate: String, CaseIterable, Sendable {
        /// It was replaced and overwritten.
        case replaced
        /// It is not the ledger's to replace. Whoever has it and an older copy of `keys/` can still
        /// open what was erased.
        case kept
    }

    /// The erasure.
    public var erasure: UUIDv7
    /// Which of the erasure's events this is, from 1.
    public var part: Int
    /// How many events the erasure takes.
    public var parts: Int
    /// The sessions.
    public var sessions: [UUIDv7]
    /// Records of accesses to these sessions and of searches for the same person.
    public var accesses: [UUIDv7]
    /// How many of the sessions had a key.
    public var keysDestroyed: Int
    /// What became of the root key.
    public var rootKey: RootKeyFate

    /// The end of an erasure.
    public init(
        erasure: UUIDv7, part: Int = 1, parts: Int = 1, sessions: [UUIDv7],
        accesses: [UUIDv7] = [], keysDestroyed: Int, rootKey: RootKeyFate
    ) {
        self.erasure = erasure
        self.part = part
        self.parts = parts
        self.sessions = sessions
        self.accesses = accesses
        self.keysDestroyed = keysDestroyed
        self.rootKey = rootKey
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        erasure = try members.required("erasure", .uuid)
        part = try members.required("part", .part)
        parts = try members.required("parts", .part)
        sessions = try members.required("sessions", .streams)
        accesses = try members.optional("accesses", .streams) ?? []
        keysDestroyed = try members.required("keysDestroyed", .count)
        rootKey = try members.required("rootKey", .rootKeyFate)
    }

    func write(to object: inout JSONObject) {
        object.set("erasure", erasure, .uuid)
        object.set("part", part, .part)
        object.set("parts", parts, .part)
        object.set("sessions", sessions, .streams)
        object.set("accesses", accesses.isEmpty ? nil : accesses, .streams)
        object.set("keysDestroyed", keysDestroyed, .count)
        object.set("rootKey", rootKey, .rootKeyFate)
    }
}

/// A session may not be erased, or may be again.
public struct LegalHold: SessionEventPayload {
    /// The session.
    public var session: UUIDv7
    /// Who placed or released the hold.
    public var by: Operator

    /// A hold on a session.
    public init(session: UUIDv7, by operator: Operator) {
        self.session = session
        by = `operator`
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        session = try members.required("session", .uuid)
        by = try Operator(reading: &members)
    }

    func write(to object: inout JSONObject) {
        object.set("session", session, .uuid)
        by.write(to: &object)
    }
}

/// Keys were replaced by new ones.
public struct KeysRotated: SessionEventPayload {
    /// Which keys.
    public enum Kind: String, CaseIterable, Sendable {
        /// The root key, and what is wrapped under it directly.
        case root
        /// The bucket keys, and the data keys wrapped under them.
        case bucket
    }

    /// Which keys.
    public var key: Kind
    /// Who replaced them.
    public var by: Operator

    /// A rotation.
    public init(key: Kind, by operator: Operator) {
        self.key = key
        by = `operator`
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        key = try members.required("key", .rotatedKey)
        by = try Operator(reading: &members)
    }

    func write(to object: inout JSONObject) {
        object.set("key", key, .rotatedKey)
        by.write(to: &object)
    }
}

extension MemberKind where Value == UUIDv7 {
    static var uuid: MemberKind {
        MemberKind(
            expectation: "a lower-case UUID of version 7",
            read: { $0.stringValue.flatMap(UUIDv7.init) }, write: { .string($0.description) })
    }
}

extension MemberKind where Value == [UUIDv7] {
    static var streams: MemberKind {
        MemberKind(
            expectation: "up to 700 different lower-case UUIDs of version 7",
            read: { value in
                guard let elements = value.arrayValue,
                    elements.count <= ErasureStarted.streamsMax
                else { return nil }
                let ids = elements.compactMap { $0.stringValue.flatMap(UUIDv7.init) }
                return ids.count == elements.count && Set(ids).count == ids.count ? ids : nil
            },
            write: { .array($0.map { .string($0.description) }) })
    }
}

extension MemberKind where Value == Int {
    static let part = integer(1...1_000_000, "a whole number from 1 to 1000000")
    static let userID = integer(0...4_294_967_295, "a whole number from 0 to 4294967295")
}

extension MemberKind where Value == LegalBasis {
    static var legalBasis: MemberKind { .word("a code of the list of legal bases") }
}

extension MemberKind where Value == Erased.RootKeyFate {
    static var rootKeyFate: MemberKind { .word("replaced or kept") }
}

extension MemberKind where Value == KeysRotated.Kind {
    static var rotatedKey: MemberKind { .word("root or bucket") }
}
