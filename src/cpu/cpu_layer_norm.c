/*
 * Layer normalisation of the "cpu" device, of floats: a row after the other, with sums in double. The parameters'
 * gradients are sums over rows: blocks of them are added, and then the blocks in order.
 */
#include "cpu_arrays.h"
#include "cpu_entries.h"
#include "image_loops.h"
#include "kernels.h"
#include "norm.h"
#include "pointwise.h"
#include "queue.h"

#include <math.h>

typedef struct layer_job {
    const lae_image_loops *loops;
    const lae_pointwise *maps;
    const lstmae_norm_args *args;
    int64_t rows, features;
    int64_t block, blocks; /* rows of a block of parameters' gradients */
    double *sums;          /* [blocks][2][features] */
} layer_job;

static float *layer_row(const lstmae_view *view, int64_t row)
{
    return (float *)view->data + row * view->stride[0];
}

static void layer_forward_row(const layer_job *job, int64_t row)
{
    const lstmae_norm_args *args = job->args;
    const float *x = layer_row(&args->x, row);
    float *y = layer_row(&args->y, row);
    double mean, squares, count = (double)job->features;
    job->loops->row_moments(&mean, &squares, x, x, NULL, job->features);
    mean /= count;
    double variance = squares / count - mean * mean;
    if (variance < 0.0) variance = 0.0;
    const double rstd = 1.0 / sqrt(variance + args->eps);
    lae_norm_row norm = { .mean = (float)mean, .scale = (float)rstd, .gamma = args->gamma, .bias = args->shift };
    norm.shift = (float)(-(mean - (double)norm.mean) * rstd);
    if (args->mean) ((float *)args->mean)[row] = norm.mean;
    if (args->rstd) ((float *)args->rstd)[row] = norm.scale;
    job->loops->row_normalize(y, x, &norm, job->features);
    if (args->map != LSTMAE_MAP_IDENTITY) job->maps->map(args->map, (float)args->param, y, y, job->features);
}

static void layer_forward_task(void *arg, int thread, int threads)
{
    const layer_job *job = arg;
    int64_t begin, end;
    lae_pool_part(job->rows, thread, threads, &begin, &end);
    for (int64_t row = begin; row < end; row++) layer_forward_row(job, row);
}

/* Rows of features next to each other in all arrays; other ones are the reference's. */
static int layer_fits(const lstmae_norm_args *args, int backward)
{
    const lstmae_view *views[3] = { &args->x, backward ? &args->dy : &args->y, args->dx.data ? &args->dx : &args->x };
    if (args->dtype != LSTMAE_F32) return 0;
    for (int v = 0; v < 3; v++)
        if (views[v]->dim[1] > 1 && views[v]->stride[1] != 1) return 0;
    return 1;
}

static layer_job layer_job_of(const lstmae_queue *queue, const lstmae_norm_args *args)
{
    return (layer_job){ .loops = lae_image_loops_of(queue->kernels->isa),
                        .maps = lae_pointwise_of(queue->kernels->isa),
                        .args = args,
                        .rows = args->x.dim[0],
                        .features = args->x.dim[1] };
}

static int layer_threads(const lstmae_queue *queue, const layer_job *job)
{
    return lae_pool_wanted(queue->pool, 2 * job->rows * job->features, LAE_POOL_GRAIN_ELEMENTS);
}

lstmae_status cpu_layer_norm_forward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    layer_job job = layer_job_of(queue, args);
    if (!layer_fits(args, 0)) return cpu_reference(queue)->layer_norm_forward(queue, args);
    lae_pool_run(queue->pool, layer_threads(queue, &job), layer_forward_task, &job);
    return LSTMAE_OK;
}

/* dx = rstd (g - mean of g - n mean of g n) with g = dy gamma, n = (x - mean) rstd */
static void layer_backward_row(const layer_job *job, int64_t row)
{
    const lstmae_norm_args *args = job->args;
    const float *x = layer_row(&args->x, row), *dy = layer_row(&args->dy, row);
    const double mean = (double)((const float *)args->mean)[row], rstd = (double)((const float *)args->rstd)[row];
    const double count = (double)job->features;
    double sum, product;
    job->loops->row_moments(&sum, &product, dy, x, args->gamma, job->features);
    product = (product - mean * sum) * rstd;
    lae_norm_row norm = { .mean = (float)mean, .scale = (float)rstd, .gamma = args->gamma };
    norm.shift = (float)(-rstd * sum / count);
    norm.slope = (float)(-rstd * rstd * product / count);
    job->loops->row_gradient(layer_row(&args->dx, row), dy, x, &norm, job->features);
}

/* A block's rows: first the parameters' sums, then dx, which may take dy's place. */
static void layer_backward_task(void *arg, int thread, int threads)
{
    const layer_job *job = arg;
    const lstmae_norm_args *args = job->args;
    int64_t begin, end;
    lae_pool_part(job->blocks, thread, threads, &begin, &end);
    for (int64_t block = begin; block < end; block++) {
        const int64_t first = block * job->block, end_of_block = first + job->block;
        const int64_t last = end_of_block < job->rows ? end_of_block : job->rows;
        double *sums = job->sums ? job->sums + block * 2 * job->features : NULL;
        for (int64_t j = 0; sums && j < 2 * job->features; j++) sums[j] = 0.0;
        for (int64_t row = first; row < last; row++) {
            if (sums)
                job->loops->row_parameters(sums, sums + job->features, layer_row(&args->dy, row),
                                           layer_row(&args->x, row), (double)((const float *)args->mean)[row],
                                           (double)((const float *)args->rstd)[row], job->features);
            if (args->dx.data) layer_backward_row(job, row);
        }
    }
}

static void layer_parameters(const layer_job *job)
{
    for (int64_t j = 0; j < job->features; j++) {
        double sum = 0.0, product = 0.0;
        for (int64_t block = 0; block < job->blocks; block++) {
            product += job->sums[block * 2 * job->features + j];
            sum += job->sums[(block * 2 + 1) * job->features + j];
        }
        lae_norm_store(job->args->dgamma, j, product, job->args->beta);
        lae_norm_store(job->args->dshift, j, sum, job->args->beta);
    }
}

lstmae_status cpu_layer_norm_backward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    layer_job job = layer_job_of(queue, args);
    if (!layer_fits(args, 1)) return cpu_reference(queue)->layer_norm_backward(queue, args);
    job.block = lae_norm_block_rows(job.rows, job.features);
    job.blocks = (job.rows + job.block - 1) / job.block;
    if (args->dgamma || args->dshift) {
        const size_t doubles = (size_t)(job.blocks * 2 * job.features);
        job.sums = lae_scratch_get(queue, LAE_SCRATCH_POINTWISE, (doubles + 1) * sizeof(double));
        if (!job.sums) return LSTMAE_ERR_NO_MEMORY;
    }
    lae_pool_run(queue->pool, layer_threads(queue, &job), layer_backward_task, &job);
    if (job.sums) layer_parameters(&job);
    return LSTMAE_OK;
}
