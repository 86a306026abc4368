/* Compressing into the zlib format (RFC 1950, 1951). */
#ifndef LAE_DEFLATE_H
#define LAE_DEFLATE_H

#include "bytes.h"

/** The level to use: 6 in builds with zlib, else 0. */
int lae_deflate_level(void);

/**
 * Appends the compressed `size` bytes of `data` to `out`. Level 0 stores them in blocks of ours; 1 to 9 are zlib's.
 * Running out of memory is remembered in `out`.
 */
void lae_deflate(lae_bytes *out, const unsigned char *data, size_t size, int level);

#endif
