/* Reading option structs whose first member is struct_size. */
#ifndef LAE_OPTIONS_H
#define LAE_OPTIONS_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

/**
 * Copies a caller's options over `defaults`.
 *
 * @param out      receives known_size bytes: the library's defaults, then what the caller's struct covers
 * @param defaults the INIT value of this library's version of the struct
 * @param user     NULL: defaults only
 * @param first_size size of the struct in the first release; anything smaller is refused (catches {0})
 * @param name     for messages, "lstm options"
 */
lstmae_status lae_options_read(void *out, const void *defaults, size_t known_size, const void *user, size_t first_size,
                               const char *name);

/** The other way round, for structs the library fills: writes min(struct_size, known_size) bytes after the size. */
lstmae_status lae_options_write(void *user, const void *values, size_t known_size, size_t first_size, const char *name);

#endif
