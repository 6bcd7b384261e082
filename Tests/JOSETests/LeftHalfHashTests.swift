// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import OpenSSL
import Testing

@Suite("A left-half hash")
struct LeftHalfHashTests {
    @Test("is the one of OpenID Connect Core A.3 and A.4")
    func coreExamples() {
        #expect(
            LeftHalfHash.encode("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", algorithm: .rs256)
                == "77QmUPtjPfzWtF2AnpK9RQ")
        #expect(
            LeftHalfHash.encode(
                "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk", algorithm: .rs256)
                == "LDktKdoQak3Pk0cnXxCltA")
    }

    @Test("has half the length of the algorithm's hash")
    func lengths() {
        for algorithm in SignatureAlgorithm.allCases {
            let value = LeftHalfHash.encode("a", algorithm: algorithm)
            #expect(Base64URL.decode(value)?.count == algorithm.hashFunction.byteCount / 2)
        }
    }
}
