/*
 * A CUDA context's queue: a device, its streams and cuBLAS handles, and scratch memory.
 *
 * Work runs on lanes. Lane MAIN is in the order of the calls. Lane SIDE takes what may overlap it: entries that are
 * called between a fork and a join (side.cu). Each lane has a stream, a cuBLAS handle with its own workspace, and
 * scratch, so two lanes share no memory but what their arguments name. A third stream moves batches (transfer.cu).
 *
 * Errors: the runtime's statuses are mapped in status.cu. A fault after which the device's context is unusable marks
 * the queue lost; every later call says so at once and touches the device no more.
 */
#ifndef LAE_CUDA_QUEUE_H
#define LAE_CUDA_QUEUE_H

#include <lstmae/backend.h>

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <sys/types.h>

enum lae_cu_lane_index { LAE_CU_MAIN = 0, LAE_CU_SIDE = 1, LAE_CU_LANES = 2 };

/* What cuBLAS wants of a Hopper GPU; given to it at once so that it never allocates by itself. */
constexpr size_t LAE_CU_BLAS_WORKSPACE = size_t(32) << 20;

struct lae_cu_lane {
    cudaStream_t stream;
    cublasHandle_t blas;
    void *workspace; /* LAE_CU_BLAS_WORKSPACE bytes */
    void *scratch;
    size_t scratch_bytes;
};

/* Uploads beside the lanes' work (transfer.cu). */
struct lae_cu_transfer {
    cudaStream_t stream;
    cudaEvent_t free;    /* lane MAIN is done with the memory that is written */
    cudaEvent_t arrived; /* the last upload is done */
    int underway;
};

/*
 * What changes from one replay of a captured step to the next; in device memory, written before each replay.
 * Kernels launched while capturing read it instead of the values they would be given.
 */
struct lae_cu_step {
    uint64_t draws;          /* added to the stream of every random key */
    double lr, bias1, bias2; /* of lstmae_update_args */
};

struct lstmae_queue {
    const lstmae_host *host;
    lstmae_memory memory;
    int device;
    int precision; /* lstmae_precision */
    int multiprocessors;
    int capability; /* of the device: 90 for 9.0 */
    pid_t process; /* that created it; a forked child's calls are refused */
    int lost;
    int active;    /* lane that entries run on */
    int capturing; /* a step is being captured */
    lae_cu_step *step; /* device memory */
    cudaEvent_t forked, joined; /* of side.cu */
    lae_cu_lane lanes[LAE_CU_LANES];
    lae_cu_transfer transfer;
};

inline cudaStream_t lae_cu_stream(const lstmae_queue *queue)
{
    return queue->lanes[queue->active].stream;
}

inline cublasHandle_t lae_cu_blas(const lstmae_queue *queue)
{
    return queue->lanes[queue->active].blas;
}

/** What a kernel is given: NULL unless a step is being captured. */
inline const lae_cu_step *lae_cu_step_of(const lstmae_queue *queue)
{
    return queue->capturing ? queue->step : nullptr;
}

/* ---- status.cu ---- */

/** OK, or ERR_DEVICE where the queue is lost, or ERR_STATE in a forked child. First in every entry. */
lstmae_status lae_cu_usable(lstmae_queue *queue);

/** OK for cudaSuccess, else the library's status with a text: `what` failed and how. May mark the queue lost. */
lstmae_status lae_cu_check(lstmae_queue *queue, cudaError_t error, const char *what);
lstmae_status lae_cu_check_blas(lstmae_queue *queue, cublasStatus_t error, const char *what);

/** After each launch. */
lstmae_status lae_cu_launched(lstmae_queue *queue, const char *kernel);

#define LAE_CU_TRY(expression)                                                                     \
    do {                                                                                           \
        lstmae_status lae_cu_status_ = (expression);                                               \
        if (lae_cu_status_ < 0) return lae_cu_status_;                                             \
    } while (0)
#define LAE_CU_CALL(queue, call) LAE_CU_TRY(lae_cu_check((queue), (call), #call))
#define LAE_CU_BLAS(queue, call) LAE_CU_TRY(lae_cu_check_blas((queue), (call), #call))

/* ---- memory.cu ---- */

/**
 * `bytes` or more of device memory of the active lane, aligned to 256, valid until the next call on this lane; content
 * undefined. Entries ask once, for all they need. It grows, never shrinks; growing waits for the lane. While capturing
 * it does not grow: ERR_UNSUPPORTED.
 */
lstmae_status lae_cu_scratch(lstmae_queue *queue, size_t bytes, void **out);

/** Device memory through the context's limit and counters; ERR_UNSUPPORTED while capturing. */
lstmae_status lae_cu_malloc(lstmae_queue *queue, size_t bytes, void **out);
void lae_cu_free(lstmae_queue *queue, void *ptr, size_t bytes);

/* ---- transfer.cu ---- */

lstmae_status lae_cu_transfer_open(lstmae_queue *queue);
void lae_cu_transfer_close(lstmae_queue *queue);

#endif
