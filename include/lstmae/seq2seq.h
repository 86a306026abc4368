/**
 * @file seq2seq.h
 * One LSTM encoder and any number of LSTM decoders over its final state: autoencoder, predictor, or both at once
 * (the composite model of Srivastava, Mansimov and Salakhutdinov, ICML 2015).
 *
 * Sequences are [T,B,F]. Parameters are named "encoder." + LSTM names, "decoders.i.lstm." + LSTM names,
 * "decoders.i.out.weight" [F,H], "decoders.i.out.bias", and where widths differ "decoders.i.bridge_h.l.weight" /
 * "bridge_c". With a code layer also "code.weight" [K,W], W the width of the encoder's state, and "code.bias", with a
 * latent those of latent.h; and where a decoder starts from states, for each layer l of the encoder "code_h.l.weight"
 * [W,K], "code_h.l.bias" [W] / "code_c", with a latent "latent_h" and "latent_c".
 */
#ifndef LSTMAE_SEQ2SEQ_H
#define LSTMAE_SEQ2SEQ_H

#include <lstmae/latent.h>
#include <lstmae/layers.h>
#include <lstmae/loss.h>
#include <lstmae/lstm.h>

LSTMAE_BEGIN_DECLS

typedef enum lstmae_decoder_target {
    LSTMAE_DECODE_REVERSED = 0, /**< the input, last frame first */
    LSTMAE_DECODE_FORWARD = 1,  /**< the input in its order */
    LSTMAE_DECODE_FUTURE = 2    /**< the `steps` frames after the input */
} lstmae_decoder_target;

/** What a decoder sees at step t > 0; at step 0 it sees zeros, with CODE the code. */
typedef enum lstmae_decoder_input {
    LSTMAE_INPUT_NOTHING = 0,
    LSTMAE_INPUT_OUTPUT = 1, /**< its own output of step t-1, through `feedback` */
    LSTMAE_INPUT_CODE = 2,   /**< the code, at every step */
    LSTMAE_INPUT_TRUTH = 3 /**< the target of step t-1 in training, each sample with probability `truth`; else OUTPUT */
} lstmae_decoder_input;

/** The decoder starts from zeros, and what it knows of the input is the code that it is fed: needs INPUT_CODE. */
#define LSTMAE_DECODER_ZERO_STATE 256u

/**
 * The decoder's cells are the encoder's: same layers, hidden size, peepholes and biases, and the same weights, which
 * stand in the list of parameters once, as the encoder's, and sum up the gradients of both. Needs an encoder of one
 * direction, an input as wide as the encoder's, and no forget bias of its own.
 */
#define LSTMAE_DECODER_SHARED 512u

typedef struct lstmae_decoder_options {
    uint32_t struct_size;
    uint32_t flags;      /**< LSTMAE_LSTM_PEEPHOLE, LSTMAE_LSTM_NO_BIAS, LSTMAE_DECODER_… */
    int32_t target;      /**< lstmae_decoder_target */
    int32_t input;       /**< lstmae_decoder_input */
    int32_t feedback;    /**< lstmae_activation on the output that is fed back; SIGMOID goes with BCE_LOGITS */
    int32_t layers;      /**< 0: as the encoder */
    int64_t hidden;      /**< 0: as the encoder's state */
    int64_t steps;       /**< FUTURE: frames to predict, at least 1; else 0: as long as the input */
    double dropout;      /**< between layers, in training */
    double forget_bias;
    double truth;        /**< TRUTH: probability of the ground truth, in [0,1]; see lstmae_seq2seq_set_truth */
    double weight;       /**< of this decoder's loss in the sum */
} lstmae_decoder_options;

#define LSTMAE_DECODER_OPTIONS_INIT                                                                \
    { sizeof(lstmae_decoder_options), 0, LSTMAE_DECODE_REVERSED, LSTMAE_INPUT_OUTPUT, 0, 0, 0, 0, 0.0, 0.0, 1.0, 1.0 }

/**
 * A model with an encoder and no decoder yet.
 *
 * @param features F;  @param hidden H of the encoder;  @param encoder NULL for defaults
 */
LSTMAE_API lstmae_status lstmae_seq2seq_create(lstmae_seq2seq **out, lstmae_context *context, int64_t features,
                                               int64_t hidden, const lstmae_lstm_options *encoder);

/** Gives up one reference. NULL is fine. */
LSTMAE_API void lstmae_seq2seq_destroy(lstmae_seq2seq *model);

/**
 * Adds a decoder; its index is the number of decoders before it. To be done before the first forward and before an
 * optimizer is made.
 *
 * Layer l of the decoder starts from the final (h, c) of the encoder's layer at the same height counted from the top,
 * or from zeros where the encoder has none (a bidirectional encoder gives both directions side by side). Where widths
 * differ, a learned linear map without bias ("bridge") lies between.
 */
LSTMAE_API lstmae_status lstmae_seq2seq_add_decoder(lstmae_seq2seq *model, const lstmae_decoder_options *options);

typedef struct lstmae_code_options {
    uint32_t struct_size;
    int32_t activation; /**< lstmae_activation, IDENTITY to SIGMOID */
    int64_t size;       /**< K, at least 1 */
} lstmae_code_options;

#define LSTMAE_CODE_OPTIONS_INIT { sizeof(lstmae_code_options), 0, 0 }

/**
 * Puts a linear layer and an activation between encoder and decoders: the code becomes [B,K], usually narrower than the
 * encoder's state. All states that decoders start from become linear maps of it, and with LSTMAE_INPUT_CODE it is what
 * they are fed. To be done before decoders are added.
 *
 * @return OK; ERR_STATE for a second code or latent, or after decoders; ERR_INVALID_ARG naming the option out of range;
 *         ERR_NO_MEMORY, ERR_DEVICE_MEMORY. After a failure the model is as before
 */
