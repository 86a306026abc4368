/*
 * Batch normalisation of x [B,C,H,W], over B, H and W of each channel:
 *
 *   y = f((x - mean) rstd gamma + shift)
 *   dx = gamma rstd (dy - S / n - (x - mean) rstd P / n) with S = sum dy, P = sum dy (x - mean) rstd
 *
 * Three launches each way: sums of slabs of pixels (norm_sums.cu), a warp for each channel that adds them and leaves
 * what the channel's elements have in common, and one pass over the elements. The floor is the memory's bandwidth:
 * x is read twice and y written; backward, x and dy are read twice and dx written.
 */
#include "entries.h"
#include "map_double.h"
#include "norm.h"

#include <math.h>

/* result = slope (x - mean) + offset [+ scale dy], four numbers of each channel: [4, channels] */
enum { CHANNEL_MEAN, CHANNEL_SLOPE, CHANNEL_OFFSET, CHANNEL_SCALE, CHANNEL_NUMBERS };

/* ---- channels ---- */

template <typename T>
struct channel_job {
    lae_cu_norm_shape shape;
    lae_cu_matrix<T> x;
    const double *sums;
    T *channel; /* [CHANNEL_NUMBERS, channels] */
    const T *gamma, *shift;
    T *mean, *rstd, *running_mean, *running_var, *dgamma, *dshift;
    double eps, momentum, beta;
    int64_t *tracked;
    int running;
};

/* Mean and variance of the batch, which also move the running ones. */
template <typename T>
static __device__ __forceinline__ void channel_moments(const channel_job<T> &job, int64_t c, double *mean,
                                                       double *variance)
{
    const double count = static_cast<double>(job.shape.rows), keep = 1.0 - job.momentum;
    const double sum = lae_cu_norm_total(job.shape, job.sums, 0, c);
    const double squares = lae_cu_norm_total(job.shape, job.sums, 1, c);
    const double first = sizeof(T) == sizeof(double) ? static_cast<double>(*lae_cu_entry(job.x, 0, c)) : 0.0;
    const double distance = sum / count;
    *mean = first + distance;
    *variance = squares / count - distance * distance;
    if (*variance < 0.0) *variance = 0.0;
    if (threadIdx.x % LAE_CU_NORM_WARP != 0) return;
    if (job.tracked && c == 0) ++*job.tracked;
    if (job.running_mean)
        job.running_mean[c] =
            static_cast<T>(keep * static_cast<double>(job.running_mean[c]) + job.momentum * *mean);
    if (job.running_var)
        job.running_var[c] = static_cast<T>(keep * static_cast<double>(job.running_var[c]) +
                                            job.momentum * *variance * (count / (count - 1.0)));
}

template <typename T>
static __global__ void __launch_bounds__(LAE_CU_NORM_BLOCK) channel_forward_kernel(const channel_job<T> job)
{
    const int64_t channels = job.shape.columns, warps = gridDim.x * (LAE_CU_NORM_BLOCK / LAE_CU_NORM_WARP);
    for (int64_t c = lae_cu_norm_warp(); c < channels; c += warps) {
        double mean = 0.0, variance = 1.0;
        if (job.running) {
            mean = lae_cu_norm_entry(job.running_mean, c, 0.0);
            variance = lae_cu_norm_entry(job.running_var, c, 1.0);
        } else {
            channel_moments(job, c, &mean, &variance);
        }
        if (threadIdx.x % LAE_CU_NORM_WARP != 0) continue;
        const double rstd = 1.0 / sqrt(variance + job.eps), slope = rstd * lae_cu_norm_entry(job.gamma, c, 1.0);
        const T rounded = static_cast<T>(mean);
        if (job.mean) job.mean[c] = rounded;
        if (job.rstd) job.rstd[c] = static_cast<T>(rstd);
        job.channel[CHANNEL_MEAN * channels + c] = rounded;
        job.channel[CHANNEL_SLOPE * channels + c] = static_cast<T>(slope);
        job.channel[CHANNEL_OFFSET * channels + c] =
            static_cast<T>(lae_cu_norm_entry(job.shift, c, 0.0) - (mean - static_cast<double>(rounded)) * slope);
    }
}

