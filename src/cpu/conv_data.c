/*
 * Convolutions and transposed convolutions: every pixel of the output from the pixels under its taps, see conv.h.
 *
 * The output is cut into units, rows or parts of long ones. Threads take runs of units, and where there are few of
 * them, panels of channels. A run passes through in chunks that stay in the second-level cache beside a panel of
 * weights; bias, pre-activation and activation are done before a chunk leaves it.
 */
#include "conv.h"
#include "cpu_arrays.h"
#include "cpu_entries.h"
#include "kernels.h"
#include "pointwise.h"
#include "product.h"

/* Bytes of input and output of a chunk, about; and its pixels at most, which bounds the lists of a thread. */
#define DATA_CHUNK_BYTES ((int64_t)160 << 10)
#define DATA_CHUNK_PIXELS 1024

/* Pixels that have the same taps, in a thread's lists. */
typedef struct data_list {
    int64_t begin, count;
    int64_t row_class, column_class;
} data_list;

typedef struct data_lists {
    int64_t x_at[DATA_CHUNK_PIXELS], y_at[DATA_CHUNK_PIXELS];
    data_list list[DATA_CHUNK_PIXELS];
    int64_t count;
} data_lists;

typedef struct data_job {
    const lae_conv_kernels *kernels;
    const lae_pointwise *loops;
    const lae_conv_shape *shape;
    lae_conv_axis height, width;
    lae_conv_image in, out; /* out receives the sums with bias */
    lae_conv_image y;       /* receives f(out); may be out */
    const float *panels, *bias;
    int map;
    float param;
    int64_t strips;             /* panels of all groups */
    int64_t segments, segment;  /* of each row, and columns of one */
    int64_t chunk;              /* units */
    lae_grid grid;
    data_lists *lists;          /* one for each thread */
} data_job;

/* A unit is row `unit / segments` of all images, columns [*begin, *end). */
static void data_columns(const data_job *job, int64_t unit, int64_t *begin, int64_t *end)
{
    const int64_t columns = job->shape->width.out;
    *begin = unit % job->segments * job->segment;
    *end = *begin + job->segment < columns ? *begin + job->segment : columns;
}

/* The pixels of units [u0, u1) in these classes. */
static void data_collect(const data_job *job, data_lists *lists, int64_t *pixels, int64_t u0, int64_t u1,
                         int64_t row_class, int64_t column_class)
{
    const lae_conv_axis *width = &job->width;
    const int64_t *member = width->members, rows = job->shape->height.out;
    data_list list = { *pixels, 0, row_class, column_class };
    for (int64_t unit = u0; unit < u1; unit++) {
        const int64_t image = unit / job->segments / rows, row = unit / job->segments % rows;
        int64_t begin, end, at = list.begin + list.count;
        if (job->height.class_of[row] != row_class) continue;
        data_columns(job, unit, &begin, &end);
        const int64_t x = image * job->in.batch + job->height.source[row] * job->in.row;
        const int64_t y = image * job->out.batch + row * job->out.row;
        for (int64_t i = width->begin[column_class]; i < width->begin[column_class + 1]; i++) {
            if (member[i] < begin || member[i] >= end) continue;
            lists->x_at[at] = x + width->source[member[i]] * job->in.column;
            lists->y_at[at++] = y + member[i] * job->out.column;
        }
        list.count = at - list.begin;
    }
    if (list.count == 0) return;
    lists->list[lists->count++] = list;
    *pixels += list.count;
}

static void data_gather(const data_job *job, data_lists *lists, int64_t u0, int64_t u1)
{
    int64_t pixels = 0;
    lists->count = 0;
    for (int64_t row_class = 0; row_class < job->height.classes; row_class++)
        for (int64_t column_class = 0; column_class < job->width.classes; column_class++)
            data_collect(job, lists, &pixels, u0, u1, row_class, column_class);
}

