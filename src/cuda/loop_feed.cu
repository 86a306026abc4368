/*
 * The step from an output to the next input, y = sums + b, x = map(y), and back, dy += dx map'(y), for all decoders in
 * one launch: blockIdx.z is the part. A thread does four neighbours of float, or one element. What is read was left in
 * the second-level cache by a product, so the floor is that of launching: 2 us or less for [128,4096].
 */
#include "loop_feed.h"

#include "map_double.h"
#include "pointwise.h"

constexpr int FEED_BLOCK = 128; /* small: few samples still spread over the multiprocessors */

template <class T>
static __device__ __forceinline__ void feed_put_bf16(__nv_bfloat16 *to, const T (&from)[1])
{
    *to = __float2bfloat16_rn((float)from[0]);
}

static __device__ __forceinline__ void feed_put_bf16(__nv_bfloat16 *to, const float (&from)[LAE_CU_PACK])
{
    *reinterpret_cast<uint2 *>(to) = { lae_cu_bf16_pair(from[0], from[1]), lae_cu_bf16_pair(from[2], from[3]) };
}

template <class T, int V>
static __device__ __forceinline__ void feed_put(const lae_cu_feed_rows &rows, int64_t b, int64_t j, const T (&from)[V])
{
    if (!rows.data) return;
    const int64_t offset = b * rows.row + j;
    if (rows.type == LAE_CU_BF16) feed_put_bf16(static_cast<__nv_bfloat16 *>(rows.data) + offset, from);
    else lae_cu_store(static_cast<T *>(rows.data) + offset, from);
}

/* The sample and the feature of a thread; 0 where there is none. */
template <int V>
static __device__ __forceinline__ int feed_place(int64_t B, lae_divisor by_row, int64_t *b, int64_t *j)
{
    uint32_t piece;
    *b = lae_divide(blockIdx.x * FEED_BLOCK + threadIdx.x, by_row, &piece);
    *j = (int64_t)piece * V;
    return *b < B;
}

template <class T, int V>
static __global__ void __launch_bounds__(FEED_BLOCK) loop_feed_kernel(const lae_cu_feed feed, const lae_divisor by_row)
{
    const lae_cu_feed_part &p = feed.part[blockIdx.z];
    int64_t b, j;
    T y[V], bias[V];
    if (!feed_place<V>(feed.B, by_row, &b, &j)) return;
    const int64_t sample = blockIdx.z * feed.B + b, at = b * feed.F + j;
    lae_cu_load(y, static_cast<const T *>(feed.sums) + sample * feed.F + j, 0);
    lae_cu_load(bias, static_cast<const T *>(p.b_out) + j, 0);
    for (int v = 0; v < V; v++) y[v] += bias[v];
    lae_cu_store(static_cast<T *>(p.y) + at, y);
    for (int v = 0; v < V; v++) y[v] = lae_map_value(feed.map, T(0), y[v]);
    if (p.x) lae_cu_store(static_cast<T *>(p.x) + at, y);
    feed_put(feed.next, sample, j, y);
}

template <class T, int V>
static __global__ void __launch_bounds__(FEED_BLOCK)
    loop_feed_gradient_kernel(const lae_cu_feed_gradient feed, const lae_divisor by_row)
{
    const lae_cu_feed_gradient_part &p = feed.part[blockIdx.z];
    int64_t b, j;
    T dy[V], dx[V], fed[V];
    if (!feed_place<V>(feed.B, by_row, &b, &j)) return;
    const int64_t sample = blockIdx.z * feed.B + b, at = b * feed.F + j;
    lae_cu_load(dy, static_cast<const T *>(p.dy) + at, 0);
    if (feed.dx.data) {
        lae_cu_load(dx, static_cast<const T *>(feed.dx.data) + sample * feed.dx.row + j, 0);
        if (feed.map != LSTMAE_MAP_IDENTITY) {
            lae_cu_load(fed, static_cast<const T *>(p.fed) + at, 0);
            for (int v = 0; v < V; v++) dx[v] = lae_map_slope(feed.map, T(0), dx[v], fed[v]);
        }
        for (int v = 0; v < V; v++) dy[v] += dx[v];
        lae_cu_store(static_cast<T *>(p.dy) + at, dy);
    }
    feed_put(feed.factor, sample, j, dy);
}

/* ---- launching ---- */

static int feed_in_packs(int dtype, int64_t F)
{
    return dtype == LSTMAE_F32 && F % LAE_CU_PACK == 0;
}

/* 1 where a thread can take a pack of neighbours of an array, or of rows. */
static int feed_fits(const void *array)
{
    return lae_cu_aligned(array, 0, LAE_CU_F32, 16);
}

static int feed_fits(const lae_cu_feed_rows &rows)
{
    return lae_cu_aligned(rows.data, rows.row, rows.type, rows.type == LAE_CU_BF16 ? 8 : 16);
}

static dim3 feed_grid(int64_t B, int64_t F, int parts, int V, lae_divisor *by_row)
{
    *by_row = lae_divisor_of((uint32_t)(F / V));
    return dim3((unsigned)((B * (F / V) + FEED_BLOCK - 1) / FEED_BLOCK), 1, (unsigned)parts);
}

lstmae_status lae_cu_feed_run(lstmae_queue *queue, const lae_cu_feed *feed)
{
    const cudaStream_t stream = lae_cu_stream(queue);
    int packs = feed_in_packs(feed->dtype, feed->F) && feed_fits(feed->sums) && feed_fits(feed->next);
    for (int d = 0; d < feed->parts; d++)
        packs &= feed_fits(feed->part[d].b_out) && feed_fits(feed->part[d].y) && feed_fits(feed->part[d].x);
    lae_divisor by_row;
    const dim3 grid = feed_grid(feed->B, feed->F, feed->parts, packs ? LAE_CU_PACK : 1, &by_row);
    if (feed->dtype == LSTMAE_F64)
        LAE_LAUNCH((loop_feed_kernel<double, 1>), grid, FEED_BLOCK, 0, stream, *feed, by_row);
    else if (packs)
        LAE_LAUNCH((loop_feed_kernel<float, LAE_CU_PACK>), grid, FEED_BLOCK, 0, stream, *feed, by_row);
    else
        LAE_LAUNCH((loop_feed_kernel<float, 1>), grid, FEED_BLOCK, 0, stream, *feed, by_row);
    return lae_cu_launched(queue, "loop_feed");
}

lstmae_status lae_cu_feed_gradient_run(lstmae_queue *queue, const lae_cu_feed_gradient *feed)
{
    const cudaStream_t stream = lae_cu_stream(queue);
    int packs = feed_in_packs(feed->dtype, feed->F) && feed_fits(feed->dx) && feed_fits(feed->factor);
    for (int d = 0; d < feed->parts; d++) packs &= feed_fits(feed->part[d].dy) && feed_fits(feed->part[d].fed);
    lae_divisor by_row;
    const dim3 grid = feed_grid(feed->B, feed->F, feed->parts, packs ? LAE_CU_PACK : 1, &by_row);
    if (feed->dtype == LSTMAE_F64)
        LAE_LAUNCH((loop_feed_gradient_kernel<double, 1>), grid, FEED_BLOCK, 0, stream, *feed, by_row);
    else if (packs)
        LAE_LAUNCH((loop_feed_gradient_kernel<float, LAE_CU_PACK>), grid, FEED_BLOCK, 0, stream, *feed, by_row);
    else
        LAE_LAUNCH((loop_feed_gradient_kernel<float, 1>), grid, FEED_BLOCK, 0, stream, *feed, by_row);
    return lae_cu_launched(queue, "loop_feed_gradient");
}
