/*
 * Sums of the columns of a matrix, the first of two stages; see norm.h. A thread keeps the sums of one pack of columns
 * and steps through its block's stretch of rows; the threads of a block that share columns are added in pairs.
 *
 * The floor is the memory's bandwidth: each array is read once.
 */
#include "norm.h"

/* Stretches make about this many blocks, several for each multiprocessor of the largest GPUs; each has work for a
 * thread to step through. */
constexpr int64_t SUMS_BLOCKS = 1024, SUMS_STEPS = 8;

lae_cu_norm_shape lae_cu_norm_shape_of(int64_t rows, int64_t columns, int width, int inner)
{
    lae_cu_norm_shape shape;
    shape.rows = rows;
    shape.columns = columns;
    shape.packs = columns / width;
    unsigned x = 1;
    while (inner && x < LAE_CU_NORM_WARP && x < shape.packs) x *= 2;
    shape.block = dim3(x, LAE_CU_NORM_BLOCK / x);
    const int64_t across = (shape.packs + x - 1) / x, least = SUMS_STEPS * shape.block.y;
    const int64_t most = across < SUMS_BLOCKS ? SUMS_BLOCKS / across : 1, some = (rows + least - 1) / least;
    shape.slabs = some < 1 ? 1 : some < most ? some : most;
    shape.slab = (rows + shape.slabs - 1) / shape.slabs;
    return shape;
}

/* The columns' sums of the rows that one thread takes. */
template <typename T, int N>
static __device__ __forceinline__ void sums_step(const lae_cu_norm_sums<T> &job, const lae_cu_norm_shape &shape,
                                                 int64_t column, double (&sum)[N], double (&product)[N])
{
    const int64_t begin = blockIdx.y * shape.slab;
    const int64_t end = begin + shape.slab < shape.rows ? begin + shape.slab : shape.rows;
    double centre[N];
    for (int k = 0; k < N; k++) {
        centre[k] = 0.0;
        if (job.kind == LAE_CU_NORM_COLUMNS) centre[k] = static_cast<double>(job.mean[column + k]);
        /* squares of doubles are not exact: they are taken of distances from the first row */
        if (job.kind == LAE_CU_NORM_MOMENTS && sizeof(T) == sizeof(double)) centre[k] = *lae_cu_entry(job.x, 0, column);
    }
#pragma unroll 2
    for (int64_t row = begin + threadIdx.y; row < end; row += blockDim.y) {
        T x[N], dy[N];
        lae_cu_load(x, lae_cu_entry(job.x, row, column), 0);
        if (job.kind == LAE_CU_NORM_MOMENTS) {
            for (int k = 0; k < N; k++) {
                const double value = static_cast<double>(x[k]) - centre[k];
                sum[k] += value;
                product[k] = fma(value, value, product[k]);
            }
            continue;
        }
        lae_cu_load(dy, lae_cu_entry(job.dy, row, column), 0);
        const int by_row = job.kind == LAE_CU_NORM_ROWS;
        const double mean = by_row ? static_cast<double>(job.mean[row]) : 0.0;
        const double rstd = by_row ? static_cast<double>(job.rstd[row]) : 1.0;
        for (int k = 0; k < N; k++) {
            const double g = static_cast<double>(dy[k]);
            sum[k] += g;
            product[k] = fma(g, (static_cast<double>(x[k]) - centre[k] - mean) * rstd, product[k]);
        }
    }
}

template <typename T, int N>
static __global__ void __launch_bounds__(LAE_CU_NORM_BLOCK, LAE_CU_NORM_BLOCKS)
norm_sums_kernel(const lae_cu_norm_sums<T> job, const lae_cu_norm_shape shape)
{
    LAE_SHARED(double, part, [2 * N][LAE_CU_NORM_BLOCK]);
    const int64_t pack = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, column = pack * N;
    const unsigned thread = threadIdx.y * blockDim.x + threadIdx.x;
    double sum[N], product[N];
    for (int k = 0; k < N; k++) sum[k] = product[k] = 0.0;
    if (pack < shape.packs) sums_step(job, shape, column, sum, product);
    for (int k = 0; k < N; k++) {
        part[k][thread] = sum[k];
        part[N + k][thread] = product[k];
    }
    for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.y >= half) continue;
        for (int k = 0; k < 2 * N; k++) part[k][thread] += part[k][thread + half * blockDim.x];
    }
    if (threadIdx.y > 0 || pack >= shape.packs) return;
    for (int k = 0; k < N; k++) {
        job.sums[(column + k) * shape.slabs + blockIdx.y] = part[k][thread];
        job.sums[(shape.columns + column + k) * shape.slabs + blockIdx.y] = part[N + k][thread];
    }
}

template <typename T, int N>
lstmae_status lae_cu_norm_sum(lstmae_queue *queue, const lae_cu_norm_shape &shape, const lae_cu_norm_sums<T> &sums)
{
    const int64_t across = (shape.packs + shape.block.x - 1) / shape.block.x;
    const dim3 grid(static_cast<unsigned>(across), static_cast<unsigned>(shape.slabs));
    LAE_LAUNCH((norm_sums_kernel<T, N>), grid, shape.block, 0, lae_cu_stream(queue), sums, shape);
    return lae_cu_launched(queue, "norm_sums");
}

template lstmae_status lae_cu_norm_sum<float, 1>(lstmae_queue *, const lae_cu_norm_shape &,
                                                 const lae_cu_norm_sums<float> &);
template lstmae_status lae_cu_norm_sum<float, LAE_CU_PACK>(lstmae_queue *, const lae_cu_norm_shape &,
                                                           const lae_cu_norm_sums<float> &);
template lstmae_status lae_cu_norm_sum<double, 1>(lstmae_queue *, const lae_cu_norm_shape &,
                                                  const lae_cu_norm_sums<double> &);
