/*
 * What batch and layer normalisation share: arrays as matrices, and sums of their columns.
 *
 * An image [B,C,H,W] is a matrix of B H W rows (pixels) and C columns; a batch of rows is one as it stands. Sums are in
 * double, of floats and of products of floats, which are exact there. They have two stages: blocks add stretches of
 * rows whose size the shape decides, and a warp then adds what the blocks of a column left.
 */
#ifndef LAE_CUDA_NORM_H
#define LAE_CUDA_NORM_H

#include "block_sum.h"
#include "image.h"

constexpr int LAE_CU_NORM_BLOCK = 256; /* threads: 64 registers each, so four blocks of a multiprocessor */
constexpr int LAE_CU_NORM_BLOCKS = 4;
constexpr int LAE_CU_NORM_WARP = 32;

/** Strides in elements. Rows that lie `row` apart, or where `pixels` is set, pixels of images. */
template <typename T>
struct lae_cu_matrix {
    T *data;
    int64_t row, column;
    int64_t b, h, w; /* of pixels */
    int64_t height, width;
    int pixels;
};

template <typename T>
static __device__ __forceinline__ T *lae_cu_entry(const lae_cu_matrix<T> &matrix, int64_t row, int64_t column)
{
    T *first = matrix.data + column * matrix.column;
    int64_t h, w;
    if (!matrix.pixels) return first + row * matrix.row;
    const int64_t b = lae_cu_split(lae_cu_split(row, matrix.width, &w), matrix.height, &h);
    return first + b * matrix.b + h * matrix.h + w * matrix.w;
}

/** How the threads of a block, x by y, share a matrix: columns (or packs of them) go to x, rows to y. */
struct lae_cu_norm_shape {
    int64_t rows, columns;
    dim3 block;
    int64_t packs, slabs, slab; /* packs of columns; stretches of rows, and the rows of one */
};

/** What a column's sums are of: x and x^2; or dy and dy n with n = x - mean (of a column), or (x - mean) rstd (of a
 *  row). */
enum lae_cu_norm_kind { LAE_CU_NORM_MOMENTS, LAE_CU_NORM_COLUMNS, LAE_CU_NORM_ROWS };

template <typename T>
struct lae_cu_norm_sums {
    lae_cu_norm_kind kind;
    lae_cu_matrix<T> x, dy;
    const T *mean, *rstd;
    double *sums; /* [2, columns, slabs] */
};

template <typename T>
lae_cu_matrix<T> lae_cu_matrix_of_image(const lstmae_view *image)
{
    lae_cu_matrix<T> matrix = { static_cast<T *>(image->data), 0, image->stride[1], image->stride[0], image->stride[2],
                                image->stride[3], image->dim[2], image->dim[3], 0 };
    static const int axes[3] = { 3, 2, 0 };
    int64_t rows = 1;
    for (int axis : axes) {
        if (image->dim[axis] == 1) continue;
        if (rows == 1) matrix.row = image->stride[axis];
        else if (image->stride[axis] != rows * matrix.row) matrix.pixels = 1;
        rows *= image->dim[axis];
    }
    return matrix;
}

template <typename T>
lae_cu_matrix<T> lae_cu_matrix_of_rows(const lstmae_view *rows)
{
    return { static_cast<T *>(rows->data), rows->stride[0], rows->stride[1], 0, 0, 0, 1, 1, 0 };
}

/** `inner`: columns are nearer to each other in memory than rows; `width` of them to a pack. */
lae_cu_norm_shape lae_cu_norm_shape_of(int64_t rows, int64_t columns, int width, int inner);

/** Launches the first stage for packs of N. */
template <typename T, int N>
lstmae_status lae_cu_norm_sum(lstmae_queue *queue, const lae_cu_norm_shape &shape, const lae_cu_norm_sums<T> &sums);

/** The second stage, for all lanes of a warp: sum `which` (0 or 1) of a column. */
static __device__ __forceinline__ double lae_cu_norm_total(const lae_cu_norm_shape &shape, const double *sums,
                                                           int which, int64_t column)
{
    const double *of_column = sums + (which * shape.columns + column) * shape.slabs;
    double total = 0.0;
    for (int64_t slab = threadIdx.x % LAE_CU_NORM_WARP; slab < shape.slabs; slab += LAE_CU_NORM_WARP)
        total += of_column[slab];
    return lae_cu_warp_sum(total);
}

/** Columns that the warps of all blocks take, the first of this warp's. */
static __device__ __forceinline__ int64_t lae_cu_norm_warp(void)
{
    return (static_cast<int64_t>(blockIdx.x) * LAE_CU_NORM_BLOCK + threadIdx.x) / LAE_CU_NORM_WARP;
}

static inline unsigned lae_cu_norm_warp_grid(int64_t columns)
{
    constexpr int64_t warps = LAE_CU_NORM_BLOCK / LAE_CU_NORM_WARP, most = 1 << 20;
    const int64_t blocks = (columns + warps - 1) / warps;
    return static_cast<unsigned>(blocks < most ? blocks : most);
}

/** An entry of an array that may be absent. */
template <typename T>
static __device__ __forceinline__ double lae_cu_norm_entry(const T *array, int64_t index, double otherwise)
{
    return array ? static_cast<double>(array[index]) : otherwise;
}

/** A parameter's gradient, where it is wanted. */
template <typename T>
static __device__ __forceinline__ void lae_cu_norm_store(T *array, int64_t index, double value, double beta)
{
    if (!array) return;
    if (beta != 0.0) value += beta * static_cast<double>(array[index]);
    array[index] = static_cast<T>(value);
}

static __device__ __forceinline__ float lae_cu_fma(float a, float b, float c)
{
    return fmaf(a, b, c);
}

static __device__ __forceinline__ double lae_cu_fma(double a, double b, double c)
{
    return fma(a, b, c);
}

#endif
