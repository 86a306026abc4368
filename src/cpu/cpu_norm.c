/*
 * Batch normalisation of the "cpu" device, of floats.
 *
 * Sums are in double, of floats and of products of floats, which are exact there: so neither the mean nor the variance
 * suffers from values that lie far from 0. Blocks of pixels are added, and then the blocks in order. A pixel of few
 * channels is not a whole number of vectors, so pixels are taken `fold` at a time as one row of columns, and sums of
 * columns that belong to one channel are added at the end.
 */
#include "conv.h"
#include "cpu_arrays.h"
#include "cpu_entries.h"
#include "image_loops.h"
#include "kernels.h"
#include "norm.h"

#include <math.h>

#define NORM_FOLD_WIDTH 16 /* columns of a row are a multiple of this */
#define NORM_FOLD_MOST 512 /* unless they would be more than this */
#define NORM_STRETCH 8192  /* elements normalised at once: they stay in the cache for the map behind */

/* ---- arrays ---- */

/* Pixels of an image one after the other, channels innermost. */
static int norm_dense(const lstmae_view *view)
{
    int64_t stride = view->dim[1];
    for (int axis = 3; axis >= 0; axis--) {
        if (axis == 1) continue;
        if (view->dim[axis] != 1 && view->stride[axis] != stride) return 0;
        stride *= view->dim[axis];
    }
    return view->dim[1] == 1 || view->stride[1] == 1;
}

/* The view itself, or one of scratch memory in that order. */
static lstmae_status norm_place(lstmae_queue *queue, lae_scratch_use use, lstmae_view *dense, const lstmae_view *view)
{
    lae_conv_image image;
    *dense = *view;
    return norm_dense(view) ? LSTMAE_OK : lae_conv_image_scratch(queue, use, &image, dense, view);
}

/* The same with the view's content. */
static lstmae_status norm_bring(lstmae_queue *queue, lae_scratch_use use, lstmae_view *dense, const lstmae_view *view)
{
    lstmae_status status = norm_place(queue, use, dense, view);
    if (status < 0 || dense->data == view->data) return status;
    return cpu_copy(queue, dense, view);
}

static lstmae_status norm_deliver(lstmae_queue *queue, const lstmae_view *view, const lstmae_view *dense)
{
    return dense->data == view->data ? LSTMAE_OK : cpu_copy(queue, view, dense);
}

/* ---- batch norm ---- */

enum { NORM_MEAN, NORM_SCALE, NORM_SHIFT, NORM_SLOPE };

typedef struct batch_job {
    const lae_image_loops *loops;
    const lae_pointwise *maps;
    const float *x, *z; /* forward: both x; backward: dy and x */
    float *y;
    int64_t pixels, channels;
    int64_t fold, columns;       /* columns = fold channels */
    int64_t rows;                /* whole ones */
    int64_t block, blocks;       /* rows of a block */
    double *sums;                /* [blocks][2][columns] */
    float *column[4];            /* [columns] each: what a column's elements have in common */
    lae_norm_columns norm;       /* these four */
    int map, backward;
    float param;
} batch_job;

static int64_t norm_fold(int64_t channels)
{
    int64_t fold = 1;
    while (channels * fold % NORM_FOLD_WIDTH != 0) fold++;
    return channels * fold <= NORM_FOLD_MOST ? fold : 1;
}

static lstmae_status batch_job_start(lstmae_queue *queue, batch_job *job, const lstmae_view *x)
{
    job->loops = lae_image_loops_of(queue->kernels->isa);
    job->maps = lae_pointwise_of(queue->kernels->isa);
    job->channels = x->dim[1];
    job->pixels = x->dim[0] * x->dim[2] * x->dim[3];
    job->fold = norm_fold(job->channels);
    job->columns = job->fold * job->channels;
    job->rows = job->pixels / job->fold;
    job->block = lae_norm_block_rows(job->rows, job->columns);
    job->blocks = job->rows / job->block + 1; /* the last one has the pixels that fill no row too */
    const size_t doubles = (size_t)(job->blocks * 2 * job->columns);
    const size_t bytes = doubles * sizeof(double) + (size_t)(4 * job->columns) * sizeof(float);
    job->sums = lae_scratch_get(queue, LAE_SCRATCH_POINTWISE, bytes);
    if (!job->sums) return LSTMAE_ERR_NO_MEMORY;
    for (int i = 0; i < 4; i++) job->column[i] = (float *)(job->sums + doubles) + i * job->columns;
    job->norm.mean = job->column[NORM_MEAN];
    job->norm.scale = job->column[NORM_SCALE];
    job->norm.shift = job->column[NORM_SHIFT];
    job->norm.slope = job->column[NORM_SLOPE];
    return LSTMAE_OK;
}

