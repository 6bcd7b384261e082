// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenIDConnect
import TestSupport
import Testing

@testable import RelyingParty

@Suite("The schema of profiles")
struct ProfileSchemaTests {
    private static let schema = "provider-profile.v1.schema.json"

    /// A profile that has every member.
    static let fullest = """
        name: full
        description: everything
        environment: production
        issuer: https://op.example/realms/a
        hosts: ["keys.op.example", "*.cdn.example"]
        clientID: urn:rp
        redirectURI: https://rp.example/cb
        clientAuthentication:
          method: self_signed_tls_client_auth
          privateKeyFile: tls.key
          certificateFile: tls.crt
          keyID: tls-1
          algorithm: PS256
          formEncoded: false
          clientIDInBody: true
          audience: endpoint
          assertionLifetimeSeconds: 30
        requestObject: { privateKeyFile: sig.pem, keyID: sig-1, algorithm: PS256 }
        decryption:
          - { privateKeyFile: enc.pem, keyID: enc-1, algorithm: RS256 }
        flows: [jarm, pkce, code]
        scope: openid profile
        acrValues: low high
        loginHint: BIS
        extraParameters: { ui_locales: nb, prompt: login }
        responseMode: form_post.jwt
        implicitResponseType: id_token token
        pushedAuthorization: required
        userInfo: fetch
        trace: { requestField: Prefer, requestValue: return-trace-id, responseField: Trace-Id }
        accountSelector: { url: "https://s.example/select", issuers: ["https://a.example"] }
        permissions:
          { issuer: "https://p.example", hosts: [keys.p.example], parameter: permission }
        backchannel: { endpoint: "https://op.example/bc", pollsAtOnceMax: 4 }
        headless: { endpoint: /headless, grantType: "urn:x", pollSeconds: 2 }
        algorithms: [PS256, ES256]
        jarmAlgorithms: [PS256]
        rsaBitsMin: 3072
        tokenBytesMax: 4096
        clockSkewSeconds: { exp: 1, nbf: 2, iat: 3 }
        issuedAtAgeSecondsMax: 300
        nonce: { code: when-sent, jarm: always }
        levelOfAssuranceMin: 3
        levelsOfAssurance: { "urn:b": 4, "urn:a": 3 }
        trustedAudiences: [other]
        subjectClaims: [altsub, sub]
        hintClaims: [ssn]
        certificateBoundTokens: true
        reasonTexts:
          - { error: access_denied, text: gave up, reason: user-cancelled }
        abandonedAfterSeconds: 60
        allowLoopbackHTTP: true
        allowPrivateTargets: true
        trustedCAFile: ca.pem
        responseBytesMax: 2048
        timeoutMilliseconds: 1000
        """

    private static func members(_ yaml: String) throws -> JSONObject {
        try ProfileFile.members(Array(yaml.utf8))
    }

    private static func verdicts(_ objects: [JSONObject]) throws -> [Schemas.Verdict] {
        try Schemas.verdicts(on: objects.map { Schemas.Case(schema, .object($0)) })
    }

    // MARK: - Examples

    /// The examples of the document, in order.
    private static func examples() throws -> [String] {
        let text = String(
            decoding: try Repository.read("ops/providers/README.md"), as: UTF8.self)
        return text.split(separator: "```yaml\n").dropFirst().map { part in
            String(part.prefix(upTo: part.firstRange(of: "```")?.lowerBound ?? part.endIndex))
        }
    }

