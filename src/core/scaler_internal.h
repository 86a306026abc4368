/* What windows need of a scaler, and what objects whose state is a list of numbers share. */
#ifndef LAE_SCALER_INTERNAL_H
#define LAE_SCALER_INTERNAL_H

#include "error.h"

#include <lstmae/scaler.h>

/** Centers of all columns, then spreads of all columns; borrowed. */
const double *lae_scaler_numbers(const lstmae_scaler *scaler);

/** y = (x - center) / spread for values [rows, columns]; `out` may be `values`. */
void lae_scale(const double *center, const double *spread, int64_t columns, const float *values, int64_t rows,
               float *out);

/** ERR_SHAPE unless a list of numbers has the length that it must have. */
static inline lstmae_status lae_state_check_count(int64_t got, int64_t want, const char *function)
{
    if (got == want) return LSTMAE_OK;
    return LAE_FAIL(ERR_SHAPE, "%s: expected %lld numbers, got %lld", function, (long long)want, (long long)got);
}

#endif
