/* Clipping gradients by their global norm, as torch.nn.utils.clip_grad_norm_; shared between C and CUDA. */
#ifndef LAE_CLIP_H
#define LAE_CLIP_H

#include "philox.h"

#include <math.h>

/** What each gradient is multiplied by; NaN where the norm is one. max_norm 0 or less: 1. */
static inline LAE_HD double lae_clip_factor(double norm_squared, double max_norm)
{
    if (!(max_norm > 0.0)) return 1.0;
    double factor = max_norm / (sqrt(norm_squared) + 1e-6);
    return factor >= 1.0 ? 1.0 : factor;
}

#endif
