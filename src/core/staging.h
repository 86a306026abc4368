/* Host memory that moves to and from the device: pinned where it has such memory, else the context's. */
#ifndef LAE_STAGING_H
#define LAE_STAGING_H

#include "context_internal.h"

typedef struct lae_staging {
    lstmae_context *context; /* borrowed */
    void *data;
    size_t bytes;
    int pinned;
} lae_staging;

/** `staging` is empty. 0 without memory. */
int lae_staging_init(lae_staging *staging, lstmae_context *context, size_t bytes);

/** Nothing that was asked of the device still uses it. An empty one is fine. */
void lae_staging_release(lae_staging *staging);

#endif
