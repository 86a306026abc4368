/*
 * out = reduction of in over the axes where out has size 1, + beta * out; in double. The axes that stay have `kept`
 * elements together, those that go `gone`, and both may lie anyhow:
 *
 *   out[k] = sum over g of in[place(k) + place(g)]
 *
 * A block is a rectangle of threads, some k by some g, neighbours along the side whose elements are neighbours in
 * memory: rows are summed by neighbouring threads, columns (a bias's gradient) one by each, either with packs of 16
 * bytes where they fit. Where few k leave the device idle, `gone` is cut into segments whose results a second launch
 * combines. Rectangle and segments follow from the shape alone, so the bits do. The floor is the memory's bandwidth:
 * every element is read once, and segments' results are about a sixteenth of that at most.
 */
#include "block_sum.h"
#include "entries.h"
#include "pointwise.h"

constexpr int REDUCE_BLOCK = LAE_CU_SUM_BLOCK;

/* Loads of a thread that a segment is worth, and blocks that keep any device busy. */
constexpr int64_t REDUCE_LOADS = 8, REDUCE_BLOCKS = 1024;

/* Axes whose units are numbered in row-major order. `wide`: numbers need 64 bits. */
struct reduce_axes {
    int axes, wide;
    int64_t units;
    int64_t dim[LSTMAE_MAX_DIMS], in[LSTMAE_MAX_DIMS], out[LSTMAE_MAX_DIMS]; /* strides of units */
    lae_divisor divisor[LSTMAE_MAX_DIMS];
};

/* What a kernel is given. */
struct reduce_plan {
    const void *in;
    void *out;
    double *partials; /* [segments][kept], instead of out; NULL: one segment */
    int kind, out_dtype;
    int rows;      /* 1: neighbouring threads are along gone */
    int across;    /* threads along kept; REDUCE_BLOCK / across are along gone */
    int64_t out_step;      /* from one element of a unit to the next */
    int64_t segment;       /* units of gone */
    unsigned blocks, segments;
    double scale, beta;
    reduce_axes kept, gone;
};

/* ---- on the device ---- */

/* The larger one; NaN wins. */
static __device__ __forceinline__ double reduce_join(int kind, double a, double b)
{
    if (kind != LSTMAE_REDUCE_MAX) return a + b;
    return b > a || isnan(b) ? b : a;
}

/* Where unit `index` is. */
static __device__ __forceinline__ int64_t reduce_place(const reduce_axes &axes,
                                                       const int64_t (&stride)[LSTMAE_MAX_DIMS], int64_t index)
{
    int64_t place = 0;
#pragma unroll
    for (int axis = LSTMAE_MAX_DIMS - 1; axis > 0; axis--) {
        if (axis >= axes.axes) continue;
        uint32_t rest;
        int64_t before;
        if (axes.wide) before = index / axes.dim[axis];
        else before = lae_divide((uint32_t)index, axes.divisor[axis], &rest);
        place += stride[axis] * (index - before * axes.dim[axis]);
        index = before;
    }
    return place + stride[0] * index;
}

/* A unit of gone: KEPT elements side by side, each for a sum of its own, or GONE for one sum. */
template <typename T, int KEPT, int GONE>
static __device__ __forceinline__ void reduce_take(int kind, double (&sums)[KEPT], const T *from)
{
    T x[KEPT * GONE];
    lae_cu_load(x, from, 0);
    if constexpr (GONE == LAE_CU_PACK) {
        const double low = reduce_join(kind, (double)x[0], (double)x[1]);
        const double high = reduce_join(kind, (double)x[2], (double)x[3]);
        sums[0] = reduce_join(kind, sums[0], reduce_join(kind, low, high));
    } else {
        for (int j = 0; j < KEPT; j++) sums[j] = reduce_join(kind, sums[j], (double)x[j]);
    }
}

static __device__ __forceinline__ void reduce_store(const reduce_plan &plan, int64_t place, double value)
{
    value *= plan.scale;
    if (plan.out_dtype == LSTMAE_F64) {
        double *out = static_cast<double *>(plan.out) + place;
        *out = plan.beta != 0.0 ? value + plan.beta * *out : value;
    } else {
        float *out = static_cast<float *>(plan.out) + place;
        *out = (float)(plan.beta != 0.0 ? value + plan.beta * (double)*out : value);
    }
}

