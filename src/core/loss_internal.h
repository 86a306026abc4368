/* What models need of a loss beyond loss.h: the value left on the device, a weighted gradient, shared ownership. */
#ifndef LAE_LOSS_INTERNAL_H
#define LAE_LOSS_INTERNAL_H

#include <lstmae/backend.h>
#include <lstmae/loss.h>

/** One use of a loss. Views are of the loss's context and one element type; all but `mask` have pred's shape. */
typedef struct lae_loss_use {
    const lstmae_view *pred, *target;
    const lstmae_view *mask; /* each axis as pred's or 1; NULL: all 1 */
    const lstmae_view *grad; /* receives weight * dloss/dpred; may be pred's memory; NULL: not wanted */
    double weight;
    double mask_sum; /* sum of the mask repeated to pred's shape where the caller knows it, else negative */
    double *value;   /* device memory: the reduced loss, without weight, is added to it */
} lae_loss_use;

/**
 * Adds the loss to *use->value and writes the gradient. Asynchronous, except for the mean over a mask whose sum is not
 * given, which has to be read from the device. Allocates nothing.
 */
lstmae_status lae_loss_apply(lstmae_loss *loss, const lae_loss_use *use);

/** Adds a reference; lstmae_loss_destroy() gives it up. Returns `loss`. */
lstmae_loss *lae_loss_retain(lstmae_loss *loss);

/** Context the loss was made from, borrowed. */
lstmae_context *lae_loss_context(const lstmae_loss *loss);

#endif
