/*
 * The gradient of a convolution's weights: for every tap a product of x and dy over all pixels where the tap lies
 * inside of the image.
 *
 * The rows of all images are cut into blocks that depend on the shape alone. A block's sums, for one tap in one panel,
 * are the work of one thread; blocks are then added in order and in double. So the bits do not depend on the threads.
 * A block passes through in boxes of pixels that stay in the second-level cache. Where many channels lie between the
 * pixels of dy, its vectors are first dealt to buffers of their own, in which those that are read together lie side by
 * side: in the image they would fall into few sets of the first-level cache and push each other out.
 */
#include "conv_winograd.h"
#include "cpu_arrays.h"
#include "cpu_entries.h"
#include "kernels.h"
#include "pointwise.h"

#include <stddef.h>
#include <string.h>

/* Bytes of x and of a panel's channels of dy in a box, about. */
#define WEIGHT_BOX_BYTES ((int64_t)256 << 10)

/* Floats from pixel to pixel of dy from which on it is dealt. */
#define WEIGHT_DEAL_FLOATS 128

/* Floats between what is dealt to one group and to the next: a cache line, so that they begin in different sets. */
#define WEIGHT_GAP 16

/* Pieces of work there should be, bytes that the sums of all blocks may take, and pixels of dy that deserve a block. */
#define WEIGHT_PIECES 256
#define WEIGHT_SUM_BYTES ((int64_t)16 << 20)
#define WEIGHT_BLOCK_PIXELS 1024

/* Taps whose blocks are added at once. */
#define WEIGHT_TAPS 16

/* Positions first, first + 1, ... along an axis. */
typedef struct weight_range {
    int64_t first, count;
} weight_range;

/* Pixels of dy: of some images, the same rows and columns. */
typedef struct weight_box {
    weight_range images, rows, columns;
} weight_box;

/* The pixels of a box as the kernel reads them; group: from the vectors of one step to the next. */
typedef struct weight_pixels {
    const float *data;
    int64_t image, row, column, group;
} weight_pixels;

typedef struct weight_job {
    const lae_conv_kernels *kernels;
    const lae_pointwise *loops;
    lae_pool *pool;
    const lstmae_conv_args *args;
    lae_conv_shape shape;
    lae_conv_image x, y;
    int64_t strips, taps;
    int64_t blocks;        /* none for an empty batch */
    int64_t rows, columns; /* of dy in a box; rows may be those of several images */
    int64_t block_floats;
    float *sums;           /* [blocks][panels like those of weights] */
    lae_conv_cut cut;      /* channels of x */
    int64_t step;          /* vectors of dy beside a tile of them */
    int64_t dealt_floats;  /* what a thread deals at most */
    float *dealt;          /* [threads][dealt_floats] */
} weight_job;

/* What one thread does: taps [t0, t1) of a strip, with a box of a block. */
typedef struct weight_work {
    const weight_job *job;
    lae_conv_strip strip;
    int64_t t0, t1;
    float *sums, *dealt;
    int add;
    weight_box box;
    weight_pixels y;
    lae_conv_ahead ahead; /* what each tile is to fetch of the next box */
} weight_work;

/* Positions of `range` along an axis of dy whose tap lies inside of x. */
static weight_range weight_inside(const lae_conv_rule *rule, int64_t tap, weight_range range)
{
    /* 0 <= p stride + shift < in */
    const int64_t shift = tap * rule->dilation - rule->padding, stride = rule->stride, end = range.first + range.count;
    const int64_t low = shift < 0 ? (-shift + stride - 1) / stride : 0;
    const int64_t high = shift < rule->in ? (rule->in - 1 - shift) / stride + 1 : 0;
    const int64_t first = low > range.first ? low : range.first, count = (high < end ? high : end) - first;
    return (weight_range){ first, count > 0 ? count : 0 };
}

/* Vectors are read whole where they are not dealt. */
static int weight_deals(const weight_job *job, const lae_conv_strip *strip)
{
    return !job->shape.diagonal && (job->y.column >= WEIGHT_DEAL_FLOATS || strip->last < job->kernels->lanes);
}

