// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages

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

    /// Goes to an authorization URL and gives the callback URL in the answer.
    ///
    /// - Throws: ``NotRedirected`` when there is none, and whatever sending throws.
    public func visit(_ authorizationURL: String) async throws -> String {
        var request = HTTPRequest(.get, authorizationURL)
        request.limits.allowsLoopbackHTTP = true
        let response = try await send(request)
        guard [302, 303].contains(response.status), let location = response.field("Location") else {
            throw NotRedirected(status: response.status)
        }
        return location
    }
}
