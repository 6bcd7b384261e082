// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenIDConnect
import SessionEvents
import Testing

@testable import RelyingParty

@Suite("The layers of a profile")
struct ProfileLayerTests {
    private static func members(
        _ yaml: String, environment: String? = nil
    ) throws(ProfileError) -> JSONObject {
        try ProfileLayers(ProfileFile.members(Array(yaml.utf8))).merged(environment: environment)
    }

    private static func profile(
        _ yaml: String, environment: String? = nil
    ) throws(ProfileError) -> ProviderProfile {
        try ProfileFile.parse(Array(yaml.utf8), directory: "/etc/rp", environment: environment)
    }

    private static let idura = """
        name: shop
        extends: idura
        clientID: urn:shop
        redirectURI: https://shop.example/cb
        clientAuthentication: { secretFile: secret.txt }
        environments:
          test: { issuer: "https://test.example", clientAuthentication: { secretFile: t } }
          production: { issuer: "https://shop.example", scope: openid email, tokenBytesMax: 4096 }
        """

    @Test("are what it extends, that one's environment, itself, and its own environment")
    func order() throws {
        let test = try Self.profile(Self.idura)
        #expect(test.name == "shop")
        #expect(test.environment == "test")
        #expect(test.issuer == "https://test.example")
        #expect(test.flows == [.pkce, .code, .implicit, .ciba, .headless])
        #expect(test.credentials.secret == .file("/etc/rp/t"))
        #expect(test.registration.authentication == .clientSecretBasic)
        #expect(test.request.traceResponseField == "Trace-Id")
        #expect(test.checks.tokenBytesMax == 1_048_576)
        let production = try Self.profile(Self.idura, environment: "production")
        #expect(production.environment == "production")
        #expect(production.issuer == "https://shop.example")
        #expect(production.flows == [.pkce, .code, .ciba, .headless])
        #expect(production.credentials.secret == .file("/etc/rp/secret.txt"))
        #expect(production.registration.scope == "openid email")
        #expect(production.checks.tokenBytesMax == 4096)
        // What a profile says goes before what it extends says of an environment.
        let own = try Self.profile(Self.idura + "\nflows: [code]", environment: "production")
        #expect(own.flows == [.code])
    }

