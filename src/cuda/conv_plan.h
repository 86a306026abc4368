/*
 * Convolutions (backend.h has the equations). One form covers both directions: an image `out` is computed from an image
 * `in`, and along each axis
 *
 *   out position  first + j every           for j = 0, 1, ...
 *   in position   base + j advance + u step under tap  first tap + u period, for u = 0, 1, ..., where inside
 *
 * A forward convolution has one such phase of all positions and taps. A transposed one has as many as its stride: the
 * positions that meet the same taps. So inserted zeros are never multiplied; padding is, as zero.
 *
 * A phase is a matrix product: pixels [B places, taps depth] times weights [taps depth, features], where `depth` and
 * `features` are the channels of in and out of one group. Prepared weights have the rows of a phase side by side.
 */
#ifndef LAE_CUDA_CONV_PLAN_H
#define LAE_CUDA_CONV_PLAN_H

#include "queue.h"

#include <cuda_runtime.h>

/** Four warps: two blocks of the largest tile fill the registers of half a multiprocessor, so three or more fit. */
constexpr int LAE_CU_CONV_THREADS = 128;

/** float32 images and their strides in elements. */
struct lae_cu_conv_image {
    float *data;
    int64_t batch, channel, row, column;
};

struct lae_cu_conv_axis {
    int in, out; /* sizes */
    int taps, stride, padding, dilation;
    int phases;
    int period, step;
};

struct lae_cu_conv_task {
    lae_cu_conv_axis height, width;
    int transposed;
    int batch, groups, depth, features;
    int padded;  /* floats of a row of prepared weights: features, rounded up to 4 */
    int vectors; /* four channels of `in` can be moved at once */
    lae_cu_conv_image in, out;
    lae_cu_conv_image linear; /* data NULL: none */
    const float *weights, *bias;
    int map, derivative;
    float param; /* of map */
};

/** Positions that meet the same taps; see above. `begin` of the axis's taps are those of the phases before. */
struct lae_cu_conv_phase {
    int first, every, count;
    int begin, taps;
    int base, advance, step;
};

/** Taps of an axis in the phase whose first one is `tap` < period. */
static __host__ __device__ __forceinline__ int lae_cu_conv_phase_taps(const lae_cu_conv_axis &axis, int tap)
{
    return tap < axis.taps ? (axis.taps - 1 - tap) / axis.period + 1 : 0;
}

/** Taps of all phases before that one. */
static __host__ __device__ __forceinline__ int lae_cu_conv_phase_begin(const lae_cu_conv_axis &axis, int tap)
{
    const int more = axis.taps % axis.period;
    return tap * (axis.taps / axis.period) + (tap < more ? tap : more);
}

/** Phase `index`. Those of more taps tend to come first, for the usual padding, so that they are not waited for. */
static __device__ __forceinline__ lae_cu_conv_phase lae_cu_conv_phase_of(const lae_cu_conv_axis &axis, int transposed,
                                                                         int index)
{
    if (!transposed) return { 0, 1, axis.out, 0, axis.taps, -axis.padding, axis.stride, axis.step };
    const int first = axis.phases - 1 - index, most = axis.period < axis.taps ? axis.period : axis.taps;
    const int count = (axis.out - first + axis.stride - 1) / axis.stride;
    int tap = 0;
    while (tap < most && (first + axis.padding - tap * axis.dilation) % axis.stride != 0) tap++;
    if (tap == most) return { first, axis.stride, count, 0, 0, 0, 1, axis.step };
    return { first, axis.stride, count, lae_cu_conv_phase_begin(axis, tap), lae_cu_conv_phase_taps(axis, tap),
             (first + axis.padding - tap * axis.dilation) / axis.stride, 1, axis.step };
}

/** The row of prepared weights, in units of `depth`, of the first tap of a pair of phases. */
static __device__ __forceinline__ int lae_cu_conv_pair_begin(const lae_cu_conv_axis &width, int begin_h, int taps_h,
                                                             int begin_w)
{
    return begin_h * width.taps + taps_h * begin_w;
}

/** Where phases, groups and tiles of a grid's blocks are: block = ((phase groups + group) tiles_m + m) tiles_n + n. */
struct lae_cu_conv_place {
    lae_cu_conv_phase height, width;
    int group, m, n;
    int pixels; /* of the phase */
    const float *weights; /* of its first tap and the group */
};

static __device__ __forceinline__ lae_cu_conv_place lae_cu_conv_place_of(const lae_cu_conv_task &task, unsigned block,
                                                                         int tiles_m, int tiles_n)
{
    lae_cu_conv_place place;
    place.n = static_cast<int>(block % tiles_n);
    block /= tiles_n;
    place.m = static_cast<int>(block % tiles_m);
    block /= tiles_m;
    place.group = static_cast<int>(block % task.groups);
    block /= task.groups;
    place.height = lae_cu_conv_phase_of(task.height, task.transposed, static_cast<int>(block / task.width.phases));
    place.width = lae_cu_conv_phase_of(task.width, task.transposed, static_cast<int>(block % task.width.phases));
    place.pixels = task.batch * place.height.count * place.width.count;
    const int begin = lae_cu_conv_pair_begin(task.width, place.height.begin, place.height.taps, place.width.begin);
    const int64_t taps = static_cast<int64_t>(task.height.taps) * task.width.taps;
    place.weights = task.weights + (place.group * taps + begin) * task.depth * task.padded;
    return place;
}

/** Offset of an image's element from its first one. */
static __host__ __device__ __forceinline__ int64_t lae_cu_conv_offset(const lae_cu_conv_image &image, int b, int c,
                                                                      int y, int x)
{
    return b * image.batch + c * image.channel + y * image.row + x * image.column;
}

/** Pixels of the largest phase. */
static inline int64_t lae_cu_conv_phase_pixels(const lae_cu_conv_task *task)
{
    const int64_t height = (task->height.out + task->height.phases - 1) / task->height.phases;
    const int64_t width = (task->width.out + task->width.phases - 1) / task->width.phases;
    return task->batch * height * width;
}

/* ---- conv_plan.cu ---- */

/** 1 and the task where its numbers fit 32 bits and tiles suit it; 0: for the plain kernels. Without weights. */
int lae_cu_conv_plan(lae_cu_conv_task *task, const lstmae_conv_args *args, int transposed);

/** Floats of prepared weights; and makes them. */
int64_t lae_cu_conv_prepared(const lae_cu_conv_task *task);
lstmae_status lae_cu_conv_pack(lstmae_queue *queue, const lae_cu_conv_task *task, float *to, const float *w);

/** 1 where four channels of the image can be moved at once: adjacent ones, aligned. */
int lae_cu_conv_vectors(const lae_cu_conv_image *image, int64_t channels);

/* ---- the ways to compute: each everything of a task ---- */

/** conv_tiles.cu: any. */
lstmae_status lae_cu_conv_tiles(lstmae_queue *queue, const lae_cu_conv_task *task);

/** conv_narrow.cu: up to four features of many channels, where _fits(). */
int lae_cu_conv_narrow_fits(const lae_cu_conv_task *task);
lstmae_status lae_cu_conv_narrow(lstmae_queue *queue, const lae_cu_conv_task *task);

/** conv_plain.cu: float32 and float64, any sizes; for what tiles do not fit. */
lstmae_status lae_cu_conv_plain(lstmae_queue *queue, const lstmae_conv_args *args, int transposed);
lstmae_status lae_cu_conv_plain_weight(lstmae_queue *queue, const lstmae_conv_args *args);

#endif
