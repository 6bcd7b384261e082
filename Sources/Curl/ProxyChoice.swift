// SPDX-License-Identifier: Apache-2.0

/// The proxy that the environment names for an https URL, if any.
///
/// libcurl would read the same variables by itself, but would not say which it took; behind a
/// proxy the connected address is the proxy's, so the check of the target has to know.
struct ProxyChoice: Equatable {
    /// The proxy's URL; nil for a direct connection.
    let url: String?

    /// Chooses by `https_proxy` and `all_proxy`, in small letters or capitals, unless `no_proxy`
    /// lists the host.
    init(host: String, environment: (String) -> String?) {
        let names = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        let proxy = names.lazy.compactMap(environment).first
        let exceptions = environment("no_proxy") ?? environment("NO_PROXY") ?? ""
        url = Self.list(exceptions, has: host) ? nil : proxy
    }

    /// No proxy.
    private init() {
        url = nil
    }

    /// A direct connection, whatever the environment says.
    static let direct = ProxyChoice()

    /// Whether a host is one of a list, or below one of them. `*` stands for every host.
    private static func list(_ list: String, has host: String) -> Bool {
        let host = host.lowercased()
        return list.lowercased().split { $0 == "," || $0 == " " }.contains { entry in
            let name = entry.drop { $0 == "." }
            return entry == "*" || host == name || host.hasSuffix("." + name)
        }
    }
}
