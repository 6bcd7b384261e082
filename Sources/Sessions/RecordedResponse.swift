// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import LedgerPrimitives

extension HTTPResponse {
    /// Bodies up to this size are kept with an event, in bytes.
    private static let recordedBodyBytesMax = 65_536

    /// What is kept of an answer, to be sealed; nil when it is too large.
    ///
    /// - Parameter body: the body without whatever must not be kept.
    public func recorded(body: [UInt8]) -> JSONObject? {
        guard body.count <= Self.recordedBodyBytesMax else { return nil }
        return [
            "body": .string(Base64URL.encode(body)), "mediaType": .string(mediaType ?? ""),
            "status": .integer(Int64(status)),
        ]
    }
}
