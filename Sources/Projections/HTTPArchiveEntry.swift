// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import SessionEvents

/// An exchange as an HTTP Archive has it.
struct HTTPArchiveEntry {
    /// Who sent the request.
    enum Sender: String {
        case browser
        /// The relying party, over the backchannel.
        case relyingParty = "relying-party"
    }

    /// A parameter or a header field.
    struct Field {
        let name: String
        let value: String

        /// One whose value is in the clear; nil where the events do not have it.
        init?(_ name: String, _ value: String?) {
            guard let value else { return nil }
            self.name = name
            self.value = value
        }

        /// One of which only the name can be told.
        init(withheld name: String) {
            self.name = name
            value = HTTPArchive.withheld
        }
    }

    /// What a request carried in its body.
    enum Body {
        /// A form with these parameters at least.
        case form([Field])
        case json
    }

    /// The event that tells of it.
    let step: SessionStory.Step
    let sender: Sender
    /// What it was for.
    let purpose: String
    /// Nil where nothing says which it was.
    var method: String?
    /// Where it went, without a query; nil where that was not recorded.
    let url: String?
    var query: [Field] = []
    var headers: [Field] = []
    var body: Body?
    let startedAt: Instant
    /// How long it took; nil where that is not known.
    let milliseconds: Int64?
    /// What the answer was; nil where there was none, or nobody but the browser saw it.
    let status: Int?
    /// Members of our own, by name without the underscore.
    var details = JSONObject()
}

extension HTTPArchiveEntry {
    /// The entry. Where HAR wants a text or a number and there is none, stands what browsers put
    /// there.
    func object(page: String) -> JSONObject {
        let time = max(0, milliseconds ?? 0)
        var timings: JSONObject = [
            "blocked": .integer(-1), "connect": .integer(-1), "dns": .integer(-1),
            "receive": .integer(0), "send": .integer(0), "ssl": .integer(-1),
            "wait": .integer(time),
        ]
        if milliseconds == nil {
            timings["comment"] = .string("How long it took was not recorded.")
        }
        var object: JSONObject = [
            "cache": .object([:]), "pageref": .string(page), "request": .object(request),
            "response": .object(response), "startedDateTime": .string(startedAt.rfc3339),
            "time": .integer(time), "timings": .object(timings),
            "_event": .integer(Int64(step.position)), "_purpose": .string(purpose),
            "_sender": .string(sender.rawValue), "_seq": .integer(Int64(step.revision)),
            "_type": .string(step.event.type.word),
        ]
        for member in details.members { object["_" + member.name] = member.value }
        return object
    }

    private var request: JSONObject {
        var object: JSONObject = [
            "bodySize": .integer(-1), "cookies": .array([]), "headers": Self.list(headers),
            "headersSize": .integer(-1), "httpVersion": .string("unknown"),
            "method": .string(method ?? "UNKNOWN"),
            "queryString": Self.list(query), "url": .string(url ?? "about:blank"),
        ]
        if url == nil { object["comment"] = .string("The address was not recorded.") }
        switch body {
        case .form(let fields)?:
            object["postData"] = .object([
                "mimeType": .string("application/x-www-form-urlencoded"),
                "params": Self.list(fields),
            ])
        case .json?:
            object["postData"] = .object([
                "mimeType": .string("application/json"), "text": .string(HTTPArchive.withheld),
            ])
        case nil: break
        }
        return object
    }

    private var response: JSONObject {
        var object: JSONObject = [
            "bodySize": .integer(-1),
            "content": .object(["mimeType": .string("x-unknown"), "size": .integer(0)]),
            "cookies": .array([]), "headers": .array([]), "headersSize": .integer(-1),
            "httpVersion": .string("unknown"), "redirectURL": .string(""),
            "status": .integer(Int64(status ?? 0)), "statusText": .string(""),
        ]
        if status == nil {
            object["comment"] = .string(
                sender == .browser
                    ? "The browser saw the answer; the log does not have it."
                    : "The log has no answer.")
        }
        return object
    }

    private static func list(_ fields: [Field]) -> JSONValue {
        .array(
            fields.map { .object(["name": .string($0.name), "value": .string($0.value)]) })
    }
}
