/*
 * dst[o,i,k] = src[o,i,k] + beta dst[o,i,k], with a rounding to bfloat16 where dst is that: the layout that a product
 * wants, and the start that it adds to (a bias repeated over rows is a source with strides of 0).
 *
 * Memory is read and written once, in 16-byte pieces where rows allow; the floor is those bytes. blockIdx.y is the
 * matrix.
 */
#include "rows.h"

#include "launch.h"
#include "shared/divide.h"

/* Enough threads that each moves a few pieces: 8 blocks of 256 fill a multiprocessor. */
constexpr int ROWS_BLOCK = 256, ROWS_BLOCKS_PER_MULTIPROCESSOR = 16, ROWS_WIDTH = 4;

struct rows_matrix {
    lae_cu_rows rows;
    int64_t pieces;              /* of all rows: ROWS_WIDTH columns each, or one */
    int64_t row_pieces;
    lae_divisor by_row, by_inner; /* used where pieces < 2^31 */
    int wide;
};

struct rows_list {
    rows_matrix matrix[LAE_CU_ROWS_MOST];
};

/* Outer and inner number of a row, and the piece within it. */
static __device__ void rows_place(const rows_matrix &m, int64_t at, int64_t *outer, int64_t *inner, int64_t *piece)
{
    if (m.pieces <= INT32_MAX) {
        uint32_t within, rest;
        uint32_t row = lae_divide((uint32_t)at, m.by_row, &within);
        *outer = lae_divide(row, m.by_inner, &rest);
        *inner = rest;
        *piece = within;
    } else {
        int64_t row = at / m.row_pieces;
        *piece = at - row * m.row_pieces;
        *outer = row / m.rows.inner;
        *inner = row - *outer * m.rows.inner;
    }
}

static __device__ void rows_move_four(const lae_cu_rows &rows, int64_t from, int64_t to)
{
    float4 v = { 0.0f, 0.0f, 0.0f, 0.0f };
    if (rows.src) v = __ldg(reinterpret_cast<const float4 *>(static_cast<const float *>(rows.src) + from));
    if (rows.dst_type == LAE_CU_BF16) {
        uint2 pairs = { lae_cu_bf16_pair(v.x, v.y), lae_cu_bf16_pair(v.z, v.w) };
        *reinterpret_cast<uint2 *>(static_cast<unsigned short *>(rows.dst) + to) = pairs;
        return;
    }
    float4 *dst = reinterpret_cast<float4 *>(static_cast<float *>(rows.dst) + to);
    if (rows.beta != 0.0) {
        const float beta = (float)rows.beta;
        const float4 old = *dst;
        v = { fmaf(beta, old.x, v.x), fmaf(beta, old.y, v.y), fmaf(beta, old.z, v.z), fmaf(beta, old.w, v.w) };
    }
    *dst = v;
}

template <class T> static __device__ void rows_move_one(const lae_cu_rows &rows, int64_t from, int64_t to)
{
    T value = rows.src ? static_cast<const T *>(rows.src)[from] : T(0);
    if (rows.dst_type == LAE_CU_BF16) {
        static_cast<__nv_bfloat16 *>(rows.dst)[to] = __float2bfloat16_rn((float)value);
        return;
    }
    T *dst = static_cast<T *>(rows.dst) + to;
    *dst = rows.beta != 0.0 ? (T)fma((T)rows.beta, *dst, value) : value;
}

template <class T> static __global__ void __launch_bounds__(ROWS_BLOCK) rows_move_kernel(rows_list list)
{
    const rows_matrix &m = list.matrix[blockIdx.y];
    const lae_cu_rows &rows = m.rows;
    const int64_t width = m.wide ? ROWS_WIDTH : 1, step = (int64_t)gridDim.x * ROWS_BLOCK;
    for (int64_t at = (int64_t)blockIdx.x * ROWS_BLOCK + threadIdx.x; at < m.pieces; at += step) {
        int64_t outer, inner, piece;
        rows_place(m, at, &outer, &inner, &piece);
        const int64_t from = outer * rows.src_outer + inner * rows.src_inner + piece * width;
        const int64_t to = outer * rows.dst_outer + inner * rows.dst_inner + piece * width;
        if (m.wide) rows_move_four(rows, from, to);
        else rows_move_one<T>(rows, from, to);
    }
}

static int rows_wide(const lae_cu_rows *rows, int type)
{
    const size_t bytes = rows->dst_type == LAE_CU_BF16 ? 8 : 16;
    return type == LAE_CU_F32 && rows->columns % ROWS_WIDTH == 0 &&
           lae_cu_aligned(rows->src, rows->src_outer | rows->src_inner, type, 16) &&
           lae_cu_aligned(rows->dst, rows->dst_outer | rows->dst_inner, rows->dst_type, bytes);
}

static rows_matrix rows_prepare(const lae_cu_rows *rows, int type)
{
    rows_matrix m = {};
    m.rows = *rows;
    m.wide = rows_wide(rows, type);
    m.row_pieces = rows->columns / (m.wide ? ROWS_WIDTH : 1);
    m.pieces = m.row_pieces * rows->outer * rows->inner;
    if (m.pieces > 0 && m.pieces <= INT32_MAX) {
        m.by_row = lae_divisor_of((uint32_t)m.row_pieces);
        m.by_inner = lae_divisor_of((uint32_t)rows->inner);
    }
    return m;
}

lstmae_status lae_cu_move_rows(lstmae_queue *queue, int type, const lae_cu_rows *list, int count)
{
    rows_list matrices = {};
    int used = 0;
    int64_t most = 0;
    for (int i = 0; i < count; i++) {
        rows_matrix m = rows_prepare(&list[i], type);
        if (m.pieces == 0) continue;
        matrices.matrix[used++] = m;
        if (m.pieces > most) most = m.pieces;
    }
    if (used == 0) return LSTMAE_OK;
    const int64_t blocks = (most + ROWS_BLOCK - 1) / ROWS_BLOCK;
    const int64_t limit = (int64_t)queue->multiprocessors * ROWS_BLOCKS_PER_MULTIPROCESSOR;
    const dim3 grid((unsigned)(blocks < limit ? blocks : limit), (unsigned)used);
    if (type == LAE_CU_F64)
        LAE_LAUNCH((rows_move_kernel<double>), grid, ROWS_BLOCK, 0, lae_cu_stream(queue), matrices);
    else
        LAE_LAUNCH((rows_move_kernel<float>), grid, ROWS_BLOCK, 0, lae_cu_stream(queue), matrices);
    return lae_cu_launched(queue, "rows_move");
}
