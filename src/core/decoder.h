/* One decoder of a sequence model: an LSTM that starts from the encoder's states, and a linear output. */
#ifndef LAE_DECODER_H
#define LAE_DECODER_H

#include "decoder_fold.h"
#include "decoder_loop.h"

#include <lstmae/seq2seq.h>

/**
 * How the steps depend on each other. OPEN: inputs are known beforehand, so layers run over all steps at once.
 * CLOSED: a step's input needs the output of the step before.
 */
enum lae_decoder_mode { DECODER_OPEN, DECODER_CLOSED };

typedef struct lae_decoder {
    lstmae_decoder_options options;
    int64_t F;
    int64_t start_width;        /* of the states that it starts from: D*H of the encoder */
    int64_t code_width;
    int zero_start;             /* all layers start from zeros */
    int64_t skip;               /* encoder layer under layer 0; negative: so many layers start from zeros */
    lae_lstm *lstm;             /* with the encoder's parameters where they are shared */
    lae_linear out;             /* [F,H] */
    lae_linear *bridge_h, *bridge_c; /* [layers]; NULL where states are copied */
    uint64_t site;              /* of scheduled sampling */
    double truth;               /* probability of the ground truth from now on */

    /* of the last forward */
    int mode;                   /* lae_decoder_mode */
    lae_sequence truth_rows;    /* [K,B,F] of the target, where it is fed */
    int drawn;                  /* some inputs were the truth, by draw */
    int as_it_is;               /* y itself was fed back */
    int folded;
    lae_fold fold;
    int together;               /* decoders that ran in one call, this one the first of them; 0: step by step */
    int looped;                 /* was one of those */
    lae_loop loop;
    int64_t K, B;
    lae_sequence fed;           /* what the LSTM saw at steps [fed_first, K) */
    int64_t fed_first;
    lstmae_tensor *y;           /* [K,B,F] */
    lstmae_tensor *inputs;      /* [K,B,F] fed back, where it is not y itself */
    lstmae_tensor *sampled;     /* [K,B] 1: the truth was fed */
    lstmae_tensor *zero;        /* [1] */

    /* backward */
    lstmae_tensor *dy;          /* [K,B,F], from the loss */
    lstmae_tensor *dtop;        /* [K,B,H] */
    lstmae_tensor *dx;          /* [B,F], or [K,B,code] */
    lstmae_tensor *target;      /* [K,B,F] where it is not a view of the data */
} lae_decoder;

/** Final states of the encoder, all layers, [L,B,D*H], and their gradients. */
typedef struct lae_encoder_states {
    lstmae_tensor *h, *c, *dh, *dc;
    int64_t layers, B, width;
    const void *code;           /* [B,code width]: h of the top layer, or what a layer makes of it */
    void *dcode;
} lae_encoder_states;

/** Makes decoder `index` of `model` (its parameters become the model's); `options` was read and checked. */
lstmae_status lae_decoder_init(lae_decoder *decoder, lstmae_module *model, int index, const lae_lstm *encoder,
                               int64_t code_width, const lstmae_decoder_options *options);
void lae_decoder_release(lae_decoder *decoder, lae_memory *memory);

/**
 * Makes ready for K steps of the states' samples. `truth` is the target in the decoder's order; data NULL: feed own
 * output.
 */
lstmae_status lae_decoder_begin(lae_decoder *decoder, const lae_encoder_states *states, int64_t K,
                                const lae_sequence *truth);

/**
 * Runs decoders[first] and those behind it, up to decoders[last], that can run in the same call; all were begun.
 *
 * @param count of the model's decoders
 * @param done  receives how many ran
 */
lstmae_status lae_decoders_forward(lae_decoder *decoders, int count, int first, int last, int *done);

/** Data gradients from each one's dy, in the calls of forward; adds to those of the encoder's states. */
lstmae_status lae_decoders_backward(lae_decoder *decoders, int count, int first, const lae_encoder_states *states,
                                    int *done);

/** Gradients of the cells' and the output's weights, once the data gradients are there; reads no weights. */
lstmae_status lae_decoder_weight_gradients(lae_decoder *decoder);

#endif
