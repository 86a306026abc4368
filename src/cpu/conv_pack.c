/* Weights of convolutions in the order that the kernels read them; see conv_kernels.h. */
#include "conv_winograd.h"
#include "cpu_entries.h"
#include "kernels.h"

#include <string.h>

/* Floats before the panels of a shape that has two forms: a cache line. */
#define PACK_FORM 16

typedef struct pack_job {
    const lae_conv_kernels *kernels;
    const lae_conv_shape *shape;
    int tiles; /* transformed weights are wanted */
    float *panels;
    const float *w;
} pack_job;

/* One tap of a panel, channels of depth [d0, d1): the features of each are gathered side by side. */
static void pack_tap(const pack_job *job, const lae_conv_strip *strip, const float *w, float *out, int64_t d0,
                     int64_t d1)
{
    const lae_conv_shape *shape = job->shape;
    const int64_t width = strip->vectors * job->kernels->lanes;
    for (int64_t d = d0; d < d1; d++) {
        const float *from = w + d * shape->depth_stride;
        float *to = out + d * width;
        for (int64_t n = 0; n < strip->channels; n++) to[n] = from[n * shape->feature_stride];
        for (int64_t n = strip->channels; n < width; n++) to[n] = 0.0f;
    }
}

/* The same with the transformed taps of each pair of channels. */
static void pack_planes(const pack_job *job, const lae_conv_strip *strip, const float *w, float *out, int64_t d)
{
    const lae_conv_shape *shape = job->shape;
    const int64_t width = strip->vectors * job->kernels->lanes, plane_floats = shape->depth * width;
    const int turned = shape->height.transposed;
    float taps[9], planes[LAE_WINOGRAD_PLANES];
    for (int64_t n = 0; n < width; n++, out++) {
        const float *from = w + n * shape->feature_stride + d * shape->depth_stride;
        for (int t = 0; t < 9; t++) taps[t] = n < strip->channels ? from[turned ? 8 - t : t] : 0.0f;
        lae_winograd_weights(planes, taps);
        for (int plane = 0; plane < LAE_WINOGRAD_PLANES; plane++) out[plane * plane_floats + d * width] = planes[plane];
    }
}

/* Taps, or planes, of one strip, channels of depth [d0, d1). */
static void pack_strip(const pack_job *job, const lae_conv_strip *strip, int64_t d0, int64_t d1)
{
    const lae_conv_shape *shape = job->shape;
    const int64_t rows = shape->height.taps, columns = shape->width.taps;
    const float *w = job->w + strip->group * shape->group_stride + strip->out % shape->features * shape->feature_stride;
    for (int64_t d = d0; d < d1 && job->tiles; d++) pack_planes(job, strip, w, job->panels + strip->weights, d);
    for (int64_t tap = 0; tap < rows * columns && !job->tiles; tap++) {
        const int64_t position = lae_conv_tap_position(&shape->height, tap / columns) * columns +
                                 lae_conv_tap_position(&shape->width, tap % columns);
        pack_tap(job, strip, w + tap,
                 job->panels + strip->weights + position * shape->depth * strip->vectors * job->kernels->lanes, d0, d1);
    }
}

/* Threads share the channels of every strip. */
static void pack_task(void *payload, int thread, int threads)
{
    const pack_job *job = payload;
    const lae_conv_shape *shape = job->shape, planes = lae_winograd_planes(shape);
    const int64_t strips = shape->groups * lae_conv_panels(job->kernels, shape);
    int64_t begin, end;
    lae_pool_part(strips * shape->depth, thread, threads, &begin, &end);
    for (int64_t i = begin / shape->depth; i < strips && i * shape->depth < end; i++) {
        const lae_conv_strip strip = lae_conv_strip_of(job->kernels, job->tiles ? &planes : shape, i);
        const int64_t first = i * shape->depth, d0 = begin > first ? begin - first : 0;
        const int64_t d1 = end - first < shape->depth ? end - first : shape->depth;
        pack_strip(job, &strip, d0, d1);
    }
}

int lae_conv_finite(const float *weights, int64_t count)
{
    const uint32_t mask = 0x7f800000u; /* the exponent of infinities and NaN */
    uint32_t other = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, weights + i, sizeof(bits));
        other |= (uint32_t)((bits & mask) == mask);
    }
    return !other;
}

int64_t lae_conv_packed_floats(const lae_conv_kernels *kernels, const lae_conv_shape *shape)
{
    const lae_conv_shape planes = lae_winograd_planes(shape);
    if (!lae_winograd_fits(shape, LAE_WINOGRAD_DATA_PAIRS))
        return shape->groups * lae_conv_group_floats(kernels, shape);
    return PACK_FORM + shape->groups * lae_conv_group_floats(kernels, &planes);
}

void lae_conv_pack(lstmae_queue *queue, const lae_conv_kernels *kernels, const lae_conv_shape *shape, float *packed,
                   const float *w)
{
    const int64_t weights = shape->groups * shape->features * shape->depth * lae_conv_taps(shape);
    pack_job job = { kernels, shape, 0, packed, w };
    if (lae_winograd_fits(shape, LAE_WINOGRAD_DATA_PAIRS)) {
        job.tiles = lae_conv_finite(w, weights);
        job.panels = packed + PACK_FORM;
        packed[0] = (float)job.tiles;
    }
    lae_pool_run(queue->pool, lae_pool_wanted(queue->pool, weights, LAE_POOL_GRAIN_ELEMENTS), pack_task, &job);
}

const float *lae_conv_packed_panels(const lae_conv_shape *shape, const float *packed, int *tiles)
{
    *tiles = 0;
    if (!lae_winograd_fits(shape, LAE_WINOGRAD_DATA_PAIRS)) return packed;
    *tiles = packed[0] == 1.0f;
    return packed + PACK_FORM;
}

size_t cpu_conv_prepare_bytes(const lstmae_queue *queue, int kind, const lstmae_conv_args *args)
{
    if (args->dtype != LSTMAE_F32) return 0;
    const lae_conv_shape shape = lae_conv_shape_of(args, kind == LSTMAE_CONV_PREPARE_BACKWARD);
    return (size_t)lae_conv_packed_floats(lae_conv_kernels_of(queue->kernels->isa), &shape) * sizeof(float);
}

lstmae_status cpu_conv_prepare(lstmae_queue *queue, int kind, void *dst, const lstmae_conv_args *args)
{
    if (args->dtype != LSTMAE_F32) return LSTMAE_ERR_UNSUPPORTED;
    const lae_conv_shape shape = lae_conv_shape_of(args, kind == LSTMAE_CONV_PREPARE_BACKWARD);
    lae_conv_pack(queue, lae_conv_kernels_of(queue->kernels->isa), &shape, dst, args->w);
    return LSTMAE_OK;
}
