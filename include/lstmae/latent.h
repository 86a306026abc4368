/**
 * @file latent.h
 * The latent variable of a variational autoencoder (Kingma and Welling, ICLR 2014).
 *
 * Two linear heads read the code x [B,F] of an item and give the mean m [B,Z] and the logarithm of the variance v [B,Z]
 * of a normal distribution:
 *
 *   m = x W_m^T + b_m,  v = x W_v^T + b_v,  z = m + exp(v / 2) e  with e standard normal
 *   KL = sum over Z of (m^2 + exp(v) - 1 - v) / 2, its distance from the standard normal prior, in nats
 *
 * Parameters "mean.weight" [Z,F], "mean.bias" [Z], "log_variance.weight" [Z,F] and "log_variance.bias" [Z].
 */
#ifndef LSTMAE_LATENT_H
#define LSTMAE_LATENT_H

#include <lstmae/status.h>

LSTMAE_BEGIN_DECLS

typedef struct lstmae_latent_options {
    uint32_t struct_size;
    uint32_t flags;   /**< 0 */
    int64_t size;     /**< Z, at least 1 */
    int64_t features; /**< F, at least 1; 0 in sequence models, which know it */
    double beta;      /**< weight of the KL in the objective, 0 or more; 1: the evidence lower bound */
    int64_t warmup;   /**< update s of lstmae_fit() below it has the weight beta (s + 1) / warmup */
} lstmae_latent_options;

#define LSTMAE_LATENT_OPTIONS_INIT { sizeof(lstmae_latent_options), 0, 0, 0, 1.0, 0 }

LSTMAE_END_DECLS

#endif
