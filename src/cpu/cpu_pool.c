/*
 * Pooling of the "cpu" device, of floats, with vectors of channels. Threads take rows: of the output where it is made
 * of windows, of the input's gradient where windows overlap. Windows that lie inside of a row of the image have the
 * same taps at a distance, and are one run; those at its ends have fewer.
 */
#include "conv.h"
#include "cpu_arrays.h"
#include "cpu_entries.h"
#include "image_loops.h"
#include "kernels.h"

#include <math.h>
#include <string.h>

/* More taps than this are added in double, by the reference. */
#define POOL_MOST_SUMMED 1024

typedef struct pool_job {
    const lae_image_loops *loops;
    const lstmae_pool_args *args;
    lae_conv_image x, y;
    int64_t channels, rows; /* rows of all images that threads share */
    int64_t taps;           /* of one pixel, at most */
    char *lists;            /* for each thread offsets, weights and places of them */
    int zeros;              /* spread: some pixels are in no window */
} pool_job;

/* Taps of one pixel or run. */
typedef struct pool_list {
    int64_t *offset;
    float *weight;
    int32_t *place;
    int64_t count;
} pool_list;

static pool_list pool_list_of(const pool_job *job, int thread)
{
    const size_t each = sizeof(int64_t) + sizeof(float) + sizeof(int32_t);
    char *memory = job->lists + (size_t)thread * (size_t)job->taps * each;
    pool_list list = { .offset = (int64_t *)(void *)memory };
    list.weight = (float *)(void *)(list.offset + job->taps);
    list.place = (int32_t *)(void *)(list.weight + job->taps);
    return list;
}

static int64_t pool_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t pool_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Taps [*first, *end) of window `p` along axis 0 (height) or 1 that lie inside of the image. */
static void pool_inside(const lstmae_pool_args *args, int axis, int64_t p, int64_t *first, int64_t *end)
{
    const int64_t dilation = args->dilation[axis], begin = p * args->stride[axis] - args->padding[axis];
    const int64_t room = args->x.dim[2 + axis] - begin;
    *first = begin < 0 ? (-begin + dilation - 1) / dilation : 0;
    *end = room > 0 ? pool_min(args->kernel[axis], (room + dilation - 1) / dilation) : 0;
    *first = pool_min(*first, *end);
}

/* Elements of window `p` along an axis that count in the mean's divisor. */
static int64_t pool_extent(const lstmae_pool_args *args, int axis, int64_t p)
{
    const int64_t size = args->x.dim[2 + axis], begin = p * args->stride[axis] - args->padding[axis];
    const int64_t border = args->flags & LSTMAE_POOL_COUNT_PADDING ? args->padding[axis] : 0;
    return pool_min(begin + args->kernel[axis], size + border) - pool_max(begin, -border);
}

static float pool_weight(const lstmae_pool_args *args, int64_t p, int64_t q)
{
    return (float)(1.0 / (double)(pool_extent(args, 0, p) * pool_extent(args, 1, q)));
}

/* Output columns [*first, *end) whose windows lie inside of the image along the width. */
static void pool_interior(const lstmae_pool_args *args, int64_t *first, int64_t *end)
{
    const int64_t stride = args->stride[1], padding = args->padding[1], columns = args->y.dim[3];
    const int64_t room = args->x.dim[3] + padding - (args->dilation[1] * (args->kernel[1] - 1) + 1);
    *first = pool_min((padding + stride - 1) / stride, columns);
    *end = room < 0 ? 0 : pool_min(room / stride + 1, columns);
    *end = pool_max(*first, *end);
}

/* Taps of window (p, q): offsets from the image's first pixel in `image`, and places in the plane. */
static void pool_collect(const pool_job *job, pool_list *list, const lae_conv_image *image, int64_t p, int64_t q)
{
    const lstmae_pool_args *args = job->args;
    int64_t r0, r1, s0, s1;
    pool_inside(args, 0, p, &r0, &r1);
    pool_inside(args, 1, q, &s0, &s1);
    list->count = 0;
    for (int64_t r = r0; r < r1; r++) {
        const int64_t h = p * args->stride[0] - args->padding[0] + r * args->dilation[0];
        for (int64_t s = s0; s < s1; s++) {
            const int64_t w = q * args->stride[1] - args->padding[1] + s * args->dilation[1];
            list->offset[list->count] = h * image->row + w * image->column;
            list->place[list->count++] = (int32_t)(h * args->x.dim[3] + w);
        }
    }
    if (args->kind != LSTMAE_POOL_AVERAGE) return;
    const float weight = pool_weight(args, p, q);
    for (int64_t k = 0; k < list->count; k++) list->weight[k] = weight;
}

