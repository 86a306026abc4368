/**
 * @file autoencoder.h
 * An encoder and a decoder as one object: plain, denoising, variational, stacked.
 *
 * The parts are modules of any kind; items lie along the first axis, [B,...]. Parameters are named "encoder." and
 * "decoder." + the part's names, and of a variational autoencoder "mean." and "log_variance." between them (latent.h).
 *
 * An autoencoder is also a module (lstmae_autoencoder_module()). Its forward gives the decoder's output for x: in
 * training mode with noise on x and a latent drawn from its distribution, in inference mode from x as it is and the
 * latent's mean. Its backward is that of this output alone; the KL divergence is added by lstmae_autoencoder_step().
 */
#ifndef LSTMAE_AUTOENCODER_H
#define LSTMAE_AUTOENCODER_H

#include <lstmae/data.h>
#include <lstmae/latent.h>
#include <lstmae/layers.h>
#include <lstmae/loss.h>
#include <lstmae/noise.h>

LSTMAE_BEGIN_DECLS

typedef struct lstmae_autoencoder_options {
    uint32_t struct_size;
    int32_t output; /**< lstmae_activation through which decode, reconstruct and sample show the decoder's output;
                         SIGMOID goes with BCE_LOGITS */
    const lstmae_noise_options *noise;   /**< denoising: on the input in training, the clean input is the target */
    const lstmae_latent_options *latent; /**< variational; F is the width of the encoder's output [B,F], Z that of the
                                              decoder's input */
} lstmae_autoencoder_options;

#define LSTMAE_AUTOENCODER_OPTIONS_INIT                                                            \
    { sizeof(lstmae_autoencoder_options), LSTMAE_ACTIVATION_IDENTITY, NULL, NULL }

/**
 * @param encoder, decoder of one context and in no container yet. On success the autoencoder owns the caller's
 *                         references; on failure the caller keeps them
 * @param options          NULL for defaults; read during the call
 * @return OK; ERR_STATE for a module that is part of a container; ERR_INVALID_ARG naming the option out of range;
 *         ERR_NO_MEMORY, ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_autoencoder_create(lstmae_autoencoder **out, lstmae_module *encoder,
                                                   lstmae_module *decoder, const lstmae_autoencoder_options *options);

/**
 * A stacked autoencoder: layer k encodes the code of layer k-1 by encoders[k], and decoders[k] takes it back. The whole
 * encoder is encoders[0], ..., encoders[layers-1] in a row with names "encoder.k.", the whole decoder
 * decoders[layers-1], ..., decoders[0] with names "decoder.0." and following in that order.
 *
 * lstmae_pretrain() trains layer after layer, lstmae_fit() then the whole. Noise is on the input of each layer while it
 * is trained alone, and on x when the whole is trained.
 *
 * @param layers at least 1; other arguments and errors as lstmae_autoencoder_create()
 */
LSTMAE_API lstmae_status lstmae_autoencoder_create_stacked(lstmae_autoencoder **out, lstmae_module *const *encoders,
                                                           lstmae_module *const *decoders, size_t layers,
                                                           const lstmae_autoencoder_options *options);

/** Gives up one reference. NULL is fine. */
LSTMAE_API void lstmae_autoencoder_destroy(lstmae_autoencoder *autoencoder);

/** The autoencoder as a module, borrowed; NULL for NULL. */
LSTMAE_API lstmae_module *lstmae_autoencoder_module(lstmae_autoencoder *autoencoder);

/** Layers that can be trained alone: those of a stacked autoencoder, else 0. */
LSTMAE_API size_t lstmae_autoencoder_layers(const lstmae_autoencoder *autoencoder);

/** Layer `layer` of a stacked one as an autoencoder of its own, which shares its parameters; borrowed; NULL out of
 *  range. */
LSTMAE_API lstmae_autoencoder *lstmae_autoencoder_layer(lstmae_autoencoder *autoencoder, size_t layer);

