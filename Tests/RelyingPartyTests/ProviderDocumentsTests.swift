// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import SessionEvents
import Sessions
import Testing

@testable import RelyingParty

@Suite("The age of a document")
struct DocumentAgeTests {
    private func instant(_ seconds: Int64) -> Instant {
        Instant(millisecondsSince1970: seconds * 1000)
    }

    @Test("is the time that went by")
    func forward() {
        var age = DocumentAge(since: instant(100))
        #expect(age.isBelow(seconds: 1))
        #expect(!age.isBelow(seconds: 0))
        age.look(instant(110))
        age.look(instant(110))
        age.look(instant(159))
        #expect(age.milliseconds == 59_000)
        #expect(age.isBelow(seconds: 60))
        age.look(instant(160))
        #expect(!age.isBelow(seconds: 60))
    }

    @Test("goes on where the clock is set back, and is not certain any more")
    func backward() {
        var age = DocumentAge(since: instant(1000))
        age.look(instant(1010))
        age.look(instant(10))
        #expect(age.milliseconds == 10_000)
        #expect(!age.isBelow(seconds: 3600))
        age.look(instant(40))
        #expect(age.milliseconds == 40_000)
        #expect(!age.isBelow(seconds: 3600))
    }
}

@Suite("A provider's discovery document", .serialized, .timeLimit(.minutes(5)))
struct ProviderDocumentsTests {
    private func generation(
        _ found: (discovery: DiscoveryDocument, archived: ArchivedDocument)
    ) -> String {
        found.discovery.tokenEndpoint.replacing(LoginRig.issuer + "/token", with: "")
    }

    @Test("is fetched once for all who want it at a time, and then kept")
    func singleFlight() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        site.hold()
        let digests = try await withThrowingTaskGroup(of: Digest.self) { group in
            for _ in 0..<200 {
                group.addTask { try await documents.discovery().1.digest }
            }
            try await site.until { site.looks > 200 }
            #expect(site.count(.discovery) == 1)
            site.release()
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(digests.count == 1)
        _ = try await documents.discovery()
        #expect(site.count(.discovery) == 1)
        #expect(try site.recorded("discovery", "documentDigest").count == 1)
    }

    @Test(
        "is kept for as long as its provider says, an hour at most, five minutes by default",
        arguments: [
            (nil, 300), ("max-age=60", 60), ("public, max-age=86400", 3600), ("max-age=0", 0),
            ("no-store", 0), ("no-cache, max-age=60", 0), ("private", 300),
        ] as [(String?, Int64)])
    func lifetime(cacheControl: String?, seconds: Int64) async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        site.serveDiscovery(generation: 1, cacheControl: cacheControl)
        _ = try await documents.discovery()
        site.serveDiscovery(generation: 2, cacheControl: cacheControl)
        if seconds > 0 {
            site.rig.clock.advance(seconds: seconds - 1)
            #expect(generation(try await documents.discovery()) == "1")
            #expect(site.count(.discovery) == 1)
            site.rig.clock.advance(seconds: 1)
        }
        #expect(generation(try await documents.discovery()) == "2")
        #expect(site.count(.discovery) == 2)
        #expect(
            try site.recorded("discovery", "maxAge") == [.integer(seconds), .integer(seconds)])
    }

    @Test("that cannot be had fails for all who wait for it, and is asked for again by the next")
    func failure() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        site.answer(.discovery, status: 503)
        site.hold()
        await withTaskGroup(of: FlowFailureReason?.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    do {
                        _ = try await documents.discovery()
                        return nil
                    } catch {
                        return (error as? FlowFailure)?.reason
                    }
                }
            }
            await #expect(throws: Never.self) { try await site.until { site.looks > 50 } }
            site.release()
            for await reason in group { #expect(reason == .metadataUnavailable) }
        }
        #expect(site.count(.discovery) == 1)
        site.serveDiscovery(generation: 1)
        #expect(generation(try await documents.discovery()) == "1")
        #expect(site.count(.discovery) == 2)
    }

    @Test("comes to the others when the one who asked first is cancelled")
    func cancellation() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        site.hold()
        let first = Task { try await documents.discovery().1.digest }
        try await site.until { site.count(.discovery) == 1 }
        let looks = site.looks
        let second = Task { try await documents.discovery().1.digest }
        try await site.until { site.looks > looks }
        first.cancel()
        site.release()
        let digest = try await second.value
        #expect(try await documents.discovery().1.digest == digest)
        #expect(site.count(.discovery) == 1)
    }

    @Test("is asked for once in 30 s by however many logins that found an endpoint failing")
    func refetch() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        _ = try await documents.discovery()
        site.serveDiscovery(generation: 2)
        for round in 1...2 {
            let found = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<200 {
                    group.addTask { generation(try await documents.refetchDiscovery()) }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(found == ["2"])
            #expect(site.count(.discovery) == 1 + round)
            #expect(generation(try await documents.discovery()) == "2")
            site.rig.clock.advance(seconds: 30)
        }
    }

    @Test("that cannot be had again stays as it is for the others, and is not asked for in a storm")
    func refetchFailing() async throws {
        let site = try DocumentSite()
        let cache = ProviderDocumentCache()
        let documents = site.documents(cache)
        _ = try await documents.discovery()
        site.answer(.discovery, .failure(HTTPFailure(.unreachable, mayHaveBeenSent: false)))
        await #expect(throws: FlowFailure(.metadataUnavailable)) {
            try await documents.refetchDiscovery()
        }
        #expect(generation(try await documents.discovery()) == "1")
        #expect(generation(try await documents.refetchDiscovery()) == "1")
        #expect(site.count(.discovery) == 2)
        // With nothing at hand there is nothing to give in between.
        let others = site.documents(ProviderDocumentCache())
        for _ in 0..<5 {
            await #expect(throws: FlowFailure(.metadataUnavailable)) {
                try await others.refetchDiscovery()
            }
        }
        #expect(site.count(.discovery) == 3)
        site.serveDiscovery(generation: 2)
        #expect(generation(try await others.discovery()) == "2")
    }

    @Test("is fetched anew when the clock was set back, and does not stay fresh for ever")
    func clockSetBack() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        _ = try await documents.discovery()
        site.rig.clock.advance(seconds: -86_400)
        _ = try await documents.discovery()
        #expect(site.count(.discovery) == 2)
        site.rig.clock.advance(seconds: 299)
        _ = try await documents.discovery()
        #expect(site.count(.discovery) == 2)
        site.rig.clock.advance(seconds: 1)
        _ = try await documents.discovery()
        #expect(site.count(.discovery) == 3)
        // What limits the requests does not wait for the old time either.
        _ = try await documents.refetchDiscovery()
        site.rig.clock.advance(seconds: -3600)
        _ = try await documents.refetchDiscovery()
        #expect(site.count(.discovery) == 5)
    }

    @Test("is one of its own for a profile that trusts somebody else")
    func owners() async throws {
        let site = try DocumentSite()
        let cache = ProviderDocumentCache()
        for (file, count) in [(nil, 1), ("/ca.pem", 2), ("/other.pem", 3), ("/ca.pem", 3)] {
            _ = try await site.documents(cache, trustedCAFile: file).discovery()
            #expect(site.count(.discovery) == count)
        }
    }

    @Test("is held against the rules of each profile, whoever fetched it")
    func rules() async throws {
        let site = try DocumentSite()
        site.serve(.discovery, #"{"issuer":"https://other.example"}"#)
        let documents = site.documents(ProviderDocumentCache())
        for _ in 0..<2 {
            await #expect(throws: FlowFailure(.discoveryIssuerMismatch)) {
                try await documents.discovery()
            }
        }
        #expect(site.count(.discovery) == 2)
        #expect(try site.log.stream(LoginRig.issuer).isEmpty)
    }
}

