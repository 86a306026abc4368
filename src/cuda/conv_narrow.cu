/*
 * Convolutions of either direction to at most four channels from many, as the last layer of a decoder has: a tile of 32
 * channels would be mostly empty. Eight lanes share four pixels of a phase: each takes every eighth pack of four
 * channels, so that a pixel's 32 channels are one line of 128 bytes, and a pack of weights serves four pixels. The
 * sixteen sums of the lanes are then added in halves: after three exchanges each lane has two of them.
 *
 * float32 with fused multiply-adds in every precision: the sum's order is taps, packs, then lanes.
 *
 * Floor: `in` once from the second-level cache, `out` once to it: 32 channels of 256 images of 16 by 16 to 3 of 32 by
 * 32 are 11 MB, 3 us on an H200. No shared memory; weights stay in the first-level cache.
 */
#include "conv_plan.h"
#include "launch.h"

#include "shared/map_value.h"

/* Warps of several blocks hide each other's loads, eight for each lane and tap. */
constexpr int NARROW_BLOCK = 128;
constexpr int NARROW_LANES = 8, NARROW_PIXELS = 4, NARROW_FEATURES = 4;
constexpr int NARROW_TILE = NARROW_BLOCK / NARROW_LANES * NARROW_PIXELS; /* pixels of a block */

/* Four pixels of a phase that follow each other. */
struct narrow_pixels {
    int64_t offset[NARROW_PIXELS]; /* of those of `in` under the first tap */
    int y[NARROW_PIXELS], x[NARROW_PIXELS];
};

static __device__ __forceinline__ void narrow_find(const lae_cu_conv_task &task, const lae_cu_conv_place &place,
                                                   int first, narrow_pixels *pixels)
{
#pragma unroll
    for (int i = 0; i < NARROW_PIXELS; i++) {
        const int pixel = first + i < place.pixels ? first + i : place.pixels - 1;
        const int line = pixel / place.width.count, b = line / place.height.count;
        pixels->y[i] = place.height.base + (line - b * place.height.count) * place.height.advance;
        pixels->x[i] = place.width.base + (pixel - line * place.width.count) * place.width.advance;
        pixels->offset[i] = lae_cu_conv_offset(task.in, b, 0, pixels->y[i], pixels->x[i]);
    }
}

/* Adds one pack of one pixel, times the weights of the four channels. */
static __device__ __forceinline__ void narrow_add(float *sum, const float4 &in, const float4 (&w)[4])
{
    const float part[4] = { in.x, in.y, in.z, in.w };
#pragma unroll
    for (int c = 0; c < 4; c++) {
        sum[0] = fmaf(part[c], w[c].x, sum[0]);
        sum[1] = fmaf(part[c], w[c].y, sum[1]);
        sum[2] = fmaf(part[c], w[c].z, sum[2]);
        sum[3] = fmaf(part[c], w[c].w, sum[3]);
    }
}

/* One tap: `weights` of it, [depth][4]. */
static __device__ __forceinline__ void narrow_tap(const lae_cu_conv_task &task, const narrow_pixels &pixels, int dy,
                                                  int dx, const float *weights, int lane,
                                                  float (&sum)[NARROW_PIXELS * NARROW_FEATURES])
{
    const int64_t move = dy * task.in.row + dx * task.in.column;
    for (int c = 4 * lane; c < task.depth; c += 4 * NARROW_LANES) {
        float4 w[4];
#pragma unroll
        for (int i = 0; i < 4; i++) w[i] = *reinterpret_cast<const float4 *>(weights + (c + i) * NARROW_FEATURES);
#pragma unroll
        for (int i = 0; i < NARROW_PIXELS; i++) {
            const unsigned y = static_cast<unsigned>(pixels.y[i] + dy), x = static_cast<unsigned>(pixels.x[i] + dx);
            if (y >= static_cast<unsigned>(task.height.in) || x >= static_cast<unsigned>(task.width.in)) continue;
            const float *from = task.in.data + (pixels.offset[i] + move + c);
            narrow_add(sum + i * NARROW_FEATURES, *reinterpret_cast<const float4 *>(from), w);
        }
    }
}