static int batch_threads(const lstmae_queue *queue, const batch_job *job)
{
    return lae_pool_wanted(queue->pool, 2 * job->pixels * job->channels, LAE_POOL_GRAIN_ELEMENTS);
}

static void batch_sums_task(void *arg, int thread, int threads)
{
    const batch_job *job = arg;
    const int64_t columns = job->columns;
    int64_t begin, end;
    lae_pool_part(job->blocks, thread, threads, &begin, &end);
    for (int64_t block = begin; block < end; block++) {
        double *sums = job->sums + block * 2 * columns, *products = sums + columns;
        const int64_t first = block * job->block, at = first * columns;
        const int64_t rows = job->rows - first < job->block ? job->rows - first : job->block;
        for (int64_t j = 0; j < 2 * columns; j++) sums[j] = 0.0;
        job->loops->moments(sums, products, job->x + at, job->z + at, rows, columns);
        const int64_t left = (job->pixels - job->rows * job->fold) * job->channels, rest = job->rows * columns;
        if (block == job->blocks - 1 && left > 0)
            job->loops->moments(sums, products, job->x + rest, job->z + rest, 1, left);
    }
}

/* Sum over blocks, and over the columns that are one channel's. */
static void batch_total(const batch_job *job, int64_t channel, double *sum, double *product)
{
    *sum = *product = 0.0;
    for (int64_t block = 0; block < job->blocks; block++) {
        const double *sums = job->sums + block * 2 * job->columns;
        for (int64_t j = channel; j < job->columns; j += job->channels) {
            *sum += sums[j];
            *product += sums[job->columns + j];
        }
    }
}

/* An entry of all columns that are one channel's. */
static void batch_spread(const batch_job *job, int which, int64_t channel, double value)
{
    for (int64_t j = channel; j < job->columns; j += job->channels) job->column[which][j] = (float)value;
}

static void batch_apply_rows(const batch_job *job, int64_t at, int64_t rows, int64_t columns)
{
    float *y = job->y + at;
    if (job->backward) {
        job->loops->gradient(y, job->x + at, job->z + at, &job->norm, rows, columns);
        return;
    }
    job->loops->normalize(y, job->x + at, &job->norm, rows, columns);
    if (job->map != LSTMAE_MAP_IDENTITY) job->maps->map(job->map, job->param, y, y, rows * columns);
}

static void batch_apply_task(void *arg, int thread, int threads)
{
    const batch_job *job = arg;
    const int64_t columns = job->columns, most = NORM_STRETCH / columns > 0 ? NORM_STRETCH / columns : 1;
    int64_t begin, end;
    lae_pool_part(job->rows, thread, threads, &begin, &end);
    for (int64_t row = begin; row < end; row += most)
        batch_apply_rows(job, row * columns, end - row < most ? end - row : most, columns);
    const int64_t left = job->pixels - job->rows * job->fold;
    if (thread == threads - 1 && left > 0) batch_apply_rows(job, job->rows * columns, 1, left * job->channels);
}

/* The running statistics move towards the batch's. */
static void batch_run(const lstmae_norm_args *args, int64_t c, double mean, double variance, double count)
{
    float *running_mean = args->running_mean, *running_var = args->running_var;
    const double keep = 1.0 - args->momentum, unbiased = variance * (count / (count - 1.0));
    if (running_mean) running_mean[c] = (float)(keep * (double)running_mean[c] + args->momentum * mean);
    if (running_var) running_var[c] = (float)(keep * (double)running_var[c] + args->momentum * unbiased);
}