@Suite("A fetch of a document", .serialized)
struct DocumentArchiveTests {
    /// An answer over a connection whose certificates have hashes of these bytes.
    private func response(_ body: String, _ chain: [UInt8] = []) -> HTTPResponse {
        HTTPResponse(
            status: 200, fields: [HTTPField("Cache-Control", "max-age=42")], body: Array(body.utf8),
            durationMilliseconds: 7,
            peerCertificates: chain.map { [UInt8](repeating: $0, count: 32) })
    }

    @Test("is recorded when document, address or certificates are new, and once a day")
    func recorded() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let url = LoginRig.issuer + "/jwks"
        func archive(
            _ body: String, _ chain: [UInt8] = [], at url: String, makes count: Int
        ) async throws {
            _ = try await documents.archive(response(body, chain), .keySet, url)
            #expect(try site.recorded("key-set", "maxAge").count == count)
        }
        try await archive("1", at: url, makes: 1)
        try await archive("1", at: url + "?v=2", makes: 1)
        try await archive("2", at: url, makes: 2)
        try await archive("1", at: url, makes: 3)
        try await archive("1", at: url + "2", makes: 4)
        // Two servers that take turns, each with a certificate of its own.
        for round in 0..<3 {
            try await archive("1", [1, 9], at: url + "2", makes: 5 + (round > 0 ? 1 : 0))
            try await archive("1", [2, 9], at: url + "2", makes: 6)
        }
        site.rig.clock.advance(seconds: 86_400)
        try await archive("1", [2, 9], at: url + "2", makes: 7)
        try await archive("1", [2, 9], at: url + "2", makes: 7)
        site.rig.clock.advance(seconds: -200_000)
        try await archive("1", [2, 9], at: url + "2", makes: 8)
        #expect(
            try site.recorded("key-set", "tlsChain").last
                == .array(
                    [2, 9].map {
                        .string(Base64URL.encode([UInt8](repeating: $0, count: 32)))
                    }))
        #expect(try site.recorded("key-set", "maxAge").allSatisfy { $0 == .integer(42) })
        #expect(try site.log.check(.tree).findings == [])
    }

    @Test("is compared with the newest of its kind, however many of the other came since")
    func longStream() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let url = LoginRig.issuer + "/jwks"
        _ = try await documents.archive(response("keys"), .keySet, url)
        for number in 0..<50 {
            _ = try await documents.archive(response("\(number)"), .discovery, url)
        }
        _ = try await documents.archive(response("keys"), .keySet, url)
        #expect(try site.recorded("key-set", "maxAge").count == 1)
        #expect(try site.recorded("discovery", "maxAge").count == 50)
        #expect(
            try documents.lastRecorded(.keySet, url: url)?.digest
                == Digest(ofDocument: Array("keys".utf8)))
        #expect(try documents.lastRecorded(.keySet, url: url + "2")?.digest == nil)
    }

    @Test("records the first ten certificates of a longer chain")
    func longChain() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        for _ in 0..<2 {
            _ = try await documents.archive(
                response("1", Array(0..<30)), .keySet, LoginRig.issuer)
        }
        let chains = try site.recorded("key-set", "tlsChain")
        #expect(chains.count == 1)
        #expect(chains[0]?.arrayValue?.count == 10)
    }
}
