// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents
import Testing

@Suite("What may stand in the clear")
struct RegisteredNamesTests {
    private static let harmless = [
        "urn:grn:authn:no:bankid", "urn:grn:authn:se:bankid:same-device", "loa4", "1234", "0",
        "1234a1234", "1234-5678-9012", "https://refeds.org/profile/mfa", "a;b=c_d.e",
        String(repeating: "a", count: 128),
    ]

    private static let harmful = [
        "", "12345", "urn:12345", "12345a", "a01019912345", "1234567890", "a b", "a\n", "a\0",
        "\u{E5}", "1234\u{661}5", "\u{661}\u{662}\u{663}\u{664}\u{665}", "a+b", "a@b", "a?b",
        "a%20", "a,b", "<b>", "K\u{212A}", String(repeating: "a", count: 129),
    ]

    @Test("is a class of authentication without five digits in a row")
    func acr() {
        for text in Self.harmless {
            #expect(RegisteredNames.isHarmlessACR(text), "\(text)")
            #expect(taken("acr", text), "\(text)")
        }
        for text in Self.harmful {
            #expect(!RegisteredNames.isHarmlessACR(text), "\(text)")
            #expect(!taken("acr", text), "\(text)")
        }
    }

    private static let registered: [(type: SessionEventType, member: String, names: Set<String>)] =
        [
            (.verified, "algorithm", RegisteredNames.algorithms),
            (.tokenIssued, "tokenType", RegisteredNames.tokenTypes),
            (.callback, "responseMode", RegisteredNames.responseModes),
            (.failed, "error", RegisteredNames.errors),
        ]

    @Test("is a registered name, to the byte, or the word for all others")
    func registeredNames() {
        for (type, member, names) in Self.registered {
            for name in names.union([RegisteredNames.other]) {
                #expect(taken(member, name, in: type), "\(name)")
                let lookAlikes = [
                    name + " ", " " + name, name + "\0", name + "\u{301}", name + "x",
                ]
                for text in lookAlikes {
                    #expect(!taken(member, text, in: type), "\(text)")
                }
            }
        }
    }

    /// The Kelvin sign is another spelling of the letter K, and Swift takes the two for equal.
    @Test("is not a name that only looks like a registered one")
    func lookAlikes() {
        #expect(taken("algorithm", "ES256K"))
        #expect(!taken("algorithm", "ES256\u{212A}"))
    }

    @Test("is no reason that the catalogue does not have")
    func reasons() {
        #expect(FailureReason.catalogue.allSatisfy { FailureReason($0)?.code == $0 })
        for code in ["", "other", "Access-denied", "access_denied", "access-denied "] {
            #expect(FailureReason(code) == nil)
        }
        for code in FailureReason.catalogue {
            #expect(code.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D }, "\(code)")
        }
    }

    /// Whether an event is taken in which one member has this value.
    private func taken(
        _ member: String, _ text: String, in type: SessionEventType = .verified
    ) -> Bool {
        let smallest = Sample.all.first { $0.event.type == type && $0.extent == .smallest }
        var data = smallest?.event.clearMembers ?? [:]
        data[member] = .string(text)
        return (try? SessionEventCodec.decode(type: type.rawValue, version: 1, data: data)) != nil
    }
}
