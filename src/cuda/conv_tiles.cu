/*
 * Convolutions of either direction as products of tiles (conv_plan.h, conv_tile.h) with the map in the same pass.
 * Pixels of `in` are gathered tap by tap into the slices, by asynchronous copies of four channels where they are
 * adjacent and of single floats otherwise, so that any strides do; padding is copied as zero. Nothing is laid out as a
 * matrix in memory.
 *
 * Sums leave the registers through shared memory: then 32 neighbouring threads have neighbouring channels, the map's
 * code is there once, and writes are whole lines.
 *
 * Floor: `in` from the second-level cache once (its taps meet in the first level), `out`, and `linear` where kept, to
 * it once: 32 channels of 256 images of 16 by 16 are 24 MB, 5 us on an H200, and 1.2 GFLOP, 3 us of its tf32 products.
 * Shared memory: 42, 36 and 28 KiB for tiles of 128 by 64, 128 by 32 and 64 by 32; registers: conv_tile.h.
 */
#include "conv_tile.h"

#include "shared/map_value.h"

/* Where a row of the tile goes. */
struct alignas(16) tiles_target {
    int64_t out, linear;
};

/* The slices' left side: pixels, gathered. Each thread has one place of a slice, for every so many rows. */
template <int M>
struct tiles_gather {
    const lae_cu_conv_task &task;
    const lae_cu_conv_pixel *pixels;
    const float *data;
    int taps_h, taps_w;
    int u, v, c; /* tap and channel of this thread's place in the next slice */

    __device__ __forceinline__ tiles_gather(const lae_cu_conv_task &task_, const lae_cu_conv_place &place,
                                            const lae_cu_conv_pixel *pixels_)
        : task(task_), pixels(pixels_), data(task_.in.data + place.group * task_.depth * task_.in.channel),
          taps_h(place.height.taps), taps_w(place.width.taps), u(0), v(0), c(0)
    {
        const int t = static_cast<int>(threadIdx.x);
        move(task.vectors ? t % 4 * 4 : t % LAE_CU_SLICE);
    }

    __device__ __forceinline__ void move(int products)
    {
        c += products;
        while (c >= task.depth && u < taps_h) {
            c -= task.depth;
            if (++v == taps_w) {
                v = 0;
                u++;
            }
        }
    }

    template <int BYTES>
    __device__ __forceinline__ void load(float *a)
    {
        constexpr int EACH = BYTES / 4, LINE = LAE_CU_SLICE / EACH, ROWS = LAE_CU_CONV_THREADS / LINE;
        const int dy = u * task.height.step, dx = v * task.width.step, row = static_cast<int>(threadIdx.x) / LINE;
        const int64_t offset = lae_cu_conv_offset(task.in, 0, c, dy, dx);
        float *to = a + row * LAE_CU_SLICE + static_cast<int>(threadIdx.x) % LINE * EACH;
#pragma unroll
        for (int i = 0; i < M / ROWS; i++) {
            const lae_cu_conv_pixel pixel = pixels[row + i * ROWS];
            const unsigned y = static_cast<unsigned>(pixel.y + dy), x = static_cast<unsigned>(pixel.x + dx);
            const bool valid = u < taps_h && y < static_cast<unsigned>(task.height.in) &&
                               x < static_cast<unsigned>(task.width.in);
            const float *from = valid ? data + (pixel.offset + offset) : task.in.data;
            lae_cu_copy_async<BYTES>(to + i * ROWS * LAE_CU_SLICE, from, valid);
        }
        move(LAE_CU_SLICE);
    }
};

