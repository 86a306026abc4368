/*
 * Forward and transposed convolutions by tiles, see conv_winograd.h. Threads take runs of tiles, and where there are
 * few of them, panels of channels. A run passes through in chunks: its patches become planes, these are multiplied by
 * one panel of weights after the other, and what that gives becomes pixels, with bias; then come pre-activation and
 * activation.
 */
#include "conv_winograd.h"
#include "kernels.h"

#include <stddef.h>
#include <string.h>

/* Tiles of a chunk at most. */
#define DATA_CHUNK 192

/* Tiles after this one whose pixels are fetched: what is stored there would have to be waited for. */
#define DATA_AHEAD 4

typedef struct data_job {
    const lae_conv_call *call;
    lae_conv_shape planes; /* as panels have it */
    lae_winograd tiles;
    int64_t strips, chunk;
    lae_grid grid;
    int64_t pitch, in_plane, width, out_plane; /* of patches, and of what is computed */
    int64_t at[2][DATA_CHUNK];                 /* where tiles begin in both */
    const float *zeros;
    float *scratch; /* [threads]: planes of both */
} data_job;

static float *data_scratch(const data_job *job, int thread)
{
    return job->scratch + thread * LAE_WINOGRAD_PLANES * (job->in_plane + job->out_plane);
}

/* All planes of a panel's channels, for `count` tiles. */
static void data_multiply(const data_job *job, const lae_conv_strip *strip, const float *in, float *out, int64_t count,
                          lae_conv_ahead *ahead)
{
    const int64_t depth = job->planes.depth, lanes = job->call->kernels->lanes;
    lae_conv_sweep sweep = { .x = in + strip->in,
                             .y = out,
                             .w = job->call->panels + strip->weights,
                             .x_at = job->at[0],
                             .y_at = job->at[1],
                             .pixels = count,
                             .rows = 1,
                             .columns = 1,
                             .run = depth,
                             .vectors = strip->vectors,
                             .last = lanes };
    for (int plane = 0; plane < LAE_WINOGRAD_PLANES; plane++) {
        sweep.ahead = *ahead;
        ahead->from[0] += lae_conv_cut_of(count).tiles * ahead->floats[0];
        job->call->kernels->sweep(&sweep);
        sweep.x += job->in_plane;
        sweep.y += job->out_plane;
        sweep.w += depth * strip->vectors * lanes;
    }
}

/* The tile's pixels in the output, fetched. */
static void data_fetch(const data_job *job, const lae_conv_strip *strip, int64_t tile, float **pixels)
{
    const int64_t floats = strip->vectors * job->call->kernels->lanes;
    lae_winograd_pixels(&job->tiles, &job->call->shape, &job->call->out, tile, strip->out, pixels);
    for (int i = 0; i < LAE_WINOGRAD_TILE * LAE_WINOGRAD_TILE; i++)
        for (int64_t k = 0; k < floats && pixels[i]; k += 16) __builtin_prefetch(pixels[i] + k, 1);
}

static void data_strip(const data_job *job, int64_t index, int64_t t0, int64_t t1, const float *in, float *out,
                       lae_conv_ahead *ahead)
{
    const lae_conv_call *call = job->call;
    const lae_conv_strip strip = lae_conv_strip_of(call->kernels, &job->planes, index);
    float *pixels[DATA_AHEAD][LAE_WINOGRAD_TILE * LAE_WINOGRAD_TILE];
    data_multiply(job, &strip, in, out, t1 - t0, ahead);
    for (int64_t tile = t0; tile < t0 + DATA_AHEAD && tile < t1; tile++)
        data_fetch(job, &strip, tile, pixels[tile % DATA_AHEAD]);
    for (int64_t tile = t0; tile < t1; tile++) {
        call->kernels->tile(pixels[tile % DATA_AHEAD], out + (tile - t0) * job->width, job->out_plane,
                            call->bias ? call->bias + strip.out : NULL, strip.channels);
        if (tile + DATA_AHEAD < t1) data_fetch(job, &strip, tile + DATA_AHEAD, pixels[tile % DATA_AHEAD]);
    }
}

