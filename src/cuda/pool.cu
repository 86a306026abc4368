/*
 * Pooling of x [B,C,H,W] to y [B,C,P,Q]; the definitions are in backend.h. Both directions gather: a thread makes one
 * element, or a pack of channels, of what is written, so nothing is added by two threads. Sums of one row of a window
 * are in the element type, those of rows in double.
 *
 * The floor is the memory's bandwidth: windows overlap in the caches, every image is read and written once.
 */
#include "entries.h"
#include "image.h"

#include <math.h>

/* Four blocks of a multiprocessor: 64 registers a thread, and 16 KiB of one tap in flight. */
constexpr int POOL_BLOCK = LAE_CU_WALK_BLOCK;
template <typename T>
constexpr int pool_blocks = sizeof(T) == sizeof(float) ? 4 : 3; /* divisions of doubles want more registers */
constexpr int POOL_BACKWARD_BLOCKS = 2; /* windows over a pixel want more still, from sm_100 on */

struct pool_axis {
    int64_t in, out, kernel, stride, padding, dilation;
};

template <typename T>
struct pool_job {
    lae_cu_units units;
    lae_cu_image<T> x, y;
    pool_axis row, column;
    int64_t channels;
    int32_t *index;
    int maximum, count_padding;
};

/* Tap `tap` of window `p`. */
static __device__ __forceinline__ int64_t pool_source(const pool_axis &axis, int64_t p, int64_t tap)
{
    return p * axis.stride + tap * axis.dilation - axis.padding;
}

/* Elements of window `p` along an axis that count in the mean's divisor. */
static __device__ __forceinline__ int64_t pool_extent(const pool_axis &axis, int64_t p, int count_padding)
{
    const int64_t begin = p * axis.stride - axis.padding, end = begin + axis.kernel;
    const int64_t first = count_padding ? -axis.padding : 0, limit = axis.in - first;
    return (end < limit ? end : limit) - (begin > first ? begin : first);
}

template <typename T>
static __device__ __forceinline__ T pool_divisor(const pool_job<T> &job, int64_t p, int64_t q)
{
    return static_cast<T>(pool_extent(job.row, p, job.count_padding) * pool_extent(job.column, q, job.count_padding));
}

template <typename T>
static __device__ __forceinline__ int64_t pool_index(const pool_job<T> &job, int64_t b, int64_t c, int64_t p, int64_t q)
{
    return ((b * job.row.out + p) * job.column.out + q) * job.channels + c;
}

static __device__ __forceinline__ void pool_store_places(int32_t *to, const int32_t (&place)[1])
{
    *to = place[0];
}

static __device__ __forceinline__ void pool_store_places(int32_t *to, const int32_t (&place)[LAE_CU_PACK])
{
    *reinterpret_cast<int4 *>(to) = make_int4(place[0], place[1], place[2], place[3]);
}

static __device__ __forceinline__ void pool_load_places(int32_t (&place)[1], const int32_t *from)
{
    place[0] = *from;
}

static __device__ __forceinline__ void pool_load_places(int32_t (&place)[LAE_CU_PACK], const int32_t *from)
{
    const int4 pack = *reinterpret_cast<const int4 *>(from);
    place[0] = pack.x;
    place[1] = pack.y;
    place[2] = pack.z;
    place[3] = pack.w;
}

/* ---- forward ---- */

/* The first of equal values, and NaN wins; a window without any element of the image is -Inf of place -1. */
template <typename T, int N>
static __device__ __forceinline__ void pool_largest(const pool_job<T> &job, const lae_cu_unit &at, T (&largest)[N],
                                                    int32_t (&place)[N])
{
    for (int k = 0; k < N; k++) {
        largest[k] = static_cast<T>(-INFINITY);
        place[k] = -1;
    }
    for (int64_t r = 0; r < job.row.kernel; r++) {
        const int64_t h = pool_source(job.row, at.h, r);
        if (h < 0 || h >= job.row.in) continue;
        for (int64_t s = 0; s < job.column.kernel; s++) {
            const int64_t w = pool_source(job.column, at.w, s);
            T value[N];
            if (w < 0 || w >= job.column.in) continue;
            lae_cu_load(value, lae_cu_pixel(job.x, at.b, at.c, h, w), 0);
            for (int k = 0; k < N; k++) {
                if (place[k] >= 0 && !(value[k] > largest[k]) && value[k] == value[k]) continue;
                largest[k] = value[k];
                place[k] = static_cast<int32_t>(h * job.column.in + w);
            }
        }
    }
}

