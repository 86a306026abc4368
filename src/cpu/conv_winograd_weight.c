/*
 * The gradient of a convolution's weights by tiles, see conv_winograd.h: for every plane a product of patches of x and
 * tiles of dy, summed over tiles.
 *
 * As in conv_weight.c, the tiles of all images are cut into blocks by the shape alone. A block's sums for one strip are
 * the work of one thread, in chunks of tiles that stay in the second-level cache; blocks are then added in order and in
 * double, and become taps. So the bits do not depend on the threads.
 */
#include "conv_winograd.h"
#include "kernels.h"

#include <stddef.h>
#include <string.h>

/* Pieces of work there should be, bytes that the sums of all blocks may take, and tiles that deserve a block. */
#define WEIGHT_PIECES 32
#define WEIGHT_SUM_BYTES ((int64_t)16 << 20)
#define WEIGHT_BLOCK_TILES 512

/* Tiles of a chunk, at most and at least: each chunk adds to the sums in memory once. */
#define WEIGHT_CHUNK 96
#define WEIGHT_CHUNK_LEAST 48

typedef struct weight_job {
    const lae_conv_kernels *kernels;
    const lae_pointwise *loops;
    lae_pool *pool;
    const lstmae_conv_args *args;
    lae_conv_shape shape, planes; /* as it is, and with a plane for each tap */
    lae_conv_image x, y;
    lae_winograd tiles;
    int64_t strips, blocks, chunk;
    int64_t block_floats;
    float *sums;                            /* [blocks][panels of planes] */
    lae_conv_cut cut;                       /* channels of x */
    int64_t step;                           /* vectors of dy beside a tile of them */
    int64_t pitch, x_plane, width, y_plane; /* of patches, and of tiles of dy */
    const float *zeros;
    float *scratch; /* [threads]: planes of both */
} weight_job;

/* The strip's channels of dy as planes. */
static void weight_spread(const weight_job *job, const lae_conv_strip *strip, int64_t t0, int64_t t1, float *to)
{
    float *pixels[LAE_WINOGRAD_TILE * LAE_WINOGRAD_TILE];
    const float *from[LAE_WINOGRAD_TILE * LAE_WINOGRAD_TILE];
    for (int64_t tile = t0; tile < t1; tile++, to += job->width) {
        lae_winograd_pixels(&job->tiles, &job->shape, &job->y, tile, strip->out, pixels);
        for (int i = 0; i < LAE_WINOGRAD_TILE * LAE_WINOGRAD_TILE; i++) from[i] = pixels[i] ? pixels[i] : job->zeros;
        job->kernels->tile_gradient(to, job->y_plane, from, strip->channels);
    }
}

/* sums (+)= patches times tiles, plane by plane, for `count` tiles. */
static void weight_multiply(const weight_job *job, const lae_conv_strip *strip, const float *x, const float *y,
                            float *sums, int64_t count, int add, lae_conv_ahead *ahead)
{
    const int64_t depth = job->shape.depth, sum_row = strip->vectors * job->kernels->lanes;
    lae_conv_gradient g = { .add = add,
                            .images = 1,
                            .rows = 1,
                            .columns = count,
                            .x_column = job->pitch,
                            .y_column = job->width,
                            .sum_row = sum_row,
                            .ahead = *ahead };
    for (int plane = 0; plane < LAE_WINOGRAD_PLANES; plane++) {
        const float *x_plane = x + plane * job->x_plane + strip->in, *y_plane = y + plane * job->y_plane;
        float *sum = sums + plane * depth * sum_row;
        for (int64_t from = 0; from < strip->vectors; from += job->step) {
            const int64_t left = strip->vectors - from;
            g.vectors = left < job->step ? left : job->step;
            g.y = y_plane + from * job->kernels->lanes;
            for (int64_t tile = 0, first = 0; tile < job->cut.tiles; tile++, first += g.channels) {
                g.channels = job->cut.low + (tile < job->cut.larger);
                g.x = x_plane + first;
                g.sum = sum + first * sum_row + from * job->kernels->lanes;
                job->kernels->gradient(&g);
                for (int k = 0; k < 2; k++) g.ahead.from[k] += g.ahead.floats[k];
            }
        }
    }
    *ahead = g.ahead;
}