/* f of tiles [t0, t1), those of one row of tiles at a time. */
static void data_finish(const data_job *job, int64_t t0, int64_t t1, int64_t c0, int64_t c1)
{
    const lae_conv_shape *shape = &job->call->shape;
    const int64_t columns = job->tiles.columns;
    for (int64_t tile = t0, next; tile < t1; tile = next) {
        const int64_t row = tile / columns, begin = tile % columns;
        next = (row + 1) * columns < t1 ? (row + 1) * columns : t1;
        const int64_t end = (begin + next - tile) * LAE_WINOGRAD_TILE;
        for (int64_t r = row % job->tiles.rows * LAE_WINOGRAD_TILE, k = 0; k < LAE_WINOGRAD_TILE; k++) {
            if (r + k >= shape->height.out) break;
            lae_conv_finish(job->call, row / job->tiles.rows, r + k, begin * LAE_WINOGRAD_TILE,
                            end < shape->width.out ? end : shape->width.out, c0, c1);
        }
    }
}

static void data_task(void *payload, int thread, int threads)
{
    const data_job *job = payload;
    const lae_conv_call *call = job->call;
    float *in = data_scratch(job, thread), *out = in + LAE_WINOGRAD_PLANES * job->in_plane;
    int64_t s0, s1, begin, end;
    (void)threads;
    if (thread >= job->grid.across * job->grid.down) return;
    lae_pool_part(job->strips, thread % job->grid.across, job->grid.across, &s0, &s1);
    lae_pool_part(call->shape.batch * job->tiles.rows * job->tiles.columns, thread / job->grid.across, job->grid.down,
                  &begin, &end);
    if (s0 == s1) return;
    const lae_conv_strip first = lae_conv_strip_of(call->kernels, &job->planes, s0);
    const lae_conv_strip last = lae_conv_strip_of(call->kernels, &job->planes, s1 - 1);
    for (int64_t t0 = begin, t1; t0 < end; t0 = t1) {
        t1 = t0 + job->chunk < end ? t0 + job->chunk : end;
        lae_winograd_patches(&job->tiles, call->kernels, &call->shape, &call->in, job->zeros, t0, t1, in, job->pitch,
                             job->in_plane);
        const int64_t sweeps = (s1 - s0) * LAE_WINOGRAD_PLANES * lae_conv_cut_of(t1 - t0).tiles;
        lae_conv_ahead ahead = { { call->in.data, call->in.data }, { 0, 0 } };
        lae_winograd_ahead(&ahead, 0, &job->tiles, &call->in, call->shape.height.in, call->shape.batch, t1, t1 - t0,
                           sweeps);
        for (int64_t strip = s0; strip < s1; strip++) data_strip(job, strip, t0, t1, in, out, &ahead);
        data_finish(job, t0, t1, first.out, last.out + last.channels);
    }
}

lstmae_status lae_winograd_run(lstmae_queue *queue, const lae_conv_call *call)
{
    const lae_conv_shape *shape = &call->shape;
    const int64_t channels = shape->groups * shape->depth;
    const int threads = lae_pool_wanted(queue->pool, lae_conv_products(shape), LAE_POOL_GRAIN_FMA);
    data_job job = { .call = call, .planes = lae_winograd_planes(shape), .tiles = lae_winograd_of(shape) };
    job.strips = shape->groups * lae_conv_panels(call->kernels, shape);
    job.chunk = lae_winograd_chunk(channels, DATA_CHUNK);
    job.grid = lae_conv_grid(shape->batch * job.tiles.rows * job.tiles.columns, job.strips, threads);
    job.pitch = lae_winograd_pitch(call->kernels, channels);
    job.in_plane = lae_winograd_plane(job.pitch, job.chunk);
    job.width = LAE_CONV_VECTORS * call->kernels->lanes;
    job.out_plane = lae_winograd_plane(job.width, job.chunk);
    for (int64_t i = 0; i < job.chunk; i++) {
        job.at[0][i] = i * job.pitch;
        job.at[1][i] = i * job.width;
    }
    const int64_t zeros = lae_conv_lines(channels);
    const int64_t floats = zeros + threads * LAE_WINOGRAD_PLANES * (job.in_plane + job.out_plane);
    float *memory = lae_scratch_get(queue, LAE_SCRATCH_CONV, (size_t)floats * sizeof(float));
    if (!memory) return LSTMAE_ERR_NO_MEMORY;
    memset(memory, 0, (size_t)zeros * sizeof(float));
    job.zeros = memory;
    job.scratch = memory + zeros;
    lae_pool_run(queue->pool, threads, data_task, &job);
    return LSTMAE_OK;
}
