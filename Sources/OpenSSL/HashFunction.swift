// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// A hash function of the SHA-2 family (FIPS 180-4), chosen at run time.
///
/// Where the function is fixed, ``SHA256`` takes its input in parts and answers without an array.
public enum HashFunction: Sendable, Hashable, CaseIterable {
    case sha256
    case sha384
    case sha512

    /// Bytes of a hash value.
    public var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// The hash of some bytes.
    public func hash(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        if self == .sha256 {
            let hash = SHA256.hash(bytes.span)
            return hash.indices.map { hash[$0] }
        }
        var output = [UInt8](repeating: 0, count: byteCount)
        let isDone = unsafe bytes.withUnsafeBytes { source in
            unsafe EVP_Digest(source.baseAddress, source.count, &output, nil, algorithm, nil) == 1
        }
        require(isDone, "EVP_Digest")
        return output
    }

    /// libcrypto's object for this function; valid as long as the process.
    var algorithm: OpaquePointer {
        switch self {
        case .sha256: unsafe Algorithms.shared.sha256
        case .sha384: unsafe LongHashes.shared.sha384
        case .sha512: unsafe LongHashes.shared.sha512
        }
    }
}

/// The longer functions, fetched once as those of ``Algorithms`` are.
@safe private struct LongHashes: @unchecked Sendable {
    static let shared = LongHashes()

    let sha384: OpaquePointer
    let sha512: OpaquePointer

    private init() {
        guard let sha384 = unsafe EVP_MD_fetch(nil, "SHA384", nil),
            let sha512 = unsafe EVP_MD_fetch(nil, "SHA512", nil)
        else { fatalError(OpenSSLError("EVP_MD_fetch").description) }
        unsafe self.sha384 = sha384
        unsafe self.sha512 = sha512
    }
}
