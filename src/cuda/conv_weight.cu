/*
 * Weight gradients: dw[k,c,r,s] = sum over pixels (b,p,q) of y[b,k,p,q] x[b,c,p stride + r dilation - padding,..], as a
 * product of tiles: taps and channels [T C, pixels] by features [pixels, K], C and K of one group.
 *
 * A result is small and a sum long, so the pixels are shared by so many blocks that a large GPU is busy, a number that
 * the shapes alone decide. Each leaves a part [T C, K] in scratch memory; a second launch adds the parts in double, in
 * the order of the pixels, and brings them to the order of the weight. Pixels of x are gathered under each tap like
 * those of conv_tiles.cu.
 *
 * Floor: x and y from the second-level cache once, the parts to it and from it: 32 to 32 channels of 256 images of 16
 * by 16 are 17 MB and twice 3 MB, 6 us on an H200, and 1.2 GFLOP. Shared memory: 42, 36 and 31 KiB
 * for tiles of 128 by 64, 128 by 32 and 64 by 32; registers: conv_tile.h.
 */
#include "conv_tile.h"

#include "entries.h"
#include "walk.h"

#include "shared/divide.h"

/* Parts are made of at least so many pixels, and of so many blocks in all: two for each multiprocessor of an H200. */
constexpr int64_t WEIGHT_LEAST_PIXELS = 128;
constexpr int64_t WEIGHT_BLOCKS = 264;

constexpr int WEIGHT_SUM_BLOCK = 256; /* eight warps, of some eight parts each */

constexpr int64_t WEIGHT_NOWHERE = INT64_MIN; /* as an offset */

/* x stands as `in` and y as `out` of a forward convolution, of the axes `height` and `width`. */
struct weight_task {
    lae_cu_conv_axis height, width;
    lae_cu_conv_image x, y;
    int vectors_x, vectors_y;
    int groups, channels, features, padded; /* of one group; padded: features, rounded up to 4 */
    int rows;                               /* taps and channels */
    uint32_t pixels, each;                  /* of y; those of one part */
    int splits;
    int tiles_m, tiles_n;
    lae_divisor line, image; /* pixels of y's rows and images */
    float *parts;            /* [splits][groups][rows][padded] */
};

/* A thread's place in the left side of every slice: a tap, and one or four channels. */
struct weight_place {
    const float *data; /* of x, under that tap */
    int dy, dx;
    bool valid;
};

static __device__ __forceinline__ weight_place weight_place_of(const weight_task &task, int group, int row)
{
    const int tap = row / task.channels, c = row - tap * task.channels;
    const int r = tap / task.width.taps, s = tap - r * task.width.taps;
    const int dy = r * task.height.dilation - task.height.padding, dx = s * task.width.dilation - task.width.padding;
    return { task.x.data + lae_cu_conv_offset(task.x, 0, group * task.channels + c, dy, dx), dy, dx, row < task.rows };
}

/* Pixel `pixel` of y, and the one of x at its corner. */
static __device__ __forceinline__ void weight_find(const weight_task &task, uint32_t pixel, uint32_t end,
                                                   lae_cu_conv_pixel *x, int64_t *y)
{
    if (pixel >= end) {
        *x = { 0, LAE_CU_CONV_NOWHERE, LAE_CU_CONV_NOWHERE };
        *y = WEIGHT_NOWHERE;
        return;
    }
    uint32_t inside, q;
    const uint32_t b = lae_divide(pixel, task.image, &inside), p = lae_divide(inside, task.line, &q);
    const int h = static_cast<int>(p) * task.height.stride, w = static_cast<int>(q) * task.width.stride;
    *x = { lae_cu_conv_offset(task.x, static_cast<int>(b), 0, h, w), h, w };
    *y = lae_cu_conv_offset(task.y, static_cast<int>(b), 0, static_cast<int>(p), static_cast<int>(q));
}

