/*
 * Closed loops of one layer whose output is fed back as it is: with x_t = W_out h_{t-1} + b_out,
 *
 *   W_ih x_t + W_hh h_{t-1} = (W_ih W_out + W_hh) h_{t-1} + W_ih b_out
 *
 * so that steps 1 and on are an LSTM without input, with R = W_ih W_out + W_hh for its recurrent weight: one sequence
 * instead of one step after the other through two wide products each. Outputs, and the gradients that flow through
 * them, follow for all steps at once. The loop is folded where that is less work.
 */
#ifndef LAE_DECODER_FOLD_H
#define LAE_DECODER_FOLD_H

#include "linear.h"
#include "lstm_internal.h"

typedef struct lae_fold {
    lae_param weight;        /* R [4H,H] */
    lae_param bias;          /* b_ih + W_ih b_out [4H] */
    lae_param none;          /* zeros [4H] for b_hh where there are no biases */
    lstmae_tensor *output;   /* [F,H+1]: W_out and b_out side by side */
    lstmae_tensor *product;  /* W_ih times that, [4H,H+1] */
    uint64_t versions[5];    /* of what weight and bias were made of */
    lae_lstm_layer layer;    /* stands in for layer 0 */
} lae_fold;

/** 1 if folding K steps of B samples is less work than running them one by one. */
int lae_fold_pays(int64_t K, int64_t B, int64_t H);

/** Makes fold->layer for the loop of `lstm`, which has one layer and room for its steps, and `out`. */
lstmae_status lae_fold_make(lae_fold *fold, const lae_lstm *lstm, const lae_linear *out);
void lae_fold_release(lae_fold *fold);

#endif
