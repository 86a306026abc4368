/*
 * The LSTM sequence entries of the backend table, composed from gemm, elementwise operations and the cell: what a
 * backend without its own gets, and the reference that those with their own are compared with.
 */
#ifndef LAE_LSTM_COMPOSE_H
#define LAE_LSTM_COMPOSE_H

#include "ops.h"

lstmae_status lae_compose_lstm_forward(lstmae_context *context, const lstmae_lstm_args *args);
lstmae_status lae_compose_lstm_backward(lstmae_context *context, const lstmae_lstm_args *args);
lstmae_status lae_compose_lstm_weight_gradient(lstmae_context *context, const lstmae_lstm_args *args);

#endif
