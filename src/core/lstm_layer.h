/* One LSTM layer in one direction: its parameters, and what it keeps from forward to backward. */
#ifndef LAE_LSTM_LAYER_H
#define LAE_LSTM_LAYER_H

#include "module_internal.h"

typedef struct lae_lstm_layer {
    int64_t I, H;
    int reverse;
    lae_param *w_ih, *w_hh;
    lae_param *b_ih, *b_hh;  /* NULL without biases */
    lae_param *peephole;     /* NULL without peepholes */
    lstmae_tensor *gates;    /* [T,B,4H] */
    lstmae_tensor *hs, *cs;  /* [T+1,B,H], in processing order; entry 0 is the initial state */
} lae_lstm_layer;

/** A run of steps over time: where the layer's input lies. */
typedef struct lae_sequence {
    const void *data;    /* [T,B,F], feature stride 1; NULL: zeros */
    int64_t step, batch; /* strides in elements */
} lae_sequence;

/**
 * Adds the layer's parameters to `module`, named prefix + "weight_ih" + suffix and so on, uniform in +-1/sqrt(H), then
 * adds forget_bias to the forget part of bias_ih.
 *
 * @param flags LSTMAE_LSTM_NO_BIAS, LSTMAE_LSTM_PEEPHOLE
 */
lstmae_status lae_lstm_layer_init(lae_lstm_layer *layer, lstmae_module *module, const char *prefix, const char *suffix,
                                  int64_t I, int64_t H, uint32_t flags, double forget_bias);

/** Refers to the parameters of another layer, which must outlive this one. */
void lae_lstm_layer_share(lae_lstm_layer *layer, const lae_lstm_layer *owner);
void lae_lstm_layer_release(lae_lstm_layer *layer);

/** Makes room for T steps of B samples. */
lstmae_status lae_lstm_layer_reserve(lae_lstm_layer *layer, lstmae_context *context, int64_t T, int64_t B);

/** Arguments over `T` steps that begin at processing step `first`, with weights and kept memory filled in. */
lstmae_lstm_args lae_lstm_layer_args(const lae_lstm_layer *layer, int64_t first, int64_t T, int64_t B);

/** Forward and backward over args: add the prepared weights and run. */
lstmae_status lae_lstm_layer_forward(lae_lstm_layer *layer, lstmae_lstm_args *args);
lstmae_status lae_lstm_layer_backward(lae_lstm_layer *layer, lstmae_lstm_args *args);

/**
 * Adds all weight gradients after backward over T steps.
 *
 * @param input  the layer's input at the processing steps [input_first, T); before that it was zero
 * @param zero_state the initial state was zero
 */
lstmae_status lae_lstm_layer_weight_gradient(lae_lstm_layer *layer, int64_t T, int64_t B, const lae_sequence *input,
                                             int64_t input_first, int zero_state);

/** The hidden (or cell) state after processing step `s` (0: the initial one), [B,H] contiguous. */
lstmae_view lae_lstm_layer_h(const lae_lstm_layer *layer, int64_t s, int64_t B);
lstmae_view lae_lstm_layer_c(const lae_lstm_layer *layer, int64_t s, int64_t B);

#endif
