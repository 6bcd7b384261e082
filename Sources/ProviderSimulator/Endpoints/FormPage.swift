// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives

/// A page with a form that sends itself (OAuth 2.0 Form Post Response Mode §2).
struct FormPage {
    let action: String
    let parameters: [(name: String, value: String)]

    init(action: String, parameters: [(name: String, value: String)]) {
        self.action = action
        self.parameters = parameters
    }

    /// The page.
    var response: HTTPResponse {
        let inputs = parameters.map { name, value in
            let (name, value) = (Self.escape(name), Self.escape(value))
            return #"<input type="hidden" name="\#(name)" value="\#(value)">"#
        }
        let page = """
            <!doctype html><title>Simulator</title>\
            <body onload="document.forms[0].submit()">\
            <form method="post" action="\(Self.escape(action))">\(inputs.joined())\
            <noscript><button>Go on</button></noscript></form></body>
            """
        return HTTPResponse(
            status: 200,
            fields: [
                HTTPField("Content-Type", "text/html; charset=utf-8"), HTTPResponse.doNotStore,
            ], body: Array(page.utf8))
    }

    /// The body that a browser sends for the form.
    var body: String { FormParameters.encode(parameters.map { ($0.name, $0.value) }) }

    /// Reads such a page as a browser would; nil when it has no form that is posted.
    init?(parsing page: [UInt8]) {
        let tags = page.split(separator: UInt8(ascii: "<")).map { tag in
            tag.prefix { $0 != UInt8(ascii: ">") }
        }
        guard let form = tags.first(where: { $0.starts(with: "form ".utf8) }),
            Self.attribute("method", of: form)?.lowercased() == "post",
            let action = Self.attribute("action", of: form)
        else { return nil }
        self.action = action
        parameters = tags.filter { $0.starts(with: "input ".utf8) }.compactMap { input in
            Self.attribute("name", of: input).map { ($0, Self.attribute("value", of: input) ?? "") }
        }
    }

    private static func attribute(_ name: String, of tag: ArraySlice<UInt8>) -> String? {
        let start = Array(" \(name)=\"".utf8)
        guard let index = tag.indices.first(where: { tag[$0...].starts(with: start) }) else {
            return nil
        }
        let value = tag[(index + start.count)...].prefix { $0 != UInt8(ascii: "\"") }
        return unescape(String(decoding: value, as: UTF8.self))
    }

    private static let escapes = [
        ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;"),
    ]

    private static func escape(_ text: String) -> String {
        escapes.reduce(text) { $0.replacing($1.0, with: $1.1) }
    }

    private static func unescape(_ text: String) -> String {
        escapes.reversed().reduce(text) { $0.replacing($1.1, with: $1.0) }
    }
}