template <typename T>
static __global__ void __launch_bounds__(LAE_CU_NORM_BLOCK) channel_backward_kernel(const channel_job<T> job)
{
    const int64_t channels = job.shape.columns, warps = gridDim.x * (LAE_CU_NORM_BLOCK / LAE_CU_NORM_WARP);
    const double count = static_cast<double>(job.shape.rows);
    for (int64_t c = lae_cu_norm_warp(); c < channels; c += warps) {
        const double rstd = static_cast<double>(job.rstd[c]);
        const double sum = lae_cu_norm_total(job.shape, job.sums, 0, c);
        const double product = lae_cu_norm_total(job.shape, job.sums, 1, c) * rstd;
        if (threadIdx.x % LAE_CU_NORM_WARP != 0) continue;
        const double scale = rstd * lae_cu_norm_entry(job.gamma, c, 1.0);
        lae_cu_norm_store(job.dgamma, c, product, job.beta);
        lae_cu_norm_store(job.dshift, c, sum, job.beta);
        job.channel[CHANNEL_MEAN * channels + c] = job.mean[c];
        job.channel[CHANNEL_SLOPE * channels + c] = static_cast<T>(-scale * rstd * (product / count));
        job.channel[CHANNEL_OFFSET * channels + c] = static_cast<T>(-scale * (sum / count));
        job.channel[CHANNEL_SCALE * channels + c] = static_cast<T>(scale);
    }
}

/* ---- elements ---- */

template <typename T>
struct element_job {
    lae_cu_norm_shape shape;
    lae_cu_matrix<T> out, x, dy;
    const T *channel;
    int map, backward;
    T param;
};

template <typename T, int N>
static __global__ void __launch_bounds__(LAE_CU_NORM_BLOCK, LAE_CU_NORM_BLOCKS)
batch_norm_kernel(const element_job<T> job)
{
    const int64_t pack = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, column = pack * N;
    const int64_t step = static_cast<int64_t>(gridDim.y) * blockDim.y;
    T number[CHANNEL_NUMBERS][N];
    if (pack >= job.shape.packs) return;
    for (int i = 0; i < CHANNEL_NUMBERS; i++)
        for (int k = 0; k < N; k++)
            if (i != CHANNEL_SCALE || job.backward) number[i][k] = job.channel[i * job.shape.columns + column + k];
    for (int64_t row = static_cast<int64_t>(blockIdx.y) * blockDim.y + threadIdx.y; row < job.shape.rows; row += step) {
        T value[N], dy[N];
        lae_cu_load(value, lae_cu_entry(job.x, row, column), 0);
        if (job.backward) lae_cu_load(dy, lae_cu_entry(job.dy, row, column), 0);
        for (int k = 0; k < N; k++) {
            value[k] = lae_cu_fma(value[k] - number[CHANNEL_MEAN][k], number[CHANNEL_SLOPE][k],
                                  number[CHANNEL_OFFSET][k]);
            value[k] = job.backward ? lae_cu_fma(dy[k], number[CHANNEL_SCALE][k], value[k])
                                    : lae_map_value(job.map, job.param, value[k]);
        }
        lae_cu_store(lae_cu_entry(job.out, row, column), value);
    }
}

/* ---- entries ---- */

/* Enough blocks that a thread takes few rows, so that all are done at about the same time. */
constexpr int64_t ELEMENT_STEPS = 4, ELEMENT_MOST = 65535;

template <typename T, int N>
static lstmae_status batch_norm_elements(lstmae_queue *queue, const element_job<T> &job)
{
    const dim3 block = job.shape.block;
    const int64_t step = ELEMENT_STEPS * block.y, down = (job.shape.rows + step - 1) / step;
    const dim3 grid(static_cast<unsigned>((job.shape.packs + block.x - 1) / block.x),
                    static_cast<unsigned>(down < ELEMENT_MOST ? down : ELEMENT_MOST));
    LAE_LAUNCH((batch_norm_kernel<T, N>), grid, block, 0, lae_cu_stream(queue), job);
    return lae_cu_launched(queue, "batch_norm");
}

