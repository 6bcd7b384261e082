// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents
import TestSupport
import Testing

@Suite("Synthetic samples")
struct SyntheticSamplesTests {
    @Test("are events like any other: they can be read, and they fit the schemas")
    func validity() throws {
        var cases: [Schemas.Case] = []
        for (envelope, data) in SyntheticSamples.events {
            let event = try SessionEventCodec.decode(
                type: envelope.type, version: envelope.typeVersion, data: data)
            #expect(event.type.rawValue == envelope.type)
            let leaf = envelope.leaf(data: CanonicalJSON.encode(data))
            #expect(try EventEnvelope.read(leaf).envelope == envelope)
            cases.append(
                Schemas.Case(
                    "event.v1.schema.json", try JSONReader.read(leaf, numbers: .integersOnly)))
        }
        for verdict in try Schemas.verdicts(on: cases) {
            #expect(verdict.isValid, "\(verdict)")
        }
    }

    @Test("show every type of event")
    func coverage() {
        let types = Set(SyntheticSamples.events.map(\.envelope.type))
        #expect(types == Set(SessionEventType.allCases.map(\.rawValue)))
    }
}
