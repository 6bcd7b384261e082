// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives

/// An answer before it is written: the place where it is spoiled, if it is to be.
struct AnswerDraft {
    var status = 200
    var members: JSONObject
    /// Written instead of the members, where no object can say what is meant.
    var text: [UInt8]?
    var mediaType = "application/json"
    /// How long it may be kept, in seconds; nil for not at all.
    var ageSecondsMax: Int?
    var fields: [HTTPField] = []
    var delayMilliseconds = 0
    /// How long a slow answer takes.
    let slowMilliseconds: Int
    let issuer: String

    init(_ members: JSONObject, _ provider: SimulatedProvider) {
        self.members = members
        slowMilliseconds = provider.settings.slowTokenMilliseconds
        issuer = provider.issuer
    }

    /// The error that it says; nil when it says none.
    var error: String? { text == nil ? members["error"]?.stringValue : nil }

    /// The answer.
    var answer: ProviderAnswer {
        let caching = ageSecondsMax.map { HTTPField("Cache-Control", "public, max-age=\($0)") }
        var answer = ProviderAnswer(
            HTTPResponse(
                status: status,
                fields: [HTTPField("Content-Type", mediaType), caching ?? HTTPResponse.doNotStore]
                    + fields,
                body: text ?? CanonicalJSON.encode(members)))
        answer.delayMilliseconds = delayMilliseconds
        return answer
    }

    /// Answers with a page for people instead.
    mutating func becomePage(_ sentence: String, status: Int) {
        self.status = status
        mediaType = "text/html; charset=utf-8"
        ageSecondsMax = nil
        text = HTTPResponse.page(sentence, status: status).body
    }

    /// Answers with an error of OAuth 2.0 instead.
    mutating func become(_ error: OAuthError) {
        status = error.response.status
        members = error.members
    }
}
