// SPDX-License-Identifier: Apache-2.0

internal import CCurl

extension CurlTransport {
    /// The version of the library that is loaded.
    public static var libraryVersion: String {
        // It names itself first, then what it is built with: libcurl/7.88.1 OpenSSL/3.0.15 …
        let names = unsafe String(cString: curl_version()).split(separator: " ")
        return names.first?.split(separator: "/").last.map(String.init) ?? "unknown"
    }
}
