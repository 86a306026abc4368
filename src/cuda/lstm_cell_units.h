/*
 * The cell in kernels: what both directions of lstm_cell.cu use, and the forward cell of V units of one sample, which
 * the products of few samples (lstm_step.cu) end with too. T is the element type; V is 1 or, of float, 2.
 */
#ifndef LAE_CUDA_LSTM_CELL_UNITS_H
#define LAE_CUDA_LSTM_CELL_UNITS_H

#include "lstm_cell.h"

#include "shared/activation.h"

static __device__ __forceinline__ float cell_sigmoid(float x)
{
    return lae_sigmoid(x);
}

static __device__ __forceinline__ double cell_sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static __device__ __forceinline__ float cell_tanh(float x)
{
    return lae_tanh(x);
}

static __device__ __forceinline__ double cell_tanh(double x)
{
    return tanh(x);
}

static __device__ __forceinline__ float cell_fma(float a, float b, float c)
{
    return fmaf(a, b, c);
}

static __device__ __forceinline__ double cell_fma(double a, double b, double c)
{
    return fma(a, b, c);
}

template <class T> static __device__ __forceinline__ void cell_read(T (&to)[1], const T *from)
{
    to[0] = *from;
}

static __device__ __forceinline__ void cell_read(float (&to)[2], const float *from)
{
    const float2 v = *reinterpret_cast<const float2 *>(from);
    to[0] = v.x;
    to[1] = v.y;
}

template <class T> static __device__ __forceinline__ void cell_write(T *to, const T (&from)[1])
{
    *to = from[0];
}

static __device__ __forceinline__ void cell_write(float *to, const float (&from)[2])
{
    *reinterpret_cast<float2 *>(to) = { from[0], from[1] };
}

static __device__ __forceinline__ void cell_write_bf16(unsigned short *to, const float (&from)[2])
{
    *reinterpret_cast<unsigned *>(to) = lae_cu_bf16_pair(from[0], from[1]);
}

template <class T> static __device__ __forceinline__ void cell_write_bf16(unsigned short *to, const T (&from)[1])
{
    *to = (unsigned short)lae_cu_bf16_pair((float)from[0], 0.0f);
}

/* Values at `offset` of an array that may be absent, then 0. */
template <class T, int V>
static __device__ __forceinline__ void cell_get(T (&to)[V], const void *array, int64_t offset)
{
    if (array) {
        cell_read(to, static_cast<const T *>(array) + offset);
    } else {
        for (int v = 0; v < V; v++) to[v] = T(0);
    }
}

template <class T, int V>
static __device__ __forceinline__ void cell_put(void *array, int64_t offset, const T (&from)[V])
{
    if (array) cell_write(static_cast<T *>(array) + offset, from);
}

template <class T, int V>
static __device__ __forceinline__ void cell_put_copy(const lae_cu_cell_copy &copy, int64_t b, int64_t j,
                                                     const T (&from)[V])
{
    if (!copy.data) return;
    const int64_t offset = b * copy.row + j;
    if (copy.type == LAE_CU_BF16) cell_write_bf16(static_cast<unsigned short *>(copy.data) + offset, from);
    else cell_write(static_cast<T *>(copy.data) + offset, from);
}

static __device__ __forceinline__ uint32_t cell_word(const lae_philox_block &block, uint64_t element)
{
    const uint32_t low = element & 1 ? block.word[1] : block.word[0];
    const uint32_t high = element & 1 ? block.word[3] : block.word[2];
    return element & 2 ? high : low;
}

/* What is kept of the values with numbers `at` and on, as the entry `dropout` does. */
template <class T, int V>
static __device__ __forceinline__ void cell_apply_drop(T (&values)[V], const lae_cu_cell_dropout &drop, int64_t at)
{
    if (drop.threshold == 0) return;
    const uint64_t stream = drop.key.stream + (drop.step ? drop.step->draws : 0);
    uint64_t element = drop.key.first + (uint64_t)at;
    lae_philox_block block = lae_philox(drop.key.seed, stream, element >> 2);
    for (int v = 0; v < V; v++, element++) {
        if (v > 0 && (element & 3) == 0) block = lae_philox(drop.key.seed, stream, element >> 2);
        values[v] = cell_word(block, element) >> 8 < drop.threshold ? T(0) : values[v] * (T)drop.scale;
    }
}