LSTMAE_API lstmae_status lstmae_seq2seq_set_code(lstmae_seq2seq *model, const lstmae_code_options *options);

/**
 * Makes the model variational: as lstmae_seq2seq_set_code(), where the code is a latent, whose heads read the encoder's
 * state.
 *
 * Forward then draws the latent in training mode and takes its mean in inference mode; the code is the mean [B,Z]. The
 * objective is the weighted sum of the decoders' losses plus the weighted KL, its mean over the batch; an evaluation
 * draws too, from numbers that depend on the seed and the number of the batch alone (lstmae_seq2seq_step() by itself:
 * as for batch 0), and weighs by beta. See latent.h and lstmae_autoencoder_step().
 *
 * @return as lstmae_seq2seq_set_code()
 */
LSTMAE_API lstmae_status lstmae_seq2seq_set_latent(lstmae_seq2seq *model, const lstmae_latent_options *options);

/** Sets beta, 0 or more, and with it the weight of the following steps. ERR_STATE without a latent. */
LSTMAE_API lstmae_status lstmae_seq2seq_set_beta(lstmae_seq2seq *model, double beta);

/** Number of decoders. */
LSTMAE_API int lstmae_seq2seq_decoder_count(const lstmae_seq2seq *model);

/** Parameters, gradients and training mode of the whole model; borrowed. It has no forward of its own (ERR_STATE). */
LSTMAE_API lstmae_module *lstmae_seq2seq_module(lstmae_seq2seq *model);

/** Scheduled sampling: probability of the ground truth for a decoder with LSTMAE_INPUT_TRUTH from now on. */
LSTMAE_API lstmae_status lstmae_seq2seq_set_truth(lstmae_seq2seq *model, int decoder, double probability);

/** Lengths of the input sequences of the following calls; as lstmae_lstm_set_lengths(). Losses of the input's
 *  reconstruction then leave out frames beyond a length. */
LSTMAE_API lstmae_status lstmae_seq2seq_set_lengths(lstmae_seq2seq *model, const int64_t *lengths, int64_t count);

/**
 * Runs encoder and decoders in the current mode.
 *
 * @param x      [T,B,F]
 * @param future [K',B,F] with K' at least every FUTURE decoder's steps; needed only where such a decoder has
 *               LSTMAE_INPUT_TRUTH in training mode; else may be NULL
 */
LSTMAE_API lstmae_status lstmae_seq2seq_forward(lstmae_seq2seq *model, const lstmae_tensor *x,
                                                const lstmae_tensor *future);

/** Output [steps,B,F] of a decoder in the last forward (before `feedback`), in its own time order; borrowed. */
LSTMAE_API const lstmae_tensor *lstmae_seq2seq_output(const lstmae_seq2seq *model, int decoder);

/**
 * Forward, the weighted sum of the decoders' losses, and in training mode backward: gradients are added.
 *
 * @param loss  its reduction applies to each decoder by itself
 * @param future needed where there is a FUTURE decoder
 * @param scale  multiplies gradients (1/n when n calls are accumulated), not the value
 * @param value if not NULL receives the sum, after waiting for the device
 */
LSTMAE_API lstmae_status lstmae_seq2seq_step(lstmae_seq2seq *model, lstmae_loss *loss, const lstmae_tensor *x,
                                             const lstmae_tensor *future, double scale, double *value);

/** Loss of one decoder in the last lstmae_seq2seq_step(), unweighted; waits for the device. */
LSTMAE_API lstmae_status lstmae_seq2seq_decoder_loss(lstmae_seq2seq *model, int decoder, double *value);

/** KL of the last lstmae_seq2seq_step(), without its weight; waits for the device. ERR_STATE without a latent. */
LSTMAE_API lstmae_status lstmae_seq2seq_kl(lstmae_seq2seq *model, double *value);

/** Writes the code of x into code: the top encoder layer's final hidden state [B,H] (or [B,2H]), with a code layer
 *  [B,K], with a latent its mean [B,Z]. Inference mode. */
LSTMAE_API lstmae_status lstmae_seq2seq_encode(lstmae_seq2seq *model, const lstmae_tensor *x, lstmae_tensor *code);

/**
 * Writes the reconstruction of x [T,B,F] by the first reconstructing decoder, through `feedback` and in the order of x,
 * into y [T,B,F]. Inference mode. Frames beyond a length that is set say nothing.
 */
LSTMAE_API lstmae_status lstmae_seq2seq_reconstruct(lstmae_seq2seq *model, const lstmae_tensor *x, lstmae_tensor *y);

/**
 * Writes as many frames after x as y [n,B,F] holds, by the first FUTURE decoder, through `feedback`; n may exceed the
 * steps it was trained for. Inference mode; after the first call with a shape nothing is allocated.
 */
LSTMAE_API lstmae_status lstmae_seq2seq_generate(lstmae_seq2seq *model, const lstmae_tensor *x, lstmae_tensor *y);

/**
 * Writes sequences number `first` to `first + B - 1` of those that the prior holds into y [T,B,F]: latents drawn from
 * the standard normal distribution, decoded as by lstmae_seq2seq_reconstruct(). A sequence depends on its number, T and
 * the context's seed alone, but for roundings. ERR_STATE without a latent.
 */
LSTMAE_API lstmae_status lstmae_seq2seq_sample(lstmae_seq2seq *model, int64_t first, lstmae_tensor *y);

LSTMAE_END_DECLS

#endif
