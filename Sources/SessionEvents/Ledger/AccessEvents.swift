// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Streams in which it is recorded who looked at what. Each access has a stream of its own, and so
/// a data key of its own: what was searched for goes with the person whom it names.
public enum AccessStream {
    static let prefix = "authledger/access/"

    /// The stream of an access.
    public static func subject(_ access: UUIDv7) -> String { prefix + access.description }

    /// The access that a stream records; nil for any other stream.
    public static func access(_ subject: String) -> UUIDv7? {
        subject.hasPrefix(prefix) ? UUIDv7(String(subject.dropFirst(prefix.count))) : nil
    }
}

/// A command that shows sealed data, by its name.
public struct AccessRevealed: SessionEventPayload {
    /// The command, for example `show`.
    public var command: String
    /// The session, where it was one.
    public var session: UUIDv7?
    /// How many sealed events were opened.
    public var count: Int
    /// The first of their positions.
    public var firstPosition: Int
    /// The last of their positions.
    public var lastPosition: Int
    /// Who looked.
    public var by: Operator

    /// Sealed data are about to be shown.
    public init(
        command: String, session: UUIDv7?, count: Int, firstPosition: Int, lastPosition: Int,
        by operator: Operator
    ) {
        self.command = command
        self.session = session
        self.count = count
        self.firstPosition = firstPosition
        self.lastPosition = lastPosition
        by = `operator`
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        command = try members.required("command", .purpose)
        session = try members.optional("session", .uuid)
        count = try members.required("count", .position)
        firstPosition = try members.required("firstPosition", .position)
        lastPosition = try members.required("lastPosition", .position)
        by = try Operator(reading: &members)
    }

    func write(to object: inout JSONObject) {
        object.set("command", command, .purpose)
        object.set("session", session, .uuid)
        object.set("count", count, .position)
        object.set("firstPosition", firstPosition, .position)
        object.set("lastPosition", lastPosition, .position)
        by.write(to: &object)
    }
}

/// Sessions were searched by whom they are about. What was asked for is sealed.
public struct AccessSearched: SessionEventPayload {
    /// The command, for example `sessions`.
    public var command: String
    /// How many sessions were found.
    public var count: Int
    /// Who searched.
    public var by: Operator

    /// The result of a search is about to be shown.
    public init(command: String, count: Int, by operator: Operator) {
        self.command = command
        self.count = count
        by = `operator`
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        command = try members.required("command", .purpose)
        count = try members.required("count", .position)
        by = try Operator(reading: &members)
    }

    func write(to object: inout JSONObject) {
        object.set("command", command, .purpose)
        object.set("count", count, .position)
        by.write(to: &object)
    }
}

extension MemberKind where Value == Int {
    static let position = integer(
        0...9_007_199_254_740_991, "a whole number from 0 to 9007199254740991")
}
