// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives

extension SimulatedProvider {
    /// The UserInfo endpoint (OpenID Connect Core §5.3): the person behind an access token.
    func userInfo(_ request: HTTPRequest, at now: Instant) -> HTTPResponse {
        let words = request.authorization?.split(separator: " ") ?? []
        guard words.count == 2, words[0].lowercased() == "bearer",
            let access = accesses[Array(words[1].utf8)], now < access.expiresAt
        else {
            var response = HTTPResponse.page("Nobody is known by this access token.", status: 401)
            response.fields.append(
                HTTPField("WWW-Authenticate", #"Bearer error="invalid_token""#))
            return response
        }
        return .json(access.person.claims)
    }
}
