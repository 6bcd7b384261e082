// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// What libcrypto answered instead of success.
public struct OpenSSLError: Error, Equatable, CustomStringConvertible {
    /// libcrypto's packed error code; 0 when it gave none.
    public let code: UInt
    /// The function that failed.
    public let operation: String

    /// Takes the oldest error from libcrypto's queue and empties the queue.
    init(_ operation: StaticString) {
        code = ERR_get_error()
        ERR_clear_error()
        self.operation = operation.description
    }

    /// The problem in words.
    public var description: String {
        guard let reason = unsafe ERR_reason_error_string(code) else {
            return "\(operation) failed"
        }
        return "\(operation): \(unsafe String(cString: reason))"
    }
}

/// Ends the process when libcrypto cannot do what it does on every working system: there is no
/// way to go on without a hash function or memory.
func require(_ isDone: Bool, _ operation: StaticString) {
    guard isDone else { fatalError(OpenSSLError(operation).description) }
}

/// The library itself.
public enum OpenSSLLibrary {
    /// The version that is loaded.
    public static var version: String {
        unsafe String(cString: OpenSSL_version(OPENSSL_VERSION_STRING))
    }
}
