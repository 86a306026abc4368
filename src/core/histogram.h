/* Histograms in TensorBoard's buckets. */
#ifndef LAE_HISTOGRAM_H
#define LAE_HISTOGRAM_H

#include "error.h"

#include <stdint.h>

/* Limits 1e-12 * 1.1^k below 1e20 and the largest double, on both sides of zero, and zero. */
#define LAE_HISTOGRAM_SIDE 775
#define LAE_HISTOGRAM_BUCKETS (2 * LAE_HISTOGRAM_SIDE + 1)

typedef struct lae_histogram {
    double least, most, count, sum, squares;
    double limit[LAE_HISTOGRAM_BUCKETS]; /* upper ends, which their buckets exclude */
    double bucket[LAE_HISTOGRAM_BUCKETS];
} lae_histogram;

/** No values yet. */
void lae_histogram_clear(lae_histogram *histogram);

/** A finite value. */
void lae_histogram_add(lae_histogram *histogram, double value);

/** Joins empty buckets that follow each other, as TensorFlow's writers do; returns how many buckets are left. */
int lae_histogram_compact(lae_histogram *histogram);

#endif
