// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages

/// What a user's browser brings back from a provider.
public enum BrowserReturn: Sendable, Equatable {
    /// A URL to go to, which may have its parameters in the fragment.
    case redirect(String)
    /// A form to post, `application/x-www-form-urlencoded`.
    case form(action: String, body: String)
    /// Nothing: the provider shows a page that leads nowhere, and the user never comes back.
    case stranded
}

/// A user's browser, as far as a login needs one: it goes to the provider and tells where it is
/// sent, without going there.
public struct SimulatedBrowser: Sendable {
    /// The provider did not send the browser anywhere.
    public struct NotRedirected: Error, Equatable {
        /// The status of its answer.
        public let status: Int
    }

    private let send: @Sendable (HTTPRequest) async throws -> HTTPResponse

    /// A browser that sends its requests like this. Redirects must not be followed.
    public init(send: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse) {
        self.send = send
    }

    /// Goes to an authorization URL, or to an account selector, and gives what comes of it.
    ///
    /// - Throws: ``NotRedirected`` for an error page, and whatever sending throws.
    public func go(_ url: String) async throws -> BrowserReturn {
        var request = HTTPRequest(.get, url)
        request.limits.allowsLoopbackHTTP = true
        let response = try await send(request)
        if [302, 303].contains(response.status), let location = response.field("Location") {
            return .redirect(location)
        }
        guard response.status == 200 else { throw NotRedirected(status: response.status) }
        guard let form = FormPage(parsing: response.body) else { return .stranded }
        return .form(action: form.action, body: form.body)
    }

    /// Goes to an authorization URL and gives the callback URL in the answer.
    ///
    /// - Throws: ``NotRedirected`` when there is none, and whatever sending throws.
    public func visit(_ authorizationURL: String) async throws -> String {
        guard case .redirect(let location) = try await go(authorizationURL) else {
            throw NotRedirected(status: 200)
        }
        return location
    }
}
