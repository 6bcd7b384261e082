// SPDX-License-Identifier: Apache-2.0

internal import CCurl

/// What all transfers of a transport share.
struct TransferSettings: Sendable {
    /// The value of `User-Agent`.
    let userAgent: String
    /// How long a connection may rest before it is no longer used.
    let idleSecondsMax: Int
    /// Names that are not looked up, as `name:port:address`; for tests.
    let pinnedNames: [String]
    /// The variables of the environment, for the proxy.
    let environment: @Sendable (String) -> String?
}

extension Transfer {
    func configure(_ settings: TransferSettings) throws(CurlError) {
        try configureProtocol(settings)
        try configureMessage(settings)
        try configureTrust()
        try configureCallbacks()
    }

    /// libcurl reads no cookies, no netrc, no HSTS file and follows no redirect unless asked to.
    private func configureProtocol(_ settings: TransferSettings) throws(CurlError) {
        try check(unsafe authledger_easy_setURL(easy, target.parsed.handle))
        try set(CURLOPT_PROTOCOLS_STR, target.scheme)
        try set(CURLOPT_FOLLOWLOCATION, 0)
        let isPlain = target.rule.isPlain
        try set(
            CURLOPT_HTTP_VERSION, isPlain ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS)
        // Wait whether a connection can carry many requests rather than open one for each. Only
        // TLS tells so before the first answer.
        try set(CURLOPT_PIPEWAIT, isPlain ? 0 : 1)
        try set(CURLOPT_NOSIGNAL, 1)
        // Do not wait for the thread of a name look-up that nobody waits for any more.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_TIMEOUT_MS, request.durationMillisecondsMax)
        try set(CURLOPT_CONNECTTIMEOUT_MS, request.connectMillisecondsMax)
        try set(CURLOPT_MAXAGE_CONN, settings.idleSecondsMax)
        // An empty text stands for none, whatever the environment says.
        try set(CURLOPT_PROXY, proxy.url ?? "")
        try set(CURLOPT_NOPROXY, "")
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        for name in settings.pinnedNames {
            unsafe pinnedNames = try unsafe Self.append(name, to: pinnedNames)
        }
        try check(unsafe authledger_easy_setList(easy, CURLOPT_RESOLVE, pinnedNames))
    }

    private func configureMessage(_ settings: TransferSettings) throws(CurlError) {
        if request.method == .post {
            try set(CURLOPT_POST, 1)
            try check(
                unsafe authledger_easy_setOffset(
                    easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count)))
            // libcurl takes a missing pointer for a body that is still to come, so an empty one
            // must have a pointer too; the size counts.
            let body = request.body.isEmpty ? [0] : request.body
            try check(
                unsafe body.withUnsafeBytes {
                    unsafe authledger_easy_setPointer(
                        easy, CURLOPT_COPYPOSTFIELDS,
                        UnsafeMutableRawPointer(mutating: $0.baseAddress))
                })
        } else {
            try set(CURLOPT_HTTPGET, 1)
        }
        try set(CURLOPT_USERAGENT, settings.userAgent)
        try set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate")
        for line in fieldLines { unsafe fieldList = try unsafe Self.append(line, to: fieldList) }
        try check(unsafe authledger_easy_setList(easy, CURLOPT_HTTPHEADER, fieldList))
    }

    /// The request's fields in libcurl's notation, where `Name:` takes a field away and `Name;`
    /// stands for one with no value; and without those that libcurl would add by itself.
    private var fieldLines: [String] {
        let own = request.fields.map { field in
            field.value.allSatisfy { $0 == " " || $0 == "\t" }
                ? field.name + ";" : "\(field.name): \(field.value)"
        }
        let names = request.fields.map { $0.name.lowercased() }
        let unwanted = ["Accept", "Content-Type"].filter { !names.contains($0.lowercased()) }
        return own + unwanted.map { $0 + ":" } + ["Expect:"]
    }

    private func configureTrust() throws(CurlError) {
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        try set(CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        // Costs some 50 µs for each certificate of a new connection.
        try set(CURLOPT_CERTINFO, 1)
        try unsafe identity?.configure(easy)
        guard let file = request.trustedCAFile else { return }
        try set(CURLOPT_CAINFO, file)
        // The file stands instead of the system's directory, not beside it.
        try check(unsafe authledger_easy_setString(easy, CURLOPT_CAPATH, nil))
        // Read anew for each connection: it may have been replaced.
        try set(CURLOPT_CA_CACHE_TIMEOUT, 0)
    }

    private func configureCallbacks() throws(CurlError) {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        try check(
            unsafe authledger_easy_setDataCallback(easy, CURLOPT_WRITEFUNCTION) {
                let count = $1 * $2
                let bytes = unsafe UnsafeRawBufferPointer(start: $0, count: count)
                return unsafe Transfer.at($3).takeBody(bytes) ? count : 0
            })
        try check(unsafe authledger_easy_setPointer(easy, CURLOPT_WRITEDATA, context))
        try check(
            unsafe authledger_easy_setDataCallback(easy, CURLOPT_HEADERFUNCTION) {
                let count = $1 * $2
                return unsafe Transfer.at($3).countHeader(count) ? count : 0
            })
        try check(unsafe authledger_easy_setPointer(easy, CURLOPT_HEADERDATA, context))
        try check(
            unsafe authledger_easy_setSocketCallback(easy) { context, _, address in
                guard let address = unsafe address else { return CURL_SOCKET_BAD }
                return unsafe Transfer.at(context).openSocket(address)
            })
        try check(unsafe authledger_easy_setPointer(easy, CURLOPT_OPENSOCKETDATA, context))
        try check(
            unsafe authledger_easy_setRequestCallback(easy) { context, address, _, _, _ in
                let text = unsafe address.map { unsafe String(cString: $0) } ?? ""
                return unsafe Transfer.at(context).mayBegin(connectedTo: text)
                    ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            })
        try check(unsafe authledger_easy_setPointer(easy, CURLOPT_PREREQDATA, context))
        try check(
            unsafe authledger_easy_setDebugCallback(easy) { _, kind, data, count, context in
                guard kind == CURLINFO_SSL_DATA_IN else { return 0 }
                let message = unsafe UnsafeRawBufferPointer(start: data, count: count)
                unsafe Transfer.at(context).takeTLSMessage(message)
                return 0
            })
        try check(unsafe authledger_easy_setPointer(easy, CURLOPT_DEBUGDATA, context))
        // Nothing is written anywhere: the callback is all that hears of it.
        try set(CURLOPT_VERBOSE, 1)
    }

    /// The transfer behind a callback's context, which lives as long as its easy handle.
    private static func at(_ context: UnsafeMutableRawPointer?) -> Transfer {
        guard let context = unsafe context else { fatalError("a callback without its transfer") }
        return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private static func append(
        _ line: String, to list: UnsafeMutablePointer<curl_slist>?
    ) throws(CurlError) -> UnsafeMutablePointer<curl_slist> {
        guard let longer = unsafe curl_slist_append(list, line) else {
            throw CurlError(.failed, CURLE_OUT_OF_MEMORY)
        }
        return unsafe longer
    }

    private func set(_ option: CURLoption, _ value: Int) throws(CurlError) {
        try check(unsafe authledger_easy_setLong(easy, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) throws(CurlError) {
        try check(unsafe authledger_easy_setString(easy, option, value))
    }
}
