// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents
import TestSupport
import Testing

@Suite("Golden payloads")
struct GoldenTests {
    private static let directory = "Tests/SessionEventsTests/Golden"

    @Test("are what the code writes today", arguments: Sample.all)
    func writing(sample: Sample) throws {
        let bytes = CanonicalJSON.encode(sample.event.clearMembers) + [0x0A]
        let golden = try Golden.expected(at: "\(Self.directory)/\(sample.file)", now: bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == String(decoding: golden, as: UTF8.self),
            "UPDATE_GOLDEN=1 swift test --filter SessionEventsTests")
    }

    @Test("are read and written again to the byte, whichever file there is")
    func reading() throws {
        let names = try Repository.names(in: Self.directory)
        #expect(names.count >= 2 * SessionEventType.allCases.count)
        for name in names {
            let (type, version) = try parts(of: name)
            let bytes = try Repository.read("\(Self.directory)/\(name)")
            let data = try JSONReader.read(bytes, numbers: .integersOnly).objectValue ?? [:]
            let event = try SessionEventCodec.decode(
                type: type.rawValue, version: version, data: data)
            #expect(event.type == type)
            #expect(CanonicalJSON.encode(event.clearMembers) + [0x0A] == bytes, "\(name)")
        }
    }

    @Test("mean what was written into them", arguments: Sample.all)
    func meaning(sample: Sample) throws {
        let event = try SessionEventCodec.decode(
            type: sample.event.type.rawValue, version: sample.event.type.currentVersion,
            data: sample.event.clearMembers)
        #expect(event == sample.event)
    }

    @Test("are there for every version of every type, and so is a schema")
    func completeness() throws {
        let names = try Repository.names(in: Self.directory)
        let schemas = try Repository.names(in: "\(Schemas.directory)/events")
        for type in SessionEventType.allCases {
            for version in 1...type.currentVersion {
                let stem = "\(type.rawValue).v\(version)."
                #expect(names.contains { $0.hasPrefix(stem) }, "\(stem)*.json")
                #expect(schemas.contains(stem + "schema.json"), "\(stem)schema.json")
            }
        }
        for name in names {
            let (type, version) = try parts(of: name)
            #expect((1...type.currentVersion).contains(version), "\(name)")
        }
    }

    @Test("are shown without anything that only the log may put there", arguments: Sample.all)
    func logMembers(sample: Sample) {
        for name in ["sealed", "sealedBlob", "keyCommitment"] {
            #expect(sample.event.clearMembers[name] == nil)
        }
    }

    /// Type and version in the name of a golden file: `<type>.v<version>.<extent>.json`.
    private func parts(of name: String) throws -> (SessionEventType, Int) {
        let parts = name.split(separator: ".")
        try #require(parts.count == 6 && parts[5] == "json", "\(name)")
        let type = SessionEventType(rawValue: parts[..<3].joined(separator: "."))
        return (
            try #require(type, "\(name)"), try #require(Int(parts[3].dropFirst()), "\(name)")
        )
    }
}
