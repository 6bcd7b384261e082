// SPDX-License-Identifier: Apache-2.0

internal import CCurl
internal import Glibc
internal import Platform

/// A client's certificate and its private key, as they stood in their files when a request began.
///
/// libcurl gets them as bytes and not as paths. It uses a kept connection again only for a request
/// with the same certificate in bytes, so that one that was replaced in its file is never taken for
/// the one before it. The key it does not compare: what stands before the certificate does, which
/// differs with the key, and which nobody else reads.
@safe final class ClientIdentity {
    /// The most bytes of a file that are taken.
    private static let fileBytesMax = 65_536

    private let certificate: UnsafeMutableRawBufferPointer
    private let privateKey: UnsafeMutableRawBufferPointer

    /// Reads the files; throws when one is missing, empty, too large or no file.
    init(_ files: CurlClientCertificate) throws(CurlError) {
        var key = try Self.read(files.privateKeyFile)
        defer { Self.wipe(&key) }
        let mark = "\(key.hashValue)\n".utf8
        unsafe certificate = try unsafe Self.copy(mark + Self.read(files.certificateFile))
        unsafe privateKey = unsafe Self.copy(key)
    }

    deinit {
        unsafe Self.wipe(privateKey)
        unsafe privateKey.deallocate()
        unsafe certificate.deallocate()
    }

    /// Gives both to an easy handle, which must be gone before this object is.
    func configure(_ easy: UnsafeMutableRawPointer) throws(CurlError) {
        try check(
            unsafe authledger_easy_setBlob(
                easy, CURLOPT_SSLCERT_BLOB, certificate.baseAddress, certificate.count))
        try check(
            unsafe authledger_easy_setBlob(
                easy, CURLOPT_SSLKEY_BLOB, privateKey.baseAddress, privateKey.count))
        // A key behind a passphrase is refused; without this, somebody would be asked for it.
        try check(unsafe authledger_easy_setString(easy, CURLOPT_KEYPASSWD, ""))
    }

    private static func read(_ path: String) throws(CurlError) -> [UInt8] {
        var status = stat()
        // A pipe is not opened: that would wait for somebody to write to it.
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let file = try? File(path, .reading),
            let bytes = try? file.read(upTo: fileBytesMax + 1), !bytes.isEmpty,
            bytes.count <= fileBytesMax
        else { throw CurlError(.clientCertificate) }
        return bytes
    }

    /// Copies bytes to where they stay.
    private static func copy(_ bytes: [UInt8]) -> UnsafeMutableRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        unsafe buffer.copyBytes(from: bytes)
        return unsafe buffer
    }

    private static func wipe(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { unsafe wipe($0) }
    }

    private static func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        unsafe explicit_bzero(start, bytes.count)
    }
}