/* Left side of a slice: [16][M + 8], pixels by taps and channels. */
template <int M, int BYTES>
static __device__ __forceinline__ void weight_load_x(const weight_task &task, const weight_place &place,
                                                     const lae_cu_conv_pixel *pixels, float *a)
{
    constexpr int EACH = BYTES / 4, LINE = M / EACH, ROWS = LAE_CU_CONV_THREADS / LINE;
    const int row = static_cast<int>(threadIdx.x) / LINE, m = static_cast<int>(threadIdx.x) % LINE * EACH;
#pragma unroll
    for (int i = 0; i < LAE_CU_SLICE / ROWS; i++) {
        const int k = row + i * ROWS;
        const lae_cu_conv_pixel pixel = pixels[k];
        const unsigned y = static_cast<unsigned>(pixel.y + place.dy), x = static_cast<unsigned>(pixel.x + place.dx);
        const bool valid = place.valid && y < static_cast<unsigned>(task.height.in) &&
                           x < static_cast<unsigned>(task.width.in);
        const float *from = valid ? place.data + pixel.offset : task.x.data;
        lae_cu_copy_async<BYTES>(a + lae_cu_slice_place(k) * (M + 8) + m, from, valid);
    }
}

/* Right side: [16][N + 8], pixels by features. */
template <int N, int BYTES>
static __device__ __forceinline__ void weight_load_y(const weight_task &task, int group, int first,
                                                     const int64_t *offsets, float *b)
{
    constexpr int EACH = BYTES / 4, LINE = N / EACH, ROWS = LAE_CU_CONV_THREADS / LINE;
    const int row = static_cast<int>(threadIdx.x) / LINE, n = static_cast<int>(threadIdx.x) % LINE * EACH;
    const float *data = task.y.data + (group * task.features + first + n) * task.y.channel;
#pragma unroll
    for (int i = 0; i < LAE_CU_SLICE / ROWS; i++) {
        const int k = row + i * ROWS;
        const bool valid = offsets[k] != WEIGHT_NOWHERE && first + n < task.features;
        const float *from = valid ? data + offsets[k] : task.y.data;
        lae_cu_copy_async<BYTES>(b + lae_cu_slice_place(k) * (N + 8) + n, from, valid);
    }
}

/* Block: ((split groups + group) tiles_m + m) tiles_n + n. */
template <class Tile>
static __global__ void __launch_bounds__(LAE_CU_CONV_THREADS, lae_cu_ring<Tile>::BLOCKS)
conv_weight_kernel(const weight_task task)
{
    constexpr int M = Tile::M, N = Tile::N, FOUND = LAE_CU_CONV_THREADS;
    static_assert((lae_cu_ring<Tile>::SLICES - 1) * LAE_CU_SLICE <= FOUND, "no barrier between the first slices");
    LAE_SHARED(float4, ring_memory, [lae_cu_ring<Tile>::FLOATS / 4]);
    LAE_SHARED(lae_cu_conv_pixel, pixels, [FOUND]);
    LAE_SHARED(int64_t, offsets, [FOUND]);
    int block = static_cast<int>(blockIdx.x);
    const int n = block % task.tiles_n * N;
    block /= task.tiles_n;
    const int m = block % task.tiles_m * M;
    block /= task.tiles_m;
    const int group = block % task.groups, split = block / task.groups, thread = static_cast<int>(threadIdx.x);
    const uint32_t begin = static_cast<uint32_t>(split) * task.each;
    const uint32_t end = min(begin + task.each, task.pixels);

    Tile tile;
    tile.clear();
    const weight_place place = weight_place_of(task, group, m + (task.vectors_x ? thread % (M / 4) * 4 : thread % M));
    float *ring = reinterpret_cast<float *>(&ring_memory[0]);
    const int slices = static_cast<int>((end - begin + LAE_CU_SLICE - 1) / LAE_CU_SLICE);
    lae_cu_ring_run(tile, ring, slices, [&](int slice, float *a, float *b) {
        /* pixels are found for eight slices at a time: behind those before, the ring has had a barrier */
        const int at = slice * LAE_CU_SLICE % FOUND;
        if (at == 0) {
            weight_find(task, begin + static_cast<uint32_t>(slice * LAE_CU_SLICE + thread), end, &pixels[thread],
                        &offsets[thread]);
            __syncthreads();
        }
        if (task.vectors_x) weight_load_x<M, 16>(task, place, &pixels[at], a);
        else weight_load_x<M, 4>(task, place, &pixels[at], a);
        if (task.vectors_y) weight_load_y<N, 16>(task, group, n, &offsets[at], b);
        else weight_load_y<N, 4>(task, group, n, &offsets[at], b);
    });

    float *part = task.parts + (static_cast<int64_t>(split) * task.groups + group) * task.rows * task.padded;
    tile.each([&](int row, int column, float value, float next) {
        if (m + row < task.rows && n + column < task.padded)
            *reinterpret_cast<float2 *>(part + static_cast<int64_t>(m + row) * task.padded + n + column) =
                make_float2(value, next);
    });
}