template <typename T, int KEPT, int GONE>
static __global__ void __launch_bounds__(REDUCE_BLOCK, 4)
reduce_kernel(const reduce_plan plan)
{
    LAE_SHARED(double, joined, [KEPT][REDUCE_BLOCK]);
    const int across = plan.across, deep = REDUCE_BLOCK / across, thread = (int)threadIdx.x;
    const int k = plan.rows ? thread / deep : thread % across, g = plan.rows ? thread % deep : thread / across;
    const int64_t unit = (int64_t)blockIdx.x * across + k, begin = blockIdx.y * plan.segment;
    const int64_t end = plan.gone.units - begin < plan.segment ? plan.gone.units : begin + plan.segment;
    double sums[KEPT];
    for (int j = 0; j < KEPT; j++) sums[j] = plan.kind == LSTMAE_REDUCE_MAX ? -INFINITY : 0.0;

    if (unit < plan.kept.units) {
        const T *from = static_cast<const T *>(plan.in) + reduce_place(plan.kept, plan.kept.in, unit);
        if (plan.gone.axes == 1) {
            const int64_t step = plan.gone.in[0];
#pragma unroll 4
            for (int64_t i = begin + g; i < end; i += deep)
                reduce_take<T, KEPT, GONE>(plan.kind, sums, from + i * step);
        } else {
#pragma unroll 2
            for (int64_t i = begin + g; i < end; i += deep)
                reduce_take<T, KEPT, GONE>(plan.kind, sums, from + reduce_place(plan.gone, plan.gone.in, i));
        }
    }

    for (int j = 0; j < KEPT; j++) joined[j][g * across + k] = sums[j];
    for (int half = deep / 2; half > 0; half /= 2) {
        __syncthreads();
        if (g >= half) continue;
        for (int j = 0; j < KEPT; j++) {
            double *at = &joined[j][g * across + k];
            *at = reduce_join(plan.kind, *at, at[half * across]);
        }
    }
    if (g > 0 || unit >= plan.kept.units) return;
    const int64_t place = reduce_place(plan.kept, plan.kept.out, unit);
    for (int j = 0; j < KEPT; j++) {
        if (plan.partials) plan.partials[(blockIdx.y * plan.kept.units + unit) * KEPT + j] = joined[j][k];
        else reduce_store(plan, place + j * plan.out_step, joined[j][k]);
    }
}

/* ---- plans ---- */

static int64_t reduce_whole(int64_t n, int64_t by)
{
    return (n + by - 1) / by;
}

/* The power of two that is no smaller than n, within bounds. */
static int64_t reduce_power(int64_t n, int64_t least, int64_t most)
{
    int64_t power = least;
    while (power < n && power < most) power *= 2;
    return power;
}

/* In units of `width` elements of the innermost axis. */
static reduce_axes reduce_axes_of(const lae_cu_layout *layout, int width)
{
    const int inner = layout->axes - 1;
    reduce_axes axes = {};
    axes.axes = layout->axes;
    axes.units = lae_cu_layout_numel(layout) / width;
    axes.wide = axes.units > LAE_CU_WALK_MOST;
    for (int axis = 0; axis < layout->axes; axis++) {
        const int by = axis == inner ? width : 1;
        axes.dim[axis] = layout->dim[axis] / by;
        axes.in[axis] = layout->stride[0][axis] * by;
        axes.out[axis] = layout->stride[1][axis] * by;
        if (axes.units > 0 && !axes.wide) axes.divisor[axis] = lae_divisor_of((uint32_t)axes.dim[axis]);
    }
    return axes;
}

/* The rectangle and the segments, for axes that are set. */
static void reduce_cut(reduce_plan *plan)
{
    const int64_t kept = plan->kept.units, gone = plan->gone.units;
    int64_t deep;
    if (plan->rows) deep = reduce_power(gone / REDUCE_LOADS, reduce_power(gone, 1, 32), REDUCE_BLOCK);
    else deep = reduce_power(gone, 1, REDUCE_BLOCK / reduce_power(kept, 1, 32));
    plan->across = (int)(REDUCE_BLOCK / deep);
    plan->blocks = (unsigned)reduce_whole(kept, plan->across);
    const int64_t worth = gone / (deep * REDUCE_LOADS), wanted = reduce_whole(REDUCE_BLOCKS, plan->blocks);
    const int64_t segments = worth < 1 ? 1 : worth < wanted ? worth : wanted;
    plan->segment = reduce_whole(gone, segments);
    plan->segments = gone > 0 ? (unsigned)reduce_whole(gone, plan->segment) : 1;
}

/* Whether packs of `inner`'s innermost axis can be loaded from everywhere. */
static int reduce_packs(const void *in, const lae_cu_layout *inner, const lae_cu_layout *other)
{
    const int last = inner->axes - 1;
    if (reinterpret_cast<uintptr_t>(in) % 16 != 0 || inner->element_bytes != sizeof(float)) return 0;
    if (inner->stride[0][last] != 1 || inner->dim[last] % LAE_CU_PACK != 0) return 0;
    for (int axis = 0; axis < last; axis++)
        if (inner->stride[0][axis] % LAE_CU_PACK != 0) return 0;
    for (int axis = 0; axis < other->axes; axis++)
        if (other->dim[axis] > 1 && other->stride[0][axis] % LAE_CU_PACK != 0) return 0;
    return 1;
}

/* From one element to the next in memory, as far as a side has such; it decides which side's threads are neighbours. */
static int64_t reduce_stride(const lae_cu_layout *layout)
{
    const int last = layout->axes - 1;
    return layout->dim[last] > 1 ? layout->stride[0][last] : INT64_MAX;
}

