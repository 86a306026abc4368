/*
 * Layer normalisation of the rows of x [rows, features]:
 *
 *   n = (x - mean) rstd,  y = f(n gamma + shift)
 *   dx = rstd (g - S / features - n P / features) with g = dy gamma, S = sum g, P = sum g n
 *   dgamma = sum over rows of dy n, dshift = sum over rows of dy (norm_sums.cu, and a warp for each feature)
 *
 * A row is a warp's, or a block's where rows are long; sums are in double, of each thread and then in pairs. Rows are
 * read twice, the second time mostly from a cache. The floor is the memory's bandwidth: x is read and y written once;
 * backward, x and dy are read twice, for the parameters and for dx.
 */
#include "entries.h"
#include "map_double.h"
#include "norm.h"

#include <math.h>

constexpr int64_t ROW_LONG = 2048; /* features from which on a row is a block's: 64 for a lane are enough */

template <typename T>
struct row_job {
    int64_t rows, features;
    int threads; /* of a row: a warp or a block */
    lae_cu_matrix<T> out, x, dy;
    const T *gamma, *shift;
    T *mean, *rstd;
    double eps;
    int map;
    T param;
};

/* Sums over the threads of a row, in all of them. */
static __device__ __forceinline__ void row_total(int threads, double *a, double *b)
{
    constexpr int warps = LAE_CU_NORM_BLOCK / LAE_CU_NORM_WARP;
    LAE_SHARED(double, part, [2][warps]);
    *a = lae_cu_warp_sum(*a);
    *b = lae_cu_warp_sum(*b);
    if (threads == LAE_CU_NORM_WARP) return;
    __syncthreads(); /* the row before has been read */
    if (threadIdx.x % LAE_CU_NORM_WARP == 0) {
        part[0][threadIdx.x / LAE_CU_NORM_WARP] = *a;
        part[1][threadIdx.x / LAE_CU_NORM_WARP] = *b;
    }
    __syncthreads();
    *a = *b = 0.0;
    for (int warp = 0; warp < warps; warp++) {
        *a += part[0][warp];
        *b += part[1][warp];
    }
}

/* gamma and shift of N features, 1 and 0 where there are none. */
template <typename T, int N>
static __device__ __forceinline__ void row_parameter(T (&to)[N], const T *array, int64_t feature, T otherwise)
{
    for (int k = 0; k < N; k++) to[k] = array ? array[feature + k] : otherwise;
}

template <typename T, int N>
static __global__ void __launch_bounds__(LAE_CU_NORM_BLOCK, LAE_CU_NORM_BLOCKS)
layer_norm_forward_kernel(const row_job<T> job)
{
    const int64_t each = LAE_CU_NORM_BLOCK / job.threads, first = threadIdx.x % job.threads * N;
    const double count = static_cast<double>(job.features);
    for (int64_t row = blockIdx.x * each + threadIdx.x / job.threads; row < job.rows; row += gridDim.x * each) {
        /* squares of doubles are not exact: they are taken of distances from the first element */
        const double centre = sizeof(T) == sizeof(double) ? static_cast<double>(*lae_cu_entry(job.x, row, 0)) : 0.0;
        double sum = 0.0, squares = 0.0;
        T x[N], gamma[N], shift[N];
        for (int64_t j = first; j < job.features; j += job.threads * N) {
            lae_cu_load(x, lae_cu_entry(job.x, row, j), 0);
            for (int k = 0; k < N; k++) {
                const double value = static_cast<double>(x[k]) - centre;
                sum += value;
                squares = fma(value, value, squares);
            }
        }
        row_total(job.threads, &sum, &squares);
        const double distance = sum / count, mean = centre + distance, variance = squares / count - distance * distance;
        const double rstd = 1.0 / sqrt((variance < 0.0 ? 0.0 : variance) + job.eps);
        const T rounded = static_cast<T>(mean), scale = static_cast<T>(rstd);
        const T rest = static_cast<T>((static_cast<double>(rounded) - mean) * rstd);
        if (first == 0 && job.mean) job.mean[row] = rounded;
        if (first == 0 && job.rstd) job.rstd[row] = scale;
        for (int64_t j = first; j < job.features; j += job.threads * N) {
            lae_cu_load(x, lae_cu_entry(job.x, row, j), 0);
            row_parameter(gamma, job.gamma, j, T(1));
            row_parameter(shift, job.shift, j, T(0));
            for (int k = 0; k < N; k++) {
                const T n = lae_cu_fma(x[k] - rounded, scale, rest);
                x[k] = lae_map_value(job.map, job.param, lae_cu_fma(n, gamma[k], shift[k]));
            }
            lae_cu_store(lae_cu_entry(job.out, row, j), x);
        }
    }
}