/* Of 2 HALF sums, the lane keeps the half that its bit says, with the partner's added. */
template <int HALF>
static __device__ __forceinline__ void narrow_halve(float *sum, int bit, int lane)
{
    const bool upper = (lane & bit) != 0;
#pragma unroll
    for (int i = 0; i < HALF; i++) {
        const float kept = upper ? sum[HALF + i] : sum[i], given = upper ? sum[i] : sum[HALF + i];
        sum[i] = kept + __shfl_xor_sync(0xffffffffu, given, bit);
    }
}

static __device__ __forceinline__ void narrow_finish(const lae_cu_conv_task &task, const lae_cu_conv_place &place,
                                                     int pixel, int channel, float value)
{
    if (pixel >= place.pixels || channel >= task.features) return;
    const int line = pixel / place.width.count, b = line / place.height.count;
    const int p = place.height.first + (line - b * place.height.count) * place.height.every;
    const int q = place.width.first + (pixel - line * place.width.count) * place.width.every;
    const int64_t at = lae_cu_conv_offset(task.linear, b, channel, p, q);
    if (task.bias) value += task.bias[channel];
    if (task.derivative) value = lae_map_slope(task.map, task.param, value, task.linear.data[at]);
    else {
        if (task.linear.data) task.linear.data[at] = value;
        value = lae_map_value(task.map, task.param, value);
    }
    task.out.data[lae_cu_conv_offset(task.out, b, channel, p, q)] = value;
}

static __global__ void __launch_bounds__(NARROW_BLOCK) conv_narrow_kernel(const lae_cu_conv_task task, int tiles)
{
    const lae_cu_conv_place place = lae_cu_conv_place_of(task, blockIdx.x, tiles, 1);
    const int lane = static_cast<int>(threadIdx.x) % NARROW_LANES, team = static_cast<int>(threadIdx.x) / NARROW_LANES;
    const int first = place.m * NARROW_TILE + team * NARROW_PIXELS;
    narrow_pixels pixels;
    if (place.m * NARROW_TILE >= place.pixels) return;
    narrow_find(task, place, first, &pixels);
    float sum[NARROW_PIXELS * NARROW_FEATURES];
#pragma unroll
    for (int i = 0; i < NARROW_PIXELS * NARROW_FEATURES; i++) sum[i] = 0.0f;
    const float *weights = place.weights;
    for (int u = 0; u < place.height.taps; u++)
        for (int v = 0; v < place.width.taps; v++) {
            narrow_tap(task, pixels, u * task.height.step, v * task.width.step, weights, lane, sum);
            weights += static_cast<int64_t>(task.depth) * NARROW_FEATURES;
        }
    /* sum of pixel i and feature f is number 4 i + f: bits 2, 1 of the lane choose the pixel, bit 0 two features */
    narrow_halve<8>(sum, 4, lane);
    narrow_halve<4>(sum, 2, lane);
    narrow_halve<2>(sum, 1, lane);
#pragma unroll 1
    for (int i = 0; i < 2; i++) narrow_finish(task, place, first + lane / 2, lane % 2 * 2 + i, i ? sum[1] : sum[0]);
}

int lae_cu_conv_narrow_fits(const lae_cu_conv_task *task)
{
    return task->groups == 1 && task->features <= NARROW_FEATURES && task->vectors && task->depth >= 16;
}

lstmae_status lae_cu_conv_narrow(lstmae_queue *queue, const lae_cu_conv_task *task)
{
    const int64_t tiles = (lae_cu_conv_phase_pixels(task) + NARROW_TILE - 1) / NARROW_TILE;
    LAE_LAUNCH(conv_narrow_kernel, static_cast<unsigned>(tiles * task->height.phases * task->width.phases),
               NARROW_BLOCK, 0, lae_cu_stream(queue), *task, static_cast<int>(tiles));
    return lae_cu_launched(queue, "conv_narrow");
}