/* What the products of a chunk fetch of the next one. */
static lae_conv_ahead weight_ahead(const weight_job *job, int64_t t0, int64_t t1, int64_t strips)
{
    const lae_conv_shape *shape = &job->shape;
    const int64_t steps = (LAE_CONV_VECTORS + job->step - 1) / job->step;
    const int64_t calls = strips * LAE_WINOGRAD_PLANES * steps * job->cut.tiles;
    lae_conv_ahead ahead;
    lae_winograd_ahead(&ahead, 0, &job->tiles, &job->x, shape->height.in, shape->batch, t1, t1 - t0, calls);
    lae_winograd_ahead(&ahead, 1, &job->tiles, &job->y, shape->height.out, shape->batch, t1, t1 - t0, calls);
    return ahead;
}

/* Strips [s0, s1) of a block: patches are made once for all of them. */
static void weight_block(const weight_job *job, int64_t block, int64_t s0, int64_t s1, float *x)
{
    const lae_conv_shape *shape = &job->shape;
    const int64_t tiles = shape->batch * job->tiles.rows * job->tiles.columns;
    float *y = x + LAE_WINOGRAD_PLANES * job->x_plane;
    int64_t begin, end;
    lae_pool_part(tiles, (int)block, (int)job->blocks, &begin, &end);
    for (int64_t t0 = begin, t1; t0 < end; t0 = t1) {
        t1 = t0 + job->chunk < end ? t0 + job->chunk : end;
        lae_winograd_patches(&job->tiles, job->kernels, shape, &job->x, job->zeros, t0, t1, x, job->pitch,
                             job->x_plane);
        lae_conv_ahead ahead = weight_ahead(job, t0, t1, s1 - s0);
        for (int64_t s = s0; s < s1; s++) {
            const lae_conv_strip strip = lae_conv_strip_of(job->kernels, &job->planes, s);
            weight_spread(job, &strip, t0, t1, y);
            weight_multiply(job, &strip, x, y, job->sums + block * job->block_floats + strip.weights, t1 - t0,
                            t0 > begin, &ahead);
        }
    }
}

/* dw of the strip's features for channel d of x: the taps of the blocks' sums, and beta dw. */
static void weight_reduce(const weight_job *job, const lae_conv_strip *strip, int64_t d)
{
    const lae_conv_shape *shape = &job->shape;
    const int64_t width = strip->vectors * job->kernels->lanes, plane_floats = shape->depth * width;
    const float beta = (float)job->args->beta, *from = job->sums + strip->weights + d * width;
    double sum[LAE_WINOGRAD_PLANES][LAE_CONV_VECTORS * 16], sums[LAE_WINOGRAD_PLANES], taps[9];
    float *dw = (float *)job->args->dw + strip->group * shape->group_stride +
                strip->out % shape->features * shape->feature_stride + d * shape->depth_stride;
    memset(sum, 0, sizeof(sum));
    for (int plane = 0; plane < LAE_WINOGRAD_PLANES; plane++)
        job->loops->add_rows(sum[plane], from + plane * plane_floats, job->block_floats, job->blocks, strip->channels);
    for (int64_t n = 0; n < strip->channels; n++, dw += shape->feature_stride) {
        for (int plane = 0; plane < LAE_WINOGRAD_PLANES; plane++) sums[plane] = sum[plane][n];
        lae_winograd_taps(taps, sums);
        for (int t = 0; t < 9; t++) dw[t] = beta == 0.0f ? (float)taps[t] : (float)taps[t] + beta * dw[t];
    }
}

