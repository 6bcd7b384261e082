// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import Sessions
import Testing

@testable import RelyingParty

@Suite("What archived documents say", .serialized)
struct DocumentReadingsTests {
    private struct Unreadable: Error, Equatable {}

    @Test("is read once for each source, again only after it could not be read")
    func once() throws {
        let readings = Readings<Int, String>()
        #expect(throws: Unreadable.self) {
            try readings.value(of: 1) { () throws(Unreadable) in throw Unreadable() }
        }
        #expect(readings.value(of: 1) { "one" } == "one")
        #expect(readings.value(of: 1) { "another" } == "one")
        #expect(readings.value(of: 2) { "two" } == "two")
    }

    @Test("takes up little room, however many sources there are")
    func bounded() {
        let readings = Readings<Int, Int>()
        var read = 0
        for source in 0..<1000 {
            _ = readings.value(of: source) { source }
        }
        for source in 0..<1000 {
            _ = readings.value(of: source) {
                read += 1
                return source
            }
        }
        #expect(read > 900)
    }

    @Test("of a discovery document is held against the issuer whose it is to be, each anew")
    func ownIssuer() async throws {
        let site = try DocumentSite()
        let cache = ProviderDocumentCache()
        let documents = site.documents(cache)
        let (_, archived) = try await documents.discovery()
        #expect(try documents.archivedDiscovery(archived.digest).issuer == LoginRig.issuer)
        let others = ProviderDocuments(
            log: documents.log, capabilities: documents.capabilities,
            issuer: "https://elsewhere.example", profile: documents.profile, cache: cache)
        #expect(throws: FlowFailure(.discoveryIssuerMismatch)) {
            try others.archivedDiscovery(archived.digest)
        }
    }

    @Test("of a key set is held to the limits of each policy")
    func ownLimits() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let (discovery, _) = try await documents.discovery()
        let (_, archived) = try await documents.keySet(discovery)
        var limits = JSONWebKeyLimits()
        #expect(try documents.archivedKeySet(archived.digest, limits).keys.count == 1)
        limits.keysMax = 0
        #expect(throws: JSONWebKeySetError.tooManyKeys) {
            try documents.archivedKeySet(archived.digest, limits)
        }
    }
}
