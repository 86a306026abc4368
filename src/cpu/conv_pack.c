/* Weights of convolutions in the order that the kernels read them; see conv_kernels.h. */
#include "conv.h"
#include "cpu_entries.h"
#include "kernels.h"

typedef struct pack_job {
    const lae_conv_kernels *kernels;
    const lae_conv_shape *shape;
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

/* Threads share the channels of every strip. */
static void pack_task(void *payload, int thread, int threads)
{
    const pack_job *job = payload;
    const lae_conv_shape *shape = job->shape;
    const int64_t strips = shape->groups * lae_conv_panels(job->kernels, shape), rows = shape->height.taps;
    const int64_t columns = shape->width.taps;
    int64_t begin, end;
    lae_pool_part(strips * shape->depth, thread, threads, &begin, &end);
    for (int64_t i = begin / shape->depth; i < strips && i * shape->depth < end; i++) {
        const lae_conv_strip strip = lae_conv_strip_of(job->kernels, shape, i);
        const int64_t first = i * shape->depth, d0 = begin > first ? begin - first : 0;
        const int64_t d1 = end - first < shape->depth ? end - first : shape->depth;
        const float *w = job->w + strip.group * shape->group_stride +
                         strip.out % shape->features * shape->feature_stride;
        for (int64_t row = 0; row < rows; row++) {
            for (int64_t column = 0; column < columns; column++) {
                const int64_t position = lae_conv_tap_position(&shape->height, row) * columns +
                                         lae_conv_tap_position(&shape->width, column);
                float *out = job->panels + strip.weights +
                             position * shape->depth * strip.vectors * job->kernels->lanes;
                pack_tap(job, &strip, w + row * columns + column, out, d0, d1);
            }
        }
    }
}

void lae_conv_pack(lstmae_queue *queue, const lae_conv_kernels *kernels, const lae_conv_shape *shape, float *panels,
                   const float *w)
{
    pack_job job = { kernels, shape, panels, w };
    const int64_t floats = shape->groups * lae_conv_group_floats(kernels, shape);
    lae_pool_run(queue->pool, lae_pool_wanted(queue->pool, floats, LAE_POOL_GRAIN_ELEMENTS), pack_task, &job);
}

size_t cpu_conv_prepare_bytes(const lstmae_queue *queue, int kind, const lstmae_conv_args *args)
{
    if (args->dtype != LSTMAE_F32) return 0;
    const lae_conv_shape shape = lae_conv_shape_of(args, kind == LSTMAE_CONV_PREPARE_BACKWARD);
    return (size_t)(shape.groups * lae_conv_group_floats(lae_conv_kernels_of(queue->kernels->isa), &shape)) *
           sizeof(float);
}

lstmae_status cpu_conv_prepare(lstmae_queue *queue, int kind, void *dst, const lstmae_conv_args *args)
{
    if (args->dtype != LSTMAE_F32) return LSTMAE_ERR_UNSUPPORTED;
    const lae_conv_shape shape = lae_conv_shape_of(args, kind == LSTMAE_CONV_PREPARE_BACKWARD);
    lae_conv_pack(queue, lae_conv_kernels_of(queue->kernels->isa), &shape, dst, args->w);
    return LSTMAE_OK;
}
