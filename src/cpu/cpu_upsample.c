/*
 * Upsampling of the "cpu" device, of floats, with vectors of channels. Threads take rows: of the output, and backward
 * of the input's gradient.
 */
#include "conv.h"
#include "cpu_arrays.h"
#include "cpu_entries.h"
#include "image_loops.h"
#include "kernels.h"

#include "shared/upsample_taps.h"

#include <string.h>

typedef struct upsample_job {
    const lae_image_loops *loops;
    int kind;
    int64_t channels, H, W, P, Q;
    lae_conv_image x, y;
    int64_t rows;                     /* of all images that threads share */
    lae_upsample_tap *row, *column;   /* [P], [Q] */
    int64_t taps;                     /* of a pixel's gradient, at most */
    int64_t *offsets;                 /* for each thread [taps] */
    float *weights;
} upsample_job;

/* ---- forward ---- */

/* One row of the output; linear: four taps for each pixel. */
static void upsample_row(const upsample_job *job, int64_t b, int64_t p)
{
    const lae_upsample_tap *row = &job->row[p];
    const int64_t C = job->channels;
    const float *from = job->x.data + b * job->x.batch;
    float *to = job->y.data + b * job->y.batch + p * job->y.row;
    for (int64_t q = 0; q < job->Q; q++, to += C) {
        const lae_upsample_tap *column = &job->column[q];
        const int64_t low = column->low * job->x.column, high = column->high * job->x.column;
        if (job->kind == LSTMAE_UPSAMPLE_NEAREST) {
            memcpy(to, from + row->low * job->x.row + low, (size_t)C * sizeof(float));
            continue;
        }
        const int64_t offset[4] = { row->low * job->x.row + low, row->low * job->x.row + high,
                                    row->high * job->x.row + low, row->high * job->x.row + high };
        const double down = lae_upsample_share(*row), up = 1.0 - down;
        const double right = lae_upsample_share(*column), left = 1.0 - right;
        const float weight[4] = { (float)(up * left), (float)(up * right), (float)(down * left),
                                  (float)(down * right) };
        job->loops->weighted(&(lae_image_run){ .to = to, .from = from, .pixels = 1, .channels = C, .taps = 4,
                                               .offset = offset, .weight = weight });
    }
}

static void upsample_forward_task(void *arg, int thread, int threads)
{
    const upsample_job *job = arg;
    const size_t bytes = (size_t)(job->Q * job->channels) * sizeof(float);
    int64_t begin, end;
    lae_pool_part(job->rows, thread, threads, &begin, &end);
    for (int64_t at = begin; at < end; at++) {
        const int64_t b = at / job->P, p = at % job->P;
        const int repeats = at > begin && p > 0 && job->kind == LSTMAE_UPSAMPLE_NEAREST &&
                            job->row[p].low == job->row[p - 1].low;
        float *row = job->y.data + b * job->y.batch + p * job->y.row;
        if (repeats) memcpy(row, row - job->y.row, bytes);
        else upsample_row(job, b, p);
    }
}

/* ---- backward ---- */

/* The share that source position `from` has in an output position. */
static double upsample_share(const lae_upsample_tap *tap, int64_t from)
{
    const double share = lae_upsample_share(*tap);
    return (from == tap->low ? 1.0 - share : 0.0) + (from == tap->high ? share : 0.0);
}

static int64_t upsample_collect(const upsample_job *job, int64_t *offset, float *weight, int64_t h, int64_t w)
{
    const lae_upsample_range rows = lae_upsample_range_of(job->kind, job->H, job->P, h);
    const lae_upsample_range columns = lae_upsample_range_of(job->kind, job->W, job->Q, w);
    int64_t count = 0;
    for (int64_t p = rows.first; p < rows.end; p++) {
        const double row = upsample_share(&job->row[p], h);
        for (int64_t q = columns.first; row != 0.0 && q < columns.end; q++) {
            const double share = row * upsample_share(&job->column[q], w);
            if (share == 0.0) continue;
            offset[count] = p * job->y.row + q * job->y.column;
            weight[count++] = (float)share;
        }
    }
    return count;
}

static void upsample_backward_task(void *arg, int thread, int threads)
{
    const upsample_job *job = arg;
    int64_t *offset = job->offsets + thread * job->taps, begin, end;
    float *weight = job->weights + thread * job->taps;
    lae_pool_part(job->rows, thread, threads, &begin, &end);
    for (int64_t at = begin; at < end; at++) {
        const int64_t b = at / job->H, h = at % job->H;
        for (int64_t w = 0; w < job->W; w++) {
            float *to = job->x.data + b * job->x.batch + h * job->x.row + w * job->x.column;
            const int64_t taps = upsample_collect(job, offset, weight, h, w);
            if (taps == 0) memset(to, 0, (size_t)job->channels * sizeof(float));
            else
                job->loops->weighted(&(lae_image_run){ .to = to, .from = job->y.data + b * job->y.batch, .pixels = 1,
                                                       .channels = job->channels, .taps = taps, .offset = offset,
                                                       .weight = weight });
        }
    }
}

