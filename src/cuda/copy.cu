/*
 * copy: dst = src, and fill: dst = value, of floats, doubles and 64-bit integers; those move as doubles, bit for bit.
 *
 * Where dst and src lie densely along different axes (rows to columns; planes of an image to pixels) tiles go through
 * shared memory, so that both sides are read and written in whole rows of 32 elements. Floor: the memory's bandwidth,
 * 2 bytes moved for each byte copied.
 */
#include "entries.h"
#include "pointwise.h"

/* A tile has TILE x TILE elements and one column of padding: its columns then lie in different banks. */
constexpr int TILE = 32;
constexpr int TILE_ROWS = 8; /* rows of threads: 256 in a block */

/* Below this many elements along either axis a tile would mostly be empty, and caches do as well. */
constexpr int64_t TILE_LEAST = 16;

template <typename T>
struct copy_op {
    using element = T;
    static constexpr int inputs = 1;
    int reads_output() const { return 0; }
    template <int N>
    __device__ void operator()(T (&y)[N], const T (&in)[1][N]) const
    {
        for (int i = 0; i < N; i++) y[i] = in[0][i];
    }
};

template <typename T>
struct fill_op {
    using element = T;
    static constexpr int inputs = 0;
    T value;
    int reads_output() const { return 0; }
    template <int N>
    __device__ void operator()(T (&y)[N], const T (&)[1][N]) const
    {
        for (int i = 0; i < N; i++) y[i] = value;
    }
};

/*
 * dst[o,q,n,m] = src[o,q,n,m]: along m, of M elements, dst is dense; along n, of N, src is. dst has stride dst_n along
 * n, src has src_m along m. Outer axes o and q may be any.
 */
struct copy_tiles {
    void *dst;
    const void *src;
    int64_t M, N, dst_n, src_m;
    uint32_t tiles_m, tiles_n, inner; /* inner: size of q */
    int64_t dst_outer[2], src_outer[2];
};

template <typename T>
static __global__ void __launch_bounds__(TILE *TILE_ROWS) copy_tiles_kernel(const copy_tiles tiles)
{
    LAE_SHARED(T, tile, [TILE][TILE + 1]);
    const uint32_t across = blockIdx.x % tiles.tiles_m, rest = blockIdx.x / tiles.tiles_m;
    const uint32_t down = rest % tiles.tiles_n, outer = rest / tiles.tiles_n;
    const int64_t o = outer / tiles.inner, q = outer % tiles.inner;
    const int64_t m0 = (int64_t)across * TILE, n0 = (int64_t)down * TILE;
    const T *src = static_cast<const T *>(tiles.src) + o * tiles.src_outer[0] + q * tiles.src_outer[1];
    T *dst = static_cast<T *>(tiles.dst) + o * tiles.dst_outer[0] + q * tiles.dst_outer[1];
    const int column = threadIdx.x;
    for (int row = threadIdx.y; row < TILE; row += TILE_ROWS)
        if (m0 + row < tiles.M && n0 + column < tiles.N)
            tile[row][column] = src[(m0 + row) * tiles.src_m + n0 + column];
    __syncthreads();
    for (int row = threadIdx.y; row < TILE; row += TILE_ROWS)
        if (n0 + row < tiles.N && m0 + column < tiles.M)
            dst[(n0 + row) * tiles.dst_n + m0 + column] = tile[column][row];
}

/* 1 where tiles serve a layout; *tiles, *blocks receive how. */
static int copy_tiles_of(const lae_cu_layout *layout, copy_tiles *tiles, int64_t *blocks)
{
    const int m = layout->axes - 1;
    int n = 0, outer = 0;
    while (n < m && layout->stride[1][n] != 1) n++;
    if (n == m || layout->stride[0][m] != 1) return 0;
    if (layout->dim[m] < TILE_LEAST || layout->dim[n] < TILE_LEAST) return 0;
    *tiles = copy_tiles{};
    tiles->dst = layout->data[0];
    tiles->src = layout->data[1];
    tiles->M = layout->dim[m];
    tiles->N = layout->dim[n];
    tiles->dst_n = layout->stride[0][n];
    tiles->src_m = layout->stride[1][m];
    tiles->inner = 1;
    const int64_t tiles_m = (tiles->M + TILE - 1) / TILE, tiles_n = (tiles->N + TILE - 1) / TILE;
    *blocks = tiles_m * tiles_n;
    for (int axis = 0; axis < m; axis++) {
        if (axis == n) continue;
        /* a single outer axis is o; of two the second is q */
        if (outer == 1) tiles->inner = (uint32_t)layout->dim[axis];
        tiles->dst_outer[outer] = layout->stride[0][axis];
        tiles->src_outer[outer] = layout->stride[1][axis];
        *blocks *= layout->dim[axis];
        outer++;
    }
    tiles->tiles_m = (uint32_t)tiles_m;
    tiles->tiles_n = (uint32_t)tiles_n;
    return *blocks <= LAE_CU_WALK_MOST;
}

template <typename T>
static lstmae_status copy_run(lstmae_queue *queue, const lae_cu_layout *layout)
{
    copy_tiles tiles;
    int64_t blocks;
    if (!copy_tiles_of(layout, &tiles, &blocks)) return lae_cu_pointwise(queue, "copy", *layout, copy_op<T>{});
    LAE_LAUNCH((copy_tiles_kernel<T>), (unsigned)blocks, dim3(TILE, TILE_ROWS), 0, lae_cu_stream(queue), tiles);
    return lae_cu_launched(queue, "copy");
}

lstmae_status lae_cu_copy(lstmae_queue *queue, const lstmae_view *dst, const lstmae_view *src)
{
    const lstmae_view *const views[2] = { dst, src };
    LAE_CU_TRY(lae_cu_usable(queue));
    if (dst->dtype != LSTMAE_I64 || src->dtype != LSTMAE_I64)
        LAE_CU_TRY(lae_cu_check_types(queue, "copy", 2, views));
    const lae_cu_layout layout = lae_cu_layout_sorted(2, views);
    return dst->dtype == LSTMAE_F32 ? copy_run<float>(queue, &layout) : copy_run<double>(queue, &layout);
}

lstmae_status lae_cu_fill(lstmae_queue *queue, const lstmae_view *dst, double value)
{
    LAE_CU_TRY(lae_cu_usable(queue));
    if (dst->dtype != LSTMAE_I64) LAE_CU_TRY(lae_cu_check_types(queue, "fill", 1, &dst));
    const lae_cu_layout layout = lae_cu_layout_sorted(1, &dst);
    if (dst->dtype == LSTMAE_I64)
        return lae_cu_pointwise(queue, "fill", layout, fill_op<int64_t>{ (int64_t)value });
    if (dst->dtype == LSTMAE_F64) return lae_cu_pointwise(queue, "fill", layout, fill_op<double>{ value });
    return lae_cu_pointwise(queue, "fill", layout, fill_op<float>{ (float)value });
}
