// SPDX-License-Identifier: Apache-2.0

import SessionEvents
import Sessions
import Testing

@Suite("A session")
struct SessionTests {
    // MARK: - Whole logins

    /// How each flow goes when all is well, by the words of its events.
    private static let logins: [(flow: Flow, steps: [Step])] = [
        (.code, [.initiated, .redirected, .callback, .tokenIssued, .verified]),
        (.pkce, [.initiated, .redirected, .callback, .tokenIssued, .verified]),
        (.jarm, [.initiated, .redirected, .callback, .tokenIssued, .verified]),
        (.implicit, [.initiated, .redirected, .callback, .tokenIssued, .verified]),
        (
            .code,
            [
                .initiated, .toSelector, .fromSelector, .redirected, .callback, .tokenIssued,
                .verified,
            ]
        ),
        (.ciba, [.initiated, .polled, .polled, .polled, .tokenIssued, .verified]),
        (.headless, [.initiated, .polled, .tokenIssued, .verified]),
    ]

    @Test("goes from its beginning to a verdict, in every flow")
    func wholeLogins() {
        for (flow, steps) in Self.logins {
            var given = Given(flow)
            for step in steps {
                #expect(given.when(step) == .success([step.event(flow)]), "\(flow): \(step)")
                given = given.and(step)
            }
            #expect(given.state.phase == .verified)
            #expect(given.state.phase?.isTerminal == true)
        }
    }

    @Test("may fail at any step after the first, and then nothing follows")
    func failures() {
        for (flow, steps) in Self.logins {
            for count in 1..<steps.count {
                let given = Given(flow, Array(steps[..<count]))
                #expect(given.when(.failed) == .success([Step.failed.event(flow)]))
                let ended = given.and(.failed)
                #expect(ended.state.phase == .failed)
                for step in Step.allCases {
                    #expect(
                        ended.when(step)
                            == .failure(.transitionNotAllowed(from: .failed, to: step.type)))
                }
            }
        }
    }

    // MARK: - Every transition

    /// What may follow what; everything else is refused.
    private static let allowed: [(given: [Step], then: Set<Step>)] = [
        ([], [.initiated]),
        ([.initiated], [.redirected, .toSelector, .polled, .failed]),
        ([.initiated, .redirected], [.callback, .fromSelector, .failed]),
        ([.initiated, .redirected, .callback], [.tokenIssued, .failed]),
        ([.initiated, .toSelector], [.callback, .fromSelector, .failed]),
        ([.initiated, .toSelector, .fromSelector], [.redirected, .toSelector, .failed]),
        (
            [.initiated, .toSelector, .fromSelector, .redirected],
            [.callback, .fromSelector, .failed]
        ),
        ([.initiated, .redirected, .callback, .tokenIssued], [.verified, .failed]),
        ([.initiated, .redirected, .callback, .tokenIssued, .verified], []),
        ([.initiated, .redirected, .callback, .tokenIssued, .failed], []),
        ([.initiated, .polled], [.polled, .tokenIssued, .failed]),
        ([.initiated, .polled, .polled], [.polled, .tokenIssued, .failed]),
        ([.initiated, .polled, .tokenIssued], [.verified, .failed]),
        ([.initiated, .polled, .tokenIssued, .verified], []),
        ([.initiated, .failed], []),
    ]

    @Test("takes what may follow and refuses everything else", arguments: Flow.allCases)
    func transitions(flow: Flow) {
        for (steps, allowed) in Self.allowed where steps.allSatisfy({ $0.fits(flow) }) {
            let given = Given(flow, steps)
            for step in Step.allCases {
                let expected: Result<[SessionEvent], SessionRejection> =
                    if !allowed.contains(step) {
                        .failure(.transitionNotAllowed(from: given.state.phase, to: step.type))
                    } else if !step.fits(flow) {
                        .failure(.wrongFlow(flow, step.type))
                    } else {
                        .success([step.event(flow)])
                    }
                #expect(given.when(step) == expected, "\(flow), \(steps), then \(step)")
            }
        }
    }

    @Test("has one way to get an answer: a redirect or a backchannel", arguments: Flow.allCases)
    func flows(flow: Flow) {
        let given = Given(flow, [.initiated])
        let redirects: [Flow] = [.code, .pkce, .jarm, .implicit]
        #expect(flow.usesRedirect == redirects.contains(flow))
        #expect(
            given.when(.redirected)
                == (flow.usesRedirect
                    ? .success([Step.redirected.event(flow)])
                    : .failure(.wrongFlow(flow, .redirected))))
        #expect(
            given.when(.polled)
                == (flow.usesRedirect
                    ? .failure(.wrongFlow(flow, .polled)) : .success([Step.polled.event(flow)])))
    }

    @Test("begins once", arguments: Flow.allCases)
    func beginning(flow: Flow) {
        for step in Step.allCases where step != .initiated {
            #expect(
                Given(flow).when(step)
                    == .failure(.transitionNotAllowed(from: nil, to: step.type)))
        }
        #expect(
            Given(flow, [.initiated]).when(.initiated)
                == .failure(.transitionNotAllowed(from: .initiated, to: .initiated)))
    }

    // MARK: - State

    @Test("knows where it stands after every event")
    func phases() {
        let phases: [(steps: [Step], phase: SessionPhase?)] = [
            ([], nil), ([.initiated], .initiated), ([.initiated, .redirected], .redirected),
            ([.initiated, .redirected, .callback], .callbackReceived),
            ([.initiated, .toSelector, .fromSelector], .callbackReceived),
            ([.initiated, .redirected, .callback, .tokenIssued], .tokenIssued),
            ([.initiated, .failed], .failed),
        ]
        for (steps, phase) in phases {
            #expect(Given(.pkce, steps).state.phase == phase)
            #expect(Given(.pkce, steps).state.flow == (steps.isEmpty ? nil : .pkce))
        }
        #expect(Given(.ciba, [.initiated, .polled]).state.phase == .polling)
    }

    @Test("is choosing an account from the selector's callback to the next redirect")
    func choosingAccount() {
        let steps: [Step] = [.initiated, .toSelector, .fromSelector, .redirected, .callback]
        let isChoosing = (0...steps.count).map { count in
            Given(.code, Array(steps[..<count])).state.isChoosingAccount
        }
        #expect(isChoosing == [false, false, false, true, false, false])
    }

    @Test("remembers the key that its ID token names")
    func tokenKey() {
        let given = Given(.code, [.initiated, .redirected, .callback])
        #expect(given.state.tokenKeyID == nil)
        #expect(given.and(.tokenIssued).state.tokenKeyID == "key-1")
        #expect(given.and(.tokenIssued).and(.verified).state.tokenKeyID == "key-1")
    }

    @Test("is told to people in the words of the command line")
    func words() {
        #expect(
            SessionPhase.allCases.map(\.rawValue) == [
                "initiated", "redirected", "callback-received", "polling", "token-issued",
                "verified", "failed",
            ])
        #expect(SessionPhase.allCases.filter(\.isTerminal) == [.verified, .failed])
    }

    @Test("changes nothing when it is asked what a command leads to")
    func purity() {
        let given = Given(.code, [.initiated])
        #expect(given.when(.redirected) == given.when(.redirected))
        #expect(given.state == Given(.code, [.initiated]).state)
    }
}
