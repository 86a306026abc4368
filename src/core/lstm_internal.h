/* Inside of the LSTM module: layers, directions, and runs over whole sequences. */
#ifndef LAE_LSTM_INTERNAL_H
#define LAE_LSTM_INTERNAL_H

#include "lstm_layer.h"

#include <lstmae/lstm.h>

typedef struct lae_lstm {
    lstmae_module base;
    int64_t I, H, L;
    int64_t D; /* directions */
    uint32_t flags;
    double dropout;
    lae_lstm_layer *layers; /* [L*D], layer-major */
    uint64_t *sites;        /* [L] of the dropout after each layer */

    /* set for the following forwards */
    size_t lengths_count;   /* 0: all T */
    int64_t longest;
    lstmae_tensor *lengths; /* [B] on the device */
    int has_state;
    lstmae_tensor *h0, *c0; /* [L*D,B,H] */

    /* of the last forward */
    int64_t T, B;
    uint64_t draw;
    int zero_state;
    lae_lstm_layer *stand_in; /* runs in place of layer 0 and leaves its states and gates there; NULL: layer 0 runs */
    lae_sequence input;
    lstmae_tensor *input_copy;
    lstmae_tensor **outputs; /* [L]: [T,B,D*H], only where a layer's hs cannot serve */
    lstmae_tensor *output;   /* what forward returned */
    lstmae_tensor *hn, *cn;  /* made when asked for */

    /* backward */
    int has_state_grad, has_initial_grad;
    lstmae_tensor *dh, *dc;        /* [L*D,B,H]: in gradients of final, out of initial states */
    lstmae_tensor *dsequence[2];   /* [T,B,D*H] between layers */
    lstmae_tensor *ddirection;     /* the second direction's part of it */
    lstmae_tensor *dinput;         /* [T,B,I] */
    lstmae_tensor *grad_copy;
} lae_lstm;

/** A new LSTM; `options` was read and checked. */
lstmae_status lae_lstm_new(lae_lstm **out, lstmae_context *context, int64_t I, int64_t H,
                           const lstmae_lstm_options *options);
/**
 * One with the weights of another, which must outlive it, and no parameters of its own; `dropout` is its own.
 */
lstmae_status lae_lstm_new_shared(lae_lstm **out, const lae_lstm *owner, double dropout);
lstmae_status lae_lstm_check_options(const lstmae_lstm_options *options, const char *name);

/** Layer k, direction d. */
static inline lae_lstm_layer *lae_lstm_at(const lae_lstm *lstm, int64_t k, int64_t d)
{
    return &lstm->layers[k * lstm->D + d];
}

/** Makes room for T steps of B samples and counts a draw when dropout is on. */
lstmae_status lae_lstm_begin(lae_lstm *lstm, int64_t T, int64_t B);

/** Whether dropout follows layer k now. */
int lae_lstm_drops(const lae_lstm *lstm, int64_t k);

/** Runs all layers over processing steps [first, last) from the states left at `first`. Input is that of these
 * steps. */
lstmae_status lae_lstm_run(lae_lstm *lstm, int64_t first, int64_t last, const lae_sequence *input);

/** The top layer's output [T,B,D*H] of the last run, as a sequence. */
lae_sequence lae_lstm_top(const lae_lstm *lstm);

/**
 * Data gradients of processing steps [first, last), to be called from the last steps to the first. dh and dc of the
 * module hold the gradients of the states after `last` on entry and of those before `first` afterwards.
 *
 * @param dtop gradient of the top layer's output at these steps; data NULL: zero
 * @param dx   receives the input's gradient at these steps, contiguous [last-first,B,I]; NULL: not wanted
 */
lstmae_status lae_lstm_run_backward(lae_lstm *lstm, int64_t first, int64_t last, const lae_sequence *dtop, void *dx);

/**
 * Weight gradients of all layers, once the data gradients of all T steps are there.
 *
 * @param input the lowest layer's input at processing steps [input_first, T); before that it was zero
 */
lstmae_status lae_lstm_run_weights(lae_lstm *lstm, const lae_sequence *input, int64_t input_first);

/** Room for dh and dc. */
lstmae_status lae_lstm_reserve_state_gradients(lae_lstm *lstm);

/** Room for dh, dc and the sequences between layers, and zeros in dh, dc. */
lstmae_status lae_lstm_begin_backward(lae_lstm *lstm);

/** Copies the states after processing step `s` of all layers, directions side by side, into h and c [L,B,D*H]. */
lstmae_status lae_lstm_gather_states(const lae_lstm *lstm, int64_t s, lstmae_tensor *h, lstmae_tensor *c);

/** Copies gradients [L,B,D*H] of the final states into dh and dc. */
lstmae_status lae_lstm_scatter_state_gradients(lae_lstm *lstm, const lstmae_tensor *dh, const lstmae_tensor *dc);

/** Gradient of layer k, direction d's state within dh or dc, [B,H] contiguous. */
lstmae_view lae_lstm_state_part(const lae_lstm *lstm, const lstmae_tensor *states, int64_t k, int64_t d);

/** Random numbers of the dropout after layer k from step t on. */
lstmae_random_key lae_lstm_drop_key(const lae_lstm *lstm, int64_t k, int64_t t);

/** The dropout after layer k on `count` elements from step t on: y = dropped x. Forward and backward alike. */
lstmae_status lae_lstm_drop(const lae_lstm *lstm, int64_t k, int64_t t, int64_t steps, void *y, const void *x);

#endif
