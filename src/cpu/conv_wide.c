/*
 * Convolutions and transposed convolutions: every pixel of the output from the pixels under its taps, see conv.h.
 *
 * The output is cut into units, rows or parts of long ones. Threads take runs of units, and where there are few of
 * them, panels of channels. A run passes through in chunks that stay in the second-level cache beside a panel of
 * weights; bias, pre-activation and activation are done before a chunk leaves it.
 */
#include "conv.h"
#include "kernels.h"

/* Bytes of input and output of a chunk, about; and its pixels at most, which bounds the lists of a thread. */
#define WIDE_CHUNK_BYTES ((int64_t)160 << 10)
#define WIDE_CHUNK_PIXELS 1024

/* Pixels that have the same taps, in a thread's lists. */
typedef struct wide_list {
    int64_t begin, count;
    int64_t row_class, column_class;
} wide_list;

/* The pixels of a chunk, relative to the image it begins in: chunks of whole images all have the same lists. */
typedef struct wide_lists {
    int64_t x_at[WIDE_CHUNK_PIXELS], y_at[WIDE_CHUNK_PIXELS];
    wide_list list[WIDE_CHUNK_PIXELS];
    int64_t count, pixels;
    int64_t first, units; /* unit of that image, and how many */
} wide_lists;

typedef struct wide_job {
    const lae_conv_call *call;
    lae_conv_axis height, width;
    int64_t strips;             /* panels of all groups */
    int64_t segments, segment;  /* of each row, and columns of one */
    int64_t chunk;              /* units */
    lae_grid grid;
    wide_lists *lists;          /* one for each thread */
} wide_job;

/* A unit is row `unit / segments` of all images, columns [*begin, *end). */
static void wide_columns(const wide_job *job, int64_t unit, int64_t *begin, int64_t *end)
{
    const int64_t columns = job->call->shape.width.out;
    *begin = unit % job->segments * job->segment;
    *end = *begin + job->segment < columns ? *begin + job->segment : columns;
}

/* The pixels of units [u0, u1) of the first image and those after it in these classes. */
static void wide_collect(const wide_job *job, wide_lists *lists, int64_t *pixels, int64_t u0, int64_t u1,
                         int64_t row_class, int64_t column_class)
{
    const lae_conv_axis *width = &job->width;
    const int64_t *member = width->members, rows = job->call->shape.height.out;
    wide_list list = { *pixels, 0, row_class, column_class };
    for (int64_t unit = u0; unit < u1; unit++) {
        const int64_t image = unit / job->segments / rows, row = unit / job->segments % rows;
        int64_t begin, end, at = list.begin + list.count;
        if (job->height.class_of[row] != row_class) continue;
        wide_columns(job, unit, &begin, &end);
        const int64_t x = image * job->call->in.batch + job->height.source[row] * job->call->in.row;
        const int64_t y = image * job->call->out.batch + row * job->call->out.row;
        for (int64_t i = width->begin[column_class]; i < width->begin[column_class + 1]; i++) {
            if (member[i] < begin || member[i] >= end) continue;
            lists->x_at[at] = x + width->source[member[i]] * job->call->in.column;
            lists->y_at[at++] = y + member[i] * job->call->out.column;
        }
        list.count = at - list.begin;
    }
    if (list.count == 0) return;
    lists->list[lists->count++] = list;
    *pixels += list.count;
}

static void wide_gather(const wide_job *job, wide_lists *lists, int64_t first, int64_t units)
{
    int64_t pixels = 0;
    if (lists->first == first && lists->units == units) return;
    lists->first = first;
    lists->units = units;
    lists->count = 0;
    for (int64_t row_class = 0; row_class < job->height.classes; row_class++)
        for (int64_t column_class = 0; column_class < job->width.classes; column_class++)
            wide_collect(job, lists, &pixels, first, first + units, row_class, column_class);
    lists->pixels = pixels;
}

/* What follows the sums of a chunk of whole images: its part of `linear` where that is read, and the next chunk's
 * input. Each list of pixels fetches its share, and moves on. */
