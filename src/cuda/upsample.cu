/*
 * Upsampling of x [B,C,H,W] to y [B,C,P,Q]; the definitions are in backend.h. Both directions gather: a thread makes
 * one element, or a pack of channels, of what is written. Positions and shares are of whole numbers, so the shares of
 * one source position are found again in backward, and no position is missed.
 *
 * The floor is the memory's bandwidth: neighbours share their taps in the caches.
 */
#include "entries.h"
#include "image.h"

#include "shared/upsample_taps.h"

/* Four blocks of a multiprocessor: 64 registers a thread, and 16 KiB of one tap in flight. */
constexpr int UPSAMPLE_BLOCK = LAE_CU_WALK_BLOCK;
template <typename T>
constexpr int upsample_blocks = sizeof(T) == sizeof(float) ? 4 : 3; /* divisions of doubles want more registers */

template <typename T>
struct upsample_job {
    lae_cu_units units;
    lae_cu_image<T> x, y;
    int64_t H, W, P, Q;
    int kind;
};

template <typename T>
static __device__ __forceinline__ T upsample_share(const lae_upsample_tap &tap)
{
    return static_cast<T>(tap.part) / static_cast<T>(tap.whole);
}

/* The share that source position `from` has in an output position. */
template <typename T>
static __device__ __forceinline__ T upsample_share_of(const lae_upsample_tap &tap, int64_t from)
{
    const T share = upsample_share<T>(tap);
    return (from == tap.low ? T(1) - share : T(0)) + (from == tap.high ? share : T(0));
}

template <typename T, int N>
static __global__ void __launch_bounds__(UPSAMPLE_BLOCK, upsample_blocks<T>)
upsample_forward_kernel(const upsample_job<T> job)
{
    const int64_t step = static_cast<int64_t>(gridDim.x) * UPSAMPLE_BLOCK;
    for (int64_t i = static_cast<int64_t>(blockIdx.x) * UPSAMPLE_BLOCK + threadIdx.x; i < job.units.count; i += step) {
        const lae_cu_unit at = lae_cu_unit_at<N>(job.units, i);
        const lae_upsample_tap row = lae_upsample_tap_of(job.kind, job.H, job.P, at.h);
        const lae_upsample_tap column = lae_upsample_tap_of(job.kind, job.W, job.Q, at.w);
        T value[N];
        lae_cu_load(value, lae_cu_pixel(job.x, at.b, at.c, row.low, column.low), 0);
        if (job.kind == LSTMAE_UPSAMPLE_BILINEAR) {
            const T down = upsample_share<T>(row), right = upsample_share<T>(column), up = 1 - down, left = 1 - right;
            T beside[N], below[N], across[N];
            lae_cu_load(beside, lae_cu_pixel(job.x, at.b, at.c, row.low, column.high), 0);
            lae_cu_load(below, lae_cu_pixel(job.x, at.b, at.c, row.high, column.low), 0);
            lae_cu_load(across, lae_cu_pixel(job.x, at.b, at.c, row.high, column.high), 0);
            for (int k = 0; k < N; k++)
                value[k] = up * (left * value[k] + right * beside[k]) + down * (left * below[k] + right * across[k]);
        }
        lae_cu_store(lae_cu_pixel(job.y, at.b, at.c, at.h, at.w), value);
    }
}

/* A share of 0 takes no part, whatever is there. */
template <typename T, int N>
static __device__ __forceinline__ void upsample_row_gradient(const upsample_job<T> &job, const lae_cu_unit &at,
                                                             int64_t p, T down, T (&sum)[N])
{
    const lae_upsample_range columns = lae_upsample_range_of(job.kind, job.W, job.Q, at.w);
    for (int64_t q = columns.first; q < columns.end; q++) {
        const T share = down * upsample_share_of<T>(lae_upsample_tap_of(job.kind, job.W, job.Q, q), at.w);
        T dy[N];
        if (share == 0) continue;
        lae_cu_load(dy, lae_cu_pixel(job.y, at.b, at.c, p, q), 0);
        for (int k = 0; k < N; k++) sum[k] += share * dy[k];
    }
}

template <typename T, int N>
static __global__ void __launch_bounds__(UPSAMPLE_BLOCK, upsample_blocks<T>)
upsample_backward_kernel(const upsample_job<T> job)
{
    const int64_t step = static_cast<int64_t>(gridDim.x) * UPSAMPLE_BLOCK;
    for (int64_t i = static_cast<int64_t>(blockIdx.x) * UPSAMPLE_BLOCK + threadIdx.x; i < job.units.count; i += step) {
        const lae_cu_unit at = lae_cu_unit_at<N>(job.units, i);
        const lae_upsample_range rows = lae_upsample_range_of(job.kind, job.H, job.P, at.h);
        T sum[N];
        for (int k = 0; k < N; k++) sum[k] = 0;
        for (int64_t p = rows.first; p < rows.end; p++) {
            const T down = upsample_share_of<T>(lae_upsample_tap_of(job.kind, job.H, job.P, p), at.h);
            if (down != 0) upsample_row_gradient(job, at, p, down, sum);
        }
        lae_cu_store(lae_cu_pixel(job.x, at.b, at.c, at.h, at.w), sum);
    }
}

template <typename T, int N>
static lstmae_status upsample_run(lstmae_queue *queue, const lstmae_upsample_args *args, int backward)
{
    const upsample_job<T> job = { lae_cu_units_of(backward ? &args->x : &args->y, N),
                                  lae_cu_image_of<T>(&args->x),
                                  lae_cu_image_of<T>(&args->y),
                                  args->x.dim[2],
                                  args->x.dim[3],
                                  args->y.dim[2],
                                  args->y.dim[3],
                                  args->kind };
    if (job.units.count == 0) return LSTMAE_OK;
    const unsigned grid = lae_cu_walk_grid(queue, job.units.count);
    if (backward) LAE_LAUNCH((upsample_backward_kernel<T, N>), grid, UPSAMPLE_BLOCK, 0, lae_cu_stream(queue), job);
    else LAE_LAUNCH((upsample_forward_kernel<T, N>), grid, UPSAMPLE_BLOCK, 0, lae_cu_stream(queue), job);
    return lae_cu_launched(queue, backward ? "upsample_backward" : "upsample_forward");
}

static lstmae_status upsample_entry(lstmae_queue *queue, const lstmae_upsample_args *args, int backward,
                                    const char *entry)
{
    const lstmae_view *const views[2] = { &args->x, &args->y };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, entry, 2, views));
    LAE_CU_TRY(lae_cu_check_kind(queue, entry, args->kind, LSTMAE_UPSAMPLE_BILINEAR));
    if (args->dtype == LSTMAE_F64) return upsample_run<double, 1>(queue, args, backward);
    if (lae_cu_image_packs(&args->x) && lae_cu_image_packs(&args->y))
        return upsample_run<float, LAE_CU_PACK>(queue, args, backward);
    return upsample_run<float, 1>(queue, args, backward);
}

lstmae_status lae_cu_upsample_forward(lstmae_queue *queue, const lstmae_upsample_args *args)
{
    return upsample_entry(queue, args, 0, "upsample_forward");
}

lstmae_status lae_cu_upsample_backward(lstmae_queue *queue, const lstmae_upsample_args *args)
{
    return upsample_entry(queue, args, 1, "upsample_backward");
}