    @Test("are merged member by member where they are mappings, and replaced elsewhere")
    func merging() throws {
        let merged = try Self.members(
            """
            a: { x: 1, y: { z: 1, w: [1, 2] } }
            b: { x: 1 }
            c: 1
            d: [1, 2]
            environment: e
            environments:
              e: { a: { y: { w: [3] }, v: 2 }, b: 2, c: { x: 1 }, d: [] }
            """)
        let expected = try JSONReader.read(
            Array(
                #"""
                {"a":{"x":1,"y":{"z":1,"w":[3]},"v":2},"b":2,"c":{"x":1},"d":[],"environment":"e"}
                """#.utf8), numbers: .integersOnly)
        #expect(JSONValue.object(merged) == expected)
    }

    @Test("of a profile that extends nothing can have environments of their own")
    func alone() throws {
        let yaml = """
            name: op
            issuer: https://op.example
            clientID: rp
            redirectURI: https://rp.example/cb
            clientAuthentication: { method: none }
            environment: b
            environments: { a: { scope: openid a }, b: { scope: openid b } }
            """
        #expect(try Self.profile(yaml).registration.scope == "openid b")
        #expect(try Self.profile(yaml, environment: "a").registration.scope == "openid a")
        #expect(throws: ProfileError("the profile has no such environment, but a, b")) {
            try Self.profile(yaml, environment: "PLANTED")
        }
        let unnamed = yaml.replacing("environment: b\n", with: "")
        #expect(
            throws: ProfileError(
                "`environment` must say which one of the environments counts: a, b")
        ) {
            try Self.profile(unnamed)
        }
        #expect(try Self.profile(unnamed, environment: "a").environment == "a")
    }

    @Test("include environments that only one of them knows")
    func union() throws {
        let yaml = Self.idura + "\n  staging: { issuer: \"https://staging.example\" }"
        let staging = try Self.profile(yaml, environment: "staging")
        #expect(staging.issuer == "https://staging.example")
        #expect(staging.flows == [.pkce, .code, .ciba, .headless])
        let inherited = "name: a\nextends: bankid-no"
        let members = try Self.members(inherited, environment: "production")
        #expect(members["issuer"] == .string("https://auth.bankid.no/auth/realms/prod"))
        #expect(try Self.members(inherited)["environment"] == .string("test"))
    }

    @Test("need no environment: then a profile may say which one it is")
    func label() throws {
        let yaml = "name: a\nenvironment: production"
        #expect(try Self.members(yaml)["environment"] == .string("production"))
        #expect(
            try Self.members(yaml, environment: "production")["environment"]
                == .string("production"))
        #expect(throws: ProfileError("the profile has no such environment")) {
            try Self.members(yaml, environment: "test")
        }
        #expect(try Self.members("name: a")["environment"] == nil)
    }

    @Test(
        "that are none are refused in words without their values",
        arguments: [
            ("extends: PLANTED", "`extends` must be one of generic, idura, idpartner, bankid-no"),
            ("extends: 1", "`extends` must be one of generic, idura, idpartner, bankid-no"),
            ("extends:", "`extends` must be one of generic, idura, idpartner, bankid-no"),
            ("environment: 1", "`environment` must be a text"),
            ("extends: idura\nenvironment: [PLANTED]", "`environment` must be a text"),
            ("environments: PLANTED", "`environments` must be a mapping of names to mappings"),
            (
                "environments: { a: PLANTED }",
                "`environments` must be a mapping of names to mappings"
            ),
            (
                "environments: { \"PLANTED x\": {} }",
                "`environments` must be a mapping of names to mappings"
            ),
            (
                "environments: { a: { extends: idura } }",
                "`extends` must not stand in an environment"
            ),
            (
                "environments: { a: { environments: {} } }",
                "`environments` must not stand in an environment"
            ),
            (
                "environments: { a: { environment: b } }",
                "`environment` must not stand in an environment"
            ),
            (
                "extends: idura\nenvironment: PLANTED",
                "the profile has no such environment, but test, production"
            ),
        ])
    func refused(yaml: String, message: String) {
        #expect(throws: ProfileError(message)) { try Self.members(yaml) }
    }

    @Test("that misspell a member are refused in every environment that counts")
    func unknownMember() throws {
        let yaml = Self.idura + "\n  other: { issuer: \"https://o.example\", isuer: x }"
        #expect(try Self.profile(yaml).environment == "test")
        #expect(throws: ProfileError("the profile has an unknown member `isuer`")) {
            try Self.profile(yaml, environment: "other")
        }
    }

    @Test("are archived as one, which is read as the same profile again")
    func archived() throws {
        for environment in ["test", "production"] {
            let profile = try Self.profile(Self.idura, environment: environment)
            #expect(profile.object["extends"] == nil && profile.object["environments"] == nil)
            let archived = CanonicalJSON.encode(profile.object)
            let members = try #require(
                try JSONReader.read(archived, numbers: .integersOnly).objectValue)
            #expect(try ProviderProfile(members, relativeTo: "/") == profile)
        }
    }
}

@Suite("A profile that is built in")
struct ProfileTemplateTests {
    @Test("is there for every broker, and for none else")
    func names() throws {
        #expect(ProfileTemplate.all.map(\.name) == ["generic", "idura", "idpartner", "bankid-no"])
        #expect(ProfileTemplate("idura.yaml") == nil)
        #expect(ProfileTemplate("Idura") == nil)
    }

    @Test("says what its broker is like in each environment")
    func environments() throws {
        let bankID = try #require(ProfileTemplate("bankid-no"))
        #expect(bankID.environments == ["test", "production"])
        #expect(
            bankID.members["issuer"]
                == .string("https://auth.current.bankid.no/auth/realms/current"))
        let production = try bankID.members(environment: "production")
        #expect(production["issuer"] == .string("https://auth.bankid.no/auth/realms/prod"))
        #expect(production["environments"] == nil)
        #expect(bankID.flows == ["pkce", "code"])
        let idura = try #require(ProfileTemplate("idura"))
        #expect(idura.flows == ["pkce", "code", "implicit", "ciba", "headless"])
        #expect(throws: ProfileError("the profile has no such environment, but test, production")) {
            try idura.members(environment: "sandbox")
        }
        let idPartner = try #require(ProfileTemplate("idpartner"))
        let method = { (members: JSONObject) in
            members["clientAuthentication"]?.objectValue?["method"]?.stringValue
        }
        #expect(method(idPartner.members) == "client_secret_basic")
        #expect(try method(idPartner.members(environment: "production")) == "tls_client_auth")
        #expect(try #require(ProfileTemplate("generic")).environments == [])
    }

    @Test("becomes a profile with a client in it", arguments: ProfileTemplate.all.map(\.name))
    func complete(name: String) throws {
        let template = try #require(ProfileTemplate(name))
        let environments: [String?] = template.environments.isEmpty ? [nil] : template.environments
        for environment in environments {
            let members = try template.members(environment: environment)
            let method = members["clientAuthentication"]?.objectValue?["method"]
            let credential =
                method == .string("tls_client_auth")
                ? "{ privateKeyFile: k, certificateFile: c }" : "{ secretFile: s }"
            let yaml = """
                name: mine
                extends: \(name)
                clientID: rp
                redirectURI: https://rp.example/cb
                clientAuthentication: \(credential)
                """
            let issuer = members["issuer"] == nil ? "\nissuer: https://op.example" : ""
            let profile = try ProfileFile.parse(
                Array((yaml + issuer).utf8), directory: "/", environment: environment)
            #expect(profile.environment == environment)
            #expect(
                profile.flows.map(\.rawValue) == members["flows"]?.arrayValue?.map(\.stringValue))
            #expect(profile.transport == TransportSettings())
            #expect(profile.checks.clockSkew.expirationSeconds == 60)
        }
    }

    @Test("takes levels of assurance and what people are told apart by from its broker")
    func brokers() throws {
        let yaml = """
            name: mine
            extends: bankid-no
            clientID: rp
            redirectURI: https://rp.example/cb
            clientAuthentication: { secretFile: s }
            """
        let profile = try ProfileFile.parse(Array(yaml.utf8), directory: "/")
        #expect(profile.checks.subjectClaims == ["bankid_altsub", "sub"])
        #expect(profile.checks.levelOfAssuranceMin == 3)
        let table = profile.checks.levelsOfAssurance
        #expect(AssuranceLevel.level(of: "urn:bankid:bis", table: table) == 3)
        #expect(AssuranceLevel.level(of: "urn:bankid:bis;LOA=4", table: table) == 4)
        #expect(profile.request.loginHint == "BIS")
        #expect(profile.permissions?.issuer == "https://current.aletheia-test.idtech.no")
        #expect(profile.hosts == ["*.current.bankid.no"])
    }
}