static lae_image_run pool_run_of(const pool_job *job, const pool_list *list, int64_t pixels, int64_t column)
{
    const int64_t stride = job->args->stride[1];
    return (lae_image_run){ .pixels = pixels, .channels = job->channels, .step = stride * column, .taps = list->count,
                            .offset = list->offset, .weight = list->weight, .place = list->place,
                            .place_step = (int32_t)stride };
}

/* ---- forward ---- */

/* A window without any pixel of the image. */
static void pool_empty(const pool_job *job, float *y, int32_t *index)
{
    for (int64_t c = 0; c < job->channels; c++) {
        y[c] = job->args->kind == LSTMAE_POOL_MAX ? -INFINITY : 0.0f;
        if (index) index[c] = -1;
    }
}

/* Output pixels [q, q + pixels) of a row, whose windows have the taps of the first one, moved. */
static void pool_forward_run(const pool_job *job, pool_list *list, int64_t row, int64_t q, int64_t pixels)
{
    const lstmae_pool_args *args = job->args;
    const int64_t P = args->y.dim[2], b = row / P, p = row % P;
    float *y = job->y.data + b * job->y.batch + p * job->y.row + q * job->y.column;
    int32_t *index = args->index ? args->index + (row * args->y.dim[3] + q) * job->channels : NULL;
    pool_collect(job, list, &job->x, p, q);
    if (list->count == 0) {
        for (int64_t i = 0; i < pixels; i++)
            pool_empty(job, y + i * job->channels, index ? index + i * job->channels : NULL);
        return;
    }
    lae_image_run run = pool_run_of(job, list, pixels, job->x.column);
    run.to = y;
    run.from = job->x.data + b * job->x.batch;
    if (args->kind == LSTMAE_POOL_MAX) job->loops->largest(&run, index);
    else job->loops->weighted(&run);
}

/* A row of windows, by runs. */
static void pool_row(const pool_job *job, pool_list *list, int64_t row,
                     void (*each)(const pool_job *, pool_list *, int64_t, int64_t, int64_t))
{
    int64_t first, end;
    pool_interior(job->args, &first, &end);
    for (int64_t q = 0; q < first; q++) each(job, list, row, q, 1);
    if (first < end) each(job, list, row, first, end - first);
    for (int64_t q = end; q < job->args->y.dim[3]; q++) each(job, list, row, q, 1);
}

static void pool_forward_task(void *arg, int thread, int threads)
{
    const pool_job *job = arg;
    pool_list list = pool_list_of(job, thread);
    int64_t begin, end;
    lae_pool_part(job->rows, thread, threads, &begin, &end);
    for (int64_t row = begin; row < end; row++) pool_row(job, &list, row, pool_forward_run);
}

/* ---- backward ---- */

/* Windows that do not overlap: each writes the pixels under it. */
static void pool_spread_run(const pool_job *job, pool_list *list, int64_t row, int64_t q, int64_t pixels)
{
    const lstmae_pool_args *args = job->args;
    const int64_t P = args->y.dim[2], b = row / P, p = row % P;
    pool_collect(job, list, &job->x, p, q);
    lae_image_run run = pool_run_of(job, list, pixels, job->x.column);
    run.to = job->x.data + b * job->x.batch;
    run.from = job->y.data + b * job->y.batch + p * job->y.row + q * job->y.column;
    job->loops->spread(&run, args->index + (row * args->y.dim[3] + q) * job->channels);
}

