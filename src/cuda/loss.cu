/*
 * *value += scale * sum(mask * loss(pred, target)), and grad = grad_scale * mask * dloss/dpred in the same pass; an
 * element whose mask is 0 does not count, whatever it holds. Elements are computed as the CPU computes them, in the
 * views' type; their sum is in double, over blocks whose number the shape decides, then over the blocks.
 *
 * The floor is the memory's bandwidth: 12 bytes for a float with its gradient, 4 more for a mask.
 */
#include "block_sum.h"
#include "entries.h"
#include "pointwise.h"

#include "shared/activation.h"

template <typename T>
struct loss_numbers {
    int op, masked, wants_gradient;
    T delta, grad_scale;
};

/* ---- one element ---- */

static __device__ __forceinline__ float loss_exp(float x) { return lae_exp(x); }
static __device__ __forceinline__ double loss_exp(double x) { return exp(x); }
static __device__ __forceinline__ float loss_log1p(float e) { return lae_log1p_unit(e); }
static __device__ __forceinline__ double loss_log1p(double e) { return log1p(e); }

template <typename T>
static __device__ __forceinline__ T loss_element(const loss_numbers<T> &numbers, T p, T t, T *derivative)
{
    const T d = p - t, size = fabs(d), zero = 0, one = 1, half = T(0.5);
    switch (numbers.op) {
    case LSTMAE_LOSS_OP_MSE:
        *derivative = d + d;
        return d * d;
    case LSTMAE_LOSS_OP_MAE:
        *derivative = size > zero ? copysign(one, d) : d;
        return size;
    case LSTMAE_LOSS_OP_HUBER: {
        const T delta = numbers.delta;
        *derivative = size > delta ? copysign(delta, d) : d;
        return size > delta ? delta * fma(-half, delta, size) : half * (d * d);
    }
    default: { /* BCE_LOGITS: e = exp(-|p|); sigmoid(p) is 1 / (1 + e) for p >= 0, else e / (1 + e) */
        const T e = loss_exp(-fabs(p));
        *derivative = (p < zero ? e : one) / (one + e) - t;
        return fma(-p, t, p < zero ? zero : p) + loss_log1p(e);
    }
    }
}

/* ---- all elements: view 0 is the gradient, then pred, target, mask; in view 0's order ---- */

template <typename T, int N>
static __device__ __forceinline__ double loss_unit(const lae_cu_walk &walk, const loss_numbers<T> &numbers,
                                                   const int64_t (&offset)[4])
{
    T grad[N], p[N], t[N], weight[N];
    double sum = 0.0;
    lae_cu_load(p, static_cast<const T *>(walk.data[1]) + offset[1], walk.repeated >> 1 & 1);
    lae_cu_load(t, static_cast<const T *>(walk.data[2]) + offset[2], walk.repeated >> 2 & 1);
    for (int i = 0; i < N; i++) weight[i] = 1;
    if (numbers.masked) lae_cu_load(weight, static_cast<const T *>(walk.data[3]) + offset[3], walk.repeated >> 3 & 1);
#pragma unroll
    for (int i = 0; i < N; i++) {
        T derivative, value = loss_element(numbers, p[i], t[i], &derivative);
        grad[i] = weight[i] == 0 ? T(0) : numbers.grad_scale * weight[i] * derivative;
        sum += weight[i] == 0 ? 0.0 : (double)(weight[i] * value);
    }
    if (numbers.wants_gradient) lae_cu_store(static_cast<T *>(walk.data[0]) + offset[0], grad);
    return sum;
}

