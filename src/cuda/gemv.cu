/*
 * C[M,N] = A[M,K] W^T + beta C + bias for M <= 4: a warp for two rows of W, which are read once, in order, 16 bytes a
 * lane. Floor: the bytes of W; with 4096 rows there are 16 warps and 16 KB under way on each multiprocessor.
 */
#include "dots.h"
#include "gemm.h"
#include "launch.h"

/* Four warps: blocks are small, so that few rows still spread over many multiprocessors. */
constexpr int GEMV_BLOCK = 128, GEMV_ROWS = 2;

template <class W, int M>
static __global__ void __launch_bounds__(GEMV_BLOCK) gemv_kernel(lae_cu_few_args p, int64_t whole)
{
    const int lane = (int)threadIdx.x % 32;
    const int64_t n = ((int64_t)blockIdx.x * (GEMV_BLOCK / 32) + (int)threadIdx.x / 32) * GEMV_ROWS;
    if (n >= p.N) return;
    const int64_t rows = p.N - n < GEMV_ROWS ? p.N - n : GEMV_ROWS;
    float sums[GEMV_ROWS][M] = {};
    const W *w = static_cast<const W *>(p.w) + n * p.ldw;
    dots_add(sums, w, rows == GEMV_ROWS ? p.ldw : 0, p.a, p.lda, (int)p.M, p.K, whole, lane);
    dots_join(sums);
    for (int r = 0; r < GEMV_ROWS; r++)
        for (int m = 0; m < M; m++) {
            if (lane != r * M + m || r >= rows || m >= p.M) continue;
            float *c = p.c + m * p.ldc + n + r;
            float value = sums[r][m] + (p.bias ? p.bias[n + r] : 0.0f);
            *c = p.beta != 0.0 ? fmaf((float)p.beta, *c, value) : value;
        }
}

template <class W> static lstmae_status gemv_launch(lstmae_queue *queue, const lae_cu_few_args &part, int64_t whole)
{
    const int64_t rows = GEMV_ROWS * (GEMV_BLOCK / 32);
    const dim3 grid((unsigned)((part.N + rows - 1) / rows));
    if (part.M == 1) LAE_LAUNCH((gemv_kernel<W, 1>), grid, GEMV_BLOCK, 0, lae_cu_stream(queue), part, whole);
    else LAE_LAUNCH((gemv_kernel<W, LAE_CU_FEW>), grid, GEMV_BLOCK, 0, lae_cu_stream(queue), part, whole);
    return lae_cu_launched(queue, "gemv");
}

lstmae_status lae_cu_product_few(lstmae_queue *queue, const lae_cu_few_args *few)
{
    const int64_t whole = lae_cu_dots_whole(few->w, few->ldw, few->w_type, few->a, few->M > 1 ? few->lda : 0, few->K);
    return few->w_type == LAE_CU_BF16 ? gemv_launch<__nv_bfloat16>(queue, *few, whole)
                                      : gemv_launch<float>(queue, *few, whole);
}
