/* Weights in the order that products read them: packed once after an update, used by every step of a sequence. */
#include "cpu_entries.h"
#include "product.h"

typedef struct prepare_job {
    lstmae_queue *queue;
    int kind;
    float *dst;
    const float *w;
    int64_t N, K;
} prepare_job;

/* Columns of the packed operand: forward products have N of them and contract over K, backward the other way round. */
static lae_columns prepare_columns(int kind, int64_t N, int64_t K)
{
    lae_columns columns = { kind == LSTMAE_PREPARE_BACKWARD ? K : N, kind == LSTMAE_PREPARE_GATES ? N / 4 : 0 };
    return columns;
}

size_t cpu_prepare_bytes(const lstmae_queue *queue, int kind, int64_t N, int64_t K, int dtype)
{
    if (dtype != LSTMAE_F32) return 0;
    const int64_t depth = kind == LSTMAE_PREPARE_BACKWARD ? N : K;
    return lae_panels_floats(queue->kernels, prepare_columns(kind, N, K), depth) * sizeof(float);
}

static void prepare_task(void *payload, int thread, int threads)
{
    const prepare_job *job = payload;
    const lae_kernels *kernels = job->queue->kernels;
    const lae_columns columns = prepare_columns(job->kind, job->N, job->K);
    int64_t p0, p1;
    lae_pool_part(lae_panel_count(kernels, columns), thread, threads, &p0, &p1);
    if (job->kind == LSTMAE_PREPARE_BACKWARD) {
        const lae_rows rows = lae_even_rows(job->K);
        lae_pack_rows_part(kernels, job->dst, job->w, &rows, 0, job->K, job->N, p0, p1);
    } else {
        lae_pack_columns_part(kernels, job->dst, job->w, job->K, columns, job->K, p0, p1);
    }
}

lstmae_status cpu_prepare(lstmae_queue *queue, int kind, void *dst, const void *w, int64_t N, int64_t K, int dtype)
{
    if (dtype != LSTMAE_F32) return LSTMAE_ERR_UNSUPPORTED;
    prepare_job job = { queue, kind, dst, w, N, K };
    const int threads = lae_pool_wanted(queue->pool, N * K, LAE_POOL_GRAIN_ELEMENTS);
    lae_pool_run(queue->pool, threads, prepare_task, &job);
    return LSTMAE_OK;
}