/* y = (x - m) scale + shift, where m is the mean rounded and the shift takes up what the rounding left. */
static void batch_forward_channel(const batch_job *job, const lstmae_norm_args *args, int64_t c)
{
    const double count = (double)job->pixels;
    double mean = lae_norm_entry(args->running_mean, c, 0.0);
    double variance = lae_norm_entry(args->running_var, c, 1.0), squares;
    if (!(args->flags & LSTMAE_NORM_RUNNING)) {
        batch_total(job, c, &mean, &squares);
        mean /= count;
        variance = squares / count - mean * mean;
        if (variance < 0.0) variance = 0.0;
        batch_run(args, c, mean, variance, count);
    }
    const double rstd = 1.0 / sqrt(variance + args->eps), scale = rstd * lae_norm_entry(args->gamma, c, 1.0);
    const float rounded = (float)mean;
    if (args->mean) ((float *)args->mean)[c] = rounded;
    if (args->rstd) ((float *)args->rstd)[c] = (float)rstd;
    batch_spread(job, NORM_MEAN, c, mean);
    batch_spread(job, NORM_SCALE, c, scale);
    batch_spread(job, NORM_SHIFT, c, lae_norm_entry(args->shift, c, 0.0) - (mean - (double)rounded) * scale);
}

lstmae_status cpu_batch_norm_forward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    lstmae_view x, y;
    batch_job job = { .map = args->map, .param = (float)args->param };
    if (args->dtype != LSTMAE_F32) return cpu_reference(queue)->batch_norm_forward(queue, args);
    lstmae_status status = norm_bring(queue, LAE_SCRATCH_IMAGE_X, &x, &args->x);
    if (status >= 0) status = norm_place(queue, LAE_SCRATCH_IMAGE_Y, &y, &args->y);
    if (status >= 0) status = batch_job_start(queue, &job, &x);
    if (status < 0) return status;
    job.x = job.z = x.data;
    job.y = y.data;
    const int threads = batch_threads(queue, &job);
    if (!(args->flags & LSTMAE_NORM_RUNNING)) {
        lae_pool_run(queue->pool, threads, batch_sums_task, &job);
        if (args->tracked) ++*args->tracked;
    }
    for (int64_t c = 0; c < job.channels; c++) batch_forward_channel(&job, args, c);
    lae_pool_run(queue->pool, threads, batch_apply_task, &job);
    return norm_deliver(queue, &args->y, &y);
}

/* dx = gamma rstd (dy - mean of dy - n mean of dy n), n = (x - mean) rstd, as scale dy + slope (x - mean) + shift */
static void batch_backward_channel(const batch_job *job, const lstmae_norm_args *args, int64_t c)
{
    const double count = (double)job->pixels, mean = (double)((const float *)args->mean)[c];
    const double rstd = (double)((const float *)args->rstd)[c];
    const double scale = rstd * lae_norm_entry(args->gamma, c, 1.0);
    double sum, product;
    batch_total(job, c, &sum, &product);
    product = (product - mean * sum) * rstd;
    lae_norm_store(args->dgamma, c, product, args->beta);
    lae_norm_store(args->dshift, c, sum, args->beta);
    batch_spread(job, NORM_MEAN, c, mean);
    batch_spread(job, NORM_SCALE, c, scale);
    batch_spread(job, NORM_SHIFT, c, -scale * sum / count);
    batch_spread(job, NORM_SLOPE, c, -scale * rstd * product / count);
}

lstmae_status cpu_batch_norm_backward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    lstmae_view x, dy, dx = { 0 };
    batch_job job = { .backward = 1 };
    if (args->dtype != LSTMAE_F32) return cpu_reference(queue)->batch_norm_backward(queue, args);
    lstmae_status status = norm_bring(queue, LAE_SCRATCH_IMAGE_X, &x, &args->x);
    if (status >= 0) status = norm_bring(queue, LAE_SCRATCH_IMAGE_Y, &dy, &args->dy);
    if (status >= 0 && args->dx.data) status = norm_place(queue, LAE_SCRATCH_IMAGE_Y, &dx, &args->dx);
    if (status >= 0) status = batch_job_start(queue, &job, &x);
    if (status < 0) return status;
    job.x = dy.data;
    job.z = x.data;
    job.y = dx.data;
    const int threads = batch_threads(queue, &job);
    lae_pool_run(queue->pool, threads, batch_sums_task, &job);
    for (int64_t c = 0; c < job.channels; c++) batch_backward_channel(&job, args, c);
    if (!dx.data) return LSTMAE_OK;
    lae_pool_run(queue->pool, threads, batch_apply_task, &job);
    return norm_deliver(queue, &args->dx, &dx);
}
