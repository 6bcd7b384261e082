// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// What is wrong with a member of a payload.
public struct MemberError: Error, Equatable, CustomStringConvertible {
    /// What is wrong with it.
    public enum Problem: Equatable, Sendable {
        case missing
        case unknown
        /// It must be what the text says.
        case malformed(expectation: String)
    }

    /// Where the member stands, for example `checks[2].name`.
    public let path: String
    /// What is wrong with it.
    public let problem: Problem

    /// A problem with a member.
    public init(_ path: String, _ problem: Problem) {
        self.path = path
        self.problem = problem
    }

    /// A sentence without any of the member's value in it.
    public var description: String {
        switch problem {
        case .missing: "`\(path)` is missing"
        case .unknown: "`\(path)` is not a member of this event"
        case .malformed(let expectation): "`\(path)` must be \(expectation)"
        }
    }
}

/// Takes members out of an object one by one and minds that none is left over.
struct MemberReader {
    /// Where an object stands; put into words only when there is something to say.
    private enum Place {
        case payload
        case element(of: String, Int)
        case member(String)
    }

    private let object: JSONObject
    private let place: Place
    /// A bit for each of the first 64 members, set once something asked for it. No payload has as
    /// many, so a member behind them is one too many in any case.
    private var taken: UInt64 = 0
    /// Where the search for the next member begins: they mostly are asked for in their order.
    private var next = 0

    init(_ object: JSONObject) {
        self.init(object, at: .payload)
    }

    private init(_ object: JSONObject, at place: Place) {
        self.object = object
        self.place = place
    }

    private var path: String {
        switch place {
        case .payload: ""
        case .element(let list, let index): "\(list)[\(index)]."
        case .member(let name): "\(name)."
        }
    }

    private mutating func take(_ name: String) -> JSONValue? {
        guard let index = object.index(of: name, from: next) else { return nil }
        next = index + 1
        if index < 64 { taken |= 1 << UInt64(index) }
        return object.members[index].value
    }

    /// Passes over a member that may be there.
    mutating func skip(_ name: String) {
        _ = take(name)
    }

    mutating func optional<Value>(
        _ name: String, _ kind: MemberKind<Value>
    ) throws(MemberError) -> Value? {
        guard let member = take(name) else { return nil }
        guard let value = kind.read(member) else {
            throw MemberError(
                "\(path)\(name)", .malformed(expectation: kind.expectation.description))
        }
        return value
    }

    mutating func required<Value>(
        _ name: String, _ kind: MemberKind<Value>
    ) throws(MemberError) -> Value {
        guard let value = try optional(name, kind) else {
            throw MemberError("\(path)\(name)", .missing)
        }
        return value
    }

    /// Reads an array of objects; nil when the member is not there.
    mutating func list<Value>(
        _ name: String, _ read: (inout MemberReader) throws(MemberError) -> Value
    ) throws(MemberError) -> [Value]? {
        guard let member = take(name) else { return nil }
        guard let elements = member.arrayValue, elements.count <= 64 else {
            throw MemberError(
                "\(path)\(name)", .malformed(expectation: "an array of up to 64 objects"))
        }
        var values: [Value] = []
        values.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard let object = element.objectValue else {
                throw MemberError(
                    "\(path)\(name)[\(index)]", .malformed(expectation: "an object"))
            }
            var reader = MemberReader(object, at: .element(of: name, index))
            values.append(try read(&reader))
            try reader.finish()
        }
        return values
    }

    /// Reads an object; nil when the member is not there.
    mutating func object<Value>(
        _ name: String, _ read: (inout MemberReader) throws(MemberError) -> Value
    ) throws(MemberError) -> Value? {
        guard let member = take(name) else { return nil }
        guard let object = member.objectValue else {
            throw MemberError("\(path)\(name)", .malformed(expectation: "an object"))
        }
        var reader = MemberReader(object, at: .member(path + name))
        let value = try read(&reader)
        try reader.finish()
        return value
    }

    /// Refuses members that nothing asked for. Their names are shown only if they look like the
    /// names of members: a name is input like any other.
    func finish() throws(MemberError) {
        let index = (~taken).trailingZeroBitCount
        if index < object.members.count {
            throw MemberError(path + Self.presentable(object.members[index].name), .unknown)
        }
    }

    /// The name itself if it is letters only, else a stand-in.
    static func presentable(_ name: String) -> String {
        let isPlain =
            (1...40).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                CharacterSets.isLetterOrDigit($0) && !CharacterSets.isDigit($0)
                    || $0 == UInt8(ascii: "_")
            }
        return isPlain ? name : "(unprintable name)"
    }
}

extension JSONObject {
    /// Sets a member unless there is no value.
    mutating func set<Value>(_ name: String, _ value: Value?, _ kind: MemberKind<Value>) {
        if let value { self[name] = kind.write(value) }
    }

    /// Sets an object unless there is none.
    mutating func set<Value>(
        _ name: String, _ value: Value?, _ write: (Value) -> JSONObject
    ) {
        if let value { self[name] = .object(write(value)) }
    }

    /// Sets an array of objects unless there is none.
    mutating func set<Value>(
        _ name: String, _ values: [Value]?, _ write: (Value) -> JSONObject
    ) {
        if let values { self[name] = .array(values.map { .object(write($0)) }) }
    }
}
