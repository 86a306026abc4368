/* Matrix products inside entries: like the gemm entry, for operands whose rows are spread unevenly. */
#ifndef LAE_CPU_GEMM_H
#define LAE_CPU_GEMM_H

#include "product.h"

/** C[M,N] = op(A) op(B) + beta C + bias. */
typedef struct lae_gemm {
    int64_t M, N, K;
    const float *a;
    lae_rows a_rows;
    int a_transposed; /* a is [K,M] */
    const float *b;   /* unused when prepared is set */
    lae_rows b_rows;
    int b_transposed; /* b is [N,K]; its rows are even */
    float *c;
    lae_rows c_rows;
    float beta;
    const float *bias;     /* [N]; NULL: none */
    const float *prepared; /* B in panels; NULL: it is packed here */
    lae_columns columns;   /* { N, 0 }, or gates */
} lae_gemm;

/** Fails with ERR_NO_MEMORY when operands cannot be packed. */
lstmae_status lae_gemm_run(lstmae_queue *queue, const lae_gemm *gemm);

#endif