template <typename T, int N>
static __device__ __forceinline__ void pool_mean(const pool_job<T> &job, const lae_cu_unit &at, T (&mean)[N])
{
    double sum[N];
    for (int k = 0; k < N; k++) sum[k] = 0.0;
    for (int64_t r = 0; r < job.row.kernel; r++) {
        const int64_t h = pool_source(job.row, at.h, r);
        T part[N];
        if (h < 0 || h >= job.row.in) continue;
        for (int k = 0; k < N; k++) part[k] = 0;
        for (int64_t s = 0; s < job.column.kernel; s++) {
            const int64_t w = pool_source(job.column, at.w, s);
            T value[N];
            if (w < 0 || w >= job.column.in) continue;
            lae_cu_load(value, lae_cu_pixel(job.x, at.b, at.c, h, w), 0);
            for (int k = 0; k < N; k++) part[k] += value[k];
        }
        for (int k = 0; k < N; k++) sum[k] += static_cast<double>(part[k]);
    }
    const T divisor = pool_divisor(job, at.h, at.w);
    for (int k = 0; k < N; k++) mean[k] = static_cast<T>(sum[k]) / divisor;
}

template <typename T, int N>
static __global__ void __launch_bounds__(POOL_BLOCK, pool_blocks<T>) pool_forward_kernel(const pool_job<T> job)
{
    const int64_t step = static_cast<int64_t>(gridDim.x) * POOL_BLOCK;
    for (int64_t i = static_cast<int64_t>(blockIdx.x) * POOL_BLOCK + threadIdx.x; i < job.units.count; i += step) {
        const lae_cu_unit at = lae_cu_unit_at<N>(job.units, i);
        T value[N];
        if (job.maximum) {
            int32_t place[N];
            pool_largest(job, at, value, place);
            if (job.index) pool_store_places(job.index + pool_index(job, at.b, at.c, at.h, at.w), place);
        } else {
            pool_mean(job, at, value);
        }
        lae_cu_store(lae_cu_pixel(job.y, at.b, at.c, at.h, at.w), value);
    }
}

/* ---- backward ---- */

/* Windows [first, end) that reach position `at`; with a dilation some of them have no tap there. */
static __device__ __forceinline__ void pool_windows(const pool_axis &axis, int64_t at, int64_t *first, int64_t *end)
{
    const int64_t last = at + axis.padding, begin = last - (axis.kernel - 1) * axis.dilation;
    int64_t rest;
    *first = begin <= 0 ? 0 : lae_cu_split(begin + axis.stride - 1, axis.stride, &rest);
    *end = lae_cu_split(last, axis.stride, &rest) + 1;
    if (*end > axis.out) *end = axis.out;
}

static __device__ __forceinline__ int pool_hits(const pool_axis &axis, int64_t at, int64_t p)
{
    int64_t rest = 0;
    if (axis.dilation > 1) lae_cu_split(at + axis.padding - p * axis.stride, axis.dilation, &rest);
    return rest == 0;
}

/* What window (p, q) passes on to the pixel `at`. */
template <typename T, int N>
static __device__ __forceinline__ void pool_share(const pool_job<T> &job, const lae_cu_unit &at, int64_t p, int64_t q,
                                                  T (&sum)[N])
{
    T dy[N];
    lae_cu_load(dy, lae_cu_pixel(job.y, at.b, at.c, p, q), 0);
    if (!job.maximum) {
        const T divisor = pool_divisor(job, p, q);
        for (int k = 0; k < N; k++) sum[k] += dy[k] / divisor;
        return;
    }
    int32_t place[N];
    pool_load_places(place, job.index + pool_index(job, at.b, at.c, p, q));
    for (int k = 0; k < N; k++)
        if (place[k] == at.h * job.column.in + at.w) sum[k] += dy[k];
}

