// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import ReadModels

/// A point in the life of a ledger: a position, or an instant as ``InstantArgument`` takes it.
enum AsOfArgument: ExpressibleByArgument {
    case position(UInt64)
    case instant(InstantArgument)

    init?(argument: String) {
        if argument.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let position = UInt64(argument), position < 1 << 53 else { return nil }
            self = .position(position)
        } else if let instant = InstantArgument(argument: argument) {
            self = .instant(instant)
        } else {
            return nil
        }
    }
}

/// The option of every command that reads: the ledger as it was.
struct AsOfOption: ParsableArguments {
    @Option(
        name: .customLong("as-of"), parsing: .unconditional,
        help: ArgumentHelp(
            "Read the ledger as it was with the event at this position, or at this instant.",
            valueName: "position|instant"))
    var asOf: AsOfArgument?

    /// How many events the ledger had then; nil where nothing was asked for.
    func size(of log: EventLog, _ global: GlobalOptions) throws -> UInt64? {
        switch asOf {
        case nil: return nil
        case .position(let position):
            let size = try log.head().size
            guard position < size else { throw LedgerError.beyondEnd(asked: position, size: size) }
            return position + 1
        case .instant(let argument):
            // A plain date is included whole. Instants are whole milliseconds.
            let end = argument.end(now: .present)
            let last = argument.isDay ? end.advanced(byMilliseconds: -1) : end
            switch try SessionSource.projections(of: log, global) {
            case .opened(let store): return try store.size(at: last)
            case .unavailable: return try log.size(at: last)
            }
        }
    }
}
