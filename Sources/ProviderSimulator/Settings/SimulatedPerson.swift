// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// Somebody who logs in: invented, as is everything about them.
public struct SimulatedPerson: Sendable, Hashable {
    /// The name by which tests and settings know the person, and `sub` where a broker makes up no
    /// name of its own.
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
    /// `email`, told for the scope of that name.
    public var emailAddress: String?
    /// `phone_number`, told for the scope `phone`.
    public var phoneNumber: String?
    /// `address`, told for the scope of that name.
    public var postalAddress: String?
    /// `birthdate`.
    public var birthdate: String?

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
    public static let samples = [norwegian, swede]

    private static let norwegian: SimulatedPerson = {
        var person = SimulatedPerson(
            subject: "person-no-1", givenName: "Kari", familyName: "Prøvesen",
            nationalIDClaim: "socialno", nationalID: "01819010001")
        person.emailAddress = "kari@example.org"
        person.phoneNumber = "+4700000001"
        person.postalAddress = "Prøveveien 1\n0001 Oslo\nNorge"
        person.birthdate = "1990-01-01"
        return person
    }()

    private static let swede: SimulatedPerson = {
        var person = SimulatedPerson(
            subject: "person-se-1", givenName: "Erik", familyName: "Exempelsson",
            nationalID: "199001019802")
        person.emailAddress = "erik@example.org"
        person.phoneNumber = "+46000000001"
        person.postalAddress = "Exempelgatan 1\n111 11 Stockholm\nSverige"
        person.birthdate = "1990-01-01"
        return person
    }()

    /// The claims about the person.
    var claims: JSONObject {
        var claims: JSONObject = [
            "sub": .string(subject), "name": .string("\(givenName) \(familyName)"),
            "given_name": .string(givenName), "family_name": .string(familyName),
        ]
        claims[nationalIDClaim] = .string(nationalID)
        return claims
    }

    /// Whether a login hint is about the person: the subject, or a national id behind a colon, as
    /// in `BIS:<11 digits>` and `sub:ssn:<12 digits>`.
    func isMeant(by hint: String) -> Bool {
        if subject.isIdentical(to: hint) { return true }
        guard let colon = hint.utf8.lastIndex(of: UInt8(ascii: ":")) else { return false }
        let number = hint.utf8[colon...].dropFirst()
        return !number.isEmpty && number.elementsEqual(nationalID.utf8)
    }
}
