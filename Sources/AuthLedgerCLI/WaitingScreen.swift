// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import QRCode
internal import RelyingParty
internal import Sessions
internal import Synchronization

/// What is shown on standard error while a login without a browser waits for its user: the QR code
/// where there is one, what the user has to be told, and what the user is at.
final class WaitingScreen: Sendable {
    private struct Screen {
        var block: LiveBlock
        /// The last message for the user: it stands on the screen until the end.
        var message: String?
    }

    private let screen: Mutex<Screen?>

    /// A screen, which shows nothing where nobody wants to be told.
    init(_ global: GlobalOptions) {
        screen = Mutex(global.quiet ? nil : Screen(block: LiveBlock(global)))
    }

    /// Shows how a login stands.
    func show(_ result: LoginResult) {
        guard result.phase == .polling else { return }
        screen.withLock { screen in
            guard var shown = screen else { return }
            shown.message = result.messageForUser ?? shown.message
            let code = (result.acrData?["qrData"]?.stringValue).flatMap {
                try? QRCode(encoding: $0)
            }
            shown.block.show(
                [
                    code == nil ? nil : "Scan the code with the eID's app.",
                    shown.message.map { "Read out to the user: \($0)" },
                    result.hint.map { "The user is at: \($0)" } ?? "Waiting for the user.",
                ].compactMap(\.self), code: code)
            screen = shown
        }
    }

    /// Leaves what is shown and goes below it.
    func finish() {
        screen.withLock { $0?.block.finish() }
    }
}
