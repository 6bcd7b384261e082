// SPDX-License-Identifier: Apache-2.0
// System calls that Swift's Glibc module leaves out.
#include <sys/timex.h>
#include <sys/vfs.h>

// Declared only under _GNU_SOURCE, which this module is read without.
extern int renameat2(
    int old_directory, const char *old_path, int new_directory, const char *new_path,
    unsigned int flags);
