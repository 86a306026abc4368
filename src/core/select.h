/* Order statistics of floats, in place and in linear time on average. */
#ifndef LAE_SELECT_H
#define LAE_SELECT_H

#include <stddef.h>

/** Moves what would stand at place `k` in sorted order there, nothing larger before it and nothing smaller behind. */
void lae_select(float *values, size_t count, size_t k);

/**
 * The quantile q in [0,1] of one value or more, none of them NaN, which are reordered: of the sorted values that at
 * place q (count - 1), interpolated linearly between the two beside it.
 */
double lae_quantile(float *values, size_t count, double q);

#endif
