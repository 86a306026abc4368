/* The stand-in's device: its lock, errors, counters, and memory. */
#ifndef LAE_HOST_DEVICE_H
#define LAE_HOST_DEVICE_H

#include "include/cublas_v2.h"
#include "include/cuda_runtime.h"

#define LAE_CUDA_HOST_API __attribute__((visibility("default")))
#include "cuda_host.h"

#include <mutex>

struct device_state {
    std::recursive_mutex lock;
    lae_cuda_host_state counts;
    uint64_t capacity;
    uint64_t fail_in; /* calls until one fails; 0: none will */
    int fail_cuda, fail_blas;
    const char *failed_call;
    char fault[640];
    cudaError_t driver; /* what every call answers where there is no device */
    bool eager;
    bool logging;
};
extern device_state device;

/** Reads the environment once. */
void device_configure();

/** After it every call fails with `error`. */
void device_lose(cudaError_t error, const char *text);

enum call_flags {
    CALL_PLAIN = 0,
    CALL_RELEASES = 1, /* gives something back, also where it fails or the device is lost */
    CALL_UNSAFE = 2,   /* ends a capture of this thread: the runtime's "potentially unsafe API calls" */
};

/** One call of the runtime: holds the device, counts, and says whether the call is to fail at once. */
class api_call {
  public:
    explicit api_call(const char *name, unsigned flags = CALL_PLAIN);
    bool refused() const { return error_ != cudaSuccess; }
    /** What the call returns, remembered for cudaGetLastError(). */
    cudaError_t done(cudaError_t error = cudaSuccess) const;

  private:
    std::unique_lock<std::recursive_mutex> hold_;
    cudaError_t error_;
};

/** The same for a call of cuBLAS. */
class blas_call {
  public:
    explicit blas_call(const char *name, unsigned flags = CALL_PLAIN);
    bool refused() const { return status_ != CUBLAS_STATUS_SUCCESS; }
    cublasStatus_t done(cublasStatus_t status = CUBLAS_STATUS_SUCCESS) const { return refused() ? status_ : status; }

  private:
    std::unique_lock<std::recursive_mutex> hold_;
    cublasStatus_t status_;
};

void error_set(cudaError_t error);

/* ---- memory.cpp ---- */

enum memory_kind { MEMORY_PAGEABLE, MEMORY_PINNED, MEMORY_DEVICE };

/** What the bytes from `memory` on are; *whole: all `bytes` lie in one block. */
memory_kind memory_find(const void *memory, size_t bytes, bool *whole);

/** Gives all back. */
void memory_reset();

#endif
