// SPDX-License-Identifier: Apache-2.0

import AuthLedgerCLI

await AuthLedgerProgram.main(Array(CommandLine.arguments.dropFirst()))
