/* Bytes to be read front to back, more than once: of a file, of a file inside gzip, or in memory. */
#ifndef LAE_SOURCE_H
#define LAE_SOURCE_H

#include "gzip.h"

typedef struct lae_source {
    lae_file file;
    lae_gzip *gzip;             /* NULL: not compressed */
    const unsigned char *bytes; /* NULL: a file */
    uint64_t size;              /* of a file as it is, or of the memory */
    uint64_t at;
    const char *name;           /* for messages; borrowed */
    lae_memory *memory;
} lae_source;

#define LAE_SOURCE_CLOSED { LAE_FILE_CLOSED, NULL, NULL, 0, 0, NULL, NULL }

/** Opens a file, or takes memory, which is borrowed. Errors as those of lae_file_open() and lae_gzip_open(). */
lstmae_status lae_source_open(lae_source *source, const char *path, lae_memory *memory);
lstmae_status lae_source_memory(lae_source *source, const char *name, const void *bytes, size_t size,
                                lae_memory *memory);

/** The next `bytes` bytes; *got is smaller only at the end. */
lstmae_status lae_source_read(lae_source *source, void *buffer, size_t bytes, size_t *got);

/** Begins anew. */
lstmae_status lae_source_rewind(lae_source *source);

/** Fine for one that is closed. */
void lae_source_close(lae_source *source);

#endif
