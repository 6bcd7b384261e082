// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// Somebody who logs in: invented, as is everything about them.
public struct SimulatedPerson: Sendable, Hashable {
    /// `sub`.
    public var subject: String
    /// `given_name`.
    public var givenName: String
    /// `family_name`.
    public var familyName: String
    /// The name of the claim with the national id: brokers differ in it.
    public var nationalIDClaim: String
    /// The national id, of a kind that no real person can have.
    public var nationalID: String
    /// `acr`, the level at which they log in.
    public var authenticationContext: String

    /// A person.
    public init(
        subject: String, givenName: String, familyName: String, nationalIDClaim: String = "ssn",
        nationalID: String, authenticationContext: String = "urn:bankid:bis;LOA=3"
    ) {
        self.subject = subject
        self.givenName = givenName
        self.familyName = familyName
        self.nationalIDClaim = nationalIDClaim
        self.nationalID = nationalID
        self.authenticationContext = authenticationContext
    }

    /// A Norwegian and a Swede. The month of the Norwegian number is raised by 80, as in the tax
    /// administration's synthetic population; birth numbers from 980 on are kept for tests by the
    /// Swedish one.
    public static let samples = [
        SimulatedPerson(
            subject: "person-no-1", givenName: "Kari", familyName: "Prøvesen",
            nationalIDClaim: "socialno", nationalID: "01819010001"),
        SimulatedPerson(
            subject: "person-se-1", givenName: "Erik", familyName: "Exempelsson",
            nationalID: "199001019802"),
    ]

    /// The claims about the person.
    var claims: JSONObject {
        var claims: JSONObject = [
            "sub": .string(subject), "name": .string("\(givenName) \(familyName)"),
            "given_name": .string(givenName), "family_name": .string(familyName),
        ]
        claims[nationalIDClaim] = .string(nationalID)
        return claims
    }
}