template <typename T, int N>
static __global__ void __launch_bounds__(POOL_BLOCK, POOL_BACKWARD_BLOCKS)
pool_backward_kernel(const pool_job<T> job)
{
    const int64_t step = static_cast<int64_t>(gridDim.x) * POOL_BLOCK;
    for (int64_t i = static_cast<int64_t>(blockIdx.x) * POOL_BLOCK + threadIdx.x; i < job.units.count; i += step) {
        const lae_cu_unit at = lae_cu_unit_at<N>(job.units, i);
        int64_t p, p_end, q_first, q_end;
        double sum[N];
        T dx[N];
        for (int k = 0; k < N; k++) sum[k] = 0.0;
        pool_windows(job.column, at.w, &q_first, &q_end);
        for (pool_windows(job.row, at.h, &p, &p_end); p < p_end; p++) {
            T part[N];
            if (!pool_hits(job.row, at.h, p)) continue;
            for (int k = 0; k < N; k++) part[k] = 0;
            for (int64_t q = q_first; q < q_end; q++)
                if (pool_hits(job.column, at.w, q)) pool_share(job, at, p, q, part);
            for (int k = 0; k < N; k++) sum[k] += static_cast<double>(part[k]);
        }
        for (int k = 0; k < N; k++) dx[k] = static_cast<T>(sum[k]);
        lae_cu_store(lae_cu_pixel(job.x, at.b, at.c, at.h, at.w), dx);
    }
}

/* ---- entries ---- */

static pool_axis pool_axis_of(const lstmae_pool_args *args, int axis)
{
    return { args->x.dim[2 + axis], args->y.dim[2 + axis], args->kernel[axis],
             args->stride[axis],    args->padding[axis],   args->dilation[axis] };
}

template <typename T, int N>
static lstmae_status pool_run(lstmae_queue *queue, const lstmae_pool_args *args, int backward)
{
    const pool_job<T> job = { lae_cu_units_of(backward ? &args->x : &args->y, N),
                              lae_cu_image_of<T>(&args->x),
                              lae_cu_image_of<T>(&args->y),
                              pool_axis_of(args, 0),
                              pool_axis_of(args, 1),
                              args->x.dim[1],
                              args->index,
                              args->kind == LSTMAE_POOL_MAX,
                              (args->flags & LSTMAE_POOL_COUNT_PADDING) != 0 };
    if (job.units.count == 0) return LSTMAE_OK;
    const unsigned grid = lae_cu_walk_grid(queue, job.units.count);
    if (backward) LAE_LAUNCH((pool_backward_kernel<T, N>), grid, POOL_BLOCK, 0, lae_cu_stream(queue), job);
    else LAE_LAUNCH((pool_forward_kernel<T, N>), grid, POOL_BLOCK, 0, lae_cu_stream(queue), job);
    return lae_cu_launched(queue, backward ? "pool_backward" : "pool_forward");
}

static lstmae_status pool_entry(lstmae_queue *queue, const lstmae_pool_args *args, int backward, const char *entry)
{
    const lstmae_view *const views[2] = { &args->x, &args->y };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, entry, 2, views));
    LAE_CU_TRY(lae_cu_check_kind(queue, entry, args->kind, LSTMAE_POOL_AVERAGE));
    if (args->dtype == LSTMAE_F64) return pool_run<double, 1>(queue, args, backward);
    if (lae_cu_image_packs(&args->x) && lae_cu_image_packs(&args->y) &&
        reinterpret_cast<uintptr_t>(args->index) % sizeof(int4) == 0)
        return pool_run<float, LAE_CU_PACK>(queue, args, backward);
    return pool_run<float, 1>(queue, args, backward);
}

lstmae_status lae_cu_pool_forward(lstmae_queue *queue, const lstmae_pool_args *args)
{
    return pool_entry(queue, args, 0, "pool_forward");
}

lstmae_status lae_cu_pool_backward(lstmae_queue *queue, const lstmae_pool_args *args)
{
    return pool_entry(queue, args, 1, "pool_backward");
}
