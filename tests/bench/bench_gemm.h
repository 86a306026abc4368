/* Square matrix products, of a size at which they show what they can do; and copies on a device. */
#ifndef LAE_BENCH_GEMM_H
#define LAE_BENCH_GEMM_H

#include "bench_measure.h"

#include <lstmae/context.h>

#define BENCH_GEMM_SIZE 2048        /* on a CPU */
#define BENCH_GEMM_DEVICE_SIZE 8192 /* on a GPU */
#define BENCH_COPY_BYTES 1e9        /* far more than a GPU keeps on the chip */
#define BENCH_GEMM_QUICK_SIZE 256
#define BENCH_COPY_QUICK_BYTES 1e6

/** The library's own: the forward pass of a linear layer, in the context's precision. In GFLOP/s. */
double bench_gemm_gflops(lstmae_context *context, int64_t size, const bench_effort *effort);

/** The library's copy of a dense array of `bytes`, in the device's memory: GB/s, read and written. */
double bench_device_copy_gbytes(lstmae_context *context, double bytes, const bench_effort *effort);

/** OpenBLAS's sgemm of BENCH_GEMM_SIZE; 0 in a build without it. */
double bench_blas_gflops(int threads, const bench_effort *effort);

#endif
