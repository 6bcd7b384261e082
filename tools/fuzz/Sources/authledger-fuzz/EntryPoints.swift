// SPDX-License-Identifier: Apache-2.0

internal import FuzzTargets
internal import Glibc

// libFuzzer brings `main` and calls these two.

/// Chooses the target that AUTHLEDGER_FUZZ_TARGET names. Without a name, lists the targets; with
/// AUTHLEDGER_FUZZ_SEEDS, writes the target's seeds into that directory.
@_cdecl("LLVMFuzzerInitialize")
@safe public func initialize(
    _ argc: UnsafeMutablePointer<CInt>?,
    _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> CInt {
    guard let name = variable("AUTHLEDGER_FUZZ_TARGET") else {
        print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
        exit(0)
    }
    guard let target = FuzzTarget.named(name) else { fatalError("there is no target \(name)") }
    if let directory = variable("AUTHLEDGER_FUZZ_SEEDS") {
        SeedFiles.write(target.seeds, to: directory)
        exit(0)
    }
    unsafe ChosenTarget.target = target
    return 0
}

/// Runs the target on one input and ends the process when something does not hold.
@_cdecl("LLVMFuzzerTestOneInput")
@safe public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    if let violation = unsafe ChosenTarget.target?.violation(input) {
        print("VIOLATED: \(violation)")
        fflush(nil)
        abort()
    }
    return 0
}

private func variable(_ name: String) -> String? {
    guard let text = unsafe getenv(name) else { return nil }
    return unsafe String(cString: text)
}