/*
 * Block: 32 of [groups][rows][padded], a lane each. Its warps add a run of the parts each, in order, and the first one
 * the warps' sums: so hardly a load waits for another.
 */
static __global__ void __launch_bounds__(WEIGHT_SUM_BLOCK)
conv_weight_sum_kernel(const weight_task task, unsigned numel, float *dw, double beta)
{
    constexpr unsigned WARPS = WEIGHT_SUM_BLOCK / 32;
    LAE_SHARED(double, sums, [WARPS][32]);
    const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, at = blockIdx.x * 32 + lane;
    const unsigned splits = static_cast<unsigned>(task.splits);
    const unsigned end = (warp + 1) * splits / WARPS;
    double sum = 0.0;
    if (at < numel) {
        const float *from = task.parts + at;
#pragma unroll 8
        for (unsigned split = warp * splits / WARPS; split < end; split++)
            sum += static_cast<double>(from[static_cast<int64_t>(split) * numel]);
    }
    sums[warp][lane] = sum;
    __syncthreads();
    const unsigned feature = at % task.padded;
    if (warp > 0 || at >= numel || feature >= static_cast<unsigned>(task.features)) return;
    for (unsigned other = 1; other < WARPS; other++) sum += sums[other][lane];
    const unsigned line = at / task.padded, row = line % task.rows, tap = row / task.channels, c = row % task.channels;
    const int64_t k = static_cast<int64_t>(line / task.rows) * task.features + feature;
    float *to = dw + (k * task.channels + c) * (task.height.taps * task.width.taps) + tap;
    if (beta != 0.0) sum = fma(beta, static_cast<double>(*to), sum);
    *to = static_cast<float>(sum);
}

/* ---- host ---- */

template <class Tile>
static lstmae_status weight_launch(lstmae_queue *queue, weight_task *task)
{
    const int64_t blocks = int64_t(task->splits) * task->groups * task->tiles_m * task->tiles_n;
    LAE_LAUNCH((conv_weight_kernel<Tile>), static_cast<unsigned>(blocks), LAE_CU_CONV_THREADS, 0, lae_cu_stream(queue),
               *task);
    return lae_cu_launched(queue, "conv_weight");
}

/* Tiles of 128 by 32 are for tensor products alone: for float32 they are not worth a kernel. */
struct weight_tile {
    int m, n;
};

static weight_tile weight_tile_of(const weight_task *task, int precision)
{
    if (task->rows > 64 && task->features > 32) return { 128, 64 };
    if (task->rows > 64 && precision != LSTMAE_PRECISION_FP32) return { 128, 32 };
    return { 64, 32 };
}

