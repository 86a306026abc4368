/*
 * The pointwise part of an LSTM step, forward:
 *
 *   i, f = sigmoid(a + p c_before),  g = tanh(a);  c = f c_before + i g;  o = sigmoid(a + p c);  h = o tanh(c)
 *
 * and backward, with dh = dL/dh and dc = dL/dc of the step:
 *
 *   da_o = dh tanh(c) o (1-o);   dc += dh o (1 - tanh(c)^2) + p_o da_o
 *   da_i = dc g i (1-i);  da_f = dc c_before f (1-f);  da_g = dc i (1 - g^2)
 *   dc_before = dc f + p_i da_i + p_f da_f
 *
 * float32 has the bits of the CPU's vector kernels (cpu/cell_kernels.inc) for equal sums. A thread does two units of
 * one sample, double or odd H one: five activations cost as much time as the 44 bytes of a unit, so threads enough to
 * hide the latency of both count for more than wider loads. Floor: that of the bytes, 3 us for [128,2048] on H200, most
 * of it in the second-level cache, where the product before left its sums. blockIdx.z is the part.
 */
#include "lstm_cell_units.h"

#include "launch.h"
#include "shared/divide.h"
#include "shared/random.h"

constexpr int CELL_BLOCK = 128; /* small: the cells of small layers still spread over the multiprocessors */

/* The sample and the unit of a thread; 0 where there is none. */
template <int V>
static __device__ __forceinline__ int cell_place(int64_t B, lae_divisor by_row, int64_t *b, int64_t *j)
{
    uint32_t piece;
    const uint32_t at = blockIdx.x * CELL_BLOCK + threadIdx.x;
    *b = lae_divide(at, by_row, &piece);
    *j = (int64_t)piece * V;
    return *b < B;
}

template <class T, int V>
static __global__ void __launch_bounds__(CELL_BLOCK)
    cell_forward_kernel(const lae_cu_cell_forward cell, const lae_divisor by_row)
{
    T sums[4][V] = {};
    int64_t b, j;
    if (!cell_place<V>(cell.B, by_row, &b, &j)) return;
    cell_forward_units(cell, cell.part[blockIdx.z], b, j, sums[0], sums[1], sums[2], sums[3]);
}

/* ---- backward ---- */

template <class T, int V>
static __device__ __forceinline__ void cell_put_gates(const lae_cu_cell_backward_part &p, int64_t b, int64_t j,
                                                      int64_t H, const T (&i)[V], const T (&f)[V], const T (&g)[V],
                                                      const T (&o)[V])
{
    const int64_t row = 4 * b * H + j;
    cell_put(p.da, row, i);
    cell_put(p.da, row + H, f);
    cell_put(p.da, row + 2 * H, g);
    cell_put(p.da, row + 3 * H, o);
    cell_put_copy(p.da_copy, b, j, i);
    cell_put_copy(p.da_copy, b, H + j, f);
    cell_put_copy(p.da_copy, b, 2 * H + j, g);
    cell_put_copy(p.da_copy, b, 3 * H + j, o);
}

/* The gradient of a sample that has ended passes its cell by. */
template <class T, int V>
static __device__ void cell_pass(const lae_cu_cell_backward_part &p, int64_t b, int64_t j, int64_t H)
{
    T zero[V], passing[V];
    for (int v = 0; v < V; v++) zero[v] = T(0);
    cell_put_gates(p, b, j, H, zero, zero, zero, zero);
    if (p.dh != p.dh_in || p.dh_in_row != H) {
        cell_get(passing, p.dh_in, b * p.dh_in_row + j);
        cell_put(p.dh, b * H + j, passing);
    }
    if (p.dc_in) {
        cell_get(passing, p.dc_in, b * H + j);
        cell_put(p.dc, b * H + j, passing);
    }
}

