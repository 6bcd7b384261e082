// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives

/// The parameters of a text that a browser carries: of a URL's fragment or, without one, of its
/// query, or of a form. Names and values are as they stand there, encoded.
private struct CarriedParameters {
    /// The URL up to the parameters; empty for a form.
    let place: Substring
    var pairs: [(name: String, value: String)]

    init(_ text: String) {
        let start = text.firstIndex(of: "#") ?? text.firstIndex(of: "?")
        place = start.map { text[...$0] } ?? ""
        pairs = text[(start.map { text.index(after: $0) } ?? text.startIndex)...]
            .split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
                return (parts[0], parts.count == 2 ? parts[1] : "")
            }
    }

    var text: String {
        place + pairs.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }
}

extension String {
    /// The code in a callback.
    var code: String {
        parameter("code")
    }

    /// The decoded value of a parameter of a callback or an authorization URL.
    func parameter(_ name: String) -> String {
        let pair = CarriedParameters(self).pairs.first { $0.name == name }
        return pair?.value.removingPercentEncoding ?? ""
    }

    /// Whether there is such a parameter.
    func hasParameter(_ name: String) -> Bool {
        CarriedParameters(self).pairs.contains { $0.name == name }
    }

    /// The callback or authorization URL with another value of a parameter that it has, which is
    /// encoded already.
    func replacing(_ name: String, with value: String) -> String {
        var carried = CarriedParameters(self)
        carried.pairs = carried.pairs.map { $0.name == name ? (name, value) : $0 }
        return carried.text
    }

    /// The callback or authorization URL without a parameter.
    func removing(_ name: String) -> String {
        var carried = CarriedParameters(self)
        carried.pairs.removeAll { $0.name == name }
        return carried.text
    }

    /// The callback or authorization URL with one more parameter, whose value is encoded already.
    func adding(_ name: String, _ value: String) -> String {
        var carried = CarriedParameters(self)
        carried.pairs.append((name, value))
        return carried.text
    }

    /// A part of a token, as an object: 0 is the header, 1 the claims.
    func tokenPart(_ index: Int) throws -> JSONObject {
        let parts = split(separator: ".")
        guard parts.count == 3, let bytes = Base64URL.decode(String(parts[index])),
            let object = try JSONReader.read(bytes, numbers: .anyAsText).objectValue
        else { throw Trouble("this is no token") }
        return object
    }
}
