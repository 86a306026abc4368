/*
 * The latent of a variational model: heads, draw, Kullback-Leibler divergence and its gradient. latent.h of the public
 * headers gives the equations. It is a module from codes to latents, part of the model that holds it.
 */
#ifndef LAE_LATENT_H
#define LAE_LATENT_H

#include "linear.h"
#include "site.h"

#include <lstmae/latent.h>

typedef struct lae_latent {
    lstmae_module base;
    lstmae_latent_options options;
    double weight;           /* of the KL in training from now on */
    lae_linear mean_head, log_variance_head;
    lae_site site;
    uint64_t prior;          /* site of draws from the prior */
    lstmae_tensor *constants; /* [2]: 0, 1 */

    /* of the last forward, [B,Z] */
    const lstmae_tensor *input; /* [B,F], borrowed or `copy` */
    lstmae_tensor *copy;
    lstmae_tensor *mean, *log_variance, *deviation; /* m, v, exp(v / 2) */
    lstmae_tensor *offset;      /* exp(v / 2) e */
    lstmae_tensor *z;

    /* backward */
    lstmae_tensor *dmean, *dlog_variance, *work, *dinput;
} lae_latent;

/** Reads and checks a caller's options; `features`: 0 where the caller is to name them, else what they are. */
lstmae_status lae_latent_read_options(lstmae_latent_options *read, const lstmae_latent_options *options,
                                      int64_t features);

/** `options` was read and checked. */
lstmae_status lae_latent_new(lae_latent **out, lstmae_context *context, const lstmae_latent_options *options);

/** NULL is fine. */
void lae_latent_destroy(lae_latent *latent);

/** The mean head alone: what the code is in inference. */
lstmae_status lae_latent_mean(lae_latent *latent, const lstmae_tensor *input, const lstmae_tensor **mean);

/** Both heads. */
lstmae_status lae_latent_posterior(lae_latent *latent, const lstmae_tensor *input);

/** Both heads and *z drawn with the numbers of `key`. */
lstmae_status lae_latent_draw(lae_latent *latent, const lstmae_tensor *input, const lstmae_random_key *key,
                              const lstmae_tensor **z);

/** *value = the KL of the last draw, mean over the batch; device memory. */
lstmae_status lae_latent_kl(lae_latent *latent, double *value);

/** From dL/dz, adds the parameters' gradients of L + kl_weight KL and gives the input's. */
lstmae_status lae_latent_backward(lae_latent *latent, const lstmae_tensor *dz, double kl_weight,
                                  const lstmae_tensor **dinput);

/** ERR_INVALID_ARG unless items [first, first+count) of the prior can be drawn. */
lstmae_status lae_latent_check_range(const lae_latent *latent, int64_t first, int64_t count);

/** *z [count,Z] = numbers `first` and following of the prior. */
lstmae_status lae_latent_prior(lae_latent *latent, int64_t first, int64_t count, const lstmae_tensor **z);

/** The warm-up's weight for update number `update`; nothing where there is none, or for NULL. */
void lae_latent_warm_up(lae_latent *latent, int64_t update);

/** Of the KL in a step: the present one in training, beta in evaluations. */
static inline double lae_latent_weight(const lae_latent *latent, int training)
{
    return training ? latent->weight : latent->options.beta;
}

lstmae_status lae_latent_set_beta(lae_latent *latent, double beta);

#endif
