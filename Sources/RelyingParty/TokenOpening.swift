// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import JOSE
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// Opens tokens that a provider encrypted to us. What is inside counts only if it is signed, which
/// is for the checks of that token to say: anyone can encrypt to a public key (RFC 8725 §2.3).
struct TokenOpening {
    let capabilities: Capabilities
    let keys: [DecryptionKey]

    private static let contentKeyBytesMax = 64

    /// The signed token in a text: the text itself, or what an encrypted one holds.
    ///
    /// - Throws: ``JWEError`` when it cannot be opened, or may not be.
    func open(_ text: String) throws(JWEError) -> OpenedToken {
        let bytes = Array(text.utf8)
        guard CompactJWE.hasForm(of: bytes) else {
            // Where we have keys, an agreement to encrypt stands behind them; but a provider that
            // stops encrypting has still signed.
            return OpenedToken(token: text)
        }
        let box = try CompactJWE(parsing: bytes)
        let inside = try box.decrypted(
            with: keys, algorithms: KeyManagementAlgorithm.allCases,
            encryptions: ContentEncryption.allCases,
            substituteKey: capabilities.randomBytes(Self.contentKeyBytesMax))
        return OpenedToken(
            token: String(decoding: inside, as: UTF8.self), encryption: encryption(of: box))
    }

    private func encryption(of box: CompactJWE) -> Encryption {
        Encryption(
            algorithm: RegisteredNames.inClear(
                box.algorithmName, RegisteredNames.keyManagementAlgorithms),
            contentEncryption: RegisteredNames.inClear(
                box.encryptionName, RegisteredNames.contentEncryptions),
            keyID: box.keyID.map {
                RegisteredNames.keyIDInClear($0, archived: keys.compactMap(\.keyID))
            })
    }
}

extension FlowFailure {
    /// What it means when an ID token cannot be opened.
    init(openingToken error: JWEError) {
        switch error {
        case .algorithmNotAllowed: self.init(.algorithmNotAllowed)
        case .headerRefused: self.init(.headerRefused)
        case .tooLarge: self.init(.responseTooLarge)
        case .notCompact, .headerMalformed: self.init(.tokenMalformed)
        case .noKey, .undecryptable: self.init(.jweDecryptFailed)
        }
    }

    /// What it means when a response cannot be opened.
    init(openingResponse error: JWEError) {
        switch error {
        case .noKey, .undecryptable: self.init(.jweDecryptFailed)
        case .algorithmNotAllowed, .headerRefused, .tooLarge, .notCompact, .headerMalformed:
            self.init(.jarmInvalid)
        }
    }
}
