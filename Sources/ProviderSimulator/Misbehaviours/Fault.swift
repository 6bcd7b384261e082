// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// What a misbehaviour does, and where.
enum Fault: Sendable {
    /// A token that is signed.
    enum Token: Sendable {
        case idToken
        /// The authorization response (JARM).
        case response
        /// An access token that is bound to a certificate.
        case accessToken
        /// UserInfo, where the client wants it signed.
        case userInfo
        /// The proof that a permission was given.
        case grant
    }

    /// When keys are changed.
    enum Occasion: Sendable {
        /// When the user comes: before anybody asks for the keys of this login.
        case authorization
        /// When the code is exchanged: after everybody asked.
        case signing
    }

    /// Spoils a token before it is signed.
    case token(Token, @Sendable (inout TokenDraft) -> Void)
    /// Spoils the answer of an endpoint before it is written.
    case answer(ProviderEndpoint, @Sendable (inout AnswerDraft) -> Void)
    /// Spoils what comes back from the account selector.
    case selection(@Sendable (inout CallbackDraft) -> Void)
    /// Spoils what goes back through the browser.
    case callback(@Sendable (inout CallbackDraft) -> Void)
    /// The user declines.
    case refusal
    /// Another key is published and signs from now on.
    case rotation(Occasion)
    /// The person gets another `sub` than ever before.
    case changedSubject
    /// Settles how the user answers without redirects.
    case script(BackchannelScript)
    /// Spoils the answer to a poll as long as the user is waited for, by the number of the poll.
    case waiting(@Sendable (_ draft: inout AnswerDraft, _ poll: Int) -> Void)
    /// Somebody else logs in than was meant.
    case otherPerson
    /// The person gets the tokens of an earlier login at the client, if there was one.
    case earlierTokens
}

extension Misbehaviour {
    /// Does what the misbehaviour does to a token.
    func spoil(_ draft: inout TokenDraft, _ kind: Fault.Token) {
        for case .token(kind, let spoil) in row.faults { spoil(&draft) }
    }

    /// Does what the misbehaviour does to the answer of an endpoint.
    func spoil(_ draft: inout AnswerDraft, _ endpoint: ProviderEndpoint) {
        for case .answer(endpoint, let spoil) in row.faults { spoil(&draft) }
    }

    /// Does what the misbehaviour does to what goes back through the browser.
    func spoil(_ draft: inout CallbackDraft) {
        for case .callback(let spoil) in row.faults { spoil(&draft) }
    }

    /// Does what the misbehaviour does to what comes back from the account selector.
    func spoilSelection(_ draft: inout CallbackDraft) {
        for case .selection(let spoil) in row.faults { spoil(&draft) }
    }

    /// Whether the user declines.
    var refuses: Bool {
        row.faults.contains { if case .refusal = $0 { true } else { false } }
    }

    /// Whether the person gets another `sub`.
    var changesSubject: Bool {
        row.faults.contains { if case .changedSubject = $0 { true } else { false } }
    }

    /// Puts the misbehaviour's script, if it has one, in place of another.
    func edit(_ script: inout BackchannelScript) {
        for case .script(let other) in row.faults { script = other }
    }

    /// Does what the misbehaviour does to the answer to a poll while the user is waited for.
    func spoilWaiting(_ draft: inout AnswerDraft, poll number: Int) {
        for case .waiting(let spoil) in row.faults { spoil(&draft, number) }
    }

    /// Whether somebody else logs in than was meant.
    var exchangesPersons: Bool {
        row.faults.contains { if case .otherPerson = $0 { true } else { false } }
    }

    /// Whether tokens of an earlier login are given again.
    var replaysTokens: Bool {
        row.faults.contains { if case .earlierTokens = $0 { true } else { false } }
    }

    /// Whether keys are changed on an occasion.
    func rotatesKeys(on occasion: Fault.Occasion) -> Bool {
        row.faults.contains { if case .rotation(occasion) = $0 { true } else { false } }
    }
}