/* in's view, over the axes that stay or over those that go. */
static lstmae_view reduce_side(const lstmae_view *out, const lstmae_view *in, int kept)
{
    lstmae_view side = *in;
    for (int axis = 0; axis < in->ndim; axis++)
        if ((out->dim[axis] == in->dim[axis] && in->dim[axis] != 1) != kept) side.dim[axis] = 1;
    return side;
}

/* ---- launches ---- */

static lstmae_status reduce_launch(lstmae_queue *queue, const reduce_plan *plan, int dtype, int kept_width,
                                   int gone_width)
{
    const dim3 grid(plan->blocks, plan->segments);
    const cudaStream_t stream = lae_cu_stream(queue);
    if (dtype == LSTMAE_F64) LAE_LAUNCH((reduce_kernel<double, 1, 1>), grid, REDUCE_BLOCK, 0, stream, *plan);
    else if (kept_width > 1) LAE_LAUNCH((reduce_kernel<float, LAE_CU_PACK, 1>), grid, REDUCE_BLOCK, 0, stream, *plan);
    else if (gone_width > 1) LAE_LAUNCH((reduce_kernel<float, 1, LAE_CU_PACK>), grid, REDUCE_BLOCK, 0, stream, *plan);
    else LAE_LAUNCH((reduce_kernel<float, 1, 1>), grid, REDUCE_BLOCK, 0, stream, *plan);
    return lae_cu_launched(queue, "reduce");
}

/* Combines plan->partials, which lie in the order of `kept`. */
static lstmae_status reduce_join_segments(lstmae_queue *queue, const reduce_plan *plan, lae_cu_layout kept)
{
    reduce_plan second = *plan;
    int64_t numel = 1;
    for (int axis = kept.axes - 1; axis >= 0; axis--) {
        kept.stride[0][axis] = numel;
        numel *= kept.dim[axis];
    }
    lae_cu_layout gone = {};
    gone.axes = 1;
    gone.dim[0] = plan->segments;
    gone.stride[0][0] = numel;
    second.in = plan->partials;
    second.partials = NULL;
    second.rows = 0;
    second.kept = reduce_axes_of(&kept, 1);
    second.gone = reduce_axes_of(&gone, 1);
    reduce_cut(&second);
    second.segment = second.gone.units;
    second.segments = 1;
    return reduce_launch(queue, &second, LSTMAE_F64, 1, 1);
}

lstmae_status lae_cu_reduce(lstmae_queue *queue, int kind, const lstmae_view *out, const lstmae_view *in, double beta)
{
    const lstmae_view *const given[2] = { out, in };
    LAE_CU_TRY(lae_cu_usable(queue));
    LAE_CU_TRY(lae_cu_check_types(queue, "reduce", 2, given));
    LAE_CU_TRY(lae_cu_check_kind(queue, "reduce", kind, LSTMAE_REDUCE_MAX));
    const lstmae_view stays = reduce_side(out, in, 1), goes = reduce_side(out, in, 0);
    const lstmae_view *const kept_views[2] = { &stays, out }, *const gone_views[1] = { &goes };
    const lae_cu_layout kept = lae_cu_layout_sorted(2, kept_views), gone = lae_cu_layout_sorted(1, gone_views);
    const int64_t kept_numel = lae_cu_layout_numel(&kept), gone_numel = lae_cu_layout_numel(&gone);
    if (kept_numel == 0) return LSTMAE_OK;

    reduce_plan plan = {};
    plan.in = kept.data[0] + (gone.data[0] - static_cast<char *>(in->data));
    plan.out = kept.data[1];
    plan.kind = kind;
    plan.out_dtype = out->dtype;
    plan.scale = kind == LSTMAE_REDUCE_MEAN ? 1.0 / (double)gone_numel : 1.0;
    plan.beta = beta;
    plan.rows = kept_numel == 1 || reduce_stride(&gone) < reduce_stride(&kept);
    const int packs = gone_numel > 0 && reduce_packs(plan.in, plan.rows ? &gone : &kept, plan.rows ? &kept : &gone);
    const int kept_width = packs && !plan.rows ? LAE_CU_PACK : 1, gone_width = packs && plan.rows ? LAE_CU_PACK : 1;
    plan.out_step = kept.stride[1][kept.axes - 1];
    plan.kept = reduce_axes_of(&kept, kept_width);
    plan.gone = reduce_axes_of(&gone, gone_width);
    reduce_cut(&plan);
    if (plan.segments > 1) {
        void *scratch;
        LAE_CU_TRY(lae_cu_scratch(queue, (size_t)plan.segments * (size_t)kept_numel * sizeof(double), &scratch));
        plan.partials = static_cast<double *>(scratch);
    }
    LAE_CU_TRY(reduce_launch(queue, &plan, in->dtype, kept_width, gone_width));
    return plan.partials ? reduce_join_segments(queue, &plan, kept) : LSTMAE_OK;
}