template <typename T>
static channel_job<T> batch_norm_channels(const lstmae_norm_args *args, const lae_cu_norm_shape &shape)
{
    channel_job<T> job = {};
    job.shape = shape;
    job.x = lae_cu_matrix_of_image<T>(&args->x);
    job.gamma = static_cast<const T *>(args->gamma);
    job.shift = static_cast<const T *>(args->shift);
    job.mean = static_cast<T *>(args->mean);
    job.rstd = static_cast<T *>(args->rstd);
    job.running_mean = static_cast<T *>(args->running_mean);
    job.running_var = static_cast<T *>(args->running_var);
    job.dgamma = static_cast<T *>(args->dgamma);
    job.dshift = static_cast<T *>(args->dshift);
    job.eps = args->eps;
    job.momentum = args->momentum;
    job.beta = args->beta;
    job.tracked = args->tracked;
    job.running = (args->flags & LSTMAE_NORM_RUNNING) != 0;
    return job;
}

template <typename T, int N>
static lstmae_status batch_norm_run(lstmae_queue *queue, const lstmae_norm_args *args, int backward)
{
    const lstmae_view *x = &args->x;
    const int64_t channels = x->dim[1], rows = x->dim[0] * x->dim[2] * x->dim[3];
    if (channels == 0 || rows == 0) return LSTMAE_OK;
    const lae_cu_norm_shape shape = lae_cu_norm_shape_of(rows, channels, N, x->stride[1] == 1);
    channel_job<T> job = batch_norm_channels<T>(args, shape);
    const size_t sums = static_cast<size_t>(2 * channels * shape.slabs) * sizeof(double);
    void *scratch;
    LAE_CU_TRY(lae_cu_scratch(queue, sums + CHANNEL_NUMBERS * static_cast<size_t>(channels) * sizeof(T), &scratch));
    double *partial = static_cast<double *>(scratch);
    job.sums = partial;
    job.channel = reinterpret_cast<T *>(static_cast<char *>(scratch) + sums);
    element_job<T> each = { shape, {}, job.x, {}, job.channel, args->map, backward, static_cast<T>(args->param) };
    lae_cu_norm_sums<T> stage = { LAE_CU_NORM_MOMENTS, job.x, {}, job.mean, job.rstd, partial };
    if (backward) {
        stage.kind = LAE_CU_NORM_COLUMNS;
        stage.dy = each.dy = lae_cu_matrix_of_image<T>(&args->dy);
    }
    if (!job.running || backward) LAE_CU_TRY((lae_cu_norm_sum<T, N>(queue, shape, stage)));
    const unsigned grid = lae_cu_norm_warp_grid(channels);
    if (backward) LAE_LAUNCH((channel_backward_kernel<T>), grid, LAE_CU_NORM_BLOCK, 0, lae_cu_stream(queue), job);
    else LAE_LAUNCH((channel_forward_kernel<T>), grid, LAE_CU_NORM_BLOCK, 0, lae_cu_stream(queue), job);
    LAE_CU_TRY(lae_cu_launched(queue, "batch_norm_channels"));
    if (backward && !args->dx.data) return LSTMAE_OK;
    each.out = lae_cu_matrix_of_image<T>(backward ? &args->dx : &args->y);
    return batch_norm_elements<T, N>(queue, each);
}

lstmae_status lae_cu_batch_norm_forward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    const lstmae_view *const views[2] = { &args->x, &args->y };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "batch_norm_forward", 2, views));
    LAE_CU_TRY(lae_cu_check_kind(queue, "batch_norm_forward", args->map, LAE_MAP_KINDS - 1));
    if (args->dtype == LSTMAE_F64) return batch_norm_run<double, 1>(queue, args, 0);
    if (lae_cu_image_packs(&args->x) && lae_cu_image_packs(&args->y))
        return batch_norm_run<float, LAE_CU_PACK>(queue, args, 0);
    return batch_norm_run<float, 1>(queue, args, 0);
}

lstmae_status lae_cu_batch_norm_backward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    const lstmae_view *dx = args->dx.data ? &args->dx : &args->x;
    const lstmae_view *const views[3] = { &args->x, &args->dy, dx };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "batch_norm_backward", 3, views));
    if (args->dtype == LSTMAE_F64) return batch_norm_run<double, 1>(queue, args, 1);
    if (lae_cu_image_packs(&args->x) && lae_cu_image_packs(&args->dy) && lae_cu_image_packs(dx))
        return batch_norm_run<float, LAE_CU_PACK>(queue, args, 1);
    return batch_norm_run<float, 1>(queue, args, 1);
}
