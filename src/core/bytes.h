/*
 * Bytes being put together in memory. Running out of memory is remembered, so that encoders need not ask after every
 * piece: lae_bytes_status() says in the end.
 */
#ifndef LAE_BYTES_H
#define LAE_BYTES_H

#include "memory.h"

#include <stddef.h>
#include <stdint.h>

typedef struct lae_bytes {
    lae_memory *memory;
    unsigned char *data;
    size_t size, room;
    int failed;
} lae_bytes;

/** Nothing yet. */
#define LAE_BYTES_OF(memory_) { (memory_), NULL, 0, 0, 0 }

/** Room for `count` bytes at the end, for the caller to fill; NULL without memory. */
unsigned char *lae_bytes_extend(lae_bytes *bytes, size_t count);

void lae_bytes_put(lae_bytes *bytes, const void *data, size_t count);
void lae_bytes_text(lae_bytes *bytes, const char *text);

/** A finite number in decimal, at most 17 digits, with a point whatever the locale. */
void lae_bytes_real(lae_bytes *bytes, double value, int digits);

/** A number of `count` bytes, at most 8, least or most significant byte first. */
void lae_bytes_little(lae_bytes *bytes, uint64_t value, int count);
void lae_bytes_big(lae_bytes *bytes, uint64_t value, int count);

/** Drops `count` bytes from the front. */
void lae_bytes_drop(lae_bytes *bytes, size_t count);

/** Back to `size` bytes, as if what came after had not been tried. */
void lae_bytes_cut(lae_bytes *bytes, size_t size);

/** OK, or ERR_NO_MEMORY with a text that begins with `name`. */
lstmae_status lae_bytes_status(const lae_bytes *bytes, const char *name);

void lae_bytes_free(lae_bytes *bytes);

#endif