static void weight_task(void *payload, int thread, int threads)
{
    const weight_job *job = payload;
    const int64_t depth = job->shape.depth;
    float *scratch = job->scratch + thread * LAE_WINOGRAD_PLANES * (job->x_plane + job->y_plane);
    int64_t begin, end;
    lae_pool_part(job->blocks * job->strips, thread, threads, &begin, &end);
    for (int64_t piece = begin, next; piece < end; piece = next) {
        const int64_t block = piece / job->strips, s0 = piece % job->strips, left = job->strips - s0;
        next = end - piece < left ? end : piece + left;
        weight_block(job, block, s0, s0 + next - piece, scratch);
    }
    lae_pool_barrier(job->pool, threads);
    lae_pool_part(job->strips * depth, thread, threads, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        const lae_conv_strip strip = lae_conv_strip_of(job->kernels, &job->planes, i / depth);
        weight_reduce(job, &strip, i % depth);
    }
}

/* How the work is shared: by the shape alone. */
static void weight_cut(weight_job *job)
{
    const lae_conv_shape *shape = &job->shape;
    const int64_t tiles = shape->batch * job->tiles.rows * job->tiles.columns, channels = shape->groups * shape->depth;
    job->strips = shape->groups * lae_conv_panels(job->kernels, shape);
    job->block_floats = shape->groups * lae_conv_group_floats(job->kernels, &job->planes);
    job->blocks = lae_conv_limit(WEIGHT_PIECES / job->strips, tiles / WEIGHT_BLOCK_TILES);
    job->blocks = lae_conv_limit(job->blocks, WEIGHT_SUM_BYTES / ((int64_t)sizeof(float) * job->block_floats));
    if (tiles == 0) job->blocks = 0;
    job->chunk = lae_winograd_chunk(channels, WEIGHT_CHUNK);
    if (job->chunk < WEIGHT_CHUNK_LEAST) job->chunk = WEIGHT_CHUNK_LEAST;
    job->cut = lae_conv_cut_of(shape->depth);
    job->step = job->kernels->gradient_vectors[job->cut.low + (job->cut.larger > 0) - 1];
    job->pitch = lae_winograd_pitch(job->kernels, channels);
    job->x_plane = lae_winograd_plane(job->pitch, job->chunk);
    job->width = LAE_CONV_VECTORS * job->kernels->lanes;
    job->y_plane = lae_winograd_plane(job->width, job->chunk);
}

static lstmae_status weight_memory(lstmae_queue *queue, weight_job *job, int threads)
{
    const lae_conv_shape *shape = &job->shape;
    const int64_t channels = shape->groups * (shape->depth > shape->features ? shape->depth : shape->features);
    const int64_t zeros = lae_conv_lines(channels);
    const int64_t floats = zeros + threads * LAE_WINOGRAD_PLANES * (job->x_plane + job->y_plane);
    job->sums = lae_scratch_get(queue, LAE_SCRATCH_TILES, (size_t)(job->blocks * job->block_floats) * sizeof(float));
    if (!job->sums) return LSTMAE_ERR_NO_MEMORY;
    float *memory = lae_scratch_get(queue, LAE_SCRATCH_CONV, (size_t)floats * sizeof(float));
    if (!memory) return LSTMAE_ERR_NO_MEMORY;
    memset(memory, 0, (size_t)zeros * sizeof(float));
    job->zeros = memory;
    job->scratch = memory + zeros;
    return LSTMAE_OK;
}

lstmae_status lae_winograd_weight_gradient(lstmae_queue *queue, const lstmae_conv_args *args, const lae_conv_image *x,
                                           const lae_conv_image *y)
{
    weight_job job = { .kernels = lae_conv_kernels_of(queue->kernels->isa),
                       .loops = lae_pointwise_of(queue->kernels->isa),
                       .pool = queue->pool,
                       .args = args,
                       .shape = lae_conv_shape_of(args, 0),
                       .x = *x,
                       .y = *y };
    const int threads = lae_pool_wanted(queue->pool, lae_conv_products(&job.shape), LAE_POOL_GRAIN_FMA);
    job.planes = lae_winograd_planes(&job.shape);
    job.tiles = lae_winograd_of(&job.shape);
    weight_cut(&job);
    const lstmae_status status = weight_memory(queue, &job, threads);
    if (status < 0) return status;
    lae_pool_run(queue->pool, threads, weight_task, &job);
    return LSTMAE_OK;
}