static void data_strip(const data_job *job, const data_lists *lists, int64_t index)
{
    const lae_conv_shape *shape = job->shape;
    const lae_conv_strip strip = lae_conv_strip_of(job->kernels, shape, index);
    const int64_t tap_floats = shape->depth * strip.vectors * job->kernels->lanes;
    const int64_t x_column = job->width.step * job->in.column;
    lae_conv_sweep sweep = { 0 };
    sweep.x = job->in.data + strip.in;
    sweep.y = job->out.data + strip.out;
    sweep.bias = job->bias ? job->bias + strip.out : NULL;
    sweep.x_row = job->height.step * job->in.row;
    sweep.w_row = shape->width.taps * tap_floats;
    sweep.vectors = strip.vectors;
    sweep.last = strip.last;
    for (int64_t l = 0; l < lists->count; l++) {
        const data_list *list = &lists->list[l];
        const int64_t taps = job->width.taps[list->column_class];
        const int merged = x_column == shape->depth; /* a row of taps is one run */
        sweep.w = job->panels + strip.weights + job->height.tap[list->row_class] * sweep.w_row +
                  job->width.tap[list->column_class] * tap_floats;
        sweep.x_at = lists->x_at + list->begin;
        sweep.y_at = lists->y_at + list->begin;
        sweep.pixels = list->count;
        sweep.rows = taps ? job->height.taps[list->row_class] : 0;
        sweep.columns = merged ? 1 : taps;
        sweep.run = merged ? taps * shape->depth : shape->depth;
        sweep.x_column = x_column;
        sweep.w_column = tap_floats;
        job->kernels->sweep(&sweep);
    }
}

/* y = f(out) on channels [c0, c1) of units [u0, u1). */
static void data_map(const data_job *job, int64_t u0, int64_t u1, int64_t c0, int64_t c1)
{
    const int64_t rows = job->shape->height.out, channels = job->shape->groups * job->shape->features;
    const int dense = c1 - c0 == channels && job->out.column == channels && job->y.column == channels;
    for (int64_t unit = u0; unit < u1; unit++) {
        const int64_t image = unit / job->segments / rows, row = unit / job->segments % rows;
        int64_t begin, end;
        data_columns(job, unit, &begin, &end);
        const float *out = job->out.data + image * job->out.batch + row * job->out.row + begin * job->out.column + c0;
        float *y = job->y.data + image * job->y.batch + row * job->y.row + begin * job->y.column + c0;
        if (dense) {
            job->loops->map(job->map, job->param, y, out, (end - begin) * channels);
            continue;
        }
        for (int64_t i = begin; i < end; i++, out += job->out.column, y += job->y.column)
            job->loops->map(job->map, job->param, y, out, c1 - c0);
    }
}

static void data_task(void *payload, int thread, int threads)
{
    const data_job *job = payload;
    const int64_t units = job->shape->batch * job->shape->height.out * job->segments;
    const int maps = job->map != LSTMAE_MAP_IDENTITY || job->y.data != job->out.data;
    int64_t s0, s1, u0, u1;
    (void)threads;
    if (thread >= job->grid.across * job->grid.down) return;
    lae_pool_part(job->strips, thread % job->grid.across, job->grid.across, &s0, &s1);
    lae_pool_part(units, thread / job->grid.across, job->grid.down, &u0, &u1);
    if (s0 == s1) return;
    const lae_conv_strip first = lae_conv_strip_of(job->kernels, job->shape, s0);
    const lae_conv_strip last = lae_conv_strip_of(job->kernels, job->shape, s1 - 1);
    for (int64_t unit = u0, end; unit < u1; unit = end) {
        end = unit + job->chunk < u1 ? unit + job->chunk : u1;
        data_gather(job, &job->lists[thread], unit, end);
        for (int64_t strip = s0; strip < s1; strip++) data_strip(job, &job->lists[thread], strip);
        if (maps) data_map(job, unit, end, first.out, last.out + last.channels);
    }
}

/* Units, and how many of them make a chunk: whole images where some fit. */
static void data_cut(data_job *job)
{
    const lae_conv_shape *shape = job->shape;
    const int64_t columns = shape->width.out, rows = shape->height.out;
    job->segments = (columns + DATA_CHUNK_PIXELS - 1) / DATA_CHUNK_PIXELS;
    job->segment = (columns + job->segments - 1) / job->segments;
    const int64_t image = shape->groups * (shape->depth * shape->height.in * shape->width.in +
                                           shape->features * rows * columns) * (int64_t)sizeof(float);
    const int64_t unit = image / (rows * job->segments) + 1;
    int64_t chunk = DATA_CHUNK_BYTES / unit;
    if (chunk * job->segment > DATA_CHUNK_PIXELS) chunk = DATA_CHUNK_PIXELS / job->segment;
    if (chunk > rows * job->segments) chunk -= chunk % (rows * job->segments);
    job->chunk = chunk > 0 ? chunk : 1;
}

/* The cut between threads whose largest part is smallest; units before panels. */
static lae_grid data_grid(const data_job *job, int threads)
{
    const int64_t units = job->shape->batch * job->shape->height.out * job->segments;
    lae_grid best = { 1, threads };
    int64_t least = INT64_MAX;
    for (int across = 1; across <= threads; across++) {
        const int down = threads / across;
        const int64_t most = ((job->strips + across - 1) / across) * ((units + down - 1) / down);
        if (most >= least) continue;
        least = most;
        best = (lae_grid){ across, down };
    }
    return best;
}

