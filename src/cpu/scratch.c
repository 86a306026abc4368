#include "queue.h"

void *lae_scratch_get(lstmae_queue *queue, lae_scratch_use use, size_t bytes)
{
    lae_scratch *scratch = &queue->scratch[use];
    if (bytes <= scratch->bytes && scratch->data) return scratch->data;
    if (scratch->data) queue->memory.release(scratch->data, scratch->bytes, queue->memory.payload);
    scratch->bytes = 0;
    scratch->data = queue->memory.alloc(bytes, 64, queue->memory.payload);
    if (!scratch->data) {
        queue->host->fail(LSTMAE_ERR_NO_MEMORY, "cpu: expected %zu bytes of scratch memory, got none", bytes);
        return NULL;
    }
    scratch->bytes = bytes;
    return scratch->data;
}

void lae_scratch_release(lstmae_queue *queue)
{
    for (int use = 0; use < LAE_SCRATCH_USES; use++) {
        lae_scratch *scratch = &queue->scratch[use];
        if (scratch->data) queue->memory.release(scratch->data, scratch->bytes, queue->memory.payload);
        scratch->data = NULL;
        scratch->bytes = 0;
    }
}
