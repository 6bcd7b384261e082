// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

// zlib's `deflateInit2` and `inflateInit2` are macros that add the version and the size of
// z_stream.
static inline int authledger_deflateInit2(
    z_stream *stream, int level, int windowBits, int memLevel) {
    return deflateInit2(stream, level, Z_DEFLATED, windowBits, memLevel, Z_DEFAULT_STRATEGY);
}

static inline int authledger_inflateInit2(z_stream *stream, int windowBits) {
    return inflateInit2(stream, windowBits);
}