    @Test("fits every example of the document, which is read in each environment")
    func documented() throws {
        let examples = try Self.examples()
        #expect(examples.count >= 5)
        var extended: Set<String> = []
        for example in examples {
            let members = try Self.members(example)
            extended.insert(members["extends"]?.stringValue ?? "generic")
            let layers = try ProfileLayers(members)
            let names = layers.environmentNames
            var objects = [members]
            // An example with other environments than its own needs other secrets, too.
            let own = members["environments"]?.objectValue?.members.map(\.name)
            let environments: [String?] = own ?? [nil]
            for environment in environments {
                #expect(environment.map { names.contains($0) } ?? true)
                let profile = try ProfileFile.parse(
                    Array(example.utf8), directory: "/etc/rp", environment: environment)
                objects.append(profile.object)
            }
            for verdict in try Self.verdicts(objects) { #expect(verdict.isValid, "\(verdict)") }
        }
        #expect(extended == Set(ProfileTemplate.all.map(\.name)))
    }

    @Test("fits every profile that is built in", arguments: ProfileTemplate.all.map(\.name))
    func builtIn(name: String) throws {
        let text = try Repository.read("ops/providers/\(name).yaml")
        let template = try #require(ProfileTemplate(name))
        let environments = try template.environments.map { try template.members(environment: $0) }
        for verdict in try Self.verdicts([try ProfileFile.members(text)] + environments) {
            // Without a client in them they are no whole profiles, and need not be.
            #expect(verdict.isValid, "\(verdict)")
        }
    }

    @Test("lets a profile build on those that are built in, and the document names them")
    func names() throws {
        let properties = try Schemas.read(Self.schema)["properties"]?.objectValue
        let extends = properties?["extends"]?.objectValue?["enum"]?.arrayValue
        #expect(extends == ProfileTemplate.all.map { .string($0.name) })
        let document = String(
            decoding: try Repository.read("ops/providers/README.md"), as: UTF8.self)
        for name in ProfileTemplate.all.map(\.name) + (properties?.members.map(\.name) ?? []) {
            #expect(document.contains("| `\(name)` |"), "\(name)")
        }
    }

    // MARK: - Members

    @Test("names the members that the reader knows and no others")
    func memberNames() throws {
        let schema = try Schemas.read(Self.schema)
        let whole = Set(try #require(schema["properties"]?.objectValue).members.map(\.name))
        let parts = try #require(
            schema["$defs"]?.objectValue?["members"]?.objectValue?["properties"]?.objectValue)
        let structure: Set = ["extends", "environments", "environment"]
        #expect(Set(parts.members.map(\.name)) == whole.subtracting(structure))
        let fullest = try Self.members(Self.fullest)
        #expect(Set(fullest.members.map(\.name)) == whole.subtracting(["extends", "environments"]))
        var compared: [String] = []
        for member in parts.members {
            let written = fullest[member.name]
            let inner = (written?.objectValue ?? written?.arrayValue?.first?.objectValue)?.members
            let described = try Self.resolved(member.value, schema)
            guard let inner, let names = described["properties"]?.objectValue else { continue }
            compared.append(member.name)
            var known = Set(names.members.map(\.name))
            if member.name == "clientAuthentication" {
                known.subtract(["secretFile", "secretEnvironment"])
            }
            #expect(Set(inner.map(\.name)) == known, "\(member.name)")
        }
        #expect(
            compared.sorted() == [
                "accountSelector", "backchannel", "clientAuthentication", "clockSkewSeconds",
                "decryption", "headless", "permissions", "reasonTexts", "requestObject", "trace",
            ])
    }