static lae_conv_ahead wide_ahead_of(const wide_job *job, int64_t each, int64_t unit, int64_t end, int64_t last)
{
    const lae_conv_call *call = job->call;
    const int64_t left = last - end, units = end - unit < left ? end - unit : left;
    lae_conv_ahead ahead = { { call->in.data, call->in.data }, { 0, 0 } };
    if (end % each == 0 && units > 0 && call->in.batch > 0) {
        ahead.from[0] += end / each * call->in.batch;
        ahead.floats[0] = units / each * call->in.batch;
    }
    if (unit % each == 0 && call->derivative && call->linear.batch > 0) {
        ahead.from[1] = call->linear.data + unit / each * call->linear.batch;
        ahead.floats[1] = (end - unit) / each * call->linear.batch;
    }
    return ahead;
}

static lae_conv_ahead wide_ahead_take(lae_conv_ahead *ahead, const wide_lists *lists, const wide_list *list)
{
    const int64_t tiles = (list->count + LAE_CONV_TILE - 1) / LAE_CONV_TILE;
    lae_conv_ahead share = *ahead;
    for (int k = 0; k < 2; k++) {
        share.floats[k] = lae_conv_lines(ahead->floats[k] * list->count / lists->pixels / tiles);
        ahead->from[k] += tiles * share.floats[k];
    }
    return share;
}

/* The lists' pixels of the images from `image` on. */
static void wide_strip(const wide_job *job, const wide_lists *lists, int64_t image, int64_t index,
                       lae_conv_ahead ahead)
{
    const lae_conv_shape *shape = &job->call->shape;
    const lae_conv_strip strip = lae_conv_strip_of(job->call->kernels, shape, index);
    const int64_t tap_floats = shape->depth * strip.vectors * job->call->kernels->lanes;
    const int64_t x_column = job->width.step * job->call->in.column;
    lae_conv_sweep sweep = { 0 };
    sweep.x = job->call->in.data + image * job->call->in.batch + strip.in;
    sweep.y = job->call->out.data + image * job->call->out.batch + strip.out;
    sweep.bias = job->call->bias ? job->call->bias + strip.out : NULL;
    sweep.x_row = job->height.step * job->call->in.row;
    sweep.w_row = shape->width.taps * tap_floats;
    sweep.vectors = strip.vectors;
    sweep.last = strip.last;
    for (int64_t l = 0; l < lists->count; l++) {
        const wide_list *list = &lists->list[l];
        const int64_t taps = job->width.taps[list->column_class];
        const int merged = x_column == shape->depth && !shape->diagonal; /* a row of taps is one run */
        sweep.w = job->call->panels + strip.weights + job->height.tap[list->row_class] * sweep.w_row +
                  job->width.tap[list->column_class] * tap_floats;
        sweep.x_at = lists->x_at + list->begin;
        sweep.y_at = lists->y_at + list->begin;
        sweep.pixels = list->count;
        sweep.rows = taps ? job->height.taps[list->row_class] : 0;
        sweep.columns = merged ? 1 : taps;
        sweep.run = merged ? taps * shape->depth : shape->depth;
        sweep.x_column = x_column;
        sweep.w_column = tap_floats;
        sweep.ahead = wide_ahead_take(&ahead, lists, list);
        if (shape->diagonal) job->call->kernels->sweep_diagonal(&sweep);
        else job->call->kernels->sweep(&sweep);
    }
}

/* y = f(out) on channels [c0, c1) of units [u0, u1). */
static void wide_finish(const wide_job *job, int64_t u0, int64_t u1, int64_t c0, int64_t c1)
{
    const int64_t rows = job->call->shape.height.out;
    for (int64_t unit = u0; unit < u1; unit++) {
        int64_t begin, end;
        wide_columns(job, unit, &begin, &end);
        lae_conv_finish(job->call, unit / job->segments / rows, unit / job->segments % rows, begin, end, c0, c1);
    }
}

