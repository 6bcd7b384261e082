// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives

/// What stands between the program and the provider; see `relay.py`.
struct Relay: Sendable {
    let folder: String
    let port: Int

    /// A request, or the answer to one.
    struct Note {
        let object: JSONObject

        subscript(name: String) -> String { object[name]?.stringValue ?? "" }

        /// The parameters of a request's query or form.
        func parameters(_ name: String) -> [String: String] {
            let items = URLComponents(string: "?" + self[name])?.queryItems ?? []
            return items.reduce(into: [:]) { $0[$1.name] = $1.value }
        }
    }

    /// Everything that came by so far.
    var notes: [Note] {
        let text = (try? String(contentsOfFile: folder + "/requests.jsonl", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap {
            (try? JSONReader.read(Array($0.utf8), numbers: .integersOnly).objectValue)
                .map { Note(object: $0) }
        }
    }

    /// Token requests that left the program so far.
    var tokenRequests: [Note] { requests("/token") }

    /// Authorization requests that the program pushed so far (RFC 9126).
    var pushedRequests: [Note] { requests("/par") }

    /// Logins without a redirect that the program asked for so far (CIBA).
    var backchannelRequests: [Note] { requests("/ciba") }

    private func requests(_ end: String) -> [Note] {
        notes.filter { $0["at"] == "arrived" && $0["path"].hasSuffix(end) }
    }

    /// The path of the request that is held now.
    var held: String? { try? String(contentsOfFile: folder + "/held", encoding: .utf8) }

    /// Lets requests wait from now on: before they go to the provider, or before its answer. One of
    /// another path that waited goes on.
    func hold(_ path: String, _ moment: String = "before") throws {
        // In one step, as the relay reads it at any time.
        try Data("\(path) \(moment)".utf8)
            .write(to: URL(filePath: folder + "/hold"), options: .atomic)
    }

    /// Lets them go, and waits until the last one went.
    func release() async throws {
        try? FileManager.default.removeItem(atPath: folder + "/hold")
        while held != nil { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// Alters the code verifiers that come by while the body runs.
    func tampering<Value>(_ body: () async throws -> Value) async throws -> Value {
        let path = folder + "/tamper"
        try Data().write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body()
    }
}

extension Relay {
    /// A poll for a login without a redirect, or the request for it, by the relay's clock.
    struct Poll {
        /// Under which name the provider keeps the login.
        let requestID: String
        let isRequest: Bool
        let arrivedMilliseconds: Int64
        /// Nil when the provider has not answered.
        let answeredMilliseconds: Int64?
    }

    /// What went to and fro for each login without a redirect so far, by its name at the provider,
    /// in order.
    var polls: [String: [Poll]] {
        let notes = notes
        let answers = notes.filter { $0["at"] == "answered" }
            .reduce(into: [Int64: Note]()) { $0[$1.number("number")] = $1 }
        let polls = notes.filter { $0["at"] == "arrived" }.compactMap { note -> Poll? in
            let answer = answers[note.number("number")]
            let isRequest = note["path"].hasSuffix("/ciba")
            let name =
                isRequest
                ? answer?.answerMembers["auth_req_id"]?.stringValue
                : note.parameters("body")["auth_req_id"]
            return name.map {
                Poll(
                    requestID: $0, isRequest: isRequest,
                    arrivedMilliseconds: note.number("milliseconds"),
                    answeredMilliseconds: answer?.number("milliseconds"))
            }
        }
        return Dictionary(
            grouping: polls.sorted { $0.arrivedMilliseconds < $1.arrivedMilliseconds }
        ) { $0.requestID }
    }
}

extension Relay.Note {
    fileprivate func number(_ name: String) -> Int64 { object[name]?.integerValue ?? 0 }

    /// The members of the answer; none when it is no object of JSON.
    var answerMembers: JSONObject {
        (try? JSONReader.read(Array(self["answer"].utf8), numbers: .anyAsText).objectValue) ?? [:]
    }
}

/// The relay while it runs.
final class RunningRelay {
    let relay: Relay
    private let execution: Execution

    /// Starts it in a folder.
    init(folder: String) async throws {
        let execution = try Execution(
            RealProvider.python, [RealProvider.relayScript, folder], environment: [:],
            input: .pipe, files: folder + "-log")
        let port = try await execution.first("the relay's port") {
            execution.output.contains("\n")
                ? Int(execution.output.prefix { $0 != "\n" }) : nil
        }
        self.execution = execution
        relay = Relay(folder: folder, port: port)
    }

    /// Tells it where the provider is.
    func begin(port: String) throws {
        try execution.write("\(port)\n")
    }

    /// Stops it.
    func end() async throws {
        try execution.closeInput()
        _ = try await execution.wait()
    }
}
