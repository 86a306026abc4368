#include "cpu_queue.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

static void *queue_alloc(size_t bytes, size_t alignment, void *payload)
{
    void *ptr = NULL;
    (void)payload;
    return posix_memalign(&ptr, alignment, bytes) == 0 ? ptr : NULL;
}

static void queue_free(void *ptr, size_t bytes, void *payload)
{
    (void)bytes;
    (void)payload;
    free(ptr);
}

int cpu_queue_open(lstmae_queue *queue, lae_isa isa, int threads)
{
    static const lstmae_host host = { sizeof(host), LSTMAE_BACKEND_ABI, lae_fail, lae_log };
    memset(queue, 0, sizeof(*queue));
    queue->kernels = lae_kernels_of(isa);
    if (!queue->kernels) return 0;
    queue->host = &host;
    queue->memory = (lstmae_memory){ queue_alloc, queue_free, NULL, NULL, NULL };
    queue->pool = threads > 1 ? lae_pool_create(threads, &queue->memory) : NULL;
    return 1;
}

void cpu_queue_close(lstmae_queue *queue)
{
    lae_pool_destroy(queue->pool);
    lae_scratch_release(queue);
}
