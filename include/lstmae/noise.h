/**
 * @file noise.h
 * Noise on what goes into a model, in training: what denoising autoencoders learn to take away.
 */
#ifndef LSTMAE_NOISE_H
#define LSTMAE_NOISE_H

#include <lstmae/module.h>

LSTMAE_BEGIN_DECLS

/** As Vincent, Larochelle, Lajoie, Bengio and Manzagol, JMLR 11 (2010), section 3.3. */
typedef enum lstmae_noise_kind {
    LSTMAE_NOISE_GAUSSIAN = 0,   /**< x + amount n with n standard normal */
    LSTMAE_NOISE_MASKING = 1,    /**< `low` with probability `amount`, else x */
    LSTMAE_NOISE_SALT_PEPPER = 2 /**< `low` or `high` with probability amount / 2 each, else x */
} lstmae_noise_kind;

typedef struct lstmae_noise_options {
    uint32_t struct_size;
    int32_t kind;     /**< lstmae_noise_kind */
    double amount;    /**< GAUSSIAN: standard deviation, 0 or more; else probability, in [0,1] */
    double low, high; /**< what elements become; finite */
} lstmae_noise_options;

#define LSTMAE_NOISE_OPTIONS_INIT { sizeof(lstmae_noise_options), LSTMAE_NOISE_GAUSSIAN, 0.1, 0.0, 1.0 }

/**
 * A layer of any shape that adds noise in training mode and is the identity in inference mode. Every element is drawn
 * by itself and anew in each forward; same seed, same noise, on every device.
 *
 * @param options NULL for defaults
 * @return OK; ERR_INVALID_ARG naming the option out of range; ERR_NO_MEMORY, ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_noise_create(lstmae_module **out, lstmae_context *context,
                                             const lstmae_noise_options *options);

LSTMAE_END_DECLS

#endif
