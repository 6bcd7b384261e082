// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import Sessions
import Testing

@testable import RelyingParty

/// What comes in place of a key set.
enum NoKeySet: Sendable, CustomTestStringConvertible {
    case lost(HTTPFailure.Kind)
    case status(Int)
    case junk(String)

    var testDescription: String { "\(self)" }

    func serve(at site: DocumentSite) {
        switch self {
        case .lost(let kind):
            site.answer(.keySet, .failure(HTTPFailure(kind, mayHaveBeenSent: true)))
        case .status(let status): site.answer(.keySet, status: status)
        case .junk(let body): site.serve(.keySet, body)
        }
    }

    /// The provider is not there, or not able to answer.
    static let outages: [NoKeySet] = [
        .lost(.unreachable), .lost(.timedOut), .lost(.interrupted), .status(500), .status(503),
        .status(599), .status(429),
    ]

    /// It says something, but no key set; or it is not certain who says it.
    static let refusals: [NoKeySet] = [
        .lost(.untrusted), .lost(.refused), .lost(.tooLarge), .status(404), .status(403),
        .status(302), .status(204), .junk("{}"), .junk("<html>"), .junk(#"{"keys":[],"keys":[]}"#),
    ]
}

@Suite("A provider's key set", .serialized, .timeLimit(.minutes(5)))
struct KeySetCareTests {
    @Test(
        "is kept for as long as its provider says, an hour at most, ten minutes by default",
        arguments: [(nil, 600), ("max-age=60", 60), ("max-age=7200", 3600), ("no-store", 0)]
            as [(String?, Int64)])
    func lifetime(cacheControl: String?, seconds: Int64) async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let (discovery, _) = try await documents.discovery()
        func keyIDs() async throws -> [String] {
            try ProviderDocuments.keyIDs(try await documents.keySet(discovery).1.bytes)
        }
        site.serveKeys(["a"], cacheControl: cacheControl)
        #expect(try await keyIDs() == ["a"])
        // A key that is withdrawn is gone with the next fetch, whatever came before.
        site.serveKeys(["b"], cacheControl: cacheControl)
        if seconds > 0 {
            site.rig.clock.advance(seconds: seconds - 1)
            #expect(try await keyIDs() == ["a"])
            site.rig.clock.advance(seconds: 1)
        }
        #expect(try await keyIDs() == ["b"])
        #expect(site.count(.keySet) == 2)
    }

