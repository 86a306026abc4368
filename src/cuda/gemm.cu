/*
 * C = op(A) op(B) + beta C by cuBLAS, and the table's entry: bias, factors rounded to bfloat16, empty sums.
 *
 * cuBLAS is column-major: it is asked for C^T = op(B)^T op(A)^T, of which nothing is moved. Whatever it needs of memory
 * was given to it (queue.h), and its atomic modes are off, so equal calls have equal bits.
 */
#include "gemm.h"

#include "entries.h"
#include "rows.h"

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

/* A factor's rows in another place and, in bf16, another type: rows of whole 16 bytes there. */
struct gemm_factor {
    int64_t rows, columns, room;
    int moves;
    size_t offset;
};

static gemm_factor gemm_plan_factor(int type, int64_t rows, int64_t columns, int64_t leading, size_t *bytes)
{
    gemm_factor factor = { rows, columns, (columns + 7) / 8 * 8, 0, 0 };
    factor.moves = type == LAE_CU_BF16 || (rows > 1 && leading < columns);
    if (factor.moves) factor.offset = lae_cu_room(bytes, rows * factor.room, type);
    return factor;
}

/* Where a factor then is; adds to the list what brings it there. */
static const void *gemm_place_factor(const gemm_factor *factor, int type, void *scratch, const void *from,
                                     int64_t *leading, lae_cu_rows *list, int *count)
{
    if (!factor->moves) return from;
    void *to = static_cast<char *>(scratch) + factor->offset;
    list[(*count)++] = lae_cu_even_rows(to, type, factor->room, from, *leading, factor->rows, factor->columns);
    *leading = factor->room;
    return to;
}

lstmae_status lae_cu_gemm(lstmae_queue *queue, const lstmae_gemm_args *args)
{
    LAE_CU_TRY(lae_cu_usable(queue));
    if (args->M == 0 || args->N == 0) return LSTMAE_OK;
    if (gemm_is_few(args)) return gemm_few(queue, args);
    const int trans_a = (args->flags & LSTMAE_GEMM_TRANS_A) != 0, trans_b = (args->flags & LSTMAE_GEMM_TRANS_B) != 0;
    const int type = lae_cu_factor_type(queue, args->dtype), c_type = lae_cu_type_of(args->dtype);
    const int64_t K = args->K;
    lae_cu_product_args product = {};
    product.flags = args->flags;
    product.type = type;
    product.c_type = c_type;
    product.M = args->M;
    product.N = args->N;
    product.K = K;
    product.a = args->a;
    product.b = args->b;
    product.c = args->c;
    product.lda = args->lda;
    product.ldb = args->ldb;
    product.ldc = args->ldc;
    product.beta = args->beta;
    lae_cu_rows list[3];
    int count = 0;
    if (args->bias || K == 0) {
        /* the sums are added to the bias, in every row */
        list[count] = lae_cu_even_rows(args->c, c_type, args->ldc, args->bias, 0, args->M, args->N);
        list[count++].beta = args->beta;
        product.beta = 1.0;
    }
    if (K == 0) return lae_cu_move_rows(queue, c_type, list, count);

    size_t bytes = 0;
    void *scratch = NULL;
    const int64_t a_rows = trans_a ? K : args->M, b_rows = trans_b ? args->N : K;
    const gemm_factor a = gemm_plan_factor(type, a_rows, trans_a ? args->M : K, args->lda, &bytes);
    gemm_factor b = {};
    if (type == LAE_CU_BF16 && args->prepared) {
        product.b = args->prepared;
        product.ldb = trans_b ? K : args->N;
    } else {
        b = gemm_plan_factor(type, b_rows, trans_b ? K : args->N, args->ldb, &bytes);
    }
    if (bytes > 0) LAE_CU_TRY(lae_cu_scratch(queue, bytes, &scratch));
    product.a = gemm_place_factor(&a, type, scratch, product.a, &product.lda, list, &count);
    product.b = gemm_place_factor(&b, type, scratch, product.b, &product.ldb, list, &count);
    LAE_CU_TRY(lae_cu_move_rows(queue, c_type, list, count));
    return lae_cu_product(queue, &product);
}
