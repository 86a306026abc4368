/* Steps of an LSTM layer for few samples, where reading the weights is all the time. */
#ifndef LAE_CUDA_LSTM_FEW_H
#define LAE_CUDA_LSTM_FEW_H

#include "gemm.h"
#include "lstm_cell.h"

/** cell.B <= LAE_CU_FEW samples, one part, F32. The products are added to the cell's own sums. */
struct lae_cu_lstm_few_args {
    lae_cu_cell_forward cell;
    const void *w_ih, *w_hh; /* [4H,I] and [4H,H]; NULL: no such product */
    int w_type;              /* of both: F32 or BF16 */
    const float *x;          /* [B,I] */
    int64_t x_row, I;
    const float *h;          /* [B,H]; never where the cell writes */
};

lstmae_status lae_cu_lstm_few(lstmae_queue *queue, const lae_cu_lstm_few_args *args);

#endif
