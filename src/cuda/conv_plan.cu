/*
 * What a convolution's kernels are told, and its prepared weights: [groups][taps][depth][padded], rounded to what the
 * queue's products take, the taps ordered by phase (conv_plan.h). A thread makes one float, features being innermost:
 * coalesced writes of at most a few hundred KB, read once with any stride; floor: a launch.
 */
#include "conv_plan.h"

#include "entries.h"
#include "launch.h"
#include "mma.h"

#include <string.h>

/* ---- the task ---- */

/* Positions, and numbers of pixels, blocks and weights: steps beyond the last one stay within 32 bits. */
constexpr int64_t CONV_MOST = int64_t(1) << 30;

static int64_t plan_divisor(int64_t a, int64_t b)
{
    while (b) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* 0 where a position of the axis could pass 32 bits. */
static int plan_axis(lae_cu_conv_axis *axis, const lstmae_conv_args *args, int which, int transposed)
{
    const int64_t large = args->x.dim[2 + which], small = args->y.dim[2 + which], stride = args->stride[which];
    const int64_t reach = args->dilation[which] * (args->kernel[which] - 1) + 1;
    if (large > CONV_MOST || args->padding[which] > CONV_MOST || reach > CONV_MOST ||
        large + 2 * args->padding[which] + reach + stride > CONV_MOST || small > CONV_MOST)
        return 0;
    axis->in = static_cast<int>(transposed ? small : large);
    axis->out = static_cast<int>(transposed ? large : small);
    axis->taps = static_cast<int>(args->kernel[which]);
    axis->stride = static_cast<int>(stride);
    axis->padding = static_cast<int>(args->padding[which]);
    axis->dilation = static_cast<int>(args->dilation[which]);
    const int divisor = static_cast<int>(plan_divisor(axis->dilation, axis->stride));
    axis->phases = transposed ? (axis->stride < axis->out ? axis->stride : axis->out) : 1;
    axis->period = transposed ? axis->stride / divisor : 1;
    axis->step = transposed ? -(axis->dilation / divisor) : axis->dilation;
    return 1;
}

static lae_cu_conv_image plan_image(const lstmae_view *view)
{
    return { static_cast<float *>(view->data), view->stride[0], view->stride[1], view->stride[2], view->stride[3] };
}

int lae_cu_conv_vectors(const lae_cu_conv_image *image, int64_t channels)
{
    const int64_t strides = image->batch | image->row | image->column;
    return channels % 4 == 0 && image->channel == 1 && strides % 4 == 0 &&
           reinterpret_cast<uintptr_t>(image->data) % 16 == 0;
}

/* Groups of few channels leave most of a tile empty. */
static int plan_fits(const lae_cu_conv_task *task)
{
    const int64_t taps = int64_t(task->height.taps) * task->width.taps;
    if (task->groups > 1 && task->features < 8) return 0;
    if (taps > CONV_MOST / task->depth / task->groups / task->padded) return 0;
    const int64_t pixels = lae_cu_conv_phase_pixels(task), phases = int64_t(task->height.phases) * task->width.phases;
    if (pixels > CONV_MOST) return 0;
    /* tiles of 64 by 32 are the smallest */
    const int64_t tiles = (pixels / 64 + 1) * (task->features / 32 + 1);
    return tiles <= CONV_MOST && phases <= CONV_MOST && task->groups <= CONV_MOST / tiles / phases;
}

int lae_cu_conv_plan(lae_cu_conv_task *task, const lstmae_conv_args *args, int transposed)
{
    const int64_t batch = args->x.dim[0], channels = args->x.dim[1], features = args->y.dim[1];
    memset(task, 0, sizeof *task);
    if (!plan_axis(&task->height, args, 0, transposed) || !plan_axis(&task->width, args, 1, transposed)) return 0;
    if (batch > CONV_MOST || channels > CONV_MOST || features > CONV_MOST) return 0;
    task->transposed = transposed;
    task->batch = static_cast<int>(batch);
    task->groups = static_cast<int>(args->groups);
    task->depth = static_cast<int>((transposed ? features : channels) / args->groups);
    task->features = static_cast<int>((transposed ? channels : features) / args->groups);
    task->padded = (task->features + 3) / 4 * 4;
    task->in = plan_image(transposed ? &args->y : &args->x);
    task->out = plan_image(transposed ? &args->x : &args->y);
    task->vectors = lae_cu_conv_vectors(&task->in, task->depth);
    if (args->linear) task->linear = plan_image(args->linear);
    task->bias = static_cast<const float *>(args->bias);
    task->map = args->map;
    task->param = static_cast<float>(args->param);
    task->derivative = (args->flags & LSTMAE_CONV_DERIVATIVE) != 0;
    return plan_fits(task);
}

/* ---- weights ---- */

constexpr int PACK_BLOCK = 256;

struct conv_pack {
    lae_cu_conv_axis height, width;
    int depth, features, padded, precision;
    unsigned floats;
    int64_t group_stride, depth_stride, feature_stride; /* of w */
    const float *w;
    float *to;
};

static __device__ float pack_round(int precision, float value)
{
    if (precision == LSTMAE_PRECISION_TF32) return __uint_as_float(lae_cu_tf32(value));
    if (precision == LSTMAE_PRECISION_BF16) return __uint_as_float(lae_cu_bf16_pair(value, value) & 0xffff0000u);
    return value;
}

/* Thread: (group, r, s, depth, feature), the last innermost. */
static __global__ void __launch_bounds__(PACK_BLOCK) conv_pack_kernel(const conv_pack pack)
{
    const unsigned step = gridDim.x * PACK_BLOCK;
    for (unsigned i = blockIdx.x * PACK_BLOCK + threadIdx.x; i < pack.floats; i += step) {
        unsigned rest = i;
        const int feature = static_cast<int>(rest % pack.padded);
        rest /= pack.padded;
        const int depth = static_cast<int>(rest % pack.depth);
        rest /= pack.depth;
        const int s = static_cast<int>(rest % pack.width.taps);
        rest /= pack.width.taps;
        const int r = static_cast<int>(rest % pack.height.taps);
        const int64_t group = rest / pack.height.taps;
        const int phase_h = r % pack.height.period, phase_w = s % pack.width.period;
        const int taps_w = lae_cu_conv_phase_taps(pack.width, phase_w);
        const int row = lae_cu_conv_pair_begin(pack.width, lae_cu_conv_phase_begin(pack.height, phase_h),
                                               lae_cu_conv_phase_taps(pack.height, phase_h),
                                               lae_cu_conv_phase_begin(pack.width, phase_w)) +
                        r / pack.height.period * taps_w + s / pack.width.period;
        const int64_t taps = static_cast<int64_t>(pack.height.taps) * pack.width.taps;
        float value = 0.0f;
        if (feature < pack.features)
            value = pack.w[group * pack.group_stride + feature * pack.feature_stride + depth * pack.depth_stride +
                           static_cast<int64_t>(r) * pack.width.taps + s];
        pack.to[((group * taps + row) * pack.depth + depth) * pack.padded + feature] =
            pack_round(pack.precision, value);
    }
}

int64_t lae_cu_conv_prepared(const lae_cu_conv_task *task)
{
    return static_cast<int64_t>(task->groups) * task->height.taps * task->width.taps * task->depth * task->padded;
}

lstmae_status lae_cu_conv_pack(lstmae_queue *queue, const lae_cu_conv_task *task, float *to, const float *w)
{
    const int64_t taps = static_cast<int64_t>(task->height.taps) * task->width.taps;
    const int64_t floats = lae_cu_conv_prepared(task), blocks = (floats + PACK_BLOCK - 1) / PACK_BLOCK;
    const int64_t many = int64_t(queue->multiprocessors) * 64;
    const conv_pack pack = { task->height, task->width, task->depth, task->features, task->padded,
                             queue->precision, static_cast<unsigned>(floats),
                             taps * task->depth * task->features,
                             task->transposed ? taps * task->features : taps,
                             task->transposed ? taps : taps * task->depth, w, to };
    LAE_LAUNCH(conv_pack_kernel, static_cast<unsigned>(blocks < many ? blocks : many), PACK_BLOCK, 0,
               lae_cu_stream(queue), pack);
    return lae_cu_launched(queue, "conv_pack");
}
