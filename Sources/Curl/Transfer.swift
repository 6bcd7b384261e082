// SPDX-License-Identifier: Apache-2.0

internal import CCurl
internal import Glibc
internal import Platform

/// One request under way: the owner of an easy handle. Lives on the transport's thread alone.
@safe final class Transfer {
    /// The easy handle.
    let easy: UnsafeMutableRawPointer
    /// Who waits for the outcome.
    let ticket: Ticket
    /// When time is up, by the monotonic clock. While a request waits for a free connection,
    /// libcurl notices only when it gets one.
    let deadlineNanoseconds: UInt64

    let request: CurlRequest
    let target: TargetURL
    let proxy: ProxyChoice
    /// The client's certificate, which libcurl reads as long as the easy handle is there.
    let identity: ClientIdentity?
    var fieldList: UnsafeMutablePointer<curl_slist>?
    var pinnedNames: UnsafeMutablePointer<curl_slist>?

    private var body: [UInt8] = []
    private var headerBytes = 0
    private var attempts = 0
    /// Why this side gave up; counts more than what libcurl makes of it.
    private var refusal: CurlError.Kind?
    private var hasRefusedAddress = false
    private var certificateTalk = CertificateTalk()

    /// Makes a transfer that is ready to be added to a multi handle.
    init(_ ticket: Ticket, _ request: CurlRequest, _ settings: TransferSettings) throws(CurlError) {
        try request.checkShape()
        target = try TargetURL(request)
        identity = try Self.identity(for: request, isPlain: target.rule.isPlain)
        guard let easy = unsafe curl_easy_init() else {
            throw CurlError(.failed, CURLE_FAILED_INIT)
        }
        unsafe self.easy = easy
        self.ticket = ticket
        self.request = request
        deadlineNanoseconds =
            ticket.startNanoseconds + UInt64(request.durationMillisecondsMax) * 1_000_000
        proxy =
            target.isLoopback
            ? .direct : ProxyChoice(host: target.host, environment: settings.environment)
        try configure(settings)
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe curl_slist_free_all(fieldList)
        unsafe curl_slist_free_all(pinnedNames)
    }

    private static func identity(
        for request: CurlRequest, isPlain: Bool
    ) throws(CurlError) -> ClientIdentity? {
        guard let files = request.clientCertificate else { return nil }
        // In the clear nobody would see it, and the request would come from nobody.
        guard !isPlain else { throw CurlError(.clientCertificate) }
        return try ClientIdentity(files)
    }

    /// What the transfer came to, once libcurl is done with it.
    func outcome(_ result: CURLcode) -> Result<CurlResponse, CurlError> {
        if let refusal { return .failure(error(refusal, result)) }
        guard result == CURLE_OK else {
            if certificateTalk.isRefusal(ofCertificate: identity != nil) {
                return .failure(refusedCertificate(result))
            }
            let isRefused = hasRefusedAddress && result == CURLE_COULDNT_CONNECT
            let kind = CurlError.Kind(result, mayHaveBeenSent: attempts > 0)
            return .failure(error(isRefused ? .refusedTarget : kind, result))
        }
        let elapsed = ProcessControl.monotonicNanoseconds - ticket.startNanoseconds
        return .success(
            CurlResponse(
                status: information(CURLINFO_RESPONSE_CODE), fields: receivedFields(), body: body,
                durationMilliseconds: Int(elapsed / 1_000_000),
                isHTTP2: information(CURLINFO_HTTP_VERSION) == CURL_HTTP_VERSION_2_0,
                isConnectionReused: isConnectionReused,
                peerCertificates: unsafe shownCertificates(to: easy)))
    }

    /// The error when the peer did not take the client's certificate. The request has not been
    /// read when this is how its one connection began.
    private func refusedCertificate(_ code: CURLcode) -> CurlError {
        let isFirstWord =
            attempts == 1 && headerBytes == 0 && !isConnectionReused
            && certificateTalk.isHandshakeOpen
        return CurlError(
            .clientCertificate, code, mayHaveBeenSent: attempts > 0 && !isFirstWord)
    }

    private var isConnectionReused: Bool { information(CURLINFO_NUM_CONNECTS) == 0 }

    /// An error that says whether the request may have left.
    func error(_ kind: CurlError.Kind, _ code: CURLcode = CURLE_OK) -> CurlError {
        CurlError(kind, code, mayHaveBeenSent: attempts > 0)
    }

    private func information(_ info: CURLINFO) -> Int {
        var value = 0
        unsafe authledger_easy_getLong(easy, info, &value)
        return value
    }

    private func receivedFields() -> [CurlField] {
        var fields: [CurlField] = []
        var previous: UnsafeMutablePointer<curl_header>?
        while let field = unsafe curl_easy_nextheader(easy, UInt32(CURLH_HEADER), -1, previous) {
            let value = unsafe String(cString: field.pointee.value)
            // libcurl leaves the end of the line in a value that is empty.
            let isEmpty = value.utf8.allSatisfy { $0 == 0x0D }
            fields.append(
                CurlField(unsafe String(cString: field.pointee.name), isEmpty ? "" : value))
            unsafe previous = field
        }
        return fields
    }
}

// MARK: - What libcurl asks and tells while it works

extension Transfer {
    /// Takes a part of the decompressed body; false ends the transfer.
    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= request.bodyBytesMax - body.count else {
            refusal = .tooLarge
            return false
        }
        unsafe body.append(contentsOf: bytes)
        return true
    }

    /// Counts a header line; false ends the transfer.
    func countHeader(_ count: Int) -> Bool {
        headerBytes += count
        guard headerBytes <= request.headerBytesMax else {
            refusal = .tooLarge
            return false
        }
        return true
    }

    /// Takes a message of TLS that came in.
    func takeTLSMessage(_ bytes: UnsafeRawBufferPointer) {
        unsafe certificateTalk.take(bytes, hasRequestLeft: attempts > 0)
        // libcurl would keep a connection of HTTP/2 that the peer has ended like this.
        if certificateTalk.alert != nil {
            unsafe authledger_easy_setLong(easy, CURLOPT_FORBID_REUSE, 1)
        }
    }

    /// Opens a socket to an address that may be connected to; -1 refuses it before any packet.
    func openSocket(_ address: UnsafePointer<curl_sockaddr>) -> Int32 {
        if proxy.url == nil {
            let scope = unsafe AddressScope(authledger_socketAddress(address))
            guard target.rule.admits(scope) else {
                hasRefusedAddress = true
                return CURL_SOCKET_BAD
            }
        }
        return unsafe socket(
            address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue),
            address.pointee.protocol)
    }

    /// The last word before the request leaves, also over a connection that another request
    /// opened under another rule; false ends the transfer.
    ///
    /// libcurl comes here twice when a kept connection broke before an answer came. A POST is not
    /// sent a second time: the peer may have acted on the first.
    func mayBegin(connectedTo address: String) -> Bool {
        let isAdmitted =
            proxy.url != nil || AddressScope(literal: address).map(target.rule.admits) == true
        guard isAdmitted else {
            refusal = .refusedTarget
            return false
        }
        guard attempts == 0 || request.method == .get else {
            refusal = .interrupted
            return false
        }
        attempts += 1
        return true
    }
}