template <typename T, int N>
static __global__ void __launch_bounds__(LAE_CU_NORM_BLOCK, LAE_CU_NORM_BLOCKS)
layer_norm_backward_kernel(const row_job<T> job)
{
    const int64_t each = LAE_CU_NORM_BLOCK / job.threads, first = threadIdx.x % job.threads * N;
    const double count = static_cast<double>(job.features);
    for (int64_t row = blockIdx.x * each + threadIdx.x / job.threads; row < job.rows; row += gridDim.x * each) {
        const T mean = job.mean[row], rstd = job.rstd[row];
        double sum = 0.0, product = 0.0;
        T x[N], dy[N], gamma[N];
        for (int64_t j = first; j < job.features; j += job.threads * N) {
            lae_cu_load(x, lae_cu_entry(job.x, row, j), 0);
            lae_cu_load(dy, lae_cu_entry(job.dy, row, j), 0);
            row_parameter(gamma, job.gamma, j, T(1));
            for (int k = 0; k < N; k++) {
                const double g = static_cast<double>(dy[k]) * static_cast<double>(gamma[k]);
                sum += g;
                product = fma(g, static_cast<double>(x[k]) - static_cast<double>(mean), product);
            }
        }
        row_total(job.threads, &sum, &product);
        const T level = static_cast<T>(sum / count), tilt = static_cast<T>(product * static_cast<double>(rstd) / count);
        for (int64_t j = first; j < job.features; j += job.threads * N) {
            lae_cu_load(x, lae_cu_entry(job.x, row, j), 0);
            lae_cu_load(dy, lae_cu_entry(job.dy, row, j), 0);
            row_parameter(gamma, job.gamma, j, T(1));
            for (int k = 0; k < N; k++) {
                const T n = (x[k] - mean) * rstd;
                dy[k] = rstd * (lae_cu_fma(dy[k], gamma[k], -level) - n * tilt);
            }
            lae_cu_store(lae_cu_entry(job.out, row, j), dy);
        }
    }
}

/* ---- parameters ---- */

template <typename T>
struct parameter_job {
    lae_cu_norm_shape shape;
    const double *sums;
    T *dgamma, *dshift;
    double beta;
};

template <typename T>
static __global__ void __launch_bounds__(LAE_CU_NORM_BLOCK) layer_norm_parameters_kernel(const parameter_job<T> job)
{
    const int64_t warps = gridDim.x * (LAE_CU_NORM_BLOCK / LAE_CU_NORM_WARP);
    for (int64_t j = lae_cu_norm_warp(); j < job.shape.columns; j += warps) {
        const double sum = lae_cu_norm_total(job.shape, job.sums, 0, j);
        const double product = lae_cu_norm_total(job.shape, job.sums, 1, j);
        if (threadIdx.x % LAE_CU_NORM_WARP != 0) continue;
        lae_cu_norm_store(job.dgamma, j, product, job.beta);
        lae_cu_norm_store(job.dshift, j, sum, job.beta);
    }
}

template <typename T, int N>
static lstmae_status layer_norm_parameters(lstmae_queue *queue, const lstmae_norm_args *args, const row_job<T> &rows)
{
    if (!args->dgamma && !args->dshift) return LSTMAE_OK;
    const int inner = args->x.stride[1] == 1;
    parameter_job<T> job = { lae_cu_norm_shape_of(rows.rows, rows.features, N, inner), NULL,
                             static_cast<T *>(args->dgamma), static_cast<T *>(args->dshift), args->beta };
    void *scratch;
    const size_t bytes = static_cast<size_t>(2 * rows.features * job.shape.slabs) * sizeof(double);
    LAE_CU_TRY(lae_cu_scratch(queue, bytes, &scratch));
    double *sums = static_cast<double *>(scratch);
    const lae_cu_norm_sums<T> stage = { LAE_CU_NORM_ROWS, rows.x, rows.dy, rows.mean, rows.rstd, sums };
    LAE_CU_TRY((lae_cu_norm_sum<T, N>(queue, job.shape, stage)));
    job.sums = sums;
    LAE_LAUNCH((layer_norm_parameters_kernel<T>), lae_cu_norm_warp_grid(rows.features), LAE_CU_NORM_BLOCK, 0,
               lae_cu_stream(queue), job);
    return lae_cu_launched(queue, "layer_norm_parameters");
}

