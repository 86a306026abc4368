/* zlib takes its memory from ours. Only for builds with zlib. */
#ifndef LAE_ZLIB_MEMORY_H
#define LAE_ZLIB_MEMORY_H

#include "memory.h"
#include "size.h"

#include <string.h>
#include <zlib.h>

/* zlib does not tell sizes when it frees: they are kept in front. 64 bytes keep the alignment. */
#define ZLIB_FRONT 64

static inline voidpf lae_zlib_alloc(voidpf memory, uInt items, uInt size)
{
    size_t bytes;
    if (!lae_mul_size(&bytes, items, size) || !lae_add_size(&bytes, bytes, ZLIB_FRONT)) return NULL;
    unsigned char *front = lae_alloc(memory, bytes);
    if (!front) return NULL;
    memcpy(front, &bytes, sizeof bytes);
    return front + ZLIB_FRONT;
}

static inline void lae_zlib_free(voidpf memory, voidpf ptr)
{
    unsigned char *front = (unsigned char *)ptr - ZLIB_FRONT;
    size_t bytes;
    memcpy(&bytes, front, sizeof bytes);
    lae_free(memory, front, bytes);
}

/** To be called before the stream's init function. */
static inline void lae_zlib_memory(z_stream *stream, lae_memory *memory)
{
    stream->zalloc = lae_zlib_alloc;
    stream->zfree = lae_zlib_free;
    stream->opaque = memory;
}

#endif