    @Test("is the last good one for 24 h while its provider is out", arguments: NoKeySet.outages)
    func lastGood(outage: NoKeySet) async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let (discovery, _) = try await documents.discovery()
        func keyIDs() async throws -> [String] {
            try ProviderDocuments.keyIDs(try await documents.keySet(discovery).1.bytes)
        }
        // A provider that forbids to keep it gets the same.
        site.serveKeys(["a"], cacheControl: "no-store")
        #expect(try await keyIDs() == ["a"])
        site.rig.clock.advance(seconds: 43_200)
        // Found unchanged: not recorded again, and yet the last success.
        #expect(try await keyIDs() == ["a"])
        outage.serve(at: site)
        #expect(try await keyIDs() == ["a"])
        site.rig.clock.advance(seconds: 86_400 - 10)
        #expect(try await keyIDs() == ["a"])
        // Each asked anew: an error is not remembered.
        #expect(site.count(.keySet) == 4)
        site.rig.clock.advance(seconds: 10)
        await #expect(throws: FlowFailure(.metadataUnavailable)) { try await keyIDs() }
        site.serveKeys(["b"])
        #expect(try await keyIDs() == ["b"])
    }

    @Test(
        "is none where the answer is no outage, and a fresh one stays", arguments: NoKeySet.refusals
    )
    func refused(refusal: NoKeySet) async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let (discovery, _) = try await documents.discovery()
        _ = try await documents.keySet(discovery)
        refusal.serve(at: site)
        // While it is fresh nobody asks; who lacks a key does, and gets what is at hand.
        _ = try await documents.keySet(discovery)
        let (_, atHand) = try await documents.keySet(discovery, lacking: "b")
        #expect(try ProviderDocuments.keyIDs(atHand.bytes) == ["a"])
        #expect(site.count(.keySet) == 2)
        site.rig.clock.advance(seconds: 600)
        for _ in 0..<2 {
            await #expect(throws: FlowFailure.self) { try await documents.keySet(discovery) }
            await #expect(throws: FlowFailure.self) {
                try await documents.keySet(discovery, lacking: "b")
            }
        }
        #expect(site.count(.keySet) == 6)
        site.serveKeys(["b"])
        let (_, good) = try await documents.keySet(discovery)
        #expect(try ProviderDocuments.keyIDs(good.bytes) == ["b"])
    }

    // MARK: - In another process

    @Test("is the last good one of the log for a process that never had it")
    func lastGoodFromLog() async throws {
        let site = try DocumentSite()
        func newProcess() async throws -> (ProviderDocuments, DiscoveryDocument) {
            let documents = site.documents(ProviderDocumentCache())
            return (documents, try await documents.discovery().0)
        }
        func keyIDs() async throws -> [String] {
            let (documents, discovery) = try await newProcess()
            return try ProviderDocuments.keyIDs(try await documents.keySet(discovery).1.bytes)
        }
        #expect(try await keyIDs() == ["a"])
        site.answer(.keySet, status: 503)
        #expect(try await keyIDs() == ["a"])
        // From another address it is another one.
        site.serveDiscovery(generation: 2, keySet: "/jwks2")
        await #expect(throws: FlowFailure(.metadataUnavailable)) { try await keyIDs() }
        site.serveDiscovery(generation: 1)
        site.rig.clock.advance(seconds: 86_400 - 10)
        #expect(try await keyIDs() == ["a"])
        site.rig.clock.advance(seconds: 10)
        await #expect(throws: FlowFailure(.metadataUnavailable)) { try await keyIDs() }
        // One that seems to come from the future has no age.
        site.rig.clock.advance(seconds: -200_000)
        await #expect(throws: FlowFailure(.metadataUnavailable)) { try await keyIDs() }
    }

    @Test("is the newest good one, be it this process's or another's")
    func newestGood() async throws {
        let site = try DocumentSite()
        let documents = [ProviderDocumentCache(), ProviderDocumentCache()].map {
            site.documents($0)
        }
        site.serveKeys(["a"])
        #expect(try await documents[0].keyIDs() == ["a"])
        site.serveKeys(["b"])
        #expect(try await documents[1].keyIDs() == ["b"])
        site.rig.clock.advance(seconds: 3600)
        site.answer(.keySet, status: 503)
        // The first process never saw the second set, and must not fall back on the first one.
        #expect(try await documents[0].keyIDs() == ["b"])
        #expect(try await documents[1].keyIDs() == ["b"])
        site.serveKeys(["b", "c"])
        #expect(try await documents[0].keyIDs() == ["b", "c"])
        site.answer(.keySet, status: 503)
        #expect(try await documents[1].keyIDs() == ["b", "c"])
    }

    // MARK: - A key that is not known

    @Test("is fetched for every unknown key of a token from the token endpoint")
    func unknownKey() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let (discovery, _) = try await documents.discovery()
        _ = try await documents.keySet(discovery)
        for number in 1...20 {
            let (_, set) = try await documents.keySet(discovery, lacking: "x\(number)")
            #expect(try ProviderDocuments.keyIDs(set.bytes) == ["a"])
            #expect(site.count(.keySet) == 1 + number)
        }
        site.serveKeys(["a", "b"])
        let (_, set) = try await documents.keySet(discovery, lacking: "b")
        #expect(try ProviderDocuments.keyIDs(set.bytes) == ["a", "b"])
        // The next one who lacks it finds it.
        _ = try await documents.keySet(discovery, lacking: "b")
        _ = try await documents.keySetThrottled(discovery, lacking: "b")
        #expect(site.count(.keySet) == 22)
        #expect(try site.recorded("key-set", "documentDigest").count == 2)
    }

    @Test(
        "is one that was fetched after it was asked for, once for all who ask meanwhile",
        arguments: [true, false])
    func fetchedAfterwards(isFirstGood: Bool) async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let (discovery, _) = try await documents.discovery()
        _ = try await documents.keySet(discovery)
        if !isFirstGood { site.answer(.keySet, status: 503) }
        site.hold()
        let first = Task { try await documents.keySet(discovery, lacking: "x").1.bytes }
        try await site.until { site.count(.keySet) == 2 }
        // The answer on its way is made already and has no such key.
        site.serveKeys(["b"])
        let looks = site.looks
        let sets = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<200 {
                group.addTask { try await documents.keySet(discovery, lacking: "b").1.bytes }
            }
            try await site.until { site.looks == looks + 200 }
            #expect(site.count(.keySet) == 2)
            site.release()
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(try ProviderDocuments.keyIDs(try await first.value) == ["a"])
        #expect(try sets.map { try ProviderDocuments.keyIDs($0) } == [["b"]])
        #expect(site.count(.keySet) == 3)
    }

    @Test("is fetched once a minute for keys that strangers name, and meanwhile what it is")
    func strangers() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let (discovery, _) = try await documents.discovery()
        _ = try await documents.keySet(discovery)
        for round in 1...3 {
            let sets = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for number in 0..<200 {
                    group.addTask {
                        try await documents.keySetThrottled(discovery, lacking: "x\(number)")
                            .1.bytes
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(sets.count == 1)
            // Each round is one more, and one more for the token endpoint, which is not kept back.
            #expect(site.count(.keySet) == 2 * round)
            site.rig.clock.advance(seconds: 20)
            _ = try await documents.keySetThrottled(discovery, lacking: "y")
            _ = try await documents.keySet(discovery, lacking: "y")
            #expect(site.count(.keySet) == 2 * round + 1)
            site.rig.clock.advance(seconds: 40)
        }
    }

    @Test("comes with a new key to all who name it in one moment, strangers or not")
    func strangersTogether() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let (discovery, _) = try await documents.discovery()
        _ = try await documents.keySet(discovery)
        site.serveKeys(["b"])
        site.hold()
        let looks = site.looks
        let sets = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await documents.keySetThrottled(discovery, lacking: "b").1.bytes
                }
            }
            try await site.until { site.looks > looks + 200 }
            site.release()
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(try sets.map { try ProviderDocuments.keyIDs($0) } == [["b"]])
        #expect(site.count(.keySet) == 2)
    }

    @Test("that must not be kept is at hand for strangers all the same, and for a minute only")
    func strangersWithoutCache() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let (discovery, _) = try await documents.discovery()
        site.serveKeys(["a"], cacheControl: "no-store")
        for _ in 0..<20 {
            let (_, set) = try await documents.keySetThrottled(discovery, lacking: "x")
            #expect(try ProviderDocuments.keyIDs(set.bytes) == ["a"])
        }
        #expect(site.count(.keySet) == 1)
        site.answer(.keySet, status: 404)
        site.rig.clock.advance(seconds: 58)
        _ = try await documents.keySetThrottled(discovery, lacking: "x")
        site.rig.clock.advance(seconds: 2)
        for _ in 0..<2 {
            await #expect(throws: FlowFailure(.metadataUnavailable)) {
                try await documents.keySetThrottled(discovery, lacking: "x")
            }
        }
        // One for the stranger, and what any login asks for that finds nothing fresh.
        #expect(site.count(.keySet) == 3)
    }

    @Test(
        "stays what is at hand when nobody answers to an unknown key", arguments: NoKeySet.outages)
    func unknownKeyInOutage(outage: NoKeySet) async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        let (discovery, _) = try await documents.discovery()
        _ = try await documents.keySet(discovery)
        outage.serve(at: site)
        // Fresh, then the last good one, then none.
        for seconds: Int64 in [1, 3600] {
            site.rig.clock.advance(seconds: seconds)
            for _ in 0..<2 {
                let token = try await documents.keySet(discovery, lacking: "b").1
                let browser = try await documents.keySetThrottled(discovery, lacking: "b").1
                #expect(try ProviderDocuments.keyIDs(token.bytes) == ["a"])
                #expect(browser == token)
            }
        }
        site.rig.clock.advance(seconds: 86_400)
        await #expect(throws: FlowFailure(.metadataUnavailable)) {
            try await documents.keySet(discovery, lacking: "b")
        }
        await #expect(throws: FlowFailure(.metadataUnavailable)) {
            try await documents.keySetThrottled(discovery, lacking: "b")
        }
    }

    @Test("is kept for the addresses used last, however many its provider names")
    func addresses() async throws {
        let site = try DocumentSite()
        let documents = site.documents(ProviderDocumentCache())
        var known: [DiscoveryDocument] = []
        for number in 1...6 {
            site.serveDiscovery(generation: 1, keySet: "/jwks\(number)", cacheControl: "no-store")
            known.append(try await documents.discovery().0)
            _ = try await documents.keySet(known[number - 1])
        }
        #expect(site.count(.keySet) == 6)
        for discovery in known.suffix(4) { _ = try await documents.keySet(discovery) }
        #expect(site.count(.keySet) == 6)
        _ = try await documents.keySet(known[1])
        #expect(site.count(.keySet) == 7)
    }
}
