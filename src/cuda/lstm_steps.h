/* Steps of the table's LSTM arguments: where their arrays are, and the cell as the table asks for it. */
#ifndef LAE_CUDA_LSTM_STEPS_H
#define LAE_CUDA_LSTM_STEPS_H

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

/** Element `offset` of one of the call's arrays. */
inline void *lae_cu_lstm_at(const lstmae_lstm_args *args, const void *base, int64_t offset)
{
    return lae_cu_at(base, offset, lae_cu_type_of(args->dtype));
}

/** The cell of step s, as the table's entries want it; callers change what they do otherwise. */
lae_cu_cell_forward lae_cu_step_forward(const lstmae_lstm_args *args, int64_t s);
lae_cu_cell_backward lae_cu_step_backward(const lstmae_lstm_args *args, int64_t s);

#endif
