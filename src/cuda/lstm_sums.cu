/*
 * Sums over the T B rows of dL/da, in double:
 *
 *   db = sum da;   dp_i = sum da_i c_{s-1},  dp_f = sum da_f c_{s-1},  dp_o = sum da_o c_s  (Gers, Schmidhuber 2000)
 *
 * One pass over the gates for all of them: a block takes 32 columns of a segment of the rows, 8 rows at a time, and a
 * second launch adds the segments. A thread adds every 8th row of its segment, then the 8 threads of a column are added
 * in order, then the segments are. Segments follow from the shape alone. Floor: the bytes of the gates, and with
 * peepholes of the cells.
 */
#include "lstm_sums.h"

#include "launch.h"

constexpr int SUMS_COLUMNS = 32, SUMS_ROWS = 8;

/* Rows that a thread adds before another segment is worth it, and segments that keep any GPU busy. */
constexpr int64_t SUMS_DEPTH = 16, SUMS_SEGMENTS = 64;

struct sums_call {
    int64_t rows, B, H;
    int64_t segment; /* rows of one */
    int64_t segments;
    const void *gates, *cs; /* cs NULL: no peepholes */
    double *partials;       /* [segments][7H], instead of the gradients; NULL: one segment */
    void *db_ih, *db_hh, *dpeephole;
    double beta;
};

template <class T> static __device__ __forceinline__ void sums_put(void *to, int64_t at, double beta, double sum)
{
    if (!to) return;
    T *gradient = static_cast<T *>(to) + at;
    *gradient = (T)(beta != 0.0 ? sum + beta * (double)*gradient : sum);
}

/* Column 0 to 4H - 1 is that of a bias, 4H on those of peepholes i, f, o. */
template <class T> static __device__ __forceinline__ void sums_store(const sums_call &call, int64_t column, double sum)
{
    if (column < 4 * call.H) {
        sums_put<T>(call.db_ih, column, call.beta, sum);
        sums_put<T>(call.db_hh, column, call.beta, sum);
    } else {
        sums_put<T>(call.dpeephole, column - 4 * call.H, call.beta, sum);
    }
}

