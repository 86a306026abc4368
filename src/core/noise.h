/* Noise on an array: the core of the noise module and of denoising autoencoders. */
#ifndef LAE_NOISE_H
#define LAE_NOISE_H

#include "module_internal.h"
#include "site.h"

#include <lstmae/noise.h>

typedef struct lae_noise {
    lstmae_noise_options options;
    lae_site site;
    lstmae_tensor *levels; /* [2]: low, high */
    lstmae_tensor *kept;   /* 1 where an element stayed as it was; not for Gaussian noise */
    lstmae_tensor *output, *grad_input;
} lae_noise;

/** Reads and checks a caller's options; NULL: defaults. */
lstmae_status lae_noise_read_options(lstmae_noise_options *read, const lstmae_noise_options *options);

/** `options` was read and checked. After a failure lae_noise_release() is still to be called. */
lstmae_status lae_noise_init(lae_noise *noise, lstmae_context *context, const lstmae_noise_options *options);
void lae_noise_release(lae_noise *noise);

/** *output = x with noise from the numbers of `key`. */
lstmae_status lae_noise_apply(lae_noise *noise, const lstmae_random_key *key, const lstmae_tensor *x,
                              const lstmae_tensor **output);

/** *grad_input = grad_output through the last lae_noise_apply(). */
lstmae_status lae_noise_backward(lae_noise *noise, const lstmae_tensor *grad_output, const lstmae_tensor **grad_input);

#endif