template <class T, int V>
static __global__ void __launch_bounds__(CELL_BLOCK)
    cell_backward_kernel(const lae_cu_cell_backward cell, const lae_divisor by_row)
{
    const lae_cu_cell_backward_part &p = cell.part[blockIdx.z];
    const int64_t H = cell.H;
    int64_t b, j;
    if (!cell_place<V>(cell.B, by_row, &b, &j)) return;
    if (cell.lengths && cell.lengths[b] <= cell.time) {
        cell_pass<T, V>(p, b, j, H);
        return;
    }
    const int64_t row = 4 * b * H + j, at = b * H + j;
    T i[V], f[V], g[V], o[V], c[V], c_before[V], dh[V], dy[V], dc[V], weight[3][V];
    cell_get(i, p.gates, row);
    cell_get(f, p.gates, row + H);
    cell_get(g, p.gates, row + 2 * H);
    cell_get(o, p.gates, row + 3 * H);
    cell_get(c, p.c, at);
    cell_get(c_before, p.c_before, at);
    cell_get(dc, p.dc_in ? p.dc_in : p.dc, at);
    cell_get(dh, p.dh_in, b * p.dh_in_row + j);
    if (p.dy) {
        cell_get(dy, p.dy, b * p.dy_row + j);
        cell_apply_drop(dy, p.dropout, at);
        for (int v = 0; v < V; v++) dh[v] += dy[v];
    }
    for (int k = 0; k < 3; k++)
        if (p.peephole) cell_get(weight[k], p.peephole, k * H + j);
    for (int v = 0; v < V; v++) {
        const T one = T(1), th = cell_tanh(c[v]), dho = dh[v] * o[v];
        const T da_o = dho * th * (one - o[v]);
        dc[v] += dho * cell_fma(-th, th, one);
        if (p.peephole) dc[v] = cell_fma(da_o, weight[2][v], dc[v]);
        const T dci = dc[v] * i[v], dcf = dc[v] * f[v];
        const T da_i = dci * g[v] * (one - i[v]), da_f = dcf * c_before[v] * (one - f[v]);
        g[v] = dci * cell_fma(-g[v], g[v], one);
        dc[v] = p.peephole ? cell_fma(da_f, weight[1][v], cell_fma(da_i, weight[0][v], dcf)) : dcf;
        i[v] = da_i;
        f[v] = da_f;
        o[v] = da_o;
        dh[v] = T(0);
    }
    cell_put_gates(p, b, j, H, i, f, g, o);
    cell_put(p.dc, at, dc);
    cell_put(p.dh, at, dh);
}

/* ---- launching ---- */

lae_cu_cell_dropout lae_cu_cell_dropout_of(const lstmae_queue *queue, double p, const lstmae_random_key *key)
{
    lae_cu_cell_dropout dropout = {};
    if (!(p > 0.0)) return dropout;
    dropout.key = *key;
    dropout.step = lae_cu_step_of(queue);
    dropout.scale = 1.0 / (1.0 - p);
    dropout.threshold = lae_unit_threshold(p);
    return dropout;
}

/* Collects what a thread with two units wants of an array: pairs that are aligned in every row. */
struct cell_pairs {
    int type;
    int fit;

    void add(const void *data, int64_t row) { fit &= lae_cu_aligned(data, row, type, 8); }
    void add(const lae_cu_cell_copy &copy)
    {
        fit &= lae_cu_aligned(copy.data, copy.row, copy.type, copy.type == LAE_CU_BF16 ? 4 : 8);
    }
};

static int cell_forward_in_pairs(const lae_cu_cell_forward *cell)
{
    cell_pairs pairs = { LAE_CU_F32, cell->dtype == LSTMAE_F32 && cell->H % 2 == 0 };
    for (int k = 0; k < cell->parts; k++) {
        const lae_cu_cell_forward_part &p = cell->part[k];
        const void *arrays[] = { p.sums,     p.start,    p.b_ih,  p.b_hh, p.peephole,
                                 p.h_before, p.c_before, p.gates, p.c,    p.h,       p.dropped };
        for (const void *array : arrays) pairs.add(array, 0);
        pairs.add(p.y);
        pairs.add(p.next);
        pairs.add(p.above);
    }
    return pairs.fit;
}