static void pool_spread_task(void *arg, int thread, int threads)
{
    const pool_job *job = arg;
    const lstmae_pool_args *args = job->args;
    const int64_t P = args->y.dim[2], H = args->x.dim[2];
    pool_list list = pool_list_of(job, thread);
    int64_t begin, end;
    lae_pool_part(job->rows, thread, threads, &begin, &end);
    for (int64_t row = begin; row < end; row++) {
        const int64_t b = row / P, p = row % P, stride = args->stride[0], padding = args->padding[0];
        const int64_t top = p == 0 ? 0 : pool_min(p * stride - padding, H);
        const int64_t bottom = p == P - 1 ? H : pool_min((p + 1) * stride - padding, H);
        float *own = job->x.data + b * job->x.batch + top * job->x.row;
        if (job->zeros && bottom > top) memset(own, 0, (size_t)((bottom - top) * job->x.row) * sizeof(float));
        pool_row(job, &list, row, pool_spread_run);
    }
}

/* 1 if no two windows have a pixel in common. */
static int pool_apart(const lstmae_pool_args *args)
{
    for (int axis = 0; axis < 2; axis++)
        if (args->stride[axis] < args->dilation[axis] * (args->kernel[axis] - 1) + 1) return 0;
    return 1;
}

/* 1 if windows that do not overlap leave pixels of the image out. */
static int pool_leaves(const lstmae_pool_args *args)
{
    for (int axis = 0; axis < 2; axis++) {
        const int64_t covered = args->y.dim[2 + axis] * args->stride[axis] - args->padding[axis];
        if (args->stride[axis] != args->kernel[axis] || covered < args->x.dim[2 + axis]) return 1;
    }
    return 0;
}

/* The output position whose tap `tap` lies at `position` of an axis, or -1. */
static int64_t pool_window(const lstmae_pool_args *args, int axis, int64_t position, int64_t tap)
{
    const int64_t distance = position + args->padding[axis] - tap * args->dilation[axis];
    const int64_t p = distance / args->stride[axis];
    return distance >= 0 && distance % args->stride[axis] == 0 && p < args->y.dim[2 + axis] ? p : -1;
}

/* The windows over pixel (h, w) of the image. */
static void pool_collect_windows(const pool_job *job, pool_list *list, int64_t h, int64_t w)
{
    const lstmae_pool_args *args = job->args;
    list->count = 0;
    list->place[0] = (int32_t)(h * args->x.dim[3] + w);
    for (int64_t r = args->kernel[0] - 1; r >= 0; r--) {
        const int64_t p = pool_window(args, 0, h, r);
        for (int64_t s = args->kernel[1] - 1; p >= 0 && s >= 0; s--) {
            const int64_t q = pool_window(args, 1, w, s);
            if (q < 0) continue;
            list->offset[list->count] = p * job->y.row + q * job->y.column;
            if (args->kind == LSTMAE_POOL_AVERAGE) list->weight[list->count] = pool_weight(args, p, q);
            list->count++;
        }
    }
}

static void pool_gather_task(void *arg, int thread, int threads)
{
    const pool_job *job = arg;
    const lstmae_pool_args *args = job->args;
    const int64_t H = args->x.dim[2], W = args->x.dim[3], plane = args->y.dim[2] * args->y.dim[3] * job->channels;
    pool_list list = pool_list_of(job, thread);
    int64_t begin, end;
    lae_pool_part(job->rows, thread, threads, &begin, &end);
    for (int64_t row = begin; row < end; row++) {
        const int64_t b = row / H, h = row % H;
        for (int64_t w = 0; w < W; w++) {
            pool_collect_windows(job, &list, h, w);
            lae_image_run run = pool_run_of(job, &list, 1, 0);
            run.to = job->x.data + b * job->x.batch + h * job->x.row + w * job->x.column;
            run.from = job->y.data + b * job->y.batch;
            if (list.count == 0) memset(run.to, 0, (size_t)job->channels * sizeof(float));
            else if (args->kind == LSTMAE_POOL_MAX) job->loops->chosen(&run, args->index + b * plane);
            else job->loops->weighted(&run);
        }
    }
}

/* ---- entries ---- */

/* 1 if pixels of a plane lie next to each other, channels innermost. */
static int pool_dense(const lstmae_view *view)
{
    const int64_t C = view->dim[1], W = view->dim[3];
    return (C == 1 || view->stride[1] == 1) && (W == 1 || view->stride[3] == C) &&
           (view->dim[2] == 1 || view->stride[2] == W * C);
}