/* The box's pixels of dy, the strip's first channel first. */
static weight_pixels weight_pixels_of(const weight_work *work)
{
    const weight_job *job = work->job;
    const weight_box *box = &work->box;
    const int64_t wide = job->step * job->kernels->lanes, rest = work->strip.channels % wide;
    weight_pixels here = { job->y.data + box->images.first * job->y.batch + box->rows.first * job->y.row +
                               box->columns.first * job->y.column + work->strip.out,
                           job->y.batch, job->y.row, job->y.column, wide };
    if (!weight_deals(job, &work->strip)) return here;
    const int64_t row = box->columns.count * wide, image = box->rows.count * row;
    lae_conv_deal deal = { .pixels = box->columns.count, .pixel = here.column, .width = wide,
                           .group = box->images.count * image + WEIGHT_GAP, .groups = work->strip.channels / wide,
                           .rest = rest };
    for (int64_t i = 0; i < box->images.count; i++) {
        for (int64_t r = 0; r < box->rows.count; r++) {
            deal.from = here.data + i * here.image + r * here.row;
            deal.to = work->dealt + i * image + r * row;
            job->kernels->deal(&deal);
        }
    }
    return (weight_pixels){ work->dealt, image, row, wide, deal.group };
}

/* One tap for the kernel: the first of the strip's channels on both sides. */
static lae_conv_gradient weight_gradient(const weight_work *work, int64_t tap)
{
    const weight_job *job = work->job;
    const lae_conv_rule *height = &job->shape.height, *width = &job->shape.width;
    const int64_t row_tap = tap / width->taps, column_tap = tap % width->taps;
    const weight_range rows = weight_inside(height, row_tap, work->box.rows);
    const weight_range columns = weight_inside(width, column_tap, work->box.columns);
    const int64_t sum_row = work->strip.vectors * job->kernels->lanes;
    lae_conv_gradient g = { .sum = work->sums + tap * job->shape.depth * sum_row, .add = work->add,
                            .sum_row = sum_row, .ahead = work->ahead };
    if (rows.count == 0 || columns.count == 0) return g;
    const int64_t x_row = rows.first * height->stride + row_tap * height->dilation - height->padding;
    const int64_t x_column = columns.first * width->stride + column_tap * width->dilation - width->padding;
    g.x = job->x.data + work->box.images.first * job->x.batch + x_row * job->x.row + x_column * job->x.column +
          work->strip.in;
    g.y = work->y.data + (rows.first - work->box.rows.first) * work->y.row +
          (columns.first - work->box.columns.first) * work->y.column;
    g.images = work->box.images.count;
    g.x_image = job->x.batch;
    g.y_image = work->y.image;
    g.rows = rows.count;
    g.x_row = height->stride * job->x.row;
    g.y_row = work->y.row;
    g.columns = columns.count;
    g.x_column = width->stride * job->x.column;
    g.y_column = work->y.column;
    return g;
}

static void weight_fetched(lae_conv_ahead *ahead)
{
    for (int k = 0; k < 2; k++) ahead->from[k] += ahead->floats[k];
}

/* All tiles of channels of x beside all steps of vectors of dy. */
static void weight_tap(weight_work *work, int64_t tap)
{
    const weight_job *job = work->job;
    const lae_conv_gradient whole = weight_gradient(work, tap);
    lae_conv_gradient g = whole;
    for (int64_t from = 0; from < work->strip.vectors; from += job->step) {
        const int64_t left = work->strip.vectors - from;
        g.vectors = left < job->step ? left : job->step;
        if (whole.images > 0) g.y = whole.y + from / job->step * work->y.group;
        for (int64_t tile = 0, first = 0; tile < job->cut.tiles; tile++, first += g.channels) {
            g.channels = job->cut.low + (tile < job->cut.larger);
            if (whole.images > 0) g.x = whole.x + first;
            g.sum = whole.sum + first * whole.sum_row + from * job->kernels->lanes;
            job->kernels->gradient(&g);
            weight_fetched(&g.ahead);
        }
    }
    work->ahead = g.ahead;
}

/* A depthwise convolution's strip is one tile. */
static void weight_tap_diagonal(weight_work *work, int64_t tap)
{
    lae_conv_gradient g = weight_gradient(work, tap);
    g.channels = 1;
    g.vectors = work->strip.vectors;
    g.last = work->strip.last;
    work->job->kernels->gradient_diagonal(&g);
    weight_fetched(&work->ahead);
}

static void weight_box_sums(weight_work *work)
{
    work->y = weight_pixels_of(work);
    for (int64_t tap = work->t0; tap < work->t1; tap++) {
        if (work->job->shape.diagonal) weight_tap_diagonal(work, tap);
        else weight_tap(work, tap);
    }
    work->add = 1;
}

/*
 * What each tile is to fetch of the box after [r0, r1), where both are of whole images that lie one after the other,
 * for `tiles` tiles in all.
 */
static lae_conv_ahead weight_ahead(const weight_job *job, int64_t r0, int64_t r1, int64_t end, int64_t tiles)
{
    const lae_conv_image *images[] = { &job->x, &job->y };
    const int64_t rows = job->shape.height.out, left = end - r1, most = r1 - r0 < left ? r1 - r0 : left;
    lae_conv_ahead ahead = { { job->x.data, job->y.data }, { 0, 0 } };
    for (int k = 0; k < 2 && r1 % rows == 0 && most >= rows; k++) {
        if (images[k]->batch <= 0) continue;
        ahead.from[k] += r1 / rows * images[k]->batch;
        ahead.floats[k] = lae_conv_lines(most / rows * images[k]->batch / tiles);
    }
    return ahead;
}

