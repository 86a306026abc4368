/* Memory of the device and moves between it and the host. */
#include "entries.h"

#include <unistd.h>

/* ---- allocation ---- */

lstmae_status lae_cu_malloc(lstmae_queue *queue, size_t bytes, void **out)
{
    *out = NULL;
    if (queue->capturing) return LSTMAE_ERR_UNSUPPORTED;
    if (queue->memory.charge && !queue->memory.charge(bytes, queue->memory.payload))
        return queue->host->fail(LSTMAE_ERR_DEVICE_MEMORY, "cuda:%d: %zu bytes would pass the context's memory limit",
                                 queue->device, bytes);
    cudaError_t error = cudaMalloc(out, bytes);
    if (error == cudaSuccess) return LSTMAE_OK;
    *out = NULL;
    if (queue->memory.discharge) queue->memory.discharge(bytes, queue->memory.payload);
    if (error != cudaErrorMemoryAllocation) return lae_cu_check(queue, error, "cudaMalloc");
    (void)cudaGetLastError();
    return queue->host->fail(LSTMAE_ERR_DEVICE_MEMORY, "cuda:%d: no memory for %zu bytes", queue->device, bytes);
}

/* A lost device's memory went with it; giving it back is still right for the counters. */
void lae_cu_free(lstmae_queue *queue, void *ptr, size_t bytes)
{
    if (!ptr) return;
    if (!queue->lost) (void)lae_cu_check(queue, cudaFree(ptr), "cudaFree");
    if (queue->memory.discharge) queue->memory.discharge(bytes, queue->memory.payload);
}

lstmae_status lae_cu_scratch(lstmae_queue *queue, size_t bytes, void **out)
{
    lae_cu_lane *lane = &queue->lanes[queue->active];
    if (bytes > lane->scratch_bytes && queue->capturing) return LSTMAE_ERR_UNSUPPORTED;
    if (bytes > lane->scratch_bytes) {
        LAE_CU_CALL(queue, cudaStreamSynchronize(lane->stream));
        lae_cu_free(queue, lane->scratch, lane->scratch_bytes);
        lane->scratch = NULL;
        lane->scratch_bytes = 0;
        LAE_CU_TRY(lae_cu_malloc(queue, bytes, &lane->scratch));
        lane->scratch_bytes = bytes;
    }
    *out = lane->scratch;
    return LSTMAE_OK;
}

/* ---- entries ---- */

lstmae_status lae_cu_alloc(lstmae_queue *queue, size_t bytes, void **out)
{
    LAE_CU_TRY(lae_cu_usable(queue));
    return lae_cu_malloc(queue, bytes, out);
}

void lae_cu_release(lstmae_queue *queue, void *ptr, size_t bytes)
{
    /* cudaFree waits for all work of the device, so nothing queued still uses it */
    if (queue->process == getpid()) lae_cu_free(queue, ptr, bytes);
}

/* From memory that is not pinned the runtime takes a copy before it returns; pinned memory it reads later. */
lstmae_status lae_cu_upload(lstmae_queue *queue, void *dst, const void *src, size_t bytes)
{
    cudaPointerAttributes attributes;
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_CALL(queue, cudaMemcpyAsync(dst, src, bytes, cudaMemcpyHostToDevice, lae_cu_stream(queue)));
    LAE_CU_CALL(queue, cudaPointerGetAttributes(&attributes, src));
    if (attributes.type == cudaMemoryTypeHost) LAE_CU_CALL(queue, cudaStreamSynchronize(lae_cu_stream(queue)));
    return LSTMAE_OK;
}

lstmae_status lae_cu_download(lstmae_queue *queue, void *dst, const void *src, size_t bytes)
{
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_CALL(queue, cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToHost, lae_cu_stream(queue)));
    LAE_CU_CALL(queue, cudaStreamSynchronize(lae_cu_stream(queue)));
    return LSTMAE_OK;
}

/* Without pinned memory a transfer is slower, not wrong: NULL then, and the caller takes its own. */
void *lae_cu_host_alloc(lstmae_queue *queue, size_t bytes)
{
    void *ptr = NULL;
    if (lae_cu_usable(queue) < 0) return NULL;
    if (queue->memory.charge && !queue->memory.charge(bytes, queue->memory.payload)) return NULL;
    if (lae_cu_check(queue, cudaHostAlloc(&ptr, bytes, cudaHostAllocDefault), "cudaHostAlloc") == LSTMAE_OK) return ptr;
    if (queue->memory.discharge) queue->memory.discharge(bytes, queue->memory.payload);
    return NULL;
}

void lae_cu_host_release(lstmae_queue *queue, void *ptr, size_t bytes)
{
    if (!ptr || queue->process != getpid()) return;
    if (!queue->lost) (void)lae_cu_check(queue, cudaFreeHost(ptr), "cudaFreeHost");
    if (queue->memory.discharge) queue->memory.discharge(bytes, queue->memory.payload);
}
