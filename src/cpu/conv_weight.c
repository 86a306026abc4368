/*
 * The gradient of a convolution's weights: for every tap a product of x and dy over all pixels where the tap lies
 * inside of the image.
 *
 * The rows of all images are cut into blocks that depend on the shape alone. A block's sums, for one tap in one panel,
 * are the work of one thread; blocks are then added in order and in double. So the bits do not depend on the threads.
 * A block passes through in chunks that stay in the second-level cache.
 */
#include "conv.h"
#include "cpu_arrays.h"
#include "cpu_entries.h"
#include "kernels.h"
#include "pointwise.h"

#include <stddef.h>
#include <string.h>

/* Bytes of x and of a panel's channels of dy in a chunk, about. */
#define WEIGHT_CHUNK_BYTES ((int64_t)256 << 10)

/* Pieces of work there should be, bytes that the sums of all blocks may take, and pixels of dy that deserve a block. */
#define WEIGHT_PIECES 256
#define WEIGHT_SUM_BYTES ((int64_t)16 << 20)
#define WEIGHT_BLOCK_PIXELS 1024

/* Taps whose blocks are added at once. */
#define WEIGHT_TAPS 16

typedef struct weight_job {
    const lae_conv_kernels *kernels;
    const lae_pointwise *loops;
    lae_pool *pool;
    const lstmae_conv_args *args;
    lae_conv_shape shape;
    lae_conv_image x, y;
    int64_t strips, taps;
    int64_t blocks, chunk;   /* none for an empty batch; rows of dy */
    int64_t block_floats;
    float *sums;             /* [blocks][panels like those of weights] */
} weight_job;

/* Positions [*first, *first + *count) of [begin, end) along an axis of dy whose tap lies inside of x. */
static void weight_inside(const lae_conv_rule *rule, int64_t tap, int64_t begin, int64_t end, int64_t *first,
                          int64_t *count)
{
    /* 0 <= p stride + shift < in */
    const int64_t shift = tap * rule->dilation - rule->padding, stride = rule->stride;
    const int64_t low = shift < 0 ? (-shift + stride - 1) / stride : 0;
    const int64_t high = shift < rule->in ? (rule->in - 1 - shift) / stride + 1 : 0;
    *first = low > begin ? low : begin;
    *count = (high < end ? high : end) - *first;
    if (*count < 0) *count = 0;
}

/* Rows [r0, r1) of dy, of one image or whole images, into the sums of one tap of a strip. */
static void weight_chunk(const weight_job *job, const lae_conv_strip *strip, int64_t tap, float *sum, int add,
                         int64_t r0, int64_t r1, const lae_conv_ahead *ahead)
{
    const lae_conv_rule *height = &job->shape.height, *width = &job->shape.width;
    const int64_t rows = height->out, image = r0 / rows, begin = r0 % rows, row_tap = tap / width->taps;
    const int64_t end = r1 - r0 < rows ? begin + r1 - r0 : rows, column_tap = tap % width->taps;
    int64_t row, column;
    lae_conv_gradient g = { 0 };
    weight_inside(height, row_tap, begin, end, &row, &g.rows);
    weight_inside(width, column_tap, 0, width->out, &column, &g.columns);
    g.images = g.rows > 0 && g.columns > 0 ? (r1 - r0 + rows - 1) / rows : 0;
    if (g.images > 0) {
        const int64_t x_row = row * height->stride + row_tap * height->dilation - height->padding;
        const int64_t x_column = column * width->stride + column_tap * width->dilation - width->padding;
        g.x = job->x.data + image * job->x.batch + x_row * job->x.row + x_column * job->x.column + strip->in;
        g.y = job->y.data + image * job->y.batch + row * job->y.row + column * job->y.column + strip->out;
    }
    g.sum = sum;
    g.add = add;
    g.x_image = job->x.batch;
    g.y_image = job->y.batch;
    g.x_row = height->stride * job->x.row;
    g.y_row = job->y.row;
    g.x_column = width->stride * job->x.column;
    g.y_column = job->y.column;
    g.channels = job->shape.depth;
    g.sum_row = strip->vectors * job->kernels->lanes;
    g.vectors = strip->vectors;
    g.last = strip->last;
    g.ahead = *ahead;
    if (job->shape.diagonal) job->kernels->gradient_diagonal(&g);
    else job->kernels->gradient(&g);
}

