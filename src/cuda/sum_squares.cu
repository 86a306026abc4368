/*
 * *out = sum over all tensors of the sum of their squares, in double: each block leaves the sum of a unit of one
 * tensor, one more block adds these. Units depend on the tensors alone, so the sum has the same bits on every GPU.
 *
 * Tensors that lie densely share a launch. The floor is the memory's bandwidth: every element is read once.
 */
#include "block_sum.h"
#include "entries.h"
#include "pointwise.h"
#include "tensor_list.h"

struct squares_tensor {
    const void *data;
    int64_t count;
    int first;  /* of its units */
    int packed; /* 1: aligned to packs */
};

constexpr int SQUARES_TENSORS = (LAE_CU_PARAMETER_BYTES - 64) / sizeof(squares_tensor);

struct squares_list {
    int count, dtype;
    int64_t unit; /* elements, a multiple of a pack */
    double *sums; /* one for each unit */
    squares_tensor tensors[SQUARES_TENSORS];
};
static_assert(sizeof(squares_list) <= LAE_CU_PARAMETER_BYTES, "a kernel's parameters");

template <typename T, int N>
static __device__ __forceinline__ double squares_add(double sum, const T *from)
{
    T x[N];
    lae_cu_load(x, from, 0);
    for (int i = 0; i < N; i++) sum = fma((double)x[i], (double)x[i], sum);
    return sum;
}

template <typename T>
static __global__ void __launch_bounds__(LAE_CU_SUM_BLOCK)
squares_kernel(const squares_list list)
{
    constexpr int width = sizeof(T) == sizeof(float) ? LAE_CU_PACK : 1;
    const squares_tensor &tensor = list.tensors[lae_cu_tensor_of(list.tensors, list.count, (int)blockIdx.x)];
    const int64_t begin = ((int)blockIdx.x - tensor.first) * list.unit, left = tensor.count - begin;
    const int n = (int)(left < list.unit ? left : list.unit), packs = tensor.packed ? n / width : 0;
    const T *from = static_cast<const T *>(tensor.data) + begin;
    double sum = 0.0;
#pragma unroll 4
    for (int i = (int)threadIdx.x; i < packs; i += LAE_CU_SUM_BLOCK) sum = squares_add<T, width>(sum, from + i * width);
    for (int i = packs * width + (int)threadIdx.x; i < n; i += LAE_CU_SUM_BLOCK) sum = squares_add<T, 1>(sum, from + i);
    sum = lae_cu_block_sum<LAE_CU_SUM_BLOCK>(sum);
    if (threadIdx.x == 0) list.sums[blockIdx.x] = sum;
}