static void wide_task(void *payload, int thread, int threads)
{
    const wide_job *job = payload;
    const int64_t each = job->call->shape.height.out * job->segments, units = job->call->shape.batch * each;
    wide_lists *lists = &job->lists[thread];
    int64_t s0, s1, u0, u1;
    (void)threads;
    if (thread >= job->grid.across * job->grid.down) return;
    lae_pool_part(job->strips, thread % job->grid.across, job->grid.across, &s0, &s1);
    lae_pool_part(units, thread / job->grid.across, job->grid.down, &u0, &u1);
    if (s0 == s1) return;
    const lae_conv_strip first = lae_conv_strip_of(job->call->kernels, &job->call->shape, s0);
    const lae_conv_strip last = lae_conv_strip_of(job->call->kernels, &job->call->shape, s1 - 1);
    lists->units = 0;
    for (int64_t unit = u0, end; unit < u1; unit = end) {
        end = unit + job->chunk < u1 ? unit + job->chunk : u1;
        wide_gather(job, lists, unit % each, end - unit);
        lae_conv_ahead ahead = wide_ahead_of(job, each, unit, end, u1);
        for (int64_t strip = s0; strip < s1; strip++, ahead.floats[0] = ahead.floats[1] = 0)
            wide_strip(job, lists, unit / each, strip, ahead);
        wide_finish(job, unit, end, first.out, last.out + last.channels);
    }
}

/* Units, and how many of them make a chunk: whole images where some fit. */
static void wide_cut(wide_job *job)
{
    const lae_conv_shape *shape = &job->call->shape;
    const int64_t columns = shape->width.out, rows = shape->height.out;
    job->segments = (columns + WIDE_CHUNK_PIXELS - 1) / WIDE_CHUNK_PIXELS;
    job->segment = (columns + job->segments - 1) / job->segments;
    const int64_t image = shape->groups * (lae_conv_in_channels(shape) * shape->height.in * shape->width.in +
                                           shape->features * rows * columns) * (int64_t)sizeof(float);
    const int64_t unit = image / (rows * job->segments) + 1;
    int64_t chunk = WIDE_CHUNK_BYTES / unit;
    if (chunk * job->segment > WIDE_CHUNK_PIXELS) chunk = WIDE_CHUNK_PIXELS / job->segment;
    if (chunk > rows * job->segments) chunk -= chunk % (rows * job->segments);
    job->chunk = chunk > 0 ? chunk : 1;
}

lae_grid lae_conv_grid(int64_t units, int64_t strips, int threads)
{
    lae_grid best = { 1, threads };
    int64_t least = INT64_MAX;
    for (int across = 1; across <= threads; across++) {
        const int down = threads / across;
        const int64_t most = ((strips + across - 1) / across) * ((units + down - 1) / down);
        if (most >= least) continue;
        least = most;
        best = (lae_grid){ across, down };
    }
    return best;
}

lstmae_status lae_conv_wide_run(lstmae_queue *queue, const lae_conv_call *call)
{
    const lae_conv_shape *shape = &call->shape;
    const size_t height_words = lae_conv_axis_words(&shape->height), width_words = lae_conv_axis_words(&shape->width);
    const int threads = lae_pool_wanted(queue->pool, lae_conv_products(shape), LAE_POOL_GRAIN_FMA);
    const size_t lists = (size_t)threads * sizeof(wide_lists);
    wide_job job = { .call = call, .strips = shape->groups * lae_conv_panels(call->kernels, shape) };
    char *plan = lae_scratch_get(queue, LAE_SCRATCH_CONV, lists + (height_words + width_words) * sizeof(int64_t));
    if (!plan) return LSTMAE_ERR_NO_MEMORY;
    job.lists = (wide_lists *)(void *)plan;
    lae_conv_axis_plan(&job.height, &shape->height, (int64_t *)(void *)(plan + lists));
    lae_conv_axis_plan(&job.width, &shape->width, (int64_t *)(void *)(plan + lists) + height_words);
    wide_cut(&job);
    job.grid = lae_conv_grid(shape->batch * shape->height.out * job.segments, job.strips, threads);
    lae_pool_run(queue->pool, threads, wide_task, &job);
    return LSTMAE_OK;
}
