#include "staging.h"

#include "ops.h"

int lae_staging_init(lae_staging *staging, lstmae_context *context, size_t bytes)
{
    staging->context = context;
    staging->bytes = bytes;
    staging->data = lae_op_host_alloc(context, bytes);
    staging->pinned = staging->data != NULL;
    if (!staging->data) staging->data = lae_alloc(&context->memory, bytes);
    return staging->data != NULL;
}

void lae_staging_release(lae_staging *staging)
{
    if (!staging->data) return;
    if (staging->pinned) lae_op_host_release(staging->context, staging->data, staging->bytes);
    else lae_free(&staging->context->memory, staging->data, staging->bytes);
    staging->data = NULL;
}
