/* Devices and queues. */
#include "entries.h"
#include "mma.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int lae_cu_device_count(void)
{
    int count = 0;
    if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
    (void)cudaGetLastError();
    return 0;
}

lstmae_status lae_cu_device_info(int index, lstmae_device_info *info)
{
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, index) != cudaSuccess) {
        (void)cudaGetLastError();
        return LSTMAE_ERR_DEVICE;
    }
    info->threads = 0;
    info->memory_bytes = properties.totalGlobalMem;
    snprintf(info->name, sizeof info->name, "cuda:%d", index);
    snprintf(info->description, sizeof info->description, "%.60s, compute capability %d.%d", properties.name,
             properties.major, properties.minor);
    return LSTMAE_OK;
}

/* What waits on the main lane is a chain of small kernels: they go first wherever a multiprocessor becomes free. */
static lstmae_status device_open_lane(lstmae_queue *queue, lae_cu_lane *lane)
{
    int least, greatest;
    LAE_CU_CALL(queue, cudaDeviceGetStreamPriorityRange(&least, &greatest));
    const int priority = lane == &queue->lanes[LAE_CU_MAIN] ? greatest : least;
    LAE_CU_CALL(queue, cudaStreamCreateWithPriority(&lane->stream, cudaStreamNonBlocking, priority));
    LAE_CU_TRY(lae_cu_malloc(queue, LAE_CU_BLAS_WORKSPACE, &lane->workspace));
    LAE_CU_BLAS(queue, cublasCreate(&lane->blas));
    LAE_CU_BLAS(queue, cublasSetStream(lane->blas, lane->stream));
    /* after the stream, whose setting takes the workspace away again */
    LAE_CU_BLAS(queue, cublasSetWorkspace(lane->blas, lane->workspace, LAE_CU_BLAS_WORKSPACE));
    /* parts of a sum whose result is bfloat16 are still added in float32 */
    const int math = CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    LAE_CU_BLAS(queue, cublasSetMathMode(lane->blas, static_cast<cublasMath_t>(math)));
    return LSTMAE_OK;
}

/* Older GPUs have no tensor cores for either: TF32 is then computed in float32, of which it is a part. */
static lstmae_status device_check_precision(lstmae_queue *queue)
{
    if (queue->capability >= LAE_CU_MMA_CAPABILITY || queue->precision == LSTMAE_PRECISION_FP32) return LSTMAE_OK;
    if (queue->precision == LSTMAE_PRECISION_BF16)
        return queue->host->fail(LSTMAE_ERR_UNSUPPORTED,
                                 "cuda:%d: bfloat16: expected compute capability %d.%d or higher, got %d.%d",
                                 queue->device, LAE_CU_MMA_CAPABILITY / 10, LAE_CU_MMA_CAPABILITY % 10,
                                 queue->capability / 10, queue->capability % 10);
    queue->precision = LSTMAE_PRECISION_FP32;
    return LSTMAE_OK;
}

static void device_close_lane(lstmae_queue *queue, lae_cu_lane *lane)
{
    if (lane->blas) (void)cublasDestroy(lane->blas);
    lae_cu_free(queue, lane->workspace, LAE_CU_BLAS_WORKSPACE);
    lae_cu_free(queue, lane->scratch, lane->scratch_bytes);
    if (lane->stream && !queue->lost) (void)lae_cu_check(queue, cudaStreamDestroy(lane->stream), "cudaStreamDestroy");
}

static lstmae_status device_open(lstmae_queue *queue)
{
    int major, minor;
    LAE_CU_CALL(queue, cudaSetDevice(queue->device));
    LAE_CU_CALL(queue, cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, queue->device));
    LAE_CU_CALL(queue, cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, queue->device));
    queue->capability = 10 * major + minor;
    LAE_CU_TRY(device_check_precision(queue));
    LAE_CU_CALL(queue, cudaDeviceGetAttribute(&queue->multiprocessors, cudaDevAttrMultiProcessorCount, queue->device));
    for (lae_cu_lane &lane : queue->lanes) LAE_CU_TRY(device_open_lane(queue, &lane));
    LAE_CU_TRY(lae_cu_transfer_open(queue));
    LAE_CU_CALL(queue, cudaEventCreateWithFlags(&queue->forked, cudaEventDisableTiming));
    LAE_CU_CALL(queue, cudaEventCreateWithFlags(&queue->joined, cudaEventDisableTiming));
    void *step;
    LAE_CU_TRY(lae_cu_malloc(queue, sizeof *queue->step, &step));
    queue->step = static_cast<lae_cu_step *>(step);
    return LSTMAE_OK;
}

lstmae_status lae_cu_queue_create(lstmae_queue **out, const lstmae_queue_options *options)
{
    const lstmae_memory *memory = &options->memory;
    *out = NULL;
    lstmae_queue *queue = static_cast<lstmae_queue *>(memory->alloc(sizeof *queue, 64, memory->payload));
    if (!queue) return options->host->fail(LSTMAE_ERR_NO_MEMORY, "cuda: no memory for a queue");
    memset(queue, 0, sizeof *queue);
    queue->host = options->host;
    queue->memory = *memory;
    queue->device = options->device_index;
    queue->precision = options->precision;
    queue->process = getpid();
    lstmae_status status = device_open(queue);
    if (status < 0) {
        lae_cu_queue_destroy(queue);
        return status;
    }
    *out = queue;
    return LSTMAE_OK;
}

/* A forked child has no device: it gives back host memory alone. */
void lae_cu_queue_destroy(lstmae_queue *queue)
{
    if (!queue) return;
    lstmae_memory memory = queue->memory;
    if (queue->process == getpid()) {
        lae_cu_transfer_close(queue);
        for (const lae_cu_lane &lane : queue->lanes)
            if (lane.stream && !queue->lost) (void)lae_cu_check(queue, cudaStreamSynchronize(lane.stream), "destroy");
        for (lae_cu_lane &lane : queue->lanes) device_close_lane(queue, &lane);
        for (cudaEvent_t event : { queue->forked, queue->joined })
            if (event && !queue->lost) (void)lae_cu_check(queue, cudaEventDestroy(event), "cudaEventDestroy");
        lae_cu_free(queue, queue->step, sizeof *queue->step);
    }
    memory.release(queue, sizeof *queue, memory.payload);
}

lstmae_status lae_cu_queue_sync(lstmae_queue *queue)
{
    LAE_CU_TRY(lae_cu_usable(queue));
    for (const lae_cu_lane &lane : queue->lanes) LAE_CU_CALL(queue, cudaStreamSynchronize(lane.stream));
    return lae_cu_upload_end(queue);
}

/* The work of a GPU is not divided over threads of the host. */
int32_t lae_cu_queue_threads(const lstmae_queue *queue)
{
    (void)queue;
    return 1;
}