template <int PRECISION>
static lstmae_status weight_run(lstmae_queue *queue, weight_task *task, weight_tile tile)
{
    if (tile.n == 64) return weight_launch<lae_cu_tile<PRECISION, 128, 64, true>>(queue, task);
    if constexpr (PRECISION != LSTMAE_PRECISION_FP32)
        if (tile.m == 128) return weight_launch<lae_cu_tile<PRECISION, 128, 32, true>>(queue, task);
    return weight_launch<lae_cu_tile<PRECISION, 64, 32, true>>(queue, task);
}

/* 0 where the shapes do not suit tiles. */
static int weight_plan(weight_task *task, const lstmae_conv_args *args, int precision)
{
    lae_cu_conv_task conv;
    const int64_t pixels = args->y.dim[0] * args->y.dim[2] * args->y.dim[3];
    if (!lae_cu_conv_plan(&conv, args, 0) || pixels == 0) return 0;
    *task = { conv.height, conv.width, conv.in, conv.out, conv.vectors,
              lae_cu_conv_vectors(&conv.out, conv.features), conv.groups, conv.depth, conv.features, conv.padded,
              conv.height.taps * conv.width.taps * conv.depth, static_cast<uint32_t>(pixels), 0, 0, 0, 0,
              lae_divisor_of(static_cast<uint32_t>(conv.width.out)),
              lae_divisor_of(static_cast<uint32_t>(conv.height.out * conv.width.out)), nullptr };
    const weight_tile tile = weight_tile_of(task, precision);
    task->tiles_m = (task->rows + tile.m - 1) / tile.m;
    task->tiles_n = (task->features + tile.n - 1) / tile.n;
    const int64_t tiles = int64_t(task->groups) * task->tiles_m * task->tiles_n;
    if (tiles > INT32_MAX / WEIGHT_BLOCKS) return 0;
    const int64_t most = (pixels + WEIGHT_LEAST_PIXELS - 1) / WEIGHT_LEAST_PIXELS;
    const int64_t wanted = tiles < WEIGHT_BLOCKS ? WEIGHT_BLOCKS / tiles : 1, splits = wanted < most ? wanted : most;
    const int64_t each = ((pixels + splits - 1) / splits + LAE_CU_SLICE - 1) / LAE_CU_SLICE * LAE_CU_SLICE;
    task->each = static_cast<uint32_t>(each);
    task->splits = static_cast<int>((pixels + each - 1) / each);
    return 1;
}

lstmae_status lae_cu_conv_weight_gradient(lstmae_queue *queue, const lstmae_conv_args *args)
{
    const lstmae_view *const views[2] = { &args->x, &args->y };
    const int precision = queue->precision;
    weight_task task;
    void *parts;
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "conv_weight_gradient", 2, views));
    if (args->dtype != LSTMAE_F32 || !weight_plan(&task, args, precision)) return lae_cu_conv_plain_weight(queue, args);
    const int64_t numel = int64_t(task.groups) * task.rows * task.padded;
    LAE_CU_TRY(lae_cu_scratch(queue, static_cast<size_t>(numel * task.splits) * sizeof(float), &parts));
    task.parts = static_cast<float *>(parts);
    const weight_tile tile = weight_tile_of(&task, precision);
    if (precision == LSTMAE_PRECISION_TF32) LAE_CU_TRY(weight_run<LSTMAE_PRECISION_TF32>(queue, &task, tile));
    else if (precision == LSTMAE_PRECISION_BF16) LAE_CU_TRY(weight_run<LSTMAE_PRECISION_BF16>(queue, &task, tile));
    else LAE_CU_TRY(weight_run<LSTMAE_PRECISION_FP32>(queue, &task, tile));
    LAE_LAUNCH(conv_weight_sum_kernel, static_cast<unsigned>((numel + 31) / 32), WEIGHT_SUM_BLOCK, 0,
               lae_cu_stream(queue), task, static_cast<unsigned>(numel), static_cast<float *>(args->dw), args->beta);
    return lae_cu_launched(queue, "conv_weight_sum");
}