/* Adds what else there is to the products of a gate. */
template <class T, int V>
static __device__ __forceinline__ void cell_sum(T (&a)[V], const lae_cu_cell_forward_part &p, int64_t row, int64_t j)
{
    T part[V], other[V];
    if (p.sums) {
        cell_get(part, p.sums, row + j);
        for (int v = 0; v < V; v++) a[v] += part[v];
    }
    if (p.start) {
        cell_get(part, p.start, row + j);
        for (int v = 0; v < V; v++) a[v] += part[v];
    }
    if (!p.b_ih && !p.b_hh) return;
    cell_get(part, p.b_ih, j);
    cell_get(other, p.b_hh, j);
    for (int v = 0; v < V; v++) a[v] += part[v] + other[v];
}

/* A sample that has ended keeps its state; its output is 0 and its gates are left as they are. */
template <class T, int V>
static __device__ void cell_hold(const lae_cu_cell_forward_part &p, int64_t b, int64_t j, int64_t H)
{
    T c[V], h[V], zero[V];
    for (int v = 0; v < V; v++) zero[v] = T(0);
    cell_get(c, p.c_before, b * H + j);
    cell_get(h, p.h_before, b * H + j);
    cell_put(p.c, b * H + j, c);
    cell_put(p.h, b * H + j, h);
    cell_put_copy(p.y, b, j, zero);
    cell_put_copy(p.next, b, j, h);
    cell_put_copy(p.above, b, j, zero);
}

/** Units j and on of sample b, whose gates' products are i, f, g and o so far; the part's own are added. */
template <class T, int V>
static __device__ __forceinline__ void cell_forward_units(const lae_cu_cell_forward &cell,
                                                          const lae_cu_cell_forward_part &p, int64_t b, int64_t j,
                                                          T (&i)[V], T (&f)[V], T (&g)[V], T (&o)[V])
{
    const int64_t H = cell.H, row = 4 * b * H, at = b * H + j;
    if (cell.lengths && cell.lengths[b] <= cell.time) {
        cell_hold<T, V>(p, b, j, H);
        return;
    }
    T c[V], h[V], weight[V];
    cell_sum(i, p, row, j);
    cell_sum(f, p, row, H + j);
    cell_sum(g, p, row, 2 * H + j);
    cell_sum(o, p, row, 3 * H + j);
    cell_get(c, p.c_before, at);
    if (p.peephole) {
        cell_get(weight, p.peephole, j);
        for (int v = 0; v < V; v++) i[v] = cell_fma(weight[v], c[v], i[v]);
        cell_get(weight, p.peephole, H + j);
        for (int v = 0; v < V; v++) f[v] = cell_fma(weight[v], c[v], f[v]);
        cell_get(weight, p.peephole, 2 * H + j);
    }
    for (int v = 0; v < V; v++) {
        i[v] = cell_sigmoid(i[v]);
        f[v] = cell_sigmoid(f[v]);
        g[v] = cell_tanh(g[v]);
        c[v] = cell_fma(f[v], c[v], i[v] * g[v]);
        o[v] = cell_sigmoid(p.peephole ? cell_fma(weight[v], c[v], o[v]) : o[v]);
        h[v] = o[v] * cell_tanh(c[v]);
    }
    cell_put(p.gates, row + j, i);
    cell_put(p.gates, row + H + j, f);
    cell_put(p.gates, row + 2 * H + j, g);
    cell_put(p.gates, row + 3 * H + j, o);
    cell_put(p.c, at, c);
    cell_put(p.h, at, h);
    cell_put_copy(p.y, b, j, h);
    cell_put_copy(p.next, b, j, h);
    if (p.above.data) {
        cell_apply_drop(h, p.dropout, at);
        cell_put_copy(p.above, b, j, h);
        cell_put(p.dropped, at, h);
    }
}

#endif
