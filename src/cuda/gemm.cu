/*
 * C = op(A) op(B) + beta C by cuBLAS, and the table's entry: bias, factors rounded to bfloat16, empty sums.
 *
 * cuBLAS is column-major: it is asked for C^T = op(B)^T op(A)^T, of which nothing is moved. Whatever it needs of memory
 * was given to it (queue.h), and its atomic modes are off, so equal calls have equal bits.
 */
#include "gemm.h"

#include "entries.h"
#include "factors.h"

#include <limits.h>

static cudaDataType gemm_data_type(int type)
{
    return type == LAE_CU_F32 ? CUDA_R_32F : type == LAE_CU_F64 ? CUDA_R_64F : CUDA_R_16BF;
}

static cublasComputeType_t gemm_compute_type(const lstmae_queue *queue, int type)
{
    if (type == LAE_CU_F64) return CUBLAS_COMPUTE_64F;
    if (type == LAE_CU_F32 && queue->precision == LSTMAE_PRECISION_TF32) return CUBLAS_COMPUTE_32F_FAST_TF32;
    return CUBLAS_COMPUTE_32F;
}

/* A matrix of one row has no distance between rows, but cuBLAS wants one that is long enough. */
static int64_t gemm_leading(int64_t rows, int64_t columns, int64_t leading)
{
    return rows == 1 ? columns : leading;
}

lstmae_status lae_cu_product(lstmae_queue *queue, const lae_cu_product_args *p)
{
    const int trans_a = (p->flags & LSTMAE_GEMM_TRANS_A) != 0, trans_b = (p->flags & LSTMAE_GEMM_TRANS_B) != 0;
    const int64_t lda = trans_a ? gemm_leading(p->K, p->M, p->lda) : gemm_leading(p->M, p->K, p->lda);
    const int64_t ldb = trans_b ? gemm_leading(p->N, p->K, p->ldb) : gemm_leading(p->K, p->N, p->ldb);
    const int64_t ldc = gemm_leading(p->M, p->N, p->ldc), batch = p->batch > 0 ? p->batch : 1;
    const int64_t sizes[] = { p->M, p->N, p->K, lda, ldb, ldc, batch };
    for (int64_t size : sizes)
        if (size > INT_MAX)
            return queue->host->fail(LSTMAE_ERR_UNSUPPORTED, "cuda:%d: product: expected sizes below 2^31, got %lld",
                                     queue->device, (long long)size);
    const float one = 1.0f, beta = (float)p->beta;
    const double one64 = 1.0;
    const int wide = p->type == LAE_CU_F64;
    const void *alpha_at = wide ? static_cast<const void *>(&one64) : &one;
    const void *beta_at = wide ? static_cast<const void *>(&p->beta) : &beta;
    const cublasOperation_t op_a = trans_a ? CUBLAS_OP_T : CUBLAS_OP_N, op_b = trans_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cudaDataType type = gemm_data_type(p->type), c_type = gemm_data_type(p->c_type);
    const cublasComputeType_t compute = gemm_compute_type(queue, p->type);
    if (batch == 1)
        return lae_cu_check_blas(queue,
                                 cublasGemmEx(lae_cu_blas(queue), op_b, op_a, (int)p->N, (int)p->M, (int)p->K,
                                              alpha_at, p->b, type, (int)ldb, p->a, type, (int)lda, beta_at, p->c,
                                              c_type, (int)ldc, compute, CUBLAS_GEMM_DEFAULT),
                                 "product");
    return lae_cu_check_blas(queue,
                             cublasGemmStridedBatchedEx(lae_cu_blas(queue), op_b, op_a, (int)p->N, (int)p->M,
                                                        (int)p->K, alpha_at, p->b, type, (int)ldb, p->b_step, p->a,
                                                        type, (int)lda, p->a_step, beta_at, p->c, c_type, (int)ldc,
                                                        p->c_step, (int)batch, compute, CUBLAS_GEMM_DEFAULT),
                             "products");
}

/* ---- the entry ---- */

/* One row of weights for every output and few rows to multiply it with: reading the weight is all the time. */
static int gemm_is_few(const lstmae_gemm_args *args)
{
    return args->dtype == LSTMAE_F32 && args->M <= LAE_CU_FEW && args->K > 0 &&
           (args->flags & (LSTMAE_GEMM_TRANS_A | LSTMAE_GEMM_TRANS_B)) == LSTMAE_GEMM_TRANS_B;
}

static lstmae_status gemm_few(lstmae_queue *queue, const lstmae_gemm_args *args)
{
    lae_cu_few_args few = {};
    few.M = args->M;
    few.N = args->N;
    few.K = args->K;
    few.a = static_cast<const float *>(args->a);
    few.lda = args->lda;
    few.w = args->prepared ? args->prepared : args->b;
    few.w_type = args->prepared ? LAE_CU_BF16 : LAE_CU_F32;
    few.ldw = args->prepared ? args->K : args->ldb;
    few.c = static_cast<float *>(args->c);
    few.ldc = args->ldc;
    few.beta = args->beta;
    few.bias = static_cast<const float *>(args->bias);
    return lae_cu_product_few(queue, &few);
}

lstmae_status lae_cu_gemm(lstmae_queue *queue, const lstmae_gemm_args *args)
{
    LAE_CU_TRY(lae_cu_usable(queue));
    if (args->M == 0 || args->N == 0) return LSTMAE_OK;
    if (gemm_is_few(args)) return gemm_few(queue, args);
    const int trans_a = (args->flags & LSTMAE_GEMM_TRANS_A) != 0, trans_b = (args->flags & LSTMAE_GEMM_TRANS_B) != 0;
    const int64_t M = args->M, N = args->N, K = args->K;
    lae_cu_factors factors = lae_cu_factors_of(queue, args->dtype);
    double beta = args->beta;
    if (args->bias || K == 0) {
        /* the sums are added to the bias, in every row */
        lae_cu_rows start = lae_cu_even_rows(args->c, factors.from_type, args->ldc, args->bias, 0, M, N);
        start.beta = beta;
        beta = 1.0;
        lae_cu_factors_also(&factors, &start);
    }
    if (K == 0) return lae_cu_factors_move(queue, &factors);
    const lae_cu_factor a = lae_cu_factor_of(&factors, args->a, 1, trans_a ? K : M, trans_a ? M : K, 0, args->lda);
    lae_cu_factor b = { args->prepared, 0, trans_b ? K : N };
    if (factors.type != LAE_CU_BF16 || !args->prepared)
        b = lae_cu_factor_of(&factors, args->b, 1, trans_b ? N : K, trans_b ? K : N, 0, args->ldb);
    LAE_CU_TRY(lae_cu_factors_move(queue, &factors));
    lae_cu_product_args product = lae_cu_factors_product(&factors, args->flags, M, N, K);
    product.a = lae_cu_factor_at(&factors, &a, 0);
    product.b = lae_cu_factor_at(&factors, &b, 0);
    product.c = args->c;
    product.lda = a.row;
    product.ldb = b.row;
    product.ldc = args->ldc;
    product.beta = beta;
    return lae_cu_product(queue, &product);
}
