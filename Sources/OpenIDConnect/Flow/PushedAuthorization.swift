// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
internal import LedgerPrimitives

/// A request that is handed to the provider beforehand (RFC 9126), so that nothing of it stands in
/// the URL that the browser sees.
public enum PushedAuthorization {
    /// What the provider made of it.
    public struct Receipt: Equatable, Sendable {
        /// The name under which the provider keeps the request; it works once.
        public let requestURI: String
        /// How long it is kept, in seconds.
        public let expiresInSeconds: Int
    }

    /// The longest name that is taken, in bytes.
    private static let requestURIBytesMax = 1024

    /// Reads the answer (§2.2, §2.3).
    public static func process(_ response: HTTPResponse) throws(FlowFailure) -> Receipt {
        guard (200..<500).contains(response.status) else { throw FlowFailure(.providerOutage) }
        let members = try? JSONReader.read(response.body, numbers: .anyAsText).objectValue
        if let error = members.flatMap(ProviderError.init(in:)) { throw .pushedRequest(error) }
        guard response.status == 201 || response.status == 200 else {
            throw FlowFailure(wordless: response.status, otherwise: .pushedRequestRefused)
        }
        let expiresIn = members?["expires_in"].flatMap { value in
            value.integerValue.map { Int($0) } ?? value.stringValue.flatMap { Int($0) }
        }
        guard let requestURI = members?["request_uri"]?.stringValue,
            (1...requestURIBytesMax).contains(requestURI.utf8.count), let expiresIn, expiresIn > 0
        else { throw FlowFailure(.responseMalformed) }
        return Receipt(requestURI: requestURI, expiresInSeconds: expiresIn)
    }
}
