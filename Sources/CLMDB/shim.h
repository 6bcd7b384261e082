// SPDX-License-Identifier: Apache-2.0
// LMDB's whole interface is importable as it is: no variadics, no function-like macros.
#include <lmdb.h>