/* The right side: rows of prepared weights. */
template <int N>
static __device__ __forceinline__ void tiles_load_weights(const lae_cu_conv_task &task, const float *weights, int first,
                                                          int products, int column, float *b)
{
    constexpr int LINE = N / 4, ROWS = LAE_CU_CONV_THREADS / LINE;
    const int row = static_cast<int>(threadIdx.x) / LINE, n = static_cast<int>(threadIdx.x) % LINE * 4;
#pragma unroll
    for (int i = 0; i < LAE_CU_SLICE / ROWS; i++) {
        const int k = row + i * ROWS;
        const bool valid = first + k < products && column + n < task.padded;
        const float *from = weights + (static_cast<int64_t>(first + k) * task.padded + column + n);
        lae_cu_copy_async<16>(b + lae_cu_slice_place(k) * (N + 8) + n, valid ? from : task.weights, valid);
    }
}

/* Row `row` of the tile: the pixel of `out`, and under it that of `in`. */
static __device__ __forceinline__ void tiles_find(const lae_cu_conv_task &task, const lae_cu_conv_place &place, int row,
                                                  lae_cu_conv_pixel *pixel, tiles_target *target)
{
    const int height = place.height.count, width = place.width.count;
    if (row >= place.pixels) {
        *pixel = { 0, LAE_CU_CONV_NOWHERE, LAE_CU_CONV_NOWHERE };
        *target = { 0, 0 };
        return;
    }
    const int line = row / width, b = line / height, j = line - b * height, i = row - line * width;
    const int y = place.height.base + j * place.height.advance, x = place.width.base + i * place.width.advance;
    const int p = place.height.first + j * place.height.every, q = place.width.first + i * place.width.every;
    *pixel = { lae_cu_conv_offset(task.in, b, 0, y, x), y, x };
    *target = { lae_cu_conv_offset(task.out, b, 0, p, q), lae_cu_conv_offset(task.linear, b, 0, p, q) };
}

/*
 * The sums, in shared memory as [M][N + 8], with bias and map to where they belong. A thread has one channel. What is
 * read of `linear` is asked for eight rows before it is needed.
 */
template <int M, int N>
static __device__ __forceinline__ void tiles_finish(const lae_cu_conv_task &task, const lae_cu_conv_place &place,
                                                    const tiles_target *targets, const float *sums, int rows)
{
    constexpr int STEP = LAE_CU_CONV_THREADS / N, AHEAD = 8;
    const int column = static_cast<int>(threadIdx.x) % N, n = place.n * N + column;
    if (n >= task.features) return;
    const int channel = place.group * task.features + n;
    const float bias = task.bias ? task.bias[channel] : 0.0f;
    float *out = task.out.data + channel * task.out.channel;
    float *linear = task.linear.data ? task.linear.data + channel * task.linear.channel : nullptr;
    float ahead[AHEAD];
    int row = static_cast<int>(threadIdx.x) / N;
#pragma unroll
    for (int i = 0; i < AHEAD; i++)
        ahead[i] = task.derivative && row + i * STEP < rows ? linear[targets[row + i * STEP].linear] : 0.0f;
#pragma unroll 1
    for (; row < rows; row += STEP) {
        const tiles_target target = targets[row];
        float value = sums[row * (N + 8) + column] + bias;
        if (task.derivative) {
            value = lae_map_slope(task.map, task.param, value, ahead[0]);
#pragma unroll
            for (int i = 0; i + 1 < AHEAD; i++) ahead[i] = ahead[i + 1];
            const int later = row + AHEAD * STEP;
            ahead[AHEAD - 1] = later < rows ? linear[targets[later].linear] : 0.0f;
        } else {
            if (linear) linear[target.linear] = value;
            value = lae_map_value(task.map, task.param, value);
        }
        out[target.out] = value;
    }
}

