/* When an optimizer update is left out; shared between C and CUDA. */
#ifndef LAE_GUARD_H
#define LAE_GUARD_H

#include "philox.h"

#include <lstmae/backend.h>

#include <math.h>

/** 1 if the flags say SKIP_NONFINITE and the gradients' sum of squares or one of the guards is not finite. */
static inline LAE_HD int lae_update_left_out(uint32_t flags, const double *norm_sq, const double *guard,
                                             int64_t guard_count)
{
    if (!(flags & LSTMAE_UPDATE_SKIP_NONFINITE)) return 0;
    int finite = isfinite(*norm_sq) != 0;
    for (int64_t i = 0; i < guard_count; i++) finite &= isfinite(guard[i]) != 0;
    return !finite;
}

#endif