/* The rows of a block, box by box: those sums stay in the cache as well. */
static void weight_strip(weight_work *work, int64_t block)
{
    const weight_job *job = work->job;
    const int64_t rows = job->shape.height.out, columns = job->shape.width.out;
    const int64_t unit = job->shape.batch >= job->blocks ? rows : 1; /* no images in parts where there are many */
    const int64_t steps = (work->strip.vectors + job->step - 1) / job->step;
    const int64_t boxes = (columns + job->columns - 1) / job->columns; /* beside each other */
    const int64_t tiles = (job->shape.diagonal ? 1 : steps * job->cut.tiles) * (work->t1 - work->t0) * boxes;
    int64_t begin, end;
    lae_pool_part(job->shape.batch * rows / unit, (int)block, (int)job->blocks, &begin, &end);
    begin *= unit;
    end *= unit;
    for (int64_t row = begin, next; row < end; row = next) {
        const int64_t image_end = row - row % rows + rows;
        next = row + job->rows < end ? row + job->rows : end;
        /* a box is of whole images, or inside of one */
        if (row % rows == 0 && next >= image_end) next -= (next - row) % rows;
        else if (next > image_end) next = image_end;
        work->box.images = (weight_range){ row / rows, (next - row + rows - 1) / rows };
        work->box.rows = (weight_range){ row % rows, next - row < rows ? next - row : rows };
        work->ahead = weight_ahead(job, row, next, end, tiles);
        for (int64_t c = 0; c < columns; c += job->columns) {
            work->box.columns = (weight_range){ c, columns - c < job->columns ? columns - c : job->columns };
            weight_box_sums(work);
        }
    }
}

/* dw of the strip's features for channel d of x: the blocks' sums, and beta dw. */
static void weight_reduce(const weight_job *job, const lae_conv_strip *strip, int64_t d)
{
    const lae_conv_shape *shape = &job->shape;
    const int64_t width = strip->vectors * job->kernels->lanes, tap_floats = shape->depth * width;
    const float beta = (float)job->args->beta;
    double sum[WEIGHT_TAPS][LAE_CONV_VECTORS * 16];
    float *dw = (float *)job->args->dw + strip->group * shape->group_stride +
                strip->out % shape->features * shape->feature_stride + d * shape->depth_stride;
    for (int64_t t0 = 0; t0 < job->taps; t0 += WEIGHT_TAPS) {
        const int64_t taps = job->taps - t0 < WEIGHT_TAPS ? job->taps - t0 : WEIGHT_TAPS;
        memset(sum, 0, sizeof(sum));
        const float *from = job->sums + strip->weights + t0 * tap_floats + d * width;
        for (int64_t t = 0; t < taps; t++)
            job->loops->add_rows(sum[t], from + t * tap_floats, job->block_floats, job->blocks, strip->channels);
        for (int64_t n = 0; n < strip->channels; n++) {
            float *to = dw + n * shape->feature_stride + t0;
            for (int64_t t = 0; t < taps; t++)
                to[t] = beta == 0.0f ? (float)sum[t][n] : (float)sum[t][n] + beta * to[t];
        }
    }
}

static void weight_task(void *payload, int thread, int threads)
{
    const weight_job *job = payload;
    const int64_t pieces = job->strips * job->taps, depth = job->shape.depth;
    int64_t begin, end;
    lae_pool_part(job->blocks * pieces, thread, threads, &begin, &end);
    for (int64_t piece = begin, next; piece < end; piece = next) {
        const int64_t block = piece / pieces, tap = piece % job->taps, left = job->taps - tap;
        next = end - piece < left ? end : piece + left;
        weight_work work = { .job = job, .t0 = tap, .t1 = tap + next - piece };
        work.strip = lae_conv_strip_of(job->kernels, &job->shape, piece % pieces / job->taps);
        if (job->dealt) work.dealt = job->dealt + thread * job->dealt_floats;
        work.sums = job->sums + block * job->block_floats + work.strip.weights;
        weight_strip(&work, block);
    }
    lae_pool_barrier(job->pool, threads);
    lae_pool_part(job->strips * depth, thread, threads, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        const lae_conv_strip strip = lae_conv_strip_of(job->kernels, &job->shape, i / depth);
        weight_reduce(job, &strip, i % depth);
    }
}

