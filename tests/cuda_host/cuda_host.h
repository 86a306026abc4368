/*
 * What the stand-in tells tests, and how they make it fail. A test finds these functions by name (dlsym) in the plugin
 * of the host build; the environment sets what must be known when the plugin is loaded:
 *
 *   LSTMAE_CUDA_HOST_SEED=n            shuffles of threads, blocks and streams; default 1
 *   LSTMAE_CUDA_HOST_ORDER=eager       every operation runs when it is queued; default shuffled
 *   LSTMAE_CUDA_HOST_MEMORY=bytes      of the device; default 4 GiB
 *   LSTMAE_CUDA_HOST_PROTECT=1         the host cannot reach device memory: a program that touches it ends
 *   LSTMAE_CUDA_HOST_DRIVER=none|old   cudaErrorNoDevice or cudaErrorInsufficientDriver for every call
 */
#ifndef LAE_CUDA_HOST_H
#define LAE_CUDA_HOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef LAE_CUDA_HOST_API
#define LAE_CUDA_HOST_API
#endif

typedef struct lae_cuda_host_state {
    uint64_t calls;           /* of the runtime and cuBLAS that can fail, since the last reset */
    uint64_t calls_after_loss; /* other than those that give something back */
    uint64_t kernels, copies, products; /* operations that ran */
    uint64_t products_without_workspace; /* of them: in memory of cuBLAS, shared by all streams */
    uint64_t device_bytes, device_blocks, pinned_bytes, pinned_blocks; /* held now */
    uint64_t peak_bytes;      /* of device memory */
    uint64_t streams, events, handles, graphs; /* held now; graphs: also instantiated ones */
    uint64_t broken_guards;   /* blocks that were written beside */
    int64_t lost;             /* the sticky error, or 0 */
} lae_cuda_host_state;

/** An operation as it was queued. */
typedef struct lae_cuda_host_operation {
    char kind; /* k kernel, c copy, s set, g product, r event record, w event wait, G graph, h the host waits */
    int captured;
    uint64_t stream, event; /* numbers from 1 in the order of creation; event: of r, w and h */
    uint64_t bytes;
    char name[96];
} lae_cuda_host_operation;

LAE_CUDA_HOST_API void lae_cuda_host_state_get(lae_cuda_host_state *state);

/** Call number k from now (1: the next one) fails: of the runtime with `cuda`, of cuBLAS with `blas`. 0: none does. */
LAE_CUDA_HOST_API void lae_cuda_host_fail_at(uint64_t k, int cuda, int blas);

/** The name of the call that failed so, or "". */
LAE_CUDA_HOST_API const char *lae_cuda_host_failed_call(void);

/** How the last kernel fault came about, or "". */
LAE_CUDA_HOST_API const char *lae_cuda_host_fault(void);

/** As a new process: all is given back, the device works, nothing is counted. */
LAE_CUDA_HOST_API void lae_cuda_host_reset(void);

/** Device memory from now on. */
LAE_CUDA_HOST_API void lae_cuda_host_memory(uint64_t bytes);
LAE_CUDA_HOST_API void lae_cuda_host_seed(uint64_t seed);

/** Starts an empty list of operations, or ends it; count, and one of them. */
LAE_CUDA_HOST_API void lae_cuda_host_log(int on);
LAE_CUDA_HOST_API size_t lae_cuda_host_log_count(void);
LAE_CUDA_HOST_API int lae_cuda_host_log_get(size_t index, lae_cuda_host_operation *operation);

#ifdef __cplusplus
}
#endif

#endif