/* A tensor with any strides. */
template <typename T>
static __global__ void __launch_bounds__(LAE_CU_SUM_BLOCK)
squares_walk_kernel(const lae_cu_walk walk, double *sums)
{
    const uint32_t step = gridDim.x * blockDim.x;
    int64_t offset[1];
    double sum = 0.0;
    for (uint32_t index = blockIdx.x * blockDim.x + threadIdx.x; index < walk.units; index += step) {
        lae_cu_walk_to<1>(walk, index, offset);
        sum = squares_add<T, 1>(sum, static_cast<const T *>(walk.data[0]) + offset[0]);
    }
    sum = lae_cu_block_sum<LAE_CU_SUM_BLOCK>(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

/* ---- launches ---- */

/* Most units of one launch's dense tensors together, but for one more each, and least elements of a unit. */
constexpr int64_t SQUARES_UNITS = 4096, SQUARES_LEAST = 8192;

static int squares_dense(const lae_cu_layout *layout)
{
    return layout->axes == 1 && layout->stride[0][0] == 1;
}

static int64_t squares_unit(const lstmae_view *views, int64_t count)
{
    int64_t numel = 0;
    for (int64_t v = 0; v < count; v++) {
        int64_t part = 1;
        for (int axis = 0; axis < views[v].ndim; axis++) part *= views[v].dim[axis];
        numel += part;
    }
    const int64_t unit = (numel / SQUARES_UNITS + 1023) / 1024 * 1024;
    return unit > SQUARES_LEAST ? unit : SQUARES_LEAST;
}

/* Sums that a view leaves. */
static int64_t squares_sums(lae_cu_layout layout, int64_t unit)
{
    const int64_t numel = lae_cu_layout_numel(&layout);
    if (squares_dense(&layout)) return (numel + unit - 1) / unit;
    if (numel <= LAE_CU_WALK_MOST) return numel == 0 ? 0 : lae_cu_sum_blocks(numel);
    lae_cu_layout rest;
    lae_cu_layout_halve(&layout, &rest);
    return squares_sums(layout, unit) + squares_sums(rest, unit);
}

static lstmae_status squares_strided(lstmae_queue *queue, lae_cu_layout layout, int dtype, double **sums)
{
    const int64_t numel = lae_cu_layout_numel(&layout);
    if (numel > LAE_CU_WALK_MOST) {
        lae_cu_layout rest;
        lae_cu_layout_halve(&layout, &rest);
        LAE_CU_TRY(squares_strided(queue, layout, dtype, sums));
        return squares_strided(queue, rest, dtype, sums);
    }
    const lae_cu_walk walk = lae_cu_walk_of(&layout, 1);
    const unsigned blocks = lae_cu_sum_blocks(walk.units);
    if (dtype == LSTMAE_F64)
        LAE_LAUNCH((squares_walk_kernel<double>), blocks, LAE_CU_SUM_BLOCK, 0, lae_cu_stream(queue), walk, *sums);
    else LAE_LAUNCH((squares_walk_kernel<float>), blocks, LAE_CU_SUM_BLOCK, 0, lae_cu_stream(queue), walk, *sums);
    *sums += blocks;
    return lae_cu_launched(queue, "sum_squares");
}

/* Launches what the list holds, and empties it. */
static lstmae_status squares_flush(lstmae_queue *queue, squares_list *list, double **sums)
{
    if (list->count == 0) return LSTMAE_OK;
    const squares_tensor *last = &list->tensors[list->count - 1];
    const unsigned units = (unsigned)(last->first + (last->count + list->unit - 1) / list->unit);
    list->sums = *sums;
    *sums += units;
    if (list->dtype == LSTMAE_F64)
        LAE_LAUNCH((squares_kernel<double>), units, LAE_CU_SUM_BLOCK, 0, lae_cu_stream(queue), *list);
    else LAE_LAUNCH((squares_kernel<float>), units, LAE_CU_SUM_BLOCK, 0, lae_cu_stream(queue), *list);
    list->count = 0;
    return lae_cu_launched(queue, "sum_squares");
}

static lstmae_status squares_push(lstmae_queue *queue, squares_list *list, const lae_cu_layout *layout, int dtype,
                                  double **sums)
{
    if (list->count == SQUARES_TENSORS || (list->count > 0 && list->dtype != dtype))
        LAE_CU_TRY(squares_flush(queue, list, sums));
    const squares_tensor *before = list->count > 0 ? &list->tensors[list->count - 1] : NULL;
    list->dtype = dtype;
    list->tensors[list->count++] = { layout->data[0], layout->dim[0],
        before ? (int)(before->first + (before->count + list->unit - 1) / list->unit) : 0,
        reinterpret_cast<uintptr_t>(layout->data[0]) % 16 == 0 };
    return LSTMAE_OK;
}

lstmae_status lae_cu_sum_squares(lstmae_queue *queue, const lstmae_view *views, int64_t count, double *out)
{
    int64_t sums_count = 0;
    void *scratch;
    squares_list list;
    LAE_CU_TRY(lae_cu_usable(queue));
    list.count = 0;
    list.unit = squares_unit(views, count);
    for (int64_t v = 0; v < count; v++) {
        const lstmae_view *const view = &views[v];
        LAE_CU_TRY(lae_cu_check_types(queue, "sum_squares", 1, &view));
        sums_count += squares_sums(lae_cu_layout_sorted(1, &view), list.unit);
    }
    LAE_CU_TRY(lae_cu_scratch(queue, (size_t)(sums_count + 1) * sizeof(double), &scratch));
    double *const sums = static_cast<double *>(scratch), *at = sums;
    for (int64_t v = 0; v < count; v++) {
        const lstmae_view *const view = &views[v];
        const lae_cu_layout layout = lae_cu_layout_sorted(1, &view);
        if (lae_cu_layout_numel(&layout) == 0) continue;
        if (squares_dense(&layout)) LAE_CU_TRY(squares_push(queue, &list, &layout, view->dtype, &at));
        else LAE_CU_TRY(squares_strided(queue, layout, view->dtype, &at));
    }
    LAE_CU_TRY(squares_flush(queue, &list, &at));
    return lae_cu_total(queue, sums, sums_count, 1.0, 0, out);
}
