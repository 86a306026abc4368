/* Inside of an autoencoder. It is a module, whose parameters are those of its parts. */
#ifndef LAE_AUTOENCODER_INTERNAL_H
#define LAE_AUTOENCODER_INTERNAL_H

#include "latent.h"
#include "noise.h"

#include <lstmae/autoencoder.h>

/** What an autoencoding step keeps. */
typedef struct lae_autoencoding {
    lstmae_tensor *grad; /* of the output */
    lae_buffer values;   /* doubles: the loss, and the KL where there is a latent */
} lae_autoencoding;

struct lstmae_autoencoder {
    lstmae_module base;
    lstmae_module *encoder, *decoder; /* references */
    int output;                       /* lstmae_activation */
    int noisy;
    lae_noise noise;
    lae_latent *latent;               /* NULL: none */
    lstmae_autoencoder **layers;      /* [layer_count], references, of a stacked one */
    size_t layer_count;
    lstmae_tensor *shown;             /* the decoder's output through `output` */

    /* steps */
    lae_autoencoding step;
    int stepping;     /* within a step: draws are made in inference mode too, and the KL has gradients */
    int64_t index;    /* number of the step's batch */
    double kl_weight; /* of the KL's gradient in the step */
};

/** The autoencoder that `module` is, or NULL. */
lstmae_autoencoder *lae_autoencoder_of(lstmae_module *module);

/** lstmae_autoencoder_step() on arguments that were checked. */
lstmae_status lae_autoencoder_step(lstmae_autoencoder *autoencoder, lstmae_loss *loss, const lstmae_tensor *x,
                                   int64_t index, double scale, double *value);

/** The same with layer `layer` of a stacked one, on the codes that the layers before it make of x. */
lstmae_status lae_autoencoder_layer_step(lstmae_autoencoder *autoencoder, size_t layer, lstmae_loss *loss,
                                         const lstmae_tensor *x, int64_t index, double scale, double *value);

/** Loss of the last step from its two parts, step.values on the host. */
double lae_autoencoder_loss(const lstmae_autoencoder *autoencoder, const double *parts);

/**
 * loss(module(x), x) into step->values[0], and in training mode gradients times `scale`. The autoencoding step of any
 * module; asynchronous.
 */
lstmae_status lae_autoencode(lae_autoencoding *step, lstmae_module *module, lstmae_loss *loss, const lstmae_tensor *x,
                             double scale);
void lae_autoencoding_release(lae_autoencoding *step);

#endif
