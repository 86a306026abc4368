/* Sums over the rows of dL/da: gradients of biases and peepholes, and one row for each sample of a repeated input. */
#ifndef LAE_CUDA_LSTM_SUMS_H
#define LAE_CUDA_LSTM_SUMS_H

#include "types.h"

/**
 * db_ih, db_hh = beta db + sum of da;  dp_i = beta dp_i + sum of da_i c_before, dp_f and dp_o likewise, o with c.
 * What is NULL in args is not wanted. Takes the lane's scratch.
 */
lstmae_status lae_cu_lstm_sums(lstmae_queue *queue, const lstmae_lstm_args *args);

/** out[b] = sum over steps of da[s,b], rows of `row` elements of `type`. */
lstmae_status lae_cu_lstm_sum_steps(lstmae_queue *queue, const lstmae_lstm_args *args, void *out, int64_t row,
                                    int type);

#endif
