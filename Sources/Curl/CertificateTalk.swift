// SPDX-License-Identifier: Apache-2.0

internal import CCurl

/// What the peer says of the client's certificate in TLS itself (RFC 8446, 4.3.2 and 6.2).
///
/// libcurl's result codes do not tell. In TLS 1.3 a client is done with the handshake and sends its
/// request before the server has looked at its certificate, so that a refusal comes in the place of
/// an answer. The request has not been read then: no server takes data before it is done as well.
struct CertificateTalk {
    /// The alerts with which a server answers that there is no certificate: handshake_failure in
    /// TLS 1.2 (RFC 5246, 7.4.6), where it says so only to one that was asked, and
    /// certificate_required.
    private static let handshakeFailure: UInt8 = 40, required: UInt8 = 116
    /// bad_certificate, unsupported_certificate, certificate_revoked, certificate_expired,
    /// certificate_unknown, unknown_ca, access_denied.
    private static let faults: Set<UInt8> = [42, 43, 44, 45, 46, 48, 49]
    /// The level of an alert that ends the connection.
    private static let fatal: UInt8 = 2
    /// Messages of the handshake. The one for tickets comes when the server is done with it, the
    /// one with extensions in TLS 1.3 alone.
    private static let serverHello: UInt8 = 2, sessionTicket: UInt8 = 4
    private static let encryptedExtensions: UInt8 = 8, certificateRequest: UInt8 = 13

    private var hasBegun = false
    /// The alert with which the peer ended the connection, if it did.
    private(set) var alert: UInt8?
    private var isAsked = false
    /// The peer has not shown that it is done with the handshake, though the request may have left:
    /// in TLS 1.3, before any ticket, and unless it asked for a certificate only when it had the
    /// request, as HTTP/1.1 lets it.
    private(set) var isHandshakeOpen = false

    /// Takes a message of TLS that came in: an alert of two bytes, or one of the handshake.
    ///
    /// Before it connects, libcurl may close a kept connection on a request's behalf, and hear the
    /// last words of that one: they count for nothing.
    mutating func take(_ message: UnsafeRawBufferPointer, hasRequestLeft: Bool) {
        if message.count == 2 {
            let isOwn = hasBegun || hasRequestLeft
            if unsafe isOwn && message[0] == Self.fatal { alert = unsafe message[1] }
        } else if message.count >= 4 {
            switch unsafe message[0] {
            case Self.serverHello:
                self = CertificateTalk()
                hasBegun = true
            case Self.encryptedExtensions:
                isHandshakeOpen = true
            case Self.sessionTicket:
                isHandshakeOpen = false
            case Self.certificateRequest:
                isAsked = true
                if hasRequestLeft { isHandshakeOpen = false }
            default: break
            }
        }
    }

    /// Whether the peer refuses the client's certificate, or that it has none.
    func isRefusal(ofCertificate hasCertificate: Bool) -> Bool {
        switch alert {
        case nil: false
        case Self.required: true
        case Self.handshakeFailure: isAsked && !hasCertificate
        case let alert?: hasCertificate && Self.faults.contains(alert)
        }
    }
}

/// The certificates that a peer showed when an easy handle connected, each as a PEM text; none
/// when it used a connection that was there.
func shownCertificates(to easy: UnsafeMutableRawPointer) -> [String] {
    var list: UnsafeMutablePointer<curl_certinfo>?
    guard unsafe authledger_easy_getCertificates(easy, &list) == CURLE_OK,
        let list = unsafe list
    else { return [] }
    let count = Int(unsafe list.pointee.num_of_certs)
    let certificates = (0..<count).compactMap { index in
        unsafe certificate(in: list.pointee.certinfo[index])
    }
    // A list with a gap would take one certificate for another.
    return certificates.count == count ? certificates : []
}

/// The certificate itself, which stands last of what libcurl tells of it.
private func certificate(in fields: UnsafeMutablePointer<curl_slist>?) -> String? {
    let label = "Cert:"
    var (next, last) = unsafe (fields, UnsafeMutablePointer<curl_slist>?.none)
    while let field = unsafe next {
        unsafe (next, last) = unsafe (field.pointee.next, field)
    }
    guard let last = unsafe last else { return nil }
    let text = unsafe String(cString: last.pointee.data)
    return text.hasPrefix(label) ? String(text.dropFirst(label.utf8.count)) : nil
}