/* ---- entries ---- */

/* Most output positions that a source position takes part in, along one axis. */
static int64_t upsample_reach(int kind, int64_t in, int64_t out)
{
    int64_t most = 0;
    for (int64_t from = 0; from < in; from++) {
        const lae_upsample_range range = lae_upsample_range_of(kind, in, out, from);
        if (range.end - range.first > most) most = range.end - range.first;
    }
    return most;
}

static lstmae_status upsample_job_start(lstmae_queue *queue, upsample_job *job, const lstmae_upsample_args *args,
                                        int backward, int *threads)
{
    job->loops = lae_image_loops_of(queue->kernels->isa);
    job->kind = args->kind;
    job->channels = args->x.dim[1];
    job->H = args->x.dim[2];
    job->W = args->x.dim[3];
    job->P = args->y.dim[2];
    job->Q = args->y.dim[3];
    job->rows = args->x.dim[0] * (backward ? job->H : job->P);
    job->taps = backward ? upsample_reach(job->kind, job->H, job->P) * upsample_reach(job->kind, job->W, job->Q) : 0;
    const int64_t elements = args->y.dim[0] * job->channels * job->P * job->Q;
    *threads = lae_pool_wanted(queue->pool, 4 * elements, LAE_POOL_GRAIN_ELEMENTS);
    const size_t tables = (size_t)(job->P + job->Q), lists = (size_t)(*threads * job->taps);
    const size_t bytes = tables * sizeof(*job->row) + lists * (sizeof(int64_t) + sizeof(float));
    job->row = lae_scratch_get(queue, LAE_SCRATCH_POINTWISE, bytes);
    if (!job->row) return LSTMAE_ERR_NO_MEMORY;
    job->column = job->row + job->P;
    job->offsets = (int64_t *)(void *)(job->column + job->Q);
    job->weights = (float *)(void *)(job->offsets + lists);
    for (int64_t p = 0; p < job->P; p++) job->row[p] = lae_upsample_tap_of(job->kind, job->H, job->P, p);
    for (int64_t q = 0; q < job->Q; q++) job->column[q] = lae_upsample_tap_of(job->kind, job->W, job->Q, q);
    return LSTMAE_OK;
}

static int upsample_declines(const lstmae_upsample_args *args)
{
    return args->dtype != LSTMAE_F32 || args->kind < 0 || args->kind > LSTMAE_UPSAMPLE_BILINEAR;
}

/* Rows whose pixels lie next to each other, channels innermost: what rows are written to. */
static int upsample_fits(const lstmae_view *view)
{
    const int64_t C = view->dim[1];
    return (C == 1 || view->stride[1] == 1) && (view->dim[3] == 1 || view->stride[3] == C);
}

lstmae_status cpu_upsample_forward(lstmae_queue *queue, const lstmae_upsample_args *args)
{
    upsample_job job = { 0 };
    lstmae_view y = args->y;
    int threads;
    if (upsample_declines(args)) return cpu_reference(queue)->upsample_forward(queue, args);
    lstmae_status status = lae_conv_image_bring(queue, LAE_SCRATCH_IMAGE_X, &job.x, &args->x);
    if (upsample_fits(&args->y)) lae_conv_image_of(&job.y, &args->y);
    else if (status >= 0) status = lae_conv_image_scratch(queue, LAE_SCRATCH_IMAGE_Y, &job.y, &y, &args->y);
    if (status >= 0) status = upsample_job_start(queue, &job, args, 0, &threads);
    if (status < 0) return status;
    lae_pool_run(queue->pool, threads, upsample_forward_task, &job);
    return y.data == args->y.data ? LSTMAE_OK : cpu_copy(queue, &args->y, &y);
}

lstmae_status cpu_upsample_backward(lstmae_queue *queue, const lstmae_upsample_args *args)
{
    upsample_job job = { 0 };
    lstmae_view x = args->x;
    int threads;
    if (upsample_declines(args)) return cpu_reference(queue)->upsample_backward(queue, args);
    lstmae_status status = lae_conv_image_bring(queue, LAE_SCRATCH_IMAGE_X, &job.y, &args->y);
    const int adjacent = lae_conv_image_of(&job.x, &args->x);
    if (!adjacent && status >= 0) status = lae_conv_image_scratch(queue, LAE_SCRATCH_IMAGE_Y, &job.x, &x, &args->x);
    if (status >= 0) status = upsample_job_start(queue, &job, args, 1, &threads);
    if (status < 0) return status;
    lae_pool_run(queue->pool, threads, upsample_backward_task, &job);
    return x.data == args->x.data ? LSTMAE_OK : cpu_copy(queue, &args->x, &x);
}
