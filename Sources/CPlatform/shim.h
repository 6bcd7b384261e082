// SPDX-License-Identifier: Apache-2.0
// System calls that Swift's Glibc module leaves out.
#include <sys/timex.h>
#include <sys/vfs.h>
