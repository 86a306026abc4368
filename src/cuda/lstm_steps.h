/* What the LSTM entries share: where a step's arrays are, and the cell as the table asks for it. */
#ifndef LAE_CUDA_LSTM_STEPS_H
#define LAE_CUDA_LSTM_STEPS_H

#include "factors.h"
#include "lstm_cell.h"

/** Time of processing step s. */
inline int64_t lae_cu_step_time(const lstmae_lstm_args *args, int64_t s)
{
    return args->flags & LSTMAE_SEQ_REVERSE ? args->T - 1 - s : s;
}

/** 1 if the state that step s starts from may be other than zero. */
inline int lae_cu_step_has_state(const lstmae_lstm_args *args, int64_t s)
{
    return s > 0 || !(args->flags & LSTMAE_SEQ_ZERO_STATE);
}

/** 1 if one input is that of every step. */
inline int lae_cu_input_repeats(const lstmae_lstm_args *args)
{
    return args->x && args->x_step == 0 && args->T > 1;
}

/** Element `offset` of one of the call's arrays. */
inline void *lae_cu_lstm_at(const lstmae_lstm_args *args, const void *base, int64_t offset)
{
    return lae_cu_at(base, offset, lae_cu_type_of(args->dtype));
}

/** Rows (s, b) of an array in the order of time, in the order of steps. */
inline lae_cu_rows lae_cu_step_rows(const lstmae_lstm_args *args, const void *base, int64_t step, int64_t batch)
{
    lae_cu_rows rows = {};
    rows.src = lae_cu_lstm_at(args, base, lae_cu_step_time(args, 0) * step);
    rows.outer = args->T;
    rows.inner = args->B;
    rows.src_outer = args->flags & LSTMAE_SEQ_REVERSE ? -step : step;
    rows.src_inner = batch;
    return rows;
}

/** The cell of step s, as the table's entries want it; callers change what they do otherwise. */
lae_cu_cell_forward lae_cu_step_forward(const lstmae_lstm_args *args, int64_t s);
lae_cu_cell_backward lae_cu_step_backward(const lstmae_lstm_args *args, int64_t s);

/** The input's rows as a factor, in the order of steps; those of one step where it repeats. */
lae_cu_factor lae_cu_factor_input(lae_cu_factors *factors, const lstmae_lstm_args *args);

#endif
