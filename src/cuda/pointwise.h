/*
 * y = f(y, in_1, in_2, ...), element by element over views of any strides. f is an Op:
 *
 *   struct op {
 *       using element = float;                       of all views
 *       static constexpr int inputs = 2;
 *       int reads_output() const;                    host: whether y is read before it is written
 *       template <int N> __device__ void operator()(float (&y)[N], const float (&in)[2][N]) const;
 *   };
 *
 * Floats that lie densely are moved as packs of 16 bytes, one per thread and view. The floor is the memory's bandwidth:
 * every element is read and written once; 2048 threads of a multiprocessor have 32 KiB and more in flight.
 */
#ifndef LAE_CUDA_POINTWISE_H
#define LAE_CUDA_POINTWISE_H

#include "launch.h"
#include "walk.h"

/* Elements of a pack: only floats are packed, for the others 8 bytes a thread come near the bandwidth as well. */
constexpr int LAE_CU_PACK = 4;

template <typename T>
static __device__ __forceinline__ void lae_cu_load(T (&to)[1], const T *from, int repeated)
{
    (void)repeated;
    to[0] = *from;
}

static __device__ __forceinline__ void lae_cu_load(float (&to)[LAE_CU_PACK], const float *from, int repeated)
{
    if (repeated) {
        to[0] = to[1] = to[2] = to[3] = *from;
        return;
    }
    const float4 pack = *reinterpret_cast<const float4 *>(from);
    to[0] = pack.x;
    to[1] = pack.y;
    to[2] = pack.z;
    to[3] = pack.w;
}

template <typename T>
static __device__ __forceinline__ void lae_cu_store(T *to, const T (&from)[1])
{
    *to = from[0];
}

static __device__ __forceinline__ void lae_cu_store(float *to, const float (&from)[LAE_CU_PACK])
{
    *reinterpret_cast<float4 *>(to) = make_float4(from[0], from[1], from[2], from[3]);
}

/* One unit of N elements, at offset[v] in each view. */
template <typename Op, int N>
static __device__ __forceinline__ void lae_cu_pointwise_unit(const lae_cu_walk &walk, const Op &op, int reads_output,
                                                             const int64_t (&offset)[Op::inputs + 1])
{
    using T = typename Op::element;
    T y[N], in[Op::inputs > 0 ? Op::inputs : 1][N];
    T *out = static_cast<T *>(walk.data[0]) + offset[0];
#pragma unroll
    for (int v = 0; v < Op::inputs; v++)
        lae_cu_load(in[v], static_cast<const T *>(walk.data[v + 1]) + offset[v + 1], walk.repeated >> (v + 1) & 1);
    for (int i = 0; i < N; i++) y[i] = 0;
    if (reads_output) lae_cu_load(y, out, 0);
    op(y, in);
    lae_cu_store(out, y);
}

template <typename Op, int N>
static __global__ void __launch_bounds__(LAE_CU_WALK_BLOCK)
pointwise_kernel(const lae_cu_walk walk, const Op op, int reads_output)
{
    constexpr int views = Op::inputs + 1;
    const uint32_t first = blockIdx.x * blockDim.x + threadIdx.x, step = gridDim.x * blockDim.x;
    int64_t offset[views];
    for (uint32_t index = first; index < walk.units; index += step) {
        lae_cu_walk_to<views>(walk, index, offset);
        lae_cu_pointwise_unit<Op, N>(walk, op, reads_output, offset);
    }
    if (N > 1 && first < walk.tail) {
        /* behind the last pack of a single axis */
        for (int v = 0; v < views; v++)
            offset[v] = walk.repeated >> v & 1 ? 0 : (int64_t)walk.units * N + first;
        lae_cu_pointwise_unit<Op, 1>(walk, op, reads_output, offset);
    }
}

template <typename Op, int N>
lstmae_status lae_cu_pointwise_launch(lstmae_queue *queue, const char *name, const lae_cu_layout *layout, const Op &op)
{
    const lae_cu_walk walk = lae_cu_walk_of(layout, N);
    LAE_LAUNCH((pointwise_kernel<Op, N>), lae_cu_walk_grid(queue, walk.units), LAE_CU_WALK_BLOCK, 0,
               lae_cu_stream(queue), walk, op, op.reads_output());
    return lae_cu_launched(queue, name);
}

/** Over a layout of the output and Op::inputs inputs. */
template <typename Op>
lstmae_status lae_cu_pointwise(lstmae_queue *queue, const char *name, lae_cu_layout layout, const Op &op)
{
    const int64_t numel = lae_cu_layout_numel(&layout);
    if (numel == 0) return LSTMAE_OK;
    if (numel > LAE_CU_WALK_MOST) {
        lae_cu_layout rest;
        lae_cu_layout_halve(&layout, &rest);
        LAE_CU_TRY(lae_cu_pointwise(queue, name, layout, op));
        return lae_cu_pointwise(queue, name, rest, op);
    }
    if constexpr (sizeof(typename Op::element) == sizeof(float))
        if (lae_cu_layout_packs(&layout, LAE_CU_PACK))
            return lae_cu_pointwise_launch<Op, LAE_CU_PACK>(queue, name, &layout, op);
    return lae_cu_pointwise_launch<Op, 1>(queue, name, &layout, op);
}

#endif
