/* Inside of a sequence model: an encoder and its decoders. It is a module, whose parameters are all of theirs. */
#ifndef LAE_SEQ2SEQ_INTERNAL_H
#define LAE_SEQ2SEQ_INTERNAL_H

#include "decoder.h"
#include "latent.h"

/** Most decoders of one model. */
#define LAE_SEQ2SEQ_DECODERS 64

/** A layer that makes the code, and the maps from it to states. */
typedef struct lae_code {
    int64_t size;               /* K; 0: the code is the encoder's state */
    int32_t activation;         /* lstmae_activation, where there is no latent */
    lae_linear head;            /* [K,D*H], where there is no latent */
    lae_linear *maps[2];        /* h, c: [encoder layers]; NULL before the first decoder that starts from states */
    lstmae_tensor *state;       /* [B,D*H], which the layer reads */
    lstmae_tensor *linear, *value; /* [B,K] before and after the activation */
    lstmae_tensor *dvalue, *dlinear;
} lae_code;

struct lstmae_seq2seq {
    lstmae_module base;
    int64_t F;
    lae_lstm *encoder;
    lae_decoder *decoders;
    int count, capacity;
    int started;                /* a forward was made: the structure is fixed */
    lae_encoder_states states;
    lae_latent *latent;         /* NULL: none */
    lae_code code;
    int stepping;               /* within a step: the latent is drawn in inference mode too */
    int64_t index;              /* number of the step's batch */
    lstmae_tensor *x_copy, *future_copy; /* where features do not lie densely */
    lstmae_tensor *losses;      /* [count + 1] f64, of the last step; last the KL */
    int64_t *lengths;           /* host copy; NULL: all T */
    size_t lengths_count, lengths_capacity;
    lstmae_tensor *mask;        /* [T,B] 1 where a frame counts */
    double mask_sum;            /* frames that count */
    int64_t mask_steps;         /* T that mask was made for; 0: none */
};

/** The sequence model that `module` is, or NULL. */
lstmae_seq2seq *lae_seq2seq_of(lstmae_module *module);

/**
 * Everything a model says about x [T,B,F] in one pass, in inference mode: its code [B,K], and where it has such
 * decoders the first's reconstruction [T,B,F] and forecast [steps,B,F], as lstmae_seq2seq_reconstruct() and _generate()
 * show them. Shapes are the caller's matter; NULL: not wanted.
 */
lstmae_status lae_seq2seq_watch(lstmae_seq2seq *model, const lstmae_tensor *x, lstmae_tensor *code, lstmae_tensor *y,
                                lstmae_tensor *forecast);

/** The first decoder of the input (0) or of the future (1), or NULL. */
lae_decoder *lae_seq2seq_find(lstmae_seq2seq *model, int future);

/** lstmae_seq2seq_step() on batch number `index`, whose numbers evaluations draw. */
lstmae_status lae_seq2seq_step(lstmae_seq2seq *model, lstmae_loss *loss, const lstmae_tensor *x,
                               const lstmae_tensor *future, int64_t index, double scale, double *value);

/** Loss of the last step from its parts, model->losses on the host. */
double lae_seq2seq_loss(const lstmae_seq2seq *model, const double *parts);

/** Runs the encoder over x and gathers its final states. x was checked. */
lstmae_status lae_seq2seq_run_encoder(lstmae_seq2seq *model, const lstmae_tensor *x);

/** Width of the code. */
int64_t lae_seq2seq_code_width(const lstmae_seq2seq *model);

/** Makes the maps from the code to states, where there is such a layer and they are not there yet. */
lstmae_status lae_seq2seq_make_maps(lstmae_seq2seq *model);

/** Forgets them; their parameters are the caller's to forget. */
void lae_seq2seq_release_maps(lstmae_seq2seq *model);
void lae_seq2seq_release_code(lstmae_seq2seq *model);

/** The code from the encoder's states, and where a layer makes it the states that come from it instead. */
lstmae_status lae_seq2seq_run_code(lstmae_seq2seq *model);

/** The states that come from codes [B,K]. */
lstmae_status lae_seq2seq_states_from(lstmae_seq2seq *model, const lstmae_tensor *code);

/** Where the decoders' backward is to add the code's gradient; dh and dc are zero. */
lstmae_status lae_seq2seq_begin_code_gradient(lstmae_seq2seq *model);

/** The reverse of lae_seq2seq_run_code() for the gradients; adds the KL's times `scale` and its weight. */
lstmae_status lae_seq2seq_code_backward(lstmae_seq2seq *model, double scale);

/** Frames a decoder makes for an input of T frames. */
int64_t lae_decoder_steps(const lae_decoder *decoder, int64_t T);

/** The target of `decoder` as a sequence in its own order: a view of x or future, or a copy where lengths differ. */
lstmae_status lae_seq2seq_target(lstmae_seq2seq *model, lae_decoder *decoder, const lstmae_tensor *x,
                                 const lstmae_tensor *future, lstmae_view *target);

/** Mask [T,B,1] of the frames within the lengths that are set; model->mask_sum counts them. */
lstmae_status lae_seq2seq_mask(lstmae_seq2seq *model, int64_t T, lstmae_view *mask);

#endif
