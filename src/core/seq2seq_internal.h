/* Inside of a sequence model: an encoder and its decoders. It is a module, whose parameters are all of theirs. */
#ifndef LAE_SEQ2SEQ_INTERNAL_H
#define LAE_SEQ2SEQ_INTERNAL_H

#include "decoder.h"

struct lstmae_seq2seq {
    lstmae_module base;
    int64_t F;
    lae_lstm *encoder;
    lae_decoder *decoders;
    int count, capacity;
    int started;                /* a forward was made: the structure is fixed */
    lae_encoder_states states;
    lstmae_tensor *x_copy, *future_copy; /* where features do not lie densely */
    lstmae_tensor *losses;      /* [count] f64, of the last step */
    int64_t *lengths;           /* host copy; NULL: all T */
    size_t lengths_count, lengths_capacity;
    lstmae_tensor *mask;        /* [T,B] 1 where a frame counts */
    double mask_sum;            /* frames that count */
    int64_t mask_steps;         /* T that mask was made for; 0: none */
};

lstmae_seq2seq *lae_seq2seq_retain(lstmae_seq2seq *model);

/** Runs the encoder over x and gathers its final states. x was checked. */
lstmae_status lae_seq2seq_run_encoder(lstmae_seq2seq *model, const lstmae_tensor *x);

/** Frames a decoder makes for an input of T frames. */
int64_t lae_decoder_steps(const lae_decoder *decoder, int64_t T);

/** The target of `decoder` as a sequence in its own order: a view of x or future, or a copy where lengths differ. */
lstmae_status lae_seq2seq_target(lstmae_seq2seq *model, lae_decoder *decoder, const lstmae_tensor *x,
                                 const lstmae_tensor *future, lstmae_view *target);

/** Mask [T,B,1] of the frames within the lengths that are set; model->mask_sum counts them. */
lstmae_status lae_seq2seq_mask(lstmae_seq2seq *model, int64_t T, lstmae_view *mask);

#endif
