// SPDX-License-Identifier: Apache-2.0

import AuthLedgerCLI

AuthLedgerProgram.main(Array(CommandLine.arguments.dropFirst()))
