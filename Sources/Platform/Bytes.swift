// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
    /// Adds bytes that lie somewhere else, as `append(contentsOf:)` adds a collection. That
    /// would count who refers to an array for each part of it that is added.
    public mutating func append(copying bytes: Span<UInt8>) {
        append(addingCapacity: bytes.count) { output in
            unsafe output.withUnsafeMutableBufferPointer { target, count in
                unsafe bytes.withUnsafeBufferPointer { source in
                    if let start = source.baseAddress {
                        unsafe target.baseAddress?.advanced(by: count)
                            .initialize(from: start, count: source.count)
                    }
                    count += source.count
                }
            }
        }
    }
}
