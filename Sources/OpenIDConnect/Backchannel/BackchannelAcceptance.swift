// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import LedgerPrimitives

/// What a provider makes of a backchannel request that it accepts (CIBA Core §7.3).
public struct BackchannelAcceptance: Equatable, Sendable {
    /// The pause between polls where the provider names none, in seconds (CIBA Core §7.3).
    public static let standardIntervalSeconds = 5
    /// The longest pause that is taken for meant, in seconds.
    public static let intervalSecondsMax = 3600
    /// The longest lifetime of a request that is taken for meant, in seconds.
    static let lifetimeSecondsMax = 31_536_000
    private static let requestIDBytesMax = 1024

    /// Under which name the provider keeps the request; secret, as whoever has it may poll.
    public let requestID: String
    /// How long the request is good, in seconds.
    public let expiresInSeconds: Int
    /// The pause between polls that the provider asks for, in seconds; nil when it names none.
    public let intervalSeconds: Int?
    /// What the user is to be told, where the provider makes the message itself; for the caller.
    public let bindingMessage: String?
    /// What the caller needs to open the eID (Headless); it starts a login.
    public let acrData: JSONObject?

    /// Reads the answer to a request.
    ///
    /// - Parameter name: the member that names the request: `auth_req_id` or `headless_req_id`.
    /// - Throws: ``FlowFailure``: what the provider's error says, `response-malformed` when an
    ///   answer cannot be read, `provider-outage` for one of a server that is out.
    public static func process(
        _ response: HTTPResponse, requestID name: String
    ) throws(FlowFailure) -> BackchannelAcceptance {
        guard (200..<500).contains(response.status), response.status != 429 else {
            throw FlowFailure(.providerOutage)
        }
        let members = try? JSONReader.read(response.body, numbers: .anyAsText).objectValue
        if let error = members.flatMap(ProviderError.init(in:)) {
            throw .backchannelRequest(error)
        }
        guard response.status == 200 else {
            throw FlowFailure(wordless: response.status, otherwise: .responseMalformed)
        }
        guard let members, response.mediaType == "application/json" else {
            throw FlowFailure(.responseMalformed)
        }
        return try BackchannelAcceptance(members, requestID: name)
    }

    private init(_ members: JSONObject, requestID name: String) throws(FlowFailure) {
        guard let requestID = members[name]?.stringValue, Self.isRequestID(requestID),
            let lifetime = members["expires_in"].flatMap(Self.seconds),
            (1...Self.lifetimeSecondsMax).contains(lifetime)
        else { throw FlowFailure(.responseMalformed) }
        self.requestID = requestID
        expiresInSeconds = lifetime
        intervalSeconds = try Self.interval(in: members)
        bindingMessage = members["bindingMessage"]?.stringValue.flatMap {
            (1...1024).contains($0.utf8.count) ? $0 : nil
        }
        acrData = AcrData.read(in: members)
    }

    /// The interval that an answer names; nil when it names none.
    static func interval(in members: JSONObject) throws(FlowFailure) -> Int? {
        guard let member = members["interval"] else { return nil }
        guard let interval = seconds(member), (0...intervalSecondsMax).contains(interval) else {
            throw FlowFailure(.responseMalformed)
        }
        return interval
    }

    /// Whole seconds: a number, or a text with one, as some brokers write them.
    private static func seconds(_ member: JSONValue) -> Int? {
        switch member {
        case .integer(let number): Int(exactly: number)
        case .number(let text), .string(let text): text.utf8.count <= 10 ? Int(text) : nil
        default: nil
        }
    }

    private static func isRequestID(_ text: String) -> Bool {
        (1...requestIDBytesMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

/// `acr_data` of Headless: what opens the eID, and what the user is at.
public enum AcrData {
    /// Larger ones are passed over, in bytes.
    private static let bytesMax = 8192

    /// The object in an answer; nil where there is none, or one that nobody could show.
    static func read(in members: JSONObject) -> JSONObject? {
        guard let data = members["acr_data"]?.objectValue, !data.isEmpty,
            CanonicalJSON.encode(data).count <= bytesMax
        else { return nil }
        return data
    }

    /// What the user is at, in the eID's own word.
    public static func hintCode(in data: JSONObject) -> String? { data["hintCode"]?.stringValue }
}