    @Test("takes every reason that the reader takes for a text, and no other")
    func reasons() throws {
        let schema = try Schemas.read(Self.schema)
        let member = try #require(
            schema["$defs"]?.objectValue?["members"]?.objectValue?["properties"]?
                .objectValue?["reasonTexts"])
        let reason = try Self.resolved(member, schema)["properties"]?.objectValue?["reason"]
        let words = reason?.objectValue?["enum"]?.arrayValue?.compactMap(\.stringValue)
        #expect(words == FlowFailureReason.allCases.map(\.rawValue).sorted())
    }

    /// What describes a member, or an element of it.
    private static func resolved(_ value: JSONValue, _ schema: JSONObject) throws -> JSONObject {
        let object = try #require(value.objectValue)
        if let alternatives = object["anyOf"]?.arrayValue, let last = alternatives.last {
            return try resolved(last, schema)
        }
        if let items = object["items"] { return try resolved(items, schema) }
        guard let reference = object["$ref"]?.stringValue else { return object }
        let name = String(reference.split(separator: "/").last ?? "")
        return try #require(schema["$defs"]?.objectValue?[name]?.objectValue)
    }

    @Test("fits the fullest profile as it is written and as it is archived")
    func fullest() throws {
        let profile = try ProfileFile.parse(Array(Self.fullest.utf8), directory: "/etc/rp")
        let archived = CanonicalJSON.encode(profile.object)
        let read = try #require(try JSONReader.read(archived, numbers: .integersOnly).objectValue)
        #expect(try ProviderProfile(read, relativeTo: "/") == profile)
        let members = try Self.members(Self.fullest)
        let written = Set(members.members.map(\.name)).subtracting(["description"])
        #expect(Set(read.members.map(\.name)) == written)
        for verdict in try Self.verdicts([members, read]) { #expect(verdict.isValid, "\(verdict)") }
    }

    // MARK: - Agreement

    /// What the reader says of values that a schema cannot tell from good ones.
    private static let beyondSchemas = [
        "`responseMode` must be a signed one for the flow jarm",
        "`responseMode` must not be a signed one for the flow implicit",
        "`responseMode` must not be query for the flow implicit",
        "`certificateBoundTokens` needs a client certificate",
        // Those that are built in have no client in them.
        "`clientID` is missing",
        // Which hosts are this machine, and whether they may be asked.
        "an https URL without query; plain http to loopback",
        "must be a list of https URLs without query",
    ]

    private static func message(_ members: JSONObject) -> String? {
        do {
            _ = try ProviderProfile(members, relativeTo: "/")
            return nil
        } catch {
            return error.description
        }
    }

    private static let smallest = """
        name: op
        issuer: https://op.example
        clientID: rp
        redirectURI: https://rp.example/cb
        flows: [implicit]
        clientAuthentication:
          { method: client_secret_basic, secretFile: secret.txt, audience: issuer }
        clockSkewSeconds: 5
        """

    @Test("agrees with the reader on thousands of profiles that differ in one place")
    func agreement() throws {
        let mutants = try [Self.fullest, Self.smallest].flatMap { yaml in
            Mutations.all(of: try Self.members(yaml))
        }
        #expect(mutants.count > 5000)
        let verdicts = try Self.verdicts(mutants.map(\.object))
        for (mutant, verdict) in zip(mutants, verdicts) {
            let message = Self.message(mutant.object)
            if message == nil {
                #expect(verdict.isValid, "\(mutant.name): the schema says \(verdict)")
            } else if verdict.isValid {
                let isBeyond = Self.beyondSchemas.contains { message?.contains($0) ?? false }
                #expect(isBeyond, "\(mutant.name): the reader says \(message ?? "")")
            }
        }
    }

    @Test("refuses members that are misspelt, in environments as well")
    func unknownMembers() throws {
        let good = "name: a\nextends: idura"
        let bad = [
            "\nisuer: https://a.example", "\nclientAuthentication: { secret: x }",
            "\nenvironments: { test: { isuer: x } }",
            "\nenvironments: { test: { extends: idura } }",
            "\nenvironments: { test: { environment: b } }",
            "\nenvironments: { test: { clientAuthentication: { secret: x } } }",
            "\nenvironments: { \"a b\": {} }", "\nenvironments: []", "\nenvironment: a b",
        ]
        let objects = try bad.map { try Self.members(good + $0) }
        #expect(try Self.verdicts([try Self.members(good)])[0].isValid)
        #expect(try !Self.verdicts([try Self.members("name: a\nextends: other")])[0].isValid)
        for (yaml, verdict) in zip(bad, try Self.verdicts(objects)) {
            #expect(!verdict.isValid, "\(yaml)")
        }
    }

    @Test("knows that one of several environments has to be named")
    func environments() throws {
        let objects = try [
            "name: a\nenvironments: { x: {}, y: {} }",
            "name: a\nenvironments: { x: {}, y: {} }\nenvironment: x", "name: a\nenvironments: {}",
            "extends: generic\nenvironments: { x: {} }",
        ].map(Self.members)
        #expect(try Self.verdicts(objects).map(\.isValid) == [false, true, true, true])
    }

    @Test("demands of a whole profile a redirect URI, unless nobody comes back in any of its flows")
    func redirectURIs() throws {
        let base = Self.smallest.split(separator: "\n").filter {
            !$0.hasPrefix("redirectURI") && !$0.hasPrefix("flows")
        }.joined(separator: "\n")
        let flows = [
            ("", true), ("\nflows: [ciba]", true), ("\nflows: [headless, ciba]", true),
            ("\nflows: [ciba, pkce]", false), ("\nflows: [jarm]", false),
            ("\nflows: [pkce]\nredirectURI: https://rp.example/cb", true),
        ]
        let objects = try flows.map { try Self.members(base + $0.0) }
        #expect(objects.map { Self.message($0) == nil } == flows.map(\.1))
        #expect(try Self.verdicts(objects).map(\.isValid) == flows.map(\.1))
    }

    @Test("demands of a whole profile what its method needs, and nothing that it has no use for")
    func methods() throws {
        let base = Self.smallest.split(separator: "\n").filter {
            !$0.hasPrefix("clientAuth") && !$0.hasPrefix("  {")
        }.joined(separator: "\n")
        let credentials = ["secretFile", "secretEnvironment", "privateKeyFile", "certificateFile"]
        let methods = [
            "none", "client_secret_basic", "client_secret_post", "client_secret_jwt",
            "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "other",
        ]
        var objects: [JSONObject] = []
        for method in methods {
            for choice in 0..<16 {
                let chosen = credentials.enumerated().filter { choice >> $0.offset & 1 == 1 }
                    .map { ", \($0.element): x" }.joined()
                objects.append(
                    try Self.members(
                        base + "\nclientAuthentication: { method: \(method)\(chosen) }"))
            }
        }
        let taken = objects.map { Self.message($0) == nil }
        #expect(taken.filter { $0 }.count == 10)
        #expect(try Self.verdicts(objects).map(\.isValid) == taken)
    }
}