template <typename T, int N>
static __global__ void __launch_bounds__(LAE_CU_SUM_BLOCK)
loss_kernel(const lae_cu_walk walk, const loss_numbers<T> numbers, double *sums)
{
    const uint32_t first = blockIdx.x * blockDim.x + threadIdx.x, step = gridDim.x * blockDim.x;
    int64_t offset[4];
    double sum = 0.0;
    for (uint32_t index = first; index < walk.units; index += step) {
        lae_cu_walk_to<4>(walk, index, offset);
        sum += loss_unit<T, N>(walk, numbers, offset);
    }
    if (N > 1 && first < walk.tail) {
        for (int v = 0; v < 4; v++) offset[v] = walk.repeated >> v & 1 ? 0 : (int64_t)walk.units * N + first;
        sum += loss_unit<T, 1>(walk, numbers, offset);
    }
    sum = lae_cu_block_sum<LAE_CU_SUM_BLOCK>(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

/* ---- launches ---- */

static int loss_width(const lae_cu_layout *layout)
{
    return layout->element_bytes == sizeof(float) && lae_cu_layout_packs(layout, LAE_CU_PACK) ? LAE_CU_PACK : 1;
}

/* Blocks of all launches. */
static int64_t loss_blocks(lae_cu_layout layout)
{
    const int64_t numel = lae_cu_layout_numel(&layout);
    if (numel <= LAE_CU_WALK_MOST) return lae_cu_sum_blocks(numel / loss_width(&layout));
    lae_cu_layout rest;
    lae_cu_layout_halve(&layout, &rest);
    return loss_blocks(layout) + loss_blocks(rest);
}

template <typename T>
static lstmae_status loss_launch(lstmae_queue *queue, lae_cu_layout layout, const loss_numbers<T> &numbers,
                                 double **sums)
{
    if (lae_cu_layout_numel(&layout) > LAE_CU_WALK_MOST) {
        lae_cu_layout rest;
        lae_cu_layout_halve(&layout, &rest);
        LAE_CU_TRY(loss_launch(queue, layout, numbers, sums));
        return loss_launch(queue, rest, numbers, sums);
    }
    const int width = loss_width(&layout);
    const lae_cu_walk walk = lae_cu_walk_of(&layout, width);
    const unsigned blocks = lae_cu_sum_blocks(walk.units);
    double *const here = *sums;
    *sums += blocks;
    if constexpr (sizeof(T) == sizeof(float)) {
        if (width == LAE_CU_PACK) {
            LAE_LAUNCH((loss_kernel<T, LAE_CU_PACK>), blocks, LAE_CU_SUM_BLOCK, 0, lae_cu_stream(queue), walk, numbers,
                       here);
            return lae_cu_launched(queue, "loss");
        }
    }
    LAE_LAUNCH((loss_kernel<T, 1>), blocks, LAE_CU_SUM_BLOCK, 0, lae_cu_stream(queue), walk, numbers, here);
    return lae_cu_launched(queue, "loss");
}

template <typename T>
static loss_numbers<T> loss_numbers_of(const lstmae_loss_args *args)
{
    return { args->op, args->mask != NULL, args->grad != NULL, (T)args->delta, (T)args->grad_scale };
}

lstmae_status lae_cu_loss(lstmae_queue *queue, const lstmae_loss_args *args)
{
    const lstmae_view *const given[4] = { &args->pred, &args->target, args->mask, args->grad };
    /* what is not there takes the place of pred, and is not touched */
    const lstmae_view *const views[4] = { args->grad ? args->grad : &args->pred, &args->pred, &args->target,
                                          args->mask ? args->mask : &args->pred };
    void *scratch;
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "loss", 4, given));
    LAE_CU_TRY(lae_cu_check_kind(queue, "loss", args->op, LSTMAE_LOSS_OP_BCE_LOGITS));
    const lae_cu_layout layout = lae_cu_layout_sorted(4, views);
    if (lae_cu_layout_numel(&layout) == 0) return LSTMAE_OK;
    const int64_t blocks = loss_blocks(layout);
    LAE_CU_TRY(lae_cu_scratch(queue, (size_t)blocks * sizeof(double), &scratch));
    double *const sums = static_cast<double *>(scratch), *at = sums;
    if (args->pred.dtype == LSTMAE_F64)
        LAE_CU_TRY(loss_launch(queue, layout, loss_numbers_of<double>(args), &at));
    else LAE_CU_TRY(loss_launch(queue, layout, loss_numbers_of<float>(args), &at));
    return lae_cu_total(queue, sums, blocks, args->scale, 1, args->value);
}
