/**
 * @file lstm.h
 * Stacked LSTM over whole sequences, as torch.nn.LSTM, with peepholes and a forget bias besides.
 */
#ifndef LSTMAE_LSTM_H
#define LSTMAE_LSTM_H

#include <lstmae/module.h>

LSTMAE_BEGIN_DECLS

#define LSTMAE_LSTM_BIDIRECTIONAL 1u /**< D = 2 directions, outputs concatenated */
#define LSTMAE_LSTM_NO_BIAS 2u
#define LSTMAE_LSTM_PEEPHOLE 4u /**< i and f see c_{t-1}, o sees c_t (Gers and Schmidhuber 2000); diagonal */
#define LSTMAE_LSTM_CARRY 8u    /**< a forward starts from the final state of the last; see lstmae_lstm_set_state */

typedef struct lstmae_lstm_options {
    uint32_t struct_size;
    uint32_t flags;    /**< LSTMAE_LSTM_… */
    int64_t layers;    /**< L, at least 1 */
    double dropout;    /**< on the output of every layer but the last, in training mode; in [0,1) */
    double forget_bias; /**< added to the forget part of bias_ih when parameters are drawn; needs biases unless 0 */
} lstmae_lstm_options;

#define LSTMAE_LSTM_OPTIONS_INIT { sizeof(lstmae_lstm_options), 0, 1, 0.0, 0.0 }

/**
 * An LSTM from [T,B,I] to [T,B,D*H].
 *
 * Parameters per layer k and direction, gate rows in the order i, f, g, o: "weight_ih_lk" [4H,I or D*H],
 * "weight_hh_lk" [4H,H], "bias_ih_lk", "bias_hh_lk" [4H]; with peepholes "peephole_lk" [3,H], rows i, f, o;
 * "_reverse" is appended for the backward direction. All uniform in +-1/sqrt(H).
 */
LSTMAE_API lstmae_status lstmae_lstm_create(lstmae_module **out, lstmae_context *context, int64_t input_size,
                                            int64_t hidden_size, const lstmae_lstm_options *options);

/** Sets the state the following forwards start from: copies of h0, c0 [L*D,B,H]; both NULL: zeros (the default). */
LSTMAE_API lstmae_status lstmae_lstm_set_state(lstmae_module *lstm, const lstmae_tensor *h0, const lstmae_tensor *c0);

/** Final states [L*D,B,H] of the last forward, borrowed until the next one. Either may be NULL. */
LSTMAE_API lstmae_status lstmae_lstm_state(lstmae_module *lstm, const lstmae_tensor **h, const lstmae_tensor **c);

/** Gradients of the final states that the next backward adds (copied; used once). Either may be NULL for zero. */
LSTMAE_API lstmae_status lstmae_lstm_set_state_grad(lstmae_module *lstm, const lstmae_tensor *dh,
                                                    const lstmae_tensor *dc);

/**
 * Gradients of the initial states [L*D,B,H] from the last backward, borrowed until the next one.
 * @return OK; ERR_STATE where the forward before it started from zeros rather than from a state that was set
 */
LSTMAE_API lstmae_status lstmae_lstm_state_grad(lstmae_module *lstm, const lstmae_tensor **dh0,
                                                const lstmae_tensor **dc0);

/**
 * Lengths of the sequences of the following forwards, in any order, each in [0,T]: outputs beyond a length are 0 and
 * final states are those at its end (of an empty sequence, the initial ones).
 *
 * @param lengths `count` = B values, copied; NULL: all of length T
 */
LSTMAE_API lstmae_status lstmae_lstm_set_lengths(lstmae_module *lstm, const int64_t *lengths, int64_t count);

LSTMAE_END_DECLS

#endif
