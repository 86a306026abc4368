/* Tensors of any float type seen as doubles on the host, and the rule by which whole arrays are compared. */
#ifndef LAE_TEST_VALUES_H
#define LAE_TEST_VALUES_H

#include "support.h"

/** A contiguous tensor of the context's element type with these values, or zeros for NULL. The caller destroys it. */
lstmae_tensor *values_tensor(lstmae_context *context, int ndim, const int64_t *dims, const double *values);

/** Writes row-major values. */
void values_write(lstmae_tensor *tensor, const double *values);

/** Row-major values of a tensor; to be freed with free(). */
double *values_read(const lstmae_tensor *tensor);

/** Uniform in [-scale, scale), exact in float32, from Philox: the same on every machine. */
void values_draw(double *out, size_t count, uint64_t seed, double scale);

/**
 * The largest |got - want|, divided by the largest |want| of the array: what an array's error is in every comparison of
 * results. Elements near zero in an array of large ones are sums that cancel, so their own size is no measure. Where
 * all of `want` is zero, the largest |got|. Infinite where a value is not finite.
 */
double values_error(const double *got, const double *want, size_t count);

#endif
