// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import Sessions
import Synchronization

@testable import RelyingParty

/// The two documents of a provider as a test wants them, with no provider behind them, and a
/// ledger into which they are fetched.
final class DocumentSite: Sendable {
    enum Document: String {
        case discovery = "/.well-known/openid-configuration"
        case keySet = "/jwks"
    }

    private struct State {
        var answers: [Document: Result<HTTPResponse, HTTPFailure>] = [:]
        var addresses: [String] = []
        var looks = 0
        var isHolding = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    let rig: LoginRig
    let log: EventLog
    private let state = Mutex(State())

    init() throws {
        rig = try LoginRig()
        log = try rig.open()
        serveDiscovery(generation: 1)
        serveKeys(["a"])
    }

    // MARK: - Serving

    /// Serves a discovery document; its generation shows in the token endpoint.
    func serveDiscovery(generation: Int, keySet: String = "/jwks", cacheControl: String? = nil) {
        let issuer = LoginRig.issuer
        serve(
            .discovery,
            """
            {"issuer":"\(issuer)","authorization_endpoint":"\(issuer)/auth",\
            "token_endpoint":"\(issuer)/token\(generation)","jwks_uri":"\(issuer)\(keySet)"}
            """, cacheControl)
    }

    /// Serves a key set with these key ids.
    func serveKeys(_ keyIDs: [String], cacheControl: String? = nil) {
        let key = Base64URL.encode([UInt8](repeating: 1, count: 32))
        let keys = keyIDs.map { #"{"kty":"OKP","crv":"Ed25519","kid":"\#($0)","x":"\#(key)"}"# }
        serve(.keySet, #"{"keys":[\#(keys.joined(separator: ","))]}"#, cacheControl)
    }

    func serve(_ document: Document, _ body: String, _ cacheControl: String? = nil) {
        let fields = cacheControl.map { [HTTPField("Cache-Control", $0)] } ?? []
        answer(
            document, .success(HTTPResponse(status: 200, fields: fields, body: Array(body.utf8))))
    }

    func answer(_ document: Document, _ answer: Result<HTTPResponse, HTTPFailure>) {
        state.withLock { $0.answers[document] = answer }
    }

    /// Answers with a status and no document.
    func answer(_ document: Document, status: Int) {
        answer(document, .success(HTTPResponse(status: status)))
    }

    /// How often a document was asked for, at whatever address.
    func count(_ document: Document) -> Int {
        let addresses = state.withLock { $0.addresses }
        let isDiscovery = { (url: String) in url.hasSuffix(Document.discovery.rawValue) }
        return addresses.filter { isDiscovery($0) == (document == .discovery) }.count
    }

    private func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let document: Document =
            request.url.hasSuffix(Document.discovery.rawValue) ? .discovery : .keySet
        // The answer is made when the request comes, however long it is on its way.
        let answer = state.withLock { state in
            state.addresses.append(request.url)
            return state.answers[document]
        }
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                if state.isHolding { state.held.append(continuation) }
                return state.isHolding
            }
            if !isHeld { continuation.resume() }
        }
        return try answer?.get() ?? HTTPResponse(status: 404)
    }

    // MARK: - Holding answers back

    /// Holds every answer back until ``release()``.
    func hold() {
        state.withLock { $0.isHolding = true }
    }

    func release() {
        let held = state.withLock { state in
            state.isHolding = false
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    /// How often somebody asked for the time: whoever wants a document does so in the moment in
    /// which he begins to wait for it.
    var looks: Int { state.withLock { $0.looks } }

    func until(_ isSo: () -> Bool) async throws {
        for _ in 0..<20_000 where !isSo() {
            try await Task.sleep(for: .milliseconds(1))
        }
        guard isSo() else {
            // Else nobody who waits for an answer would ever learn that the test is over.
            release()
            throw MissingState()
        }
    }

    struct MissingState: Error {}

    // MARK: - Asking

    /// As a process with this cache asks.
    func documents(
        _ cache: ProviderDocumentCache, trustedCAFile: String? = nil
    ) -> ProviderDocuments {
        var profile = rig.profile
        profile.transport.trustedCAFile = trustedCAFile
        let capabilities = Capabilities(
            now: {
                self.state.withLock { $0.looks += 1 }
                return self.rig.clock.now()
            }, randomBytes: rig.capabilities.randomBytes, send: { try await self.send($0) })
        return ProviderDocuments(
            log: log, capabilities: capabilities, issuer: LoginRig.issuer, profile: profile,
            cache: cache)
    }

    /// The recorded fetches of a kind, by the member `documentDigest`, `maxAge` or `tlsChain`.
    func recorded(_ word: String, _ member: String) throws -> [JSONValue?] {
        try log.stream(LoginRig.issuer)
            .filter { $0.envelope.type == "authledger.provider.\(word)-fetched" }
            .map { $0.data[member] }
    }
}

extension ProviderDocuments {
    /// The ids of the keys in the set that is served, fetched or not.
    func keyIDs() async throws -> [String] {
        let (discovery, _) = try await discovery()
        return try await Self.keyIDs(keySet(discovery).1.bytes)
    }

    /// The ids of the keys in a key set.
    static func keyIDs(_ bytes: [UInt8]) throws -> [String] {
        let set = try JSONReader.read(bytes, numbers: .anyAsText).objectValue
        return set?["keys"]?.arrayValue?.compactMap { $0.objectValue?["kid"]?.stringValue } ?? []
    }
}