static int cell_backward_in_pairs(const lae_cu_cell_backward *cell)
{
    cell_pairs pairs = { LAE_CU_F32, cell->dtype == LSTMAE_F32 && cell->H % 2 == 0 };
    for (int k = 0; k < cell->parts; k++) {
        const lae_cu_cell_backward_part &p = cell->part[k];
        const void *arrays[] = { p.gates, p.c_before, p.c, p.peephole, p.dc, p.dc_in, p.dh, p.da };
        for (const void *array : arrays) pairs.add(array, 0);
        pairs.add(p.dh_in, p.dh_in_row);
        pairs.add(p.dy, p.dy_row);
        pairs.add(p.da_copy);
    }
    return pairs.fit;
}

/* Threads of a launch; 0 parts of a grid are not launched. */
static lstmae_status cell_grid(lstmae_queue *queue, int64_t B, int64_t H, int parts, int V, dim3 *grid,
                               lae_divisor *by_row)
{
    if (H > INT32_MAX / B)
        return queue->host->fail(LSTMAE_ERR_UNSUPPORTED, "cuda:%d: LSTM: expected B*H below 2^31, got %lld*%lld",
                                 queue->device, (long long)B, (long long)H);
    *by_row = lae_divisor_of((uint32_t)(H / V));
    *grid = dim3((unsigned)((B * (H / V) + CELL_BLOCK - 1) / CELL_BLOCK), 1, (unsigned)parts);
    return LSTMAE_OK;
}

lstmae_status lae_cu_cell_forward_run(lstmae_queue *queue, const lae_cu_cell_forward *cell)
{
    const int V = cell_forward_in_pairs(cell) ? 2 : 1;
    const cudaStream_t stream = lae_cu_stream(queue);
    lae_divisor by_row;
    dim3 grid;
    if (cell->B == 0 || cell->H == 0 || cell->parts == 0) return LSTMAE_OK;
    LAE_CU_TRY(cell_grid(queue, cell->B, cell->H, cell->parts, V, &grid, &by_row));
    if (cell->dtype == LSTMAE_F64)
        LAE_LAUNCH((cell_forward_kernel<double, 1>), grid, CELL_BLOCK, 0, stream, *cell, by_row);
    else if (V == 2)
        LAE_LAUNCH((cell_forward_kernel<float, 2>), grid, CELL_BLOCK, 0, stream, *cell, by_row);
    else
        LAE_LAUNCH((cell_forward_kernel<float, 1>), grid, CELL_BLOCK, 0, stream, *cell, by_row);
    return lae_cu_launched(queue, "cell_forward");
}

lstmae_status lae_cu_cell_backward_run(lstmae_queue *queue, const lae_cu_cell_backward *cell)
{
    const int V = cell_backward_in_pairs(cell) ? 2 : 1;
    const cudaStream_t stream = lae_cu_stream(queue);
    lae_divisor by_row;
    dim3 grid;
    if (cell->B == 0 || cell->H == 0 || cell->parts == 0) return LSTMAE_OK;
    LAE_CU_TRY(cell_grid(queue, cell->B, cell->H, cell->parts, V, &grid, &by_row));
    if (cell->dtype == LSTMAE_F64)
        LAE_LAUNCH((cell_backward_kernel<double, 1>), grid, CELL_BLOCK, 0, stream, *cell, by_row);
    else if (V == 2)
        LAE_LAUNCH((cell_backward_kernel<float, 2>), grid, CELL_BLOCK, 0, stream, *cell, by_row);
    else
        LAE_LAUNCH((cell_backward_kernel<float, 1>), grid, CELL_BLOCK, 0, stream, *cell, by_row);
    return lae_cu_launched(queue, "cell_backward");
}