template <class Tile>
static __global__ void __launch_bounds__(LAE_CU_CONV_THREADS, lae_cu_ring<Tile>::BLOCKS)
conv_tile_kernel(const lae_cu_conv_task task, int tiles_m, int tiles_n)
{
    constexpr int M = Tile::M, N = Tile::N;
    static_assert(M * (N + 8) <= lae_cu_ring<Tile>::FLOATS && M <= LAE_CU_CONV_THREADS, "sums fit into the ring");
    LAE_SHARED(float4, ring_memory, [lae_cu_ring<Tile>::FLOATS / 4]);
    LAE_SHARED(lae_cu_conv_pixel, pixels, [M]);
    LAE_SHARED(tiles_target, targets, [M]);
    float *ring = reinterpret_cast<float *>(&ring_memory[0]);
    const lae_cu_conv_place place = lae_cu_conv_place_of(task, blockIdx.x, tiles_m, tiles_n);
    const int first = place.m * M, products = place.height.taps * place.width.taps * task.depth;
    if (first >= place.pixels) return;
    if (threadIdx.x < M) {
        const int row = static_cast<int>(threadIdx.x);
        tiles_find(task, place, first + row, &pixels[row], &targets[row]);
    }
    __syncthreads();

    Tile tile;
    tile.clear();
    tiles_gather<M> gather(task, place, &pixels[0]);
    lae_cu_ring_run(tile, ring, (products + LAE_CU_SLICE - 1) / LAE_CU_SLICE, [&](int slice, float *a, float *b) {
        if (task.vectors) gather.template load<16>(a);
        else gather.template load<4>(a);
        tiles_load_weights<N>(task, place.weights, slice * LAE_CU_SLICE, products, place.n * N, b);
    });

    tile.each([&](int row, int column, float value, float next) {
        *reinterpret_cast<float2 *>(ring + row * (N + 8) + column) = make_float2(value, next);
    });
    __syncthreads();
    const int left = place.pixels - first;
    tiles_finish<M, N>(task, place, &targets[0], ring, left < M ? left : M);
}

/* ---- host ---- */

static int64_t tiles_count(int64_t size, int64_t each)
{
    return (size + each - 1) / each;
}

static int64_t tiles_blocks(const lae_cu_conv_task *task, int m, int n)
{
    return int64_t(task->height.phases) * task->width.phases * task->groups * tiles_count(task->features, n) *
           tiles_count(lae_cu_conv_phase_pixels(task), m);
}

template <class Tile>
static lstmae_status tiles_launch(lstmae_queue *queue, const lae_cu_conv_task *task)
{
    const int tiles_m = static_cast<int>(tiles_count(lae_cu_conv_phase_pixels(task), Tile::M));
    const int tiles_n = static_cast<int>(tiles_count(task->features, Tile::N));
    LAE_LAUNCH((conv_tile_kernel<Tile>), static_cast<unsigned>(tiles_blocks(task, Tile::M, Tile::N)),
               LAE_CU_CONV_THREADS, 0, lae_cu_stream(queue), *task, tiles_m, tiles_n);
    return lae_cu_launched(queue, "conv_tile");
}

/* The largest tile that leaves no multiprocessor without a block: a sum's order does not depend on which. */
template <int PRECISION>
static lstmae_status tiles_choose(lstmae_queue *queue, const lae_cu_conv_task *task)
{
    if (task->features > 32 && tiles_blocks(task, 128, 64) >= queue->multiprocessors)
        return tiles_launch<lae_cu_tile<PRECISION, 128, 64, false>>(queue, task);
    if constexpr (PRECISION != LSTMAE_PRECISION_FP32)
        if (tiles_blocks(task, 128, 32) >= queue->multiprocessors)
            return tiles_launch<lae_cu_tile<PRECISION, 128, 32, false>>(queue, task);
    return tiles_launch<lae_cu_tile<PRECISION, 64, 32, false>>(queue, task);
}

lstmae_status lae_cu_conv_tiles(lstmae_queue *queue, const lae_cu_conv_task *task)
{
    switch (queue->precision) {
    case LSTMAE_PRECISION_TF32: return tiles_choose<LSTMAE_PRECISION_TF32>(queue, task);
    case LSTMAE_PRECISION_BF16: return tiles_choose<LSTMAE_PRECISION_BF16>(queue, task);
    default: return tiles_choose<LSTMAE_PRECISION_FP32>(queue, task);
    }
}