/* ---- entries ---- */

template <typename T, int N>
static lstmae_status layer_norm_run(lstmae_queue *queue, const lstmae_norm_args *args, int backward)
{
    row_job<T> job = {};
    job.rows = args->x.dim[0];
    job.features = args->x.dim[1];
    job.threads = job.features >= ROW_LONG ? LAE_CU_NORM_BLOCK : LAE_CU_NORM_WARP;
    job.x = lae_cu_matrix_of_rows<T>(&args->x);
    job.gamma = static_cast<const T *>(args->gamma);
    job.shift = static_cast<const T *>(args->shift);
    job.mean = static_cast<T *>(args->mean);
    job.rstd = static_cast<T *>(args->rstd);
    job.eps = args->eps;
    job.map = args->map;
    job.param = static_cast<T>(args->param);
    if (job.features == 0) return LSTMAE_OK;
    const int64_t each = LAE_CU_NORM_BLOCK / job.threads, blocks = (job.rows + each - 1) / each;
    const unsigned grid = lae_cu_walk_grid(queue, blocks * LAE_CU_WALK_BLOCK);
    if (backward) {
        job.dy = lae_cu_matrix_of_rows<T>(&args->dy);
        LAE_CU_TRY((layer_norm_parameters<T, N>(queue, args, job))); /* before dx takes dy's place */
    }
    if (job.rows == 0 || (backward && !args->dx.data)) return LSTMAE_OK;
    job.out = lae_cu_matrix_of_rows<T>(backward ? &args->dx : &args->y);
    if (backward)
        LAE_LAUNCH((layer_norm_backward_kernel<T, N>), grid, LAE_CU_NORM_BLOCK, 0, lae_cu_stream(queue), job);
    else LAE_LAUNCH((layer_norm_forward_kernel<T, N>), grid, LAE_CU_NORM_BLOCK, 0, lae_cu_stream(queue), job);
    return lae_cu_launched(queue, backward ? "layer_norm_backward" : "layer_norm_forward");
}

/* 1 where packs of features can be moved as 16 bytes. */
static int layer_norm_packs(const lstmae_view *rows)
{
    return rows->dtype == LSTMAE_F32 && rows->stride[1] == 1 && rows->dim[1] % LAE_CU_PACK == 0 &&
           (rows->dim[0] == 1 || rows->stride[0] % LAE_CU_PACK == 0) &&
           reinterpret_cast<uintptr_t>(rows->data) % (LAE_CU_PACK * sizeof(float)) == 0;
}

lstmae_status lae_cu_layer_norm_forward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    const lstmae_view *const views[2] = { &args->x, &args->y };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "layer_norm_forward", 2, views));
    LAE_CU_TRY(lae_cu_check_kind(queue, "layer_norm_forward", args->map, LAE_MAP_KINDS - 1));
    if (args->dtype == LSTMAE_F64) return layer_norm_run<double, 1>(queue, args, 0);
    if (layer_norm_packs(&args->x) && layer_norm_packs(&args->y))
        return layer_norm_run<float, LAE_CU_PACK>(queue, args, 0);
    return layer_norm_run<float, 1>(queue, args, 0);
}

lstmae_status lae_cu_layer_norm_backward(lstmae_queue *queue, const lstmae_norm_args *args)
{
    const lstmae_view *dx = args->dx.data ? &args->dx : &args->x;
    const lstmae_view *const views[3] = { &args->x, &args->dy, dx };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "layer_norm_backward", 3, views));
    if (args->dtype == LSTMAE_F64) return layer_norm_run<double, 1>(queue, args, 1);
    if (layer_norm_packs(&args->x) && layer_norm_packs(&args->dy) && layer_norm_packs(dx))
        return layer_norm_run<float, LAE_CU_PACK>(queue, args, 1);
    return layer_norm_run<float, 1>(queue, args, 1);
}
