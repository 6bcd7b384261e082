// SPDX-License-Identifier: Apache-2.0

internal import CQREncode
internal import Glibc

/// What libqrencode answered instead of a QR code.
public struct QRCodeError: Error, Equatable, CustomStringConvertible {
    /// The `errno` value.
    public let code: Int32
    /// The libqrencode function that answered it.
    public let operation: String

    init(_ code: Int32, _ operation: StaticString) {
        self.code = code
        self.operation = operation.description
    }

    /// The text has more bytes than the largest QR code holds.
    public var isTextTooLong: Bool { code == ERANGE }

    /// The problem in words.
    public var description: String { "\(operation): \(unsafe String(cString: strerror(code)))" }
}

/// A QR code (ISO/IEC 18004) of the smallest version that holds its text: a square of modules, each
/// dark or light, without the quiet zone that has to surround it.
public struct QRCode: Equatable, Sendable {
    /// How much of a code may be unreadable.
    public enum ErrorCorrection: Sendable {
        /// Level L, about 7 %: the smallest code.
        case low
        /// Level M, about 15 %.
        case medium
    }

    /// How many modules a side has: 21 to 177.
    public let size: Int
    /// The modules, row after row from the upper left; true is dark.
    private let modules: [Bool]

    /// Encodes the UTF-8 bytes of a text, at least one of them, in byte mode.
    ///
    /// - Throws: an error whose ``QRCodeError/isTextTooLong`` is true for more bytes than version
    ///   40 holds: 2953 with low correction, 2331 with medium.
    public init(
        encoding text: String, errorCorrection: ErrorCorrection = .low
    ) throws(QRCodeError) {
        let level =
            switch errorCorrection {
            case .low: QR_ECLEVEL_L
            case .medium: QR_ECLEVEL_M
            }
        let bytes = Array(text.utf8)
        let smallestVersion: Int32 = 0
        let code = unsafe QRcode_encodeData(Int32(bytes.count), bytes, smallestVersion, level)
        guard let code = unsafe code else { throw QRCodeError(errno, "QRcode_encodeData") }
        defer { unsafe QRcode_free(code) }
        size = Int(unsafe code.pointee.width)
        let cells = unsafe UnsafeBufferPointer(start: code.pointee.data, count: size * size)
        // The other bits of a cell say what part of the code it belongs to.
        modules = unsafe cells.map { $0 & 1 == 1 }
    }

    /// Whether the module at a place is dark; rows are counted from the top, columns from the left,
    /// both from 0.
    public subscript(row: Int, column: Int) -> Bool {
        precondition((0..<size).contains(row) && (0..<size).contains(column))
        return modules[row * size + column]
    }
}

extension QRCode {
    /// The version of the library that is loaded.
    public static var libraryVersion: String { unsafe String(cString: QRcode_APIVersionString()) }
}
