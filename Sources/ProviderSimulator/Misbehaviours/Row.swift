// SPDX-License-Identifier: Apache-2.0

public import OpenIDConnect

extension Misbehaviour {
    /// Where a relying party has to notice it.
    public enum Detection: Sendable, Hashable {
        /// Nowhere: the login is a good one.
        case nowhere
        /// In the discovery document.
        case discovery
        /// In the key set as such.
        case keySet
        /// In what comes back from the account selector; nothing may be asked of whom it names.
        case accountSelector
        /// In the answer to a permission that is registered, or in the grant of one.
        case permission
        /// In the answer to a pushed authorization request; nobody may be sent to the provider.
        case authorizationRequest
        /// In the answer to a request for a login without redirects; no poll may follow.
        case backchannelRequest
        /// In the answer to a poll, or in its absence; no further poll of the request may follow.
        case poll
        /// In what comes back through the browser; no token request may follow.
        case callback
        /// In the signed token in which the answer comes back (JARM), by this check; no token
        /// request may follow.
        case jarm(ResponseCheck)
        /// In that nothing comes back through the browser.
        case absence
        /// In the answer of the token endpoint, or in its absence.
        case tokenResponse
        /// In the encryption of the ID token.
        case encryption
        /// In the ID token, by this check.
        case idToken(TokenCheck)
        /// In UserInfo; what it says must not be used.
        case userInfo
    }

    /// What is looked at in a signed authorization response.
    public enum ResponseCheck: String, Sendable, Hashable, CaseIterable {
        /// It is a signed token, perhaps in an encrypted one.
        case form
        /// It is encrypted to the client, in a way that was agreed on.
        case encryption
        /// No header member that would let it choose how it is verified.
        case header
        /// The algorithm is one of those agreed on.
        case alg
        /// There is a key for it.
        case key
        /// The signature is the key's.
        case signature
        /// The payload is an object of strict JSON.
        case claims
        /// The issuer is the session's.
        case iss
        /// The client is meant.
        case aud
        /// It has not expired.
        case exp
        /// The state is the session's.
        case state
        /// There is either a code or an error.
        case code
    }

    /// What a login must have for the misbehaviour to show, beyond a code and an ID token.
    public enum Need: String, Sendable, Hashable, CaseIterable {
        /// The answer comes as a signed token.
        case signedResponse = "signed-response"
        /// The client has a key to which tokens are encrypted.
        case encryption
        /// Tokens come through the browser: `id_token token`.
        case frontChannelTokens = "front-channel-tokens"
        /// UserInfo is asked for.
        case userInfo = "userinfo"
        /// UserInfo is signed.
        case signedUserInfo = "signed-userinfo"
        /// The authorization request is pushed.
        case pushedRequest = "pushed-request"
        /// The client proves itself by a certificate.
        case certificate
        /// A level of assurance is demanded, 3 or higher.
        case levelOfAssurance = "level-of-assurance"
        /// The user comes from the account selector.
        case accountSelector = "account-selector"
        /// A permission is registered before.
        case permission
        /// Persons are known by another claim than `sub`.
        case alternativeSubject = "alternative-subject"
        /// The login goes by CIBA, and is polled.
        case backchannel
        /// The login goes by Headless, and is polled.
        case headless
        /// The person logged in before at the client, with the same misbehaviour: that login was a
        /// good one.
        case earlierLogin = "earlier-login"
    }

    /// A line of the tables of all misbehaviours.
    public struct Row: Sendable {
        /// What it is, in a few words.
        public let summary: String
        /// Where a relying party has to notice it.
        public let detection: Detection
        /// The reason with which the login ends, a code of the failure catalogue; nil when it
        /// succeeds.
        public let reason: String?
        /// What a login must have for it to show.
        public let needs: Set<Need>
        /// Checks of the ID token that cannot but fail as well.
        public let alsoFailing: [TokenCheck]
        /// The cases of the OpenID conformance suite for relying parties that it stands for, and
        /// further ones that are named `HX` and a number.
        public let matrix: [String]
        /// What it does.
        let faults: [Fault]

        /// One that a relying party has to notice.
        init(
            _ summary: String, _ detection: Detection, _ reason: String, _ matrix: [String],
            needs: Set<Need> = [], alsoFailing: [TokenCheck] = [], _ faults: Fault...
        ) {
            self.init(summary, detection, reason, matrix, needs, alsoFailing, faults)
        }

        /// One that a relying party has to notice, and for which no suite has a case.
        init(
            _ summary: String, _ detection: Detection, _ reason: String, needs: Set<Need> = [],
            _ faults: Fault...
        ) {
            self.init(summary, detection, reason, [], needs, [], faults)
        }

        /// One that must not disturb anyone.
        init(
            _ summary: String, _ detection: Detection, _ matrix: [String],
            needs: Set<Need> = [], _ faults: Fault...
        ) {
            self.init(summary, detection, nil, matrix, needs, [], faults)
        }

        private init(
            _ summary: String, _ detection: Detection, _ reason: String?, _ matrix: [String],
            _ needs: Set<Need>, _ alsoFailing: [TokenCheck], _ faults: [Fault]
        ) {
            self.summary = summary
            self.detection = detection
            self.reason = reason
            self.needs = needs
            self.alsoFailing = alsoFailing
            self.matrix = matrix
            self.faults = faults
        }
    }
}