static int64_t data_products(const lae_conv_shape *shape)
{
    const lae_conv_rule *height = &shape->height, *width = &shape->width;
    const int64_t pixels = height->transposed ? height->in * width->in : height->out * width->out;
    return shape->batch * pixels * lae_conv_taps(shape) * shape->groups * shape->depth * shape->features;
}

static lstmae_status data_run(lstmae_queue *queue, data_job *job, const lstmae_conv_args *args)
{
    const lae_conv_shape *shape = job->shape;
    const size_t height_words = lae_conv_axis_words(&shape->height), width_words = lae_conv_axis_words(&shape->width);
    const int threads = lae_pool_wanted(queue->pool, data_products(shape), LAE_POOL_GRAIN_FMA);
    const size_t lists = (size_t)threads * sizeof(data_lists);
    char *plan = lae_scratch_get(queue, LAE_SCRATCH_CONV, lists + (height_words + width_words) * sizeof(int64_t));
    if (!plan) return LSTMAE_ERR_NO_MEMORY;
    job->lists = (data_lists *)(void *)plan;
    lae_conv_axis_plan(&job->height, &shape->height, (int64_t *)(void *)(plan + lists));
    lae_conv_axis_plan(&job->width, &shape->width, (int64_t *)(void *)(plan + lists) + height_words);
    job->strips = shape->groups * lae_conv_panels(job->kernels, shape);
    job->panels = args->prepared;
    if (!job->panels) {
        const int64_t floats = shape->groups * lae_conv_group_floats(job->kernels, shape);
        float *panels = lae_scratch_get(queue, LAE_SCRATCH_PACK_W, (size_t)floats * sizeof(float));
        if (!panels) return LSTMAE_ERR_NO_MEMORY;
        lae_conv_pack(queue, job->kernels, shape, panels, args->w);
        job->panels = panels;
    }
    data_cut(job);
    job->grid = data_grid(job, threads);
    lae_pool_run(queue->pool, threads, data_task, job);
    return LSTMAE_OK;
}

/* Outputs whose channels are not adjacent are computed in scratch memory and copied. */
static lstmae_status data_run_elsewhere(lstmae_queue *queue, data_job *job, const lstmae_conv_args *args,
                                        const lstmae_view *y)
{
    lstmae_view dense;
    lstmae_status status = lae_conv_image_scratch(queue, LAE_SCRATCH_IMAGE_Y, &job->out, &dense, y);
    if (status < 0) return status;
    job->y = job->out;
    if (args->linear) job->map = LSTMAE_MAP_IDENTITY;
    status = data_run(queue, job, args);
    if (status >= 0) status = cpu_copy(queue, args->linear ? args->linear : y, &dense);
    if (status >= 0 && args->linear) status = cpu_map(queue, args->map, args->param, y, args->linear);
    return status;
}

static lstmae_status data_entry(lstmae_queue *queue, const lstmae_conv_args *args, int transposed)
{
    const lstmae_view *x = transposed ? &args->y : &args->x, *y = transposed ? &args->x : &args->y;
    const lae_conv_shape shape = lae_conv_shape_of(args, transposed);
    data_job job = { .kernels = lae_conv_kernels_of(queue->kernels->isa),
                     .loops = lae_pointwise_of(queue->kernels->isa),
                     .shape = &shape,
                     .bias = args->bias,
                     .map = args->map,
                     .param = (float)args->param };
    const lstmae_status status = lae_conv_image_bring(queue, LAE_SCRATCH_IMAGE_X, &job.in, x);
    if (status < 0) return status;
    if (lae_conv_image_of(&job.y, y) && lae_conv_image_of(&job.out, args->linear ? args->linear : y))
        return data_run(queue, &job, args);
    return data_run_elsewhere(queue, &job, args, y);
}

lstmae_status cpu_conv_forward(lstmae_queue *queue, const lstmae_conv_args *args)
{
    if (args->dtype != LSTMAE_F32) return cpu_reference(queue)->conv_forward(queue, args);
    return data_entry(queue, args, 0);
}

lstmae_status cpu_conv_backward_data(lstmae_queue *queue, const lstmae_conv_args *args)
{
    if (args->dtype != LSTMAE_F32) return cpu_reference(queue)->conv_backward_data(queue, args);
    return data_entry(queue, args, 1);
}