/* ---- use: in inference mode whatever the mode is, which is as before afterwards. Outputs are borrowed until the next
 * call on the autoencoder or one of its parts. After the first call with a shape nothing is allocated. ---- */

/** The code of x: the encoder's output, or the mean of the latent [B,Z]. Errors as lstmae_module_forward(). */
LSTMAE_API lstmae_status lstmae_autoencoder_encode(lstmae_autoencoder *autoencoder, const lstmae_tensor *x,
                                                   const lstmae_tensor **code);

/** What the decoder makes of a code, through `output`. */
LSTMAE_API lstmae_status lstmae_autoencoder_decode(lstmae_autoencoder *autoencoder, const lstmae_tensor *code,
                                                   const lstmae_tensor **y);

/** The code of x decoded. */
LSTMAE_API lstmae_status lstmae_autoencoder_reconstruct(lstmae_autoencoder *autoencoder, const lstmae_tensor *x,
                                                        const lstmae_tensor **y);

/** Mean and logarithm of the variance [B,Z] of the latent of x; either may be NULL. ERR_STATE without a latent. */
LSTMAE_API lstmae_status lstmae_autoencoder_posterior(lstmae_autoencoder *autoencoder, const lstmae_tensor *x,
                                                      const lstmae_tensor **mean, const lstmae_tensor **log_variance);

/**
 * Items number `first` to `first + count - 1` of those that the prior holds: latents drawn from the standard normal
 * distribution, decoded. An item depends on its number and the context's seed alone, but for roundings.
 *
 * @return ERR_STATE without a latent; ERR_INVALID_ARG unless first is 0 or more and count at least 1; else as
 *         lstmae_module_forward()
 */
LSTMAE_API lstmae_status lstmae_autoencoder_sample(lstmae_autoencoder *autoencoder, int64_t first, int64_t count,
                                                   const lstmae_tensor **y);

/* ---- training: what lstmae_task_autoencoder() does for lstmae_fit() ---- */

/**
 * Forward, the objective, and in training mode backward: gradients are added.
 *
 * The objective is loss(output, x) + weight KL, with KL the mean over the batch. The weight is that of the present
 * update in training mode (see warmup), and beta in inference mode. With LSTMAE_LOSS_BCE_LOGITS or MSE reduced by
 * LSTMAE_REDUCTION_BATCH_MEAN along axis 0 and beta 1 it is, but for MSE's constants, the negative evidence lower bound
 * per item. In inference mode noise and latent are drawn too, from numbers that depend on the seed and batch->index
 * alone: the objective that is minimised is what is measured, and the same way every time.
 *
 * @param batch its x and index are read
 * @param scale multiplies gradients (1/n when n calls are accumulated), not the value
 * @param value if not NULL receives the objective, after waiting for the device
 * @return as lstmae_module_forward() and lstmae_loss_compute()
 */
LSTMAE_API lstmae_status lstmae_autoencoder_step(lstmae_autoencoder *autoencoder, lstmae_loss *loss,
                                                 const lstmae_batch *batch, double scale, double *value);

/**
 * The parts of the last lstmae_autoencoder_step(): the loss, and the KL without its weight (0 without a latent); either
 * may be NULL. Waits for the device. ERR_STATE before the first step.
 */
LSTMAE_API lstmae_status lstmae_autoencoder_parts(lstmae_autoencoder *autoencoder, double *reconstruction, double *kl);

/** Means per item of both parts over the first `batches` batches of a loader (0: one epoch), as lstmae_evaluate(). */
LSTMAE_API lstmae_status lstmae_autoencoder_evaluate(lstmae_autoencoder *autoencoder, lstmae_loss *loss,
                                                     lstmae_loader *loader, int64_t batches, double *reconstruction,
                                                     double *kl);

/** Sets beta, 0 or more, and with it the weight of the following steps. ERR_STATE without a latent. */
LSTMAE_API lstmae_status lstmae_autoencoder_set_beta(lstmae_autoencoder *autoencoder, double beta);

LSTMAE_END_DECLS

#endif
