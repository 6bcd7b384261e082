// SPDX-License-Identifier: Apache-2.0

internal import JOSE

/// Names of signature algorithms as the command line takes them.
enum AlgorithmArgument {
    /// Why a name is none of ours.
    enum Family {
        /// `none`, in any case of its letters.
        case none
        /// HS256 and its like.
        case hmac
        case other
    }

    /// The algorithms of an option that may be repeated, and that may hold a list with commas; all
    /// we know when it is not given.
    static func algorithms(_ arguments: [String]) throws -> [SignatureAlgorithm] {
        if arguments.isEmpty { return SignatureAlgorithm.allCases }
        let names = arguments.flatMap {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        return try names.map { name in
            guard let algorithm = SignatureAlgorithm(name: name) else {
                throw refusal(of: name)
            }
            return algorithm
        }
    }

    static func family(of name: String) -> Family {
        switch name.lowercased() {
        case "none": .none
        case "hs256", "hs384", "hs512": .hmac
        default: .other
        }
    }

    private static func refusal(of name: String) -> CommandError {
        let known = SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
        let message =
            switch family(of: name) {
            case .none: "none is refused: a token that is not signed proves nothing"
            case .hmac:
                "HMAC is refused: whoever can verify it can also make it, so it proves nothing"
            case .other: "there is no such signature algorithm"
            }
        return CommandError(.usage, "alg-unknown", message, hint: "use one of \(known)")
    }
}