/* The sum of a column's threads, for the one of row 0. */
static __device__ __forceinline__ double sums_join(double (*joined)[SUMS_COLUMNS], double sum)
{
    __syncthreads();
    joined[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    for (int row = 1; row < SUMS_ROWS && threadIdx.y == 0; row++) sum += joined[row][threadIdx.x];
    return sum;
}

template <class T>
static __global__ void __launch_bounds__(SUMS_COLUMNS *SUMS_ROWS) lstm_sums_kernel(const sums_call call)
{
    LAE_SHARED(double, joined, [SUMS_ROWS][SUMS_COLUMNS]);
    const int64_t H = call.H, column = (int64_t)blockIdx.x * SUMS_COLUMNS + threadIdx.x;
    const int64_t gate = column / H, unit = column - gate * H, first = (int64_t)blockIdx.y * call.segment;
    const int64_t last = call.rows - first < call.segment ? call.rows : first + call.segment;
    const T *da = static_cast<const T *>(call.gates) + column;
    const int peephole = call.cs != nullptr && gate != 2;
    const T *c = peephole ? static_cast<const T *>(call.cs) + (gate == 3 ? call.B * H : 0) + unit : nullptr;
    double bias = 0.0, product = 0.0;
    if (column < 4 * H) {
        for (int64_t row = first + threadIdx.y; row < last; row += SUMS_ROWS) {
            const double value = (double)da[row * 4 * H];
            bias += value;
            if (peephole) product += value * (double)c[row * H];
        }
    }
    bias = sums_join(joined, bias);
    if (call.cs) product = sums_join(joined, product);
    if (threadIdx.y != 0 || column >= 4 * H) return;
    const int64_t at = 4 * H + (gate == 3 ? 2 : gate) * H + unit;
    if (call.partials) {
        double *partials = call.partials + blockIdx.y * 7 * H;
        partials[column] = bias;
        if (peephole) partials[at] = product;
    } else {
        sums_store<T>(call, column, bias);
        if (peephole) sums_store<T>(call, at, product);
    }
}

template <class T>
static __global__ void __launch_bounds__(SUMS_COLUMNS *SUMS_ROWS) lstm_sums_join_kernel(const sums_call call)
{
    const int64_t H = call.H, columns = (call.cs ? 7 : 4) * H;
    const int64_t column = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    double sum = 0.0;
    for (int64_t k = 0; k < call.segments; k++) sum += call.partials[k * 7 * H + column];
    sums_store<T>(call, column, sum);
}

template <class T> static lstmae_status sums_launch(lstmae_queue *queue, const sums_call &call)
{
    const dim3 grid((unsigned)((4 * call.H + SUMS_COLUMNS - 1) / SUMS_COLUMNS), (unsigned)call.segments);
    const dim3 block(SUMS_COLUMNS, SUMS_ROWS);
    LAE_LAUNCH((lstm_sums_kernel<T>), grid, block, 0, lae_cu_stream(queue), call);
    LAE_CU_TRY(lae_cu_launched(queue, "lstm_sums"));
    if (!call.partials) return LSTMAE_OK;
    const int threads = SUMS_COLUMNS * SUMS_ROWS;
    const int64_t columns = (call.cs ? 7 : 4) * call.H;
    LAE_LAUNCH((lstm_sums_join_kernel<T>), (unsigned)((columns + threads - 1) / threads), threads, 0,
               lae_cu_stream(queue), call);
    return lae_cu_launched(queue, "lstm_sums_join");
}

lstmae_status lae_cu_lstm_sums(lstmae_queue *queue, const lstmae_lstm_args *args)
{
    sums_call call = {};
    void *scratch = NULL;
    call.rows = args->T * args->B;
    call.B = args->B;
    call.H = args->H;
    int64_t segments = call.rows / (SUMS_ROWS * SUMS_DEPTH);
    segments = segments < 1 ? 1 : segments > SUMS_SEGMENTS ? SUMS_SEGMENTS : segments;
    call.segment = (call.rows + segments - 1) / segments;
    call.segments = call.rows > 0 ? (call.rows + call.segment - 1) / call.segment : 1;
    call.gates = args->gates;
    call.cs = args->dpeephole ? args->cs : NULL;
    call.db_ih = args->db_ih;
    call.db_hh = args->db_hh;
    call.dpeephole = args->dpeephole;
    call.beta = args->beta;
    if (call.segments > 1) {
        LAE_CU_TRY(lae_cu_scratch(queue, (size_t)(call.segments * 7 * call.H) * sizeof(double), &scratch));
        call.partials = static_cast<double *>(scratch);
    }
    return args->dtype == LSTMAE_F64 ? sums_launch<double>(queue, call) : sums_launch<float>(queue, call);
}

/* ---- over steps alone ---- */

constexpr int STEPS_BLOCK = 256;

template <class T>
static __global__ void __launch_bounds__(STEPS_BLOCK)
    lstm_sum_steps_kernel(const T *gates, int64_t steps, int64_t B, int64_t columns, void *out, int64_t row, int type)
{
    const int64_t count = B * columns, stride = (int64_t)gridDim.x * STEPS_BLOCK;
    for (int64_t at = (int64_t)blockIdx.x * STEPS_BLOCK + threadIdx.x; at < count; at += stride) {
        double sum = 0.0;
        for (int64_t s = 0; s < steps; s++) sum += (double)gates[s * count + at];
        const int64_t b = at / columns, to = b * row + at - b * columns;
        if (type == LAE_CU_BF16) static_cast<__nv_bfloat16 *>(out)[to] = __float2bfloat16_rn((float)sum);
        else static_cast<T *>(out)[to] = (T)sum;
    }
}

lstmae_status lae_cu_lstm_sum_steps(lstmae_queue *queue, const lstmae_lstm_args *args, void *out, int64_t row,
                                    int type)
{
    const int64_t columns = 4 * args->H, blocks = (args->B * columns + STEPS_BLOCK - 1) / STEPS_BLOCK;
    const int64_t most = (int64_t)queue->multiprocessors * 8;
    const unsigned grid = (unsigned)(blocks < most ? blocks : most);
    const cudaStream_t stream = lae_cu_stream(queue);
    if (args->dtype == LSTMAE_F64)
        LAE_LAUNCH((lstm_sum_steps_kernel<double>), grid, STEPS_BLOCK, 0, stream,
                   static_cast<const double *>(args->gates), args->T, args->B, columns, out, row, type);
    else
        LAE_LAUNCH((lstm_sum_steps_kernel<float>), grid, STEPS_BLOCK, 0, stream,
                   static_cast<const float *>(args->gates), args->T, args->B, columns, out, row, type);
    return lae_cu_launched(queue, "lstm_sum_steps");
}
