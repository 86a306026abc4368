/* Reading gzip files (RFC 1952) front to back in bounded memory. */
#ifndef LAE_GZIP_H
#define LAE_GZIP_H

#include "io.h"
#include "memory.h"

typedef struct lae_gzip lae_gzip;

/** 1 if `prefix` begins as gzip files do. */
int lae_gzip_is(const unsigned char *prefix, size_t length);

/**
 * Starts reading `file`, which is borrowed, at its beginning.
 * @return OK; ERR_NO_MEMORY; ERR_UNSUPPORTED in a build without zlib
 */
lstmae_status lae_gzip_open(lae_gzip **out, const lae_file *file, lae_memory *memory);

/**
 * The next `bytes` bytes of content; *got is smaller only at its end, where checksum and length were verified.
 * Several gzip files in a row read as one.
 * @return OK; ERR_FORMAT naming the byte of the compressed file; ERR_IO; ERR_NO_MEMORY
 */
lstmae_status lae_gzip_read(lae_gzip *gzip, void *buffer, size_t bytes, size_t *got);

/** NULL is fine. */
void lae_gzip_close(lae_gzip *gzip);

#endif
