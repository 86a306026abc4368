/* Matrix products: cuBLAS's, given row-major, and our own where few rows meet a large weight. */
#ifndef LAE_CUDA_GEMM_H
#define LAE_CUDA_GEMM_H

#include "types.h"

/**
 * C[M,N] = op(A)[M,K] op(B)[K,N] + beta C, row-major; beta 0 ignores C. M, N, K > 0. `batch` of them, 0 counts as 1,
 * are a_step, b_step, c_step elements apart; steps of 0 share a factor.
 *
 * Sums are in float32 (double of doubles). Factors of float32 are multiplied as they are, or with the context's
 * precision TF32 by tensor cores that round them to 10 bits; bfloat16 factors are exact in float32.
 */
struct lae_cu_product_args {
    uint32_t flags; /* LSTMAE_GEMM_TRANS_… */
    int type;       /* of a and b: lae_cu_type */
    int c_type;     /* as type; F32 or BF16 where that is BF16 */
    int64_t M, N, K;
    const void *a, *b;
    void *c;
    int64_t lda, ldb, ldc;
    int64_t batch, a_step, b_step, c_step;
    double beta;
};

/** One launch of cuBLAS on the active lane. */
lstmae_status lae_cu_product(lstmae_queue *queue, const lae_cu_product_args *product);

/** Rows that lae_cu_product_few() takes. */
constexpr int LAE_CU_FEW = 4;

/** C[M,N] = A[M,K] W^T + beta C + bias for at most LAE_CU_FEW rows; the time is that of reading the weight once. */
struct lae_cu_few_args {
    int64_t M, N, K;
    const float *a;
    int64_t lda;
    const void *w; /* [N,K] */
    int w_type;    /* F32 or BF16 */
    int64_t ldw;
    float *c;
    int64_t ldc;
    double beta;
    const float *bias; /* [N]; NULL: none */
};

lstmae_status lae_cu_product_few(lstmae_queue *queue, const lae_cu_few_args *few);

#endif
