/*
 * Convolutions to one to four channels, such as those that end a decoder: a vector of channels would be mostly empty,
 * so the lanes are pixels. A band of the input is split into planes with zeros around them; there, every tap is one
 * distance for all pixels of an output phase, and rows need no attention: a plane is one row of cells.
 *
 * Along an axis out = cell * every + phase - offset meets in = cell + shift(tap) for the taps of its phase. A
 * transposed convolution has `stride` phases, one with stride 1 a single one.
 *
 * Zeros around an image are multiplied here, so weights must be finite: others are left to the wide way.
 */
#include "conv.h"

#include <string.h>

/* Bytes of planes of a band, about. */
#define NARROW_BAND_BYTES ((int64_t)192 << 10)

/* Taps at most. */
#define NARROW_TAPS 64

/* Floats after a plane that whole vectors may reach: less than one. */
#define NARROW_SLACK 16

typedef struct narrow_axis {
    const lae_conv_rule *rule;
    int64_t every, offset;
    int64_t begin, end; /* cells of all positions of out */
    int64_t low, high;  /* least and greatest shift */
} narrow_axis;

typedef struct narrow_job {
    const lae_conv_call *call;
    narrow_axis height, width;
    int64_t bands, band;  /* of each image; cells of the height in one */
    int64_t columns;      /* of planes */
    int64_t plane, cells; /* floats of one of the input, and of the output */
    float *scratch;       /* planes of the input and of the output, for each thread */
    int64_t scratch_floats;
} narrow_job;

/* 1 if the tap belongs to the phase: *shift is what leads from a cell to its position of in. */
static int narrow_shift(const narrow_axis *axis, int64_t tap, int64_t phase, int64_t *shift)
{
    const int64_t reach = tap * axis->rule->dilation;
    *shift = axis->rule->transposed ? (phase - reach) / axis->every : reach - axis->rule->padding;
    return !axis->rule->transposed || (reach - phase) % axis->every == 0;
}

static narrow_axis narrow_axis_of(const lae_conv_rule *rule)
{
    narrow_axis axis = { .rule = rule, .every = rule->transposed ? rule->stride : 1,
                         .offset = rule->transposed ? rule->padding : 0 };
    axis.begin = axis.offset / axis.every;
    axis.end = (rule->out - 1 + axis.offset) / axis.every + 1;
    axis.low = INT64_MAX;
    axis.high = INT64_MIN;
    for (int64_t phase = 0; phase < axis.every; phase++) {
        for (int64_t tap = 0; tap < rule->taps; tap++) {
            int64_t shift;
            if (!narrow_shift(&axis, tap, phase, &shift)) continue;
            if (shift < axis.low) axis.low = shift;
            if (shift > axis.high) axis.high = shift;
        }
    }
    return axis;
}

static int narrow_shape(const lae_conv_kernels *kernels, const lae_conv_shape *shape)
{
    const lae_conv_rule *height = &shape->height, *width = &shape->width;
    if (shape->groups != 1 || shape->diagonal) return 0;
    if (shape->features > LAE_CONV_NARROW || shape->features > kernels->lanes / 2) return 0;
    if (height->taps > NARROW_TAPS || width->taps > NARROW_TAPS || lae_conv_taps(shape) > NARROW_TAPS) return 0;
    if (shape->depth < kernels->lanes || width->out < kernels->lanes / 2) return 0;
    if (height->transposed) return height->stride <= height->taps && width->stride <= width->taps;
    return height->stride == 1 && width->stride == 1;
}

int lae_conv_narrow_fits(const lae_conv_call *call)
{
    return narrow_shape(call->kernels, &call->shape) &&
           lae_conv_finite(call->panels, lae_conv_group_floats(call->kernels, &call->shape));
}

/* Rows of cells [c0, c1) of an image as planes: x at cell + shift is at row (cell - c0) + (shift - low). */
static void narrow_split(const narrow_job *job, int64_t image, int64_t c0, int64_t c1, float *planes)
{
    const lae_conv_call *call = job->call;
    const int64_t depth = call->shape.depth, left = job->width.begin + job->width.low;
    const int64_t first = left > 0 ? left : 0, rows = c1 - c0 + job->height.high - job->height.low;
    const int64_t end = left + job->columns < call->shape.width.in ? left + job->columns : call->shape.width.in;
    memset(planes, 0, (size_t)(depth * job->plane) * sizeof(float));
    for (int64_t r = 0; r < rows && first < end; r++) {
        const int64_t row = c0 + job->height.low + r;
        if (row < 0 || row >= call->shape.height.in) continue;
        call->kernels->split(planes + r * job->columns + first - left, job->plane,
                             call->in.data + image * call->in.batch + row * call->in.row + first * call->in.column,
                             call->in.column, depth, end - first);
    }
}

/* Some of the output: cells of both axes at one phase of each. */
typedef struct narrow_part {
    int64_t image, row_phase, column_phase;
    int64_t row, rows, column, columns; /* cells */
} narrow_part;

/* Cells [*begin, *end) of those whose position at this phase is one of out. */
static void narrow_inside(const narrow_axis *axis, int64_t phase, int64_t *begin, int64_t *end)
{
    while (*begin < *end && *begin * axis->every + phase < axis->offset) ++*begin;
    while (*end > *begin && (*end - 1) * axis->every + phase - axis->offset >= axis->rule->out) --*end;
}

