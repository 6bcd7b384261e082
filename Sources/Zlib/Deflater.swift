// SPDX-License-Identifier: Apache-2.0

internal import CZlib

/// What zlib answered instead of success.
public struct ZlibError: Error, Equatable, CustomStringConvertible {
    /// zlib's result code.
    public let code: Int32
    /// The zlib function that answered it.
    public let operation: String

    init(_ code: Int32, _ operation: StaticString) {
        self.code = code
        self.operation = operation.description
    }

    /// The problem in words.
    public var description: String { "\(operation): zlib answered \(code)" }
}

/// How a raw deflate stream (RFC 1951) is made and read: both ends must agree.
public struct DeflateParameters: Sendable {
    /// Base-two logarithm of the window: how far back a match may reach, dictionary included.
    public let windowBits: Int32
    /// Effort, 1 to 9.
    public let level: Int32
    /// How much memory the compressor uses, 1 to 9.
    public let memoryLevel: Int32

    /// A set of parameters.
    public init(windowBits: Int32, level: Int32, memoryLevel: Int32) {
        self.windowBits = windowBits
        self.level = level
        self.memoryLevel = memoryLevel
    }
}

/// Compresses short messages with a preset dictionary.
///
/// The dictionary is read once; every message starts from a copy of that state, which costs a
/// fraction of reading the dictionary again. Not for use by two threads at once.
@safe public final class Deflater {
    private let primed: UnsafeMutablePointer<z_stream>

    /// Makes a compressor for messages that share `dictionary`.
    public init(dictionary: [UInt8], parameters: DeflateParameters) throws(ZlibError) {
        unsafe primed = .allocate(capacity: 1)
        unsafe primed.initialize(to: z_stream())
        let result = unsafe authledger_deflateInit2(
            primed, parameters.level, -parameters.windowBits, parameters.memoryLevel)
        guard result == Z_OK else {
            unsafe primed.deallocate()
            throw ZlibError(result, "deflateInit2")
        }
        let primedResult = unsafe deflateSetDictionary(primed, dictionary, UInt32(dictionary.count))
        guard primedResult == Z_OK else {
            unsafe deflateEnd(primed)
            unsafe primed.deallocate()
            throw ZlibError(primedResult, "deflateSetDictionary")
        }
    }

    deinit {
        unsafe deflateEnd(primed)
        unsafe primed.deallocate()
    }

    /// Compresses one message as a complete raw deflate stream.
    public func deflate(_ message: [UInt8]) throws(ZlibError) -> [UInt8] {
        var stream = unsafe z_stream()
        let copied = unsafe deflateCopy(&stream, primed)
        guard copied == Z_OK else { throw ZlibError(copied, "deflateCopy") }
        defer { unsafe deflateEnd(&stream) }
        // A preset dictionary leaves pending state; the bound for an empty state plus slack is
        // more than any message needs.
        let capacity = message.count + message.count / 8 + 64
        var result = Z_OK
        let output = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            unsafe message.withUnsafeBufferPointer { input in
                unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = buffer.baseAddress
                unsafe stream.avail_out = UInt32(capacity)
                result = unsafe CZlib.deflate(&stream, Z_FINISH)
                count = unsafe capacity - Int(stream.avail_out)
            }
        }
        guard result == Z_STREAM_END else { throw ZlibError(result, "deflate") }
        return output
    }
}

/// Expands what a ``Deflater`` with the same dictionary made. Not for use by two threads at once.
@safe public final class Inflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private let dictionary: [UInt8]
    /// How much of the dictionary's end lies in the window.
    private let reach: Int

    /// Makes an expander for messages that share `dictionary`.
    public init(dictionary: [UInt8], windowBits: Int32) throws(ZlibError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        self.dictionary = dictionary
        reach = min(dictionary.count, 1 << Int(windowBits))
        let result = unsafe authledger_inflateInit2(stream, -windowBits)
        guard result == Z_OK else {
            unsafe stream.deallocate()
            throw ZlibError(result, "inflateInit2")
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Expands one message, which must come to exactly `count` bytes and use up its input to
    /// the bit.
    public func inflate(
        _ message: ArraySlice<UInt8>, count: Int
    ) throws(ZlibError) -> [UInt8] {
        if let output = FixedBlock.inflate(
            message, count: count, dictionary: dictionary.suffix(reach))
        {
            return output
        }
        return try inflateByZlib(message, count: count)
    }

    /// The same by zlib alone.
    func inflateByZlib(_ message: ArraySlice<UInt8>, count: Int) throws(ZlibError) -> [UInt8] {
        var result = unsafe inflateReset(stream)
        guard result == Z_OK else { throw ZlibError(result, "inflateReset") }
        result = unsafe inflateSetDictionary(stream, dictionary, UInt32(dictionary.count))
        guard result == Z_OK else { throw ZlibError(result, "inflateSetDictionary") }
        var spareBits: Int32 = 0
        let output = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe message.withUnsafeBufferPointer { input in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(input.count)
                unsafe stream.pointee.next_out = buffer.baseAddress
                unsafe stream.pointee.avail_out = UInt32(count)
                result = inflateToEnd(&spareBits)
                filled = unsafe count - Int(stream.pointee.avail_out)
            }
        }
        let isWhole = unsafe stream.pointee.avail_in == 0
        // Compressors leave the bits behind the end at zero; a change there must not go unnoticed.
        let hasZeroSpareBits = spareBits == 0 || (message.last ?? 0) >> UInt8(8 - spareBits) == 0
        guard result == Z_STREAM_END, isWhole, output.count == count, hasZeroSpareBits else {
            throw ZlibError(result == Z_STREAM_END ? Z_DATA_ERROR : result, "inflate")
        }
        return output
    }

    /// Expands block by block, because zlib tells only at the end of a block how many bits of the
    /// last byte it did not use.
    private func inflateToEnd(_ spareBits: inout Int32) -> Int32 {
        var result = Z_OK
        while result == Z_OK {
            result = unsafe CZlib.inflate(stream, Z_BLOCK)
            let state = unsafe stream.pointee.data_type
            let isAfterLastBlock = state & 0xC0 == 0xC0
            if isAfterLastBlock { spareBits = state & 7 }
        }
        return result
    }
}

extension Deflater {
    /// The version of the library that is loaded.
    public static var libraryVersion: String { unsafe String(cString: zlibVersion()) }
}
