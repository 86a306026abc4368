/*
 * General matrix products: operands are packed in blocks of K by all threads, then every thread computes its part.
 *
 * A BLAS is not called, even where one is linked: measured beside OpenBLAS 0.3.21 these products are 0.98 to 1.3 times
 * as fast (2 to 3 times for a few rows), except for some of 32 to 64 rows and columns that take a microsecond; prepared
 * operands gain more. And OpenBLAS's threads belong to the process: they would compete with the queue's own, and bits
 * would depend on their number.
 */
#include "gemm.h"

#include "cpu_entries.h"

/* Steps of K packed at once when neither operand came prepared: bounds the scratch memory of long contractions. */
#define GEMM_PACK_K LAE_K_BLOCK

typedef struct gemm_job {
    const lae_kernels *kernels;
    lae_pool *pool;
    const lae_gemm *gemm;
    int64_t panels;
    int64_t k_step;             /* of K per round of packing */
    float *packed_a, *packed_b; /* NULL: taken as they are */
} gemm_job;

/* 1 if the sums start from neither zero, nor C, nor a row of biases. */
static int gemm_needs_scale(const lae_gemm *gemm)
{
    return gemm->beta != 0.0f && (gemm->beta != 1.0f || gemm->bias);
}

/* C = beta C + bias. */
static void gemm_scale(const lae_gemm *gemm, int thread, int threads)
{
    int64_t m0, m1;
    lae_pool_part(gemm->M, thread, threads, &m0, &m1);
    for (int64_t m = m0; m < m1; m++) {
        float *c = gemm->c + lae_row_at(&gemm->c_rows, m);
        for (int64_t n = 0; n < gemm->N; n++) c[n] = gemm->beta * c[n] + (gemm->bias ? gemm->bias[n] : 0.0f);
    }
}

/* Packs steps [k0, k0 + k) of what is not taken as it is. */
static void gemm_pack(const gemm_job *job, int64_t k0, int64_t k, int thread, int threads)
{
    const lae_gemm *gemm = job->gemm;
    int64_t begin, end;
    if (job->packed_b) {
        lae_pool_part(job->panels, thread, threads, &begin, &end);
        if (gemm->b_transposed)
            lae_pack_columns_part(job->kernels, job->packed_b, gemm->b + k0, gemm->b_rows.row, gemm->columns, k, begin,
                                  end);
        else
            lae_pack_rows_part(job->kernels, job->packed_b, gemm->b, &gemm->b_rows, k0, gemm->N, k, begin, end);
    }
    if (job->packed_a) {
        const int64_t lda = gemm->a_rows.row;
        lae_pool_part((gemm->M + LAE_TILE_ROWS - 1) / LAE_TILE_ROWS, thread, threads, &begin, &end);
        lae_pack_tiles_part(job->kernels, job->packed_a, gemm->a + k0 * lda, lda, gemm->M, k, begin, end);
    }
}

static void gemm_task(void *payload, int thread, int threads)
{
    const gemm_job *job = payload;
    const lae_gemm *gemm = job->gemm;
    const lae_grid grid = lae_grid_of(gemm->M, job->panels, threads);
    int64_t p0, p1, m0, m1;
    lae_grid_part(grid, gemm->M, job->panels, thread, &p0, &p1, &m0, &m1);
    if (gemm_needs_scale(gemm)) {
        gemm_scale(gemm, thread, threads);
        lae_pool_barrier(job->pool, threads);
    }
    for (int64_t k0 = 0; k0 == 0 || k0 < gemm->K; k0 += job->k_step) {
        const int64_t k = gemm->K - k0 < job->k_step ? gemm->K - k0 : job->k_step;
        if (k0) lae_pool_barrier(job->pool, threads); /* the last round's operands have been used */
        gemm_pack(job, k0, k, thread, threads);
        if (job->packed_a || job->packed_b) lae_pool_barrier(job->pool, threads);
        lae_product product = { 0 };
        product.a = job->packed_a ? job->packed_a : gemm->a + k0;
        product.a_rows = gemm->a_rows;
        product.a_tile = job->packed_a ? lae_tile_floats(k) : 0;
        product.panels = job->packed_b ? job->packed_b : gemm->prepared;
        product.c = gemm->c;
        product.c_rows = gemm->c_rows;
        product.from_c = k0 || gemm->beta != 0.0f;
        product.bias = gemm->bias;
        product.K = k;
        product.columns = gemm->columns;
        lae_product_part(job->kernels, &product, p0, p1, m0, m1);
    }
}

lstmae_status lae_gemm_run(lstmae_queue *queue, const lae_gemm *gemm)
{
    if (gemm->M == 0 || gemm->N == 0) return LSTMAE_OK;
    gemm_job job = { queue->kernels, queue->pool, gemm, 0, 0, NULL, NULL };
    job.panels = lae_panel_count(queue->kernels, gemm->columns);
    const int whole = gemm->prepared || gemm->K <= GEMM_PACK_K;
    job.k_step = !whole ? GEMM_PACK_K : gemm->K ? gemm->K : 1;
    if (!gemm->prepared) {
        const size_t floats = lae_panels_floats(queue->kernels, gemm->columns, job.k_step);
        job.packed_b = lae_scratch_get(queue, LAE_SCRATCH_PACK_B, floats * sizeof(float));
        if (!job.packed_b) return LSTMAE_ERR_NO_MEMORY;
    }
    if (gemm->a_transposed) {
        const size_t floats = lae_tiles_floats(gemm->M, job.k_step);
        job.packed_a = lae_scratch_get(queue, LAE_SCRATCH_PACK_A, floats * sizeof(float));
        if (!job.packed_a) return LSTMAE_ERR_NO_MEMORY;
    }
    const int threads = lae_pool_wanted(queue->pool, gemm->M * gemm->N * gemm->K, LAE_POOL_GRAIN_FMA);
    lae_pool_run(queue->pool, threads, gemm_task, &job);
    return LSTMAE_OK;
}

lstmae_status cpu_gemm(lstmae_queue *queue, const lstmae_gemm_args *args)
{
    if (args->dtype != LSTMAE_F32) return LSTMAE_ERR_UNSUPPORTED;
    lae_gemm gemm = { 0 };
    gemm.M = args->M;
    gemm.N = args->N;
    gemm.K = args->K;
    gemm.a = args->a;
    gemm.a_rows = lae_even_rows(args->lda);
    gemm.a_transposed = (args->flags & LSTMAE_GEMM_TRANS_A) != 0;
    gemm.b = args->b;
    gemm.b_rows = lae_even_rows(args->ldb);
    gemm.b_transposed = (args->flags & LSTMAE_GEMM_TRANS_B) != 0;
    gemm.c = args->c;
    gemm.c_rows = lae_even_rows(args->ldc);
    gemm.beta = (float)args->beta;
    gemm.bias = args->bias;
    gemm.prepared = args->prepared;
    gemm.columns.count = args->N;
    return lae_gemm_run(queue, &gemm);
}
