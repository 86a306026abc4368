/* What the sequence entries share: steps and times, and the rows that a sequence's arrays hold. */
#ifndef LAE_CPU_LSTM_ROWS_H
#define LAE_CPU_LSTM_ROWS_H

#include "gemm.h"

/** Multiply-adds of one step that a thread should have before steps are worth a barrier: about a microsecond. */
#define LAE_STEP_GRAIN_FMA ((int64_t)1 << 15)

/** Rows of one step kept in a thread's accumulators at once. */
#define LAE_STEP_ROWS 144

static inline int64_t lae_step_time(const lstmae_lstm_args *args, int64_t s)
{
    return args->flags & LSTMAE_SEQ_REVERSE ? args->T - 1 - s : s;
}

/** Rows (s, b) in the order of steps of an array in the order of time: its first row is at lae_step_time(args, 0). */
static inline lae_rows lae_step_rows(const lstmae_lstm_args *args, int64_t step, int64_t batch)
{
    const int64_t outer = args->flags & LSTMAE_SEQ_REVERSE ? -step : step;
    if (args->B == 1) return lae_even_rows(outer);
    if (args->T == 1 || outer == args->B * batch) return lae_even_rows(batch);
    return (lae_rows){ args->B, outer, batch };
}

/** Threads for the steps of a sequence: enough work in each step, and in all of them. */
static inline int lae_step_threads(const lstmae_queue *queue, int64_t steps, int64_t step_work)
{
    const int by_step = lae_pool_wanted(queue->pool, step_work, LAE_STEP_GRAIN_FMA);
    const int by_all = lae_pool_wanted(queue->pool, steps * step_work, LAE_POOL_GRAIN_FMA);
    return by_step < by_all ? by_step : by_all;
}

/** One accumulator per thread for the rows of a step and a panel; NULL without memory. */
static inline float *lae_step_tiles(lstmae_queue *queue, int64_t B, int threads)
{
    const int64_t rows = B < LAE_STEP_ROWS ? B : LAE_STEP_ROWS;
    const size_t floats = (size_t)(rows * lae_panel_columns(queue->kernels)) * (size_t)threads;
    return lae_scratch_get(queue, LAE_SCRATCH_TILES, floats * sizeof(float));
}

/** Adds A[rows,K] * panel to a thread's accumulator [rows][4 VL], which starts from `start` or, where NULL, from
 * itself. */
static inline void lae_step_sweep(const lae_kernels *kernels, lae_sweep *sweep, const float *a, int64_t a_row,
                                  const float *panel, int64_t K)
{
    const int64_t each = lae_panel_columns(kernels);
    for (int64_t k0 = 0; k0 < K; k0 += LAE_K_BLOCK) {
        sweep->a = a + k0;
        sweep->a_row = a_row;
        sweep->b = panel + k0 * each;
        sweep->k = K - k0 < LAE_K_BLOCK ? K - k0 : LAE_K_BLOCK;
        kernels->sweep(sweep);
        sweep->c_in = sweep->c;
        sweep->in_row = sweep->c_row;
        sweep->in_vec = sweep->c_vec;
    }
}

#endif
