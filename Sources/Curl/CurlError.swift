// SPDX-License-Identifier: Apache-2.0

internal import CCurl

/// Why a request has no response. Never holds anything of the request or of the answer.
public struct CurlError: Error, Equatable, CustomStringConvertible {
    /// What went wrong, as far as it makes a difference to the caller.
    public enum Kind: String, Sendable {
        /// The request itself is not well formed, or has a header field that is not the caller's.
        case invalidRequest
        /// The URL or the address behind its name may not be asked.
        case refusedTarget
        /// No address, or nobody answers there.
        case unreachable
        /// It took longer than the request allows.
        case timedOut
        /// The peer's certificate or its TLS is not acceptable.
        case untrusted
        /// The client's own certificate or its key cannot be read or used, the peer refuses it, or
        /// asks for one where there is none.
        case clientCertificate
        /// The header or the body is larger than the request allows.
        case tooLarge
        /// The peer broke off, or spoke no proper HTTP.
        case interrupted
        /// The task was cancelled.
        case cancelled
        /// The transport was closed.
        case closed
        /// libcurl could not do its own part.
        case failed
    }

    /// What went wrong.
    public let kind: Kind
    /// libcurl's result code; 0 when the wrapper itself gave up.
    public let code: UInt32
    /// Whether the request, or a part of it, may have reached the peer. False is certain.
    public let mayHaveBeenSent: Bool

    init(_ kind: Kind, _ code: CURLcode = CURLE_OK, mayHaveBeenSent: Bool = false) {
        self.kind = kind
        self.code = code.rawValue
        self.mayHaveBeenSent = mayHaveBeenSent
    }

    /// The problem in words.
    public var description: String {
        guard code != 0 else { return kind.rawValue }
        return "\(kind.rawValue): \(unsafe String(cString: curl_easy_strerror(CURLcode(code))))"
    }
}

extension CurlError.Kind {
    /// The kind of a result code. Some codes mean one thing while connecting and another once the
    /// request is under way.
    init(_ code: CURLcode, mayHaveBeenSent: Bool) {
        switch code {
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT,
            CURLE_PROXY:
            self = .unreachable
        case CURLE_OPERATION_TIMEDOUT:
            self = .timedOut
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS:
            self = .untrusted
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CLIENTCERT:
            self = .clientCertificate
        case CURLE_FILESIZE_EXCEEDED:
            self = .tooLarge
        case CURLE_OUT_OF_MEMORY:
            // What libcurl answers to a header line beyond its own limit.
            self = mayHaveBeenSent ? .tooLarge : .failed
        case CURLE_UNSUPPORTED_PROTOCOL:
            // Once sent: an answer in HTTP/0.9.
            self = mayHaveBeenSent ? .interrupted : .refusedTarget
        case CURLE_URL_MALFORMAT:
            self = .invalidRequest
        case CURLE_FAILED_INIT, CURLE_NOT_BUILT_IN, CURLE_BAD_FUNCTION_ARGUMENT,
            CURLE_UNKNOWN_OPTION, CURLE_SETOPT_OPTION_SYNTAX, CURLE_UNRECOVERABLE_POLL:
            self = .failed
        default:
            self = mayHaveBeenSent ? .interrupted : .unreachable
        }
    }
}

/// Turns every result but success into an error. For what is done before a request is under way.
func check(_ result: CURLcode) throws(CurlError) {
    guard result == CURLE_OK else { throw CurlError(.failed, result) }
}
