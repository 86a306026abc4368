/*
 * A growing piece of device memory with a stated lifetime: *scratch* is free for others after the call that asked for
 * it, *saved* is kept from forward to backward. Grows only, so that a repeated step allocates nothing.
 */
#ifndef LAE_BUFFER_H
#define LAE_BUFFER_H

#include "context_internal.h"

typedef struct lae_buffer {
    lstmae_context *context; /* set at the first reserve; borrowed */
    void *data;
    size_t bytes;
} lae_buffer;

/** At least `count` * `each` bytes; content is lost when it grows. */
lstmae_status lae_buffer_reserve(lae_buffer *buffer, lstmae_context *context, size_t count, size_t each);
void lae_buffer_release(lae_buffer *buffer);

#endif