/* From row to row of the planes, cells follow one another: those beyond the part's columns are not stored. */
static void narrow_compute(const narrow_job *job, const narrow_part *part, const float *planes, float *cells)
{
    const lae_conv_call *call = job->call;
    const lae_conv_rule *height = &call->shape.height, *width = &call->shape.width;
    const int64_t lanes = call->kernels->lanes;
    int64_t x_at[NARROW_TAPS], w_at[NARROW_TAPS], row_shift, column_shift;
    lae_conv_planes p = { .x = planes, .w = call->panels, .y = cells, .x_at = x_at, .w_at = w_at };
    for (int64_t r = 0; r < height->taps; r++) {
        if (!narrow_shift(&job->height, r, part->row_phase, &row_shift)) continue;
        for (int64_t s = 0; s < width->taps; s++) {
            if (!narrow_shift(&job->width, s, part->column_phase, &column_shift)) continue;
            const int64_t position = lae_conv_tap_position(height, r) * width->taps + lae_conv_tap_position(width, s);
            x_at[p.taps] = (row_shift - job->height.low) * job->columns + column_shift - job->width.low;
            w_at[p.taps++] = position * call->shape.depth * lanes;
        }
    }
    p.depth = call->shape.depth;
    p.x_plane = job->plane;
    p.features = call->shape.features;
    p.y_plane = job->cells;
    p.vectors = ((part->rows - 1) * job->columns + part->columns + lanes - 1) / lanes;
    call->kernels->planes(&p);
}

static void narrow_store(const narrow_job *job, const narrow_part *part, const float *cells)
{
    const lae_conv_call *call = job->call;
    const narrow_axis *height = &job->height, *width = &job->width;
    const int64_t step = width->every * call->out.column;
    const int64_t column = part->column * width->every + part->column_phase - width->offset;
    for (int64_t r = 0; r < part->rows; r++) {
        const int64_t row = (part->row + r) * height->every + part->row_phase - height->offset;
        float *out = call->out.data + part->image * call->out.batch + row * call->out.row + column * call->out.column;
        for (int64_t n = 0; n < call->shape.features; n++) {
            const float *from = cells + n * job->cells + r * job->columns;
            const float bias = call->bias ? call->bias[n] : 0.0f;
            for (int64_t i = 0; i < part->columns; i++) out[i * step + n] = from[i] + bias;
        }
    }
}

/* All phases of the rows of cells [c0, c1). */
static void narrow_band(const narrow_job *job, int64_t image, int64_t c0, int64_t c1, float *planes, float *cells)
{
    const narrow_axis *height = &job->height, *width = &job->width;
    narrow_split(job, image, c0, c1, planes);
    for (int64_t phase = 0; phase < height->every * width->every; phase++) {
        narrow_part part = { image, phase / width->every, phase % width->every, c0, c1, width->begin, width->end };
        narrow_inside(height, part.row_phase, &part.row, &part.rows);
        narrow_inside(width, part.column_phase, &part.column, &part.columns);
        part.rows -= part.row;
        part.columns -= part.column;
        if (part.rows == 0 || part.columns == 0) continue;
        narrow_compute(job, &part, planes + (part.row - c0) * job->columns + part.column - width->begin, cells);
        narrow_store(job, &part, cells);
    }
}

static void narrow_task(void *payload, int thread, int threads)
{
    const narrow_job *job = payload;
    const lae_conv_call *call = job->call;
    const narrow_axis *height = &job->height;
    float *planes = job->scratch + thread * job->scratch_floats, *cells = planes + call->shape.depth * job->plane;
    int64_t begin, end;
    lae_pool_part(call->shape.batch * job->bands, thread, threads, &begin, &end);
    for (int64_t unit = begin; unit < end; unit++) {
        const int64_t image = unit / job->bands, c0 = height->begin + unit % job->bands * job->band;
        const int64_t c1 = c0 + job->band < height->end ? c0 + job->band : height->end;
        narrow_band(job, image, c0, c1, planes, cells);
        for (int64_t row = c0 * height->every - height->offset; row < c1 * height->every - height->offset; row++)
            if (row >= 0 && row < height->rule->out)
                lae_conv_finish(call, image, row, 0, call->shape.width.out, 0, call->shape.features);
    }
}

lstmae_status lae_conv_narrow_run(lstmae_queue *queue, const lae_conv_call *call)
{
    const lae_conv_shape *shape = &call->shape;
    const int threads = lae_pool_wanted(queue->pool, lae_conv_products(shape), LAE_POOL_GRAIN_FMA);
    narrow_job job = { .call = call, .height = narrow_axis_of(&shape->height), .width = narrow_axis_of(&shape->width) };
    const int64_t rows = job.height.end - job.height.begin, halo = job.height.high - job.height.low;
    job.columns = job.width.end - job.width.begin + job.width.high - job.width.low;
    int64_t bands = (rows * job.columns * shape->depth * (int64_t)sizeof(float)) / NARROW_BAND_BYTES + 1;
    if (bands * shape->batch < threads) bands = (threads + shape->batch - 1) / shape->batch;
    if (bands > rows) bands = rows;
    job.band = (rows + bands - 1) / bands;
    job.bands = (rows + job.band - 1) / job.band;
    job.cells = job.band * job.columns + NARROW_SLACK;
    job.plane = (job.band + halo) * job.columns + NARROW_SLACK;
    job.scratch_floats = shape->depth * job.plane + shape->features * job.cells;
    job.scratch = lae_scratch_get(queue, LAE_SCRATCH_CONV,
                                  (size_t)(threads * job.scratch_floats) * sizeof(float));
    if (!job.scratch) return LSTMAE_ERR_NO_MEMORY;
    lae_pool_run(queue->pool, threads, narrow_task, &job);
    return LSTMAE_OK;
}
