// SPDX-License-Identifier: Apache-2.0

/// Where the endpoints of a discovery document may lie: on the issuer's own host, and on those that
/// a profile lists.
public struct EndpointRule: Sendable {
    /// What the rule says of a URL.
    public enum Verdict: Equatable, Sendable {
        /// It may be asked.
        case fine
        /// It is no URL that may be asked, wherever it lies.
        case unacceptable
        /// It lies on this host, where it may not.
        case offHost(String)
    }

    private let allowsLoopbackHTTP: Bool
    /// Nil for any host.
    private let hosts: [String]?

    /// The rule for a provider.
    ///
    /// - Parameters:
    ///   - allowsLoopbackHTTP: whether endpoints may be plain http on loopback.
    ///   - hosts: hosts beside the issuer's own, see ``EndpointURL/isOn(host:_:)``; nil for any.
    public init(issuer: String, allowsLoopbackHTTP: Bool, hosts: [String]?) {
        self.allowsLoopbackHTTP = allowsLoopbackHTTP
        self.hosts = hosts.map { $0 + [EndpointURL.host(of: issuer)] }
    }

    /// Looks at an endpoint.
    public func verdict(on url: String) -> Verdict {
        guard EndpointURL.isAcceptable(url, allowsLoopbackHTTP: allowsLoopbackHTTP) else {
            return .unacceptable
        }
        let isOnHost = hosts?.contains { EndpointURL.isOn(host: $0, url) } ?? true
        return isOnHost ? .fine : .offHost(EndpointURL.host(of: url))
    }
}