/* Where the result goes: the view itself or scratch memory, planes dense. */
static lstmae_status pool_place(lstmae_queue *queue, lae_conv_image *image, lstmae_view *dense, const lstmae_view *view)
{
    *dense = *view;
    if (pool_dense(view)) {
        const int64_t C = view->dim[1], W = view->dim[3];
        *image = (lae_conv_image){ view->data, view->stride[0], W * C, C };
        return LSTMAE_OK;
    }
    return lae_conv_image_scratch(queue, LAE_SCRATCH_IMAGE_Y, image, dense, view);
}

static lstmae_status pool_job_start(lstmae_queue *queue, pool_job *job, const lstmae_pool_args *args, int64_t rows,
                                    int *threads)
{
    const int64_t area = args->kernel[0] * args->kernel[1];
    const int64_t elements = rows * (rows == args->x.dim[0] * args->x.dim[2] ? args->x.dim[3] : args->y.dim[3]);
    job->loops = lae_image_loops_of(queue->kernels->isa);
    job->args = args;
    job->channels = args->x.dim[1];
    job->rows = rows;
    job->taps = pool_min(args->kernel[0], args->x.dim[2] + args->y.dim[2]) *
                pool_min(args->kernel[1], args->x.dim[3] + args->y.dim[3]);
    *threads = lae_pool_wanted(queue->pool, elements * job->channels * area, LAE_POOL_GRAIN_ELEMENTS);
    const size_t each = sizeof(int64_t) + sizeof(float) + sizeof(int32_t);
    job->lists = lae_scratch_get(queue, LAE_SCRATCH_POINTWISE, (size_t)(*threads * job->taps) * each);
    return job->lists ? LSTMAE_OK : LSTMAE_ERR_NO_MEMORY;
}

/* 1 if an average has so many terms that floats are too coarse to add them. */
static int pool_declines(const lstmae_pool_args *args)
{
    return args->dtype != LSTMAE_F32 ||
           (args->kind == LSTMAE_POOL_AVERAGE && args->kernel[0] * args->kernel[1] > POOL_MOST_SUMMED);
}

lstmae_status cpu_pool_forward(lstmae_queue *queue, const lstmae_pool_args *args)
{
    pool_job job = { .args = args };
    lstmae_view y;
    int threads;
    if (pool_declines(args)) return cpu_reference(queue)->pool_forward(queue, args);
    lstmae_status status = lae_conv_image_bring(queue, LAE_SCRATCH_IMAGE_X, &job.x, &args->x);
    if (status >= 0) status = pool_place(queue, &job.y, &y, &args->y);
    if (status >= 0) status = pool_job_start(queue, &job, args, args->y.dim[0] * args->y.dim[2], &threads);
    if (status < 0) return status;
    lae_pool_run(queue->pool, threads, pool_forward_task, &job);
    return y.data == args->y.data ? LSTMAE_OK : cpu_copy(queue, &args->y, &y);
}

lstmae_status cpu_pool_backward(lstmae_queue *queue, const lstmae_pool_args *args)
{
    pool_job job = { .args = args };
    lstmae_view x, dy = args->y;
    int threads;
    if (pool_declines(args)) return cpu_reference(queue)->pool_backward(queue, args);
    lstmae_status status = pool_place(queue, &job.x, &x, &args->x);
    if (status >= 0 && !pool_dense(&args->y)) {
        status = lae_conv_image_scratch(queue, LAE_SCRATCH_IMAGE_X, &job.y, &dy, &args->y);
        if (status >= 0) status = cpu_copy(queue, &dy, &args->y);
    }
    if (status < 0) return status;
    job.y = (lae_conv_image){ dy.data, dy.stride[0], dy.dim[3] * dy.dim[1], dy.dim[1] };
    const int spread = args->kind == LSTMAE_POOL_MAX && pool_apart(args);
    job.zeros = spread && pool_leaves(args);
    status = pool_job_start(queue, &job, args, args->x.dim[0] * (spread ? args->y.dim[2] : args->x.dim[2]), &threads);
    if (status < 0) return status;
    lae_pool_run(queue->pool, threads, spread ? pool_spread_task : pool_gather_task, &job);
    return x.data == args->x.data ? LSTMAE_OK : cpu_copy(queue, &args->x, &x);
}
