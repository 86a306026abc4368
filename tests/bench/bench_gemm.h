/* Square matrix products of 2048, the size at which products show what they can do. */
#ifndef LAE_BENCH_GEMM_H
#define LAE_BENCH_GEMM_H

/** The library's own: the forward pass of a linear layer. In GFLOP/s. */
double bench_gemm_gflops(int threads, int quick);

/** OpenBLAS's sgemm; 0 in a build without it. */
double bench_blas_gflops(int threads, int quick);

#endif
