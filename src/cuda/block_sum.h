/*
 * Sums in double, in an order that nothing but sizes decides: over a block's threads by shuffles, and over blocks by a
 * second launch that adds what each block left.
 */
#ifndef LAE_CUDA_BLOCK_SUM_H
#define LAE_CUDA_BLOCK_SUM_H

#include "launch.h"
#include "queue.h"

/** Threads of a block that sums: eight of them fill a multiprocessor, and eight warps' sums are added quickly. */
constexpr int LAE_CU_SUM_BLOCK = 256;

/** The sum over a warp, in every lane: of lanes 16 apart, then 8, ... */
static __device__ __forceinline__ double lae_cu_warp_sum(double value)
{
#pragma unroll
    for (int apart = 16; apart > 0; apart /= 2) value += __shfl_xor_sync(0xffffffffu, value, apart);
    return value;
}

/** The sum over a block of THREADS threads in one dimension, for thread 0. All threads call it, once in a kernel. */
template <int THREADS>
static __device__ __forceinline__ double lae_cu_block_sum(double value)
{
    LAE_SHARED(double, warps, [THREADS / 32]);
    value = lae_cu_warp_sum(value);
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
    __syncthreads();
    if (threadIdx.x < 32) value = lae_cu_warp_sum(threadIdx.x < THREADS / 32 ? warps[threadIdx.x] : 0.0);
    return value;
}

/* ---- total.cu ---- */

/** Blocks that sum `units` units, four and more for a thread; the same on every GPU, so that sums are. */
unsigned lae_cu_sum_blocks(int64_t units);

/** *out = scale * sum of `count` doubles, added to what *out holds where `add` is not 0; all in device memory. */
lstmae_status lae_cu_total(lstmae_queue *queue, const double *sums, int64_t count, double scale, int add, double *out);

#endif
