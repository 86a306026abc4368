/*
 * Weight gradients of an LSTM from dL/da of all steps: one product over all T B rows for each matrix, sums of columns
 * for biases and peepholes.
 */
#include "cpu_entries.h"
#include "lstm_rows.h"

#include <string.h>

/* dw[4H,N] = dL/da^T rows + beta dw, over `count` rows of dL/da from row `first` on. */
static lstmae_status weight_product(lstmae_queue *queue, const lstmae_lstm_args *args, void *dw, int64_t N,
                                    const float *da, int64_t count, const float *rows, lae_rows spread)
{
    lae_gemm gemm = { 0 };
    gemm.M = 4 * args->H;
    gemm.N = N;
    gemm.K = count;
    gemm.a = da;
    gemm.a_rows = lae_even_rows(gemm.M);
    gemm.a_transposed = 1;
    gemm.b = rows;
    gemm.b_rows = spread;
    gemm.c = dw;
    gemm.c_rows = lae_even_rows(N);
    gemm.beta = (float)args->beta;
    gemm.columns.count = N;
    return lae_gemm_run(queue, &gemm);
}

typedef struct weight_sums {
    const lae_kernels *kernels;
    const lstmae_lstm_args *args;
    float *bias; /* [4H] */
    float *repeated; /* [B,4H]; NULL: not wanted */
} weight_sums;

/* Units per thread are whole cache lines of floats. */
#define WEIGHT_LINE 16

/* Sums over all rows: db = sum dL/da; dp_i = sum dL/da_i c_before, dp_f alike, dp_o = sum dL/da_o c. */
static void weight_column_sums(void *payload, int thread, int threads)
{
    const weight_sums *sums = payload;
    const lstmae_lstm_args *args = sums->args;
    const int64_t H = args->H, G = 4 * H, rows = args->T * args->B;
    const float *gates = args->gates, *cs = args->cs;
    const int add = args->beta != 0.0;
    int64_t u0, u1;
    lae_pool_part((H + WEIGHT_LINE - 1) / WEIGHT_LINE, thread, threads, &u0, &u1);
    u0 *= WEIGHT_LINE;
    u1 = u1 * WEIGHT_LINE < H ? u1 * WEIGHT_LINE : H;
    for (int64_t gate = 0; sums->bias && gate < 4; gate++)
        sums->kernels->column_sum(sums->bias + gate * H + u0, 0, gates + gate * H + u0, G, NULL, 0, rows, u1 - u0);
    for (int64_t i = 0; args->dpeephole && i < 3; i++) {
        const int64_t gate = i < 2 ? i : 3;
        const float *c = i < 2 ? cs : cs + args->B * H;
        sums->kernels->column_sum((float *)args->dpeephole + i * H + u0, add, gates + gate * H + u0, G, c + u0, H, rows,
                                  u1 - u0);
    }
    for (int64_t row = 0; sums->repeated && row < 4 * args->B; row++) /* a row is a gate of a sample */
        sums->kernels->column_sum(sums->repeated + row * H + u0, 0, gates + row * H + u0, args->B * G, NULL, 0, args->T,
                                  u1 - u0);
}

static void weight_store_bias(const lstmae_lstm_args *args, void *db, const float *sum)
{
    float *out = db;
    for (int64_t j = 0; out && j < 4 * args->H; j++) out[j] = args->beta != 0.0 ? out[j] + sum[j] : sum[j];
}

/* Biases, peepholes, and, for one input that repeats, dL/da summed over the steps. */
static lstmae_status weight_sum(lstmae_queue *queue, const lstmae_lstm_args *args, float **repeated)
{
    const int64_t G = 4 * args->H, rows = args->T * args->B;
    const int bias = args->db_ih || args->db_hh, repeats = args->dw_ih && args->x && args->x_step == 0 && args->T > 1;
    if (!bias && !args->dpeephole && !repeats) return LSTMAE_OK;
    const size_t floats = (size_t)(G * (1 + (repeats ? args->B : 0)));
    float *scratch = lae_scratch_get(queue, LAE_SCRATCH_ROWS, floats * sizeof(float));
    if (!scratch) return LSTMAE_ERR_NO_MEMORY;
    weight_sums sums = { queue->kernels, args, bias ? scratch : NULL, repeats ? scratch + G : NULL };
    const int threads = lae_pool_wanted(queue->pool, rows * G, LAE_POOL_GRAIN_ELEMENTS);
    lae_pool_run(queue->pool, threads, weight_column_sums, &sums);
    if (bias) {
        weight_store_bias(args, args->db_ih, scratch);
        weight_store_bias(args, args->db_hh, scratch);
    }
    *repeated = sums.repeated;
    return LSTMAE_OK;
}

static lstmae_status weight_input(lstmae_queue *queue, const lstmae_lstm_args *args, const float *repeated)
{
    if (!args->x) {
        if (args->beta == 0.0) memset(args->dw_ih, 0, (size_t)(4 * args->H * args->I) * sizeof(float));
        return LSTMAE_OK;
    }
    if (repeated)
        return weight_product(queue, args, args->dw_ih, args->I, repeated, args->B, args->x,
                              lae_even_rows(args->x_batch));
    return weight_product(queue, args, args->dw_ih, args->I, args->gates, args->T * args->B,
                          (const float *)args->x + lae_step_time(args, 0) * args->x_step,
                          lae_step_rows(args, args->x_step, args->x_batch));
}

lstmae_status cpu_lstm_weight_gradient(lstmae_queue *queue, const lstmae_lstm_args *args)
{
    if (args->dtype != LSTMAE_F32) return LSTMAE_ERR_UNSUPPORTED;
    const int64_t H = args->H;
    const int64_t skip = args->flags & LSTMAE_SEQ_ZERO_STATE ? args->B : 0; /* rows whose state is zero */
    float *repeated = NULL;
    lstmae_status status = weight_sum(queue, args, &repeated);
    if (status >= 0 && args->dw_ih) status = weight_input(queue, args, repeated);
    if (status >= 0 && args->dw_hh)
        status = weight_product(queue, args, args->dw_hh, H, (const float *)args->gates + skip * 4 * H,
                                args->T * args->B - skip, (const float *)args->hs + skip * H, lae_even_rows(H));
    return status;
}