/*
 * What each tile is to fetch of the chunk after [r0, r1), where both are of whole images that lie one after the other,
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

/* Taps [t0, t1) of a strip over the rows of a block: those sums stay in the cache as well. */
static void weight_strip(const weight_job *job, int64_t block, int64_t index, int64_t t0, int64_t t1)
{
    const lae_conv_strip strip = lae_conv_strip_of(job->kernels, &job->shape, index);
    const int64_t rows = job->shape.height.out, tap_floats = job->shape.depth * strip.vectors * job->kernels->lanes;
    const int64_t unit = job->shape.batch >= job->blocks ? rows : 1; /* no images in parts where there are many */
    const int64_t tiles = (job->shape.depth + LAE_CONV_TILE - 1) / LAE_CONV_TILE;
    float *sums = job->sums + block * job->block_floats + strip.weights;
    int64_t begin, end;
    lae_pool_part(job->shape.batch * rows / unit, (int)block, (int)job->blocks, &begin, &end);
    begin *= unit;
    end *= unit;
    for (int64_t row = begin, next; row < end; row = next) {
        const int64_t image_end = row - row % rows + rows;
        next = row + job->chunk < end ? row + job->chunk : end;
        /* a chunk is of whole images, or inside of one */
        if (row % rows == 0 && next >= image_end) next -= (next - row) % rows;
        else if (next > image_end) next = image_end;
        lae_conv_ahead ahead = weight_ahead(job, row, next, end, tiles * (t1 - t0));
        for (int64_t tap = t0; tap < t1; tap++) {
            weight_chunk(job, &strip, tap, sums + tap * tap_floats, row > begin, row, next, &ahead);
            for (int k = 0; k < 2; k++) ahead.from[k] += tiles * ahead.floats[k];
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
        const int64_t tap = piece % job->taps, left = job->taps - tap;
        next = end - piece < left ? end : piece + left;
        weight_strip(job, piece / pieces, piece % pieces / job->taps, tap, tap + next - piece);
    }
    lae_pool_barrier(job->pool, threads);
    lae_pool_part(job->strips * depth, thread, threads, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        const lae_conv_strip strip = lae_conv_strip_of(job->kernels, &job->shape, i / depth);
        weight_reduce(job, &strip, i % depth);
    }
}

static int64_t weight_limit(int64_t value, int64_t most)
{
    return value < 1 ? 1 : value < most ? value : most;
}

static void weight_cut(weight_job *job)
{
    const lae_conv_shape *shape = &job->shape;
    const int64_t rows = shape->batch * shape->height.out, panel = LAE_CONV_VECTORS * job->kernels->lanes;
    const int64_t bytes = shape->groups * (int64_t)sizeof(float) *
                          (lae_conv_in_channels(shape) * shape->height.in * shape->width.in / shape->height.out +
                           (shape->features < panel ? shape->features : panel) * shape->width.out);
    job->taps = lae_conv_taps(shape);
    job->strips = shape->groups * lae_conv_panels(job->kernels, shape);
    job->block_floats = shape->groups * lae_conv_group_floats(job->kernels, shape);
    job->chunk = weight_limit(WEIGHT_CHUNK_BYTES / (bytes + 1), rows);
    job->blocks = weight_limit(WEIGHT_PIECES / (job->strips * job->taps), rows);
    job->blocks = weight_limit(job->blocks, rows * shape->width.out / WEIGHT_BLOCK_PIXELS);
    job->blocks = weight_limit(job->blocks, WEIGHT_SUM_BYTES / ((int64_t)sizeof(float) * job->block_floats));
    if (rows == 0) job->blocks = 0;
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
    weight_cut(&job);
    if (job.blocks > 0) {
        job.sums = lae_scratch_get(queue, LAE_SCRATCH_TILES, (size_t)(job.blocks * job.block_floats) * sizeof(float));
        if (!job.sums) return LSTMAE_ERR_NO_MEMORY;
    }
    const int64_t products = job.shape.batch * job.shape.height.out * job.shape.width.out * job.taps *
                             job.shape.groups * job.shape.depth * job.shape.features;
    lae_pool_run(queue->pool, lae_pool_wanted(queue->pool, products, LAE_POOL_GRAIN_FMA), weight_task, &job);
    return LSTMAE_OK;
}