/* `count` in parts of about `most` that are as even as can be: the size of one. */
static int64_t weight_even(int64_t count, int64_t most)
{
    const int64_t parts = lae_conv_limit((count + most - 1) / most, count);
    return (count + parts - 1) / parts;
}

/* How the work is shared: by the shape alone. */
static void weight_cut(weight_job *job)
{
    const lae_conv_shape *shape = &job->shape;
    const int64_t rows = shape->batch * shape->height.out;
    job->taps = lae_conv_taps(shape);
    job->strips = shape->groups * lae_conv_panels(job->kernels, shape);
    job->block_floats = shape->groups * lae_conv_group_floats(job->kernels, shape);
    job->blocks = lae_conv_limit(WEIGHT_PIECES / (job->strips * job->taps), rows);
    job->blocks = lae_conv_limit(job->blocks, rows * shape->width.out / WEIGHT_BLOCK_PIXELS);
    job->blocks = lae_conv_limit(job->blocks, WEIGHT_SUM_BYTES / ((int64_t)sizeof(float) * job->block_floats));
    job->cut = lae_conv_cut_of(shape->depth);
    job->step = job->kernels->gradient_vectors[job->cut.low + (job->cut.larger > 0) - 1];
    if (rows * shape->width.out == 0) job->blocks = 0;
}

/* Rows and columns of a box, in parts that are as even as can be, or rows of whole images; what is dealt of it. */
static void weight_cut_boxes(weight_job *job)
{
    const lae_conv_shape *shape = &job->shape;
    const int64_t rows = shape->height.out, columns = shape->width.out;
    const lae_conv_strip widest = lae_conv_strip_of(job->kernels, shape, 0);
    const int64_t steps = (widest.vectors + job->step - 1) / job->step, panel = LAE_CONV_VECTORS * job->kernels->lanes;
    const int64_t floats = lae_conv_in_channels(shape) * shape->height.in * shape->width.in / (rows * columns) +
                           (shape->features < panel ? shape->features : panel);
    const int64_t pixels = WEIGHT_BOX_BYTES / ((int64_t)sizeof(float) * shape->groups * floats) + 1;
    job->columns = weight_even(columns, pixels);
    job->rows = rows * columns > pixels ? weight_even(rows, lae_conv_limit(pixels / job->columns, rows))
                                        : rows * lae_conv_limit(pixels / (rows * columns), shape->batch);
    job->dealt_floats = lae_conv_lines(steps * (job->step * job->kernels->lanes * job->rows * job->columns +
                                                WEIGHT_GAP));
}

/* The last strip has the last vector that may not be whole. */
static lstmae_status weight_memory(lstmae_queue *queue, weight_job *job, int threads)
{
    const lae_conv_strip last = lae_conv_strip_of(job->kernels, &job->shape, job->strips - 1);
    const size_t each = (size_t)job->dealt_floats * sizeof(float);
    job->sums = lae_scratch_get(queue, LAE_SCRATCH_TILES, (size_t)(job->blocks * job->block_floats) * sizeof(float));
    if (!job->sums) return LSTMAE_ERR_NO_MEMORY;
    if (!weight_deals(job, &last)) return LSTMAE_OK;
    job->dealt = lae_scratch_get(queue, LAE_SCRATCH_CONV, (size_t)threads * each);
    return job->dealt ? LSTMAE_OK : LSTMAE_ERR_NO_MEMORY;
}

lstmae_status cpu_conv_weight_gradient(lstmae_queue *queue, const lstmae_conv_args *args)
{
    if (args->dtype != LSTMAE_F32) return cpu_reference(queue)->conv_weight_gradient(queue, args);
    weight_job job = { .kernels = lae_conv_kernels_of(queue->kernels->isa),
                       .loops = lae_pointwise_of(queue->kernels->isa),
                       .pool = queue->pool,
                       .args = args,
                       .shape = lae_conv_shape_of(args, 0) };
    lstmae_status status = lae_conv_image_bring(queue, LAE_SCRATCH_IMAGE_X, &job.x, &args->x);
    if (status >= 0) status = lae_conv_image_bring(queue, LAE_SCRATCH_IMAGE_Y, &job.y, &args->y);
    if (status < 0) return status;
    if (lae_winograd_fits(&job.shape, LAE_WINOGRAD_WEIGHT_PAIRS))
        return lae_winograd_weight_gradient(queue, args, &job.x, &job.y);
    const int threads = lae_pool_wanted(queue->pool, lae_conv_products(&job.shape), LAE_POOL_GRAIN_FMA);
    weight_cut(&job);
    if (job.blocks > 0) {
        weight_cut_boxes(&job);
        status = weight_memory(queue, &job, threads);
        if (status < 0) return status;
    }
    lae_pool_run(queue->pool, threads, weight_task, &job);
    return LSTMAE_OK;
}
