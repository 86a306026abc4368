/*
 * The inner loops of normalisation, pooling and upsampling, one table per instruction set. Images lie with channels
 * innermost; a "row" here is a stretch of `columns` floats, the channels of a pixel or those of several.
 */
#ifndef LAE_CPU_IMAGE_LOOPS_H
#define LAE_CPU_IMAGE_LOOPS_H

#include "isa.h"

#include <lstmae/backend.h>

/** What the elements of a column have in common: [columns] each. */
typedef struct lae_norm_columns {
    const float *mean, *scale, *shift; /* forward: y = (x - mean) scale + shift */
    const float *slope;                /* backward: dx = scale dy + slope (x - mean) + shift */
} lae_norm_columns;

/** The same for one row of a layer norm: y = ((x - mean) scale + shift) gamma + bias. NULL gamma and bias: 1 and 0. */
typedef struct lae_norm_row {
    float mean, scale, shift, slope; /* backward: dx = scale (gamma dy) + slope (x - mean) + shift */
    const float *gamma, *bias;
} lae_norm_row;

/**
 * `pixels` pixels of an output, `channels` channels each and next to each other, made of `taps` pixels of an input:
 * those of output pixel i begin at from + i * step + offset[tap].
 */
typedef struct lae_image_run {
    float *to;
    const float *from;
    int64_t pixels, channels, step, taps;
    const int64_t *offset;
    const float *weight; /* of weighted: one for each tap */
    const int32_t *place; /* of largest and spread: the tap's place for output pixel 0 */
    int32_t place_step;   /* from one output pixel to the next */
} lae_image_run;

typedef struct lae_image_loops {
    /** sums[j] += x, products[j] += x z over `rows` rows next to each other, exactly but for the additions. */
    void (*moments)(double *sums, double *products, const float *x, const float *z, int64_t rows, int64_t columns);
    /** Over such rows; y may be x. */
    void (*normalize)(float *y, const float *x, const lae_norm_columns *norm, int64_t rows, int64_t columns);
    /** Over such rows; dx may be dy. */
    void (*gradient)(float *dx, const float *dy, const float *x, const lae_norm_columns *norm, int64_t rows,
                     int64_t columns);

    /** *sum and *product of a row's x gamma and x gamma z; gamma NULL: 1. */
    void (*row_moments)(double *sum, double *product, const float *x, const float *z, const float *gamma, int64_t n);
    void (*row_normalize)(float *y, const float *x, const lae_norm_row *norm, int64_t n);
    void (*row_gradient)(float *dx, const float *dy, const float *x, const lae_norm_row *norm, int64_t n);
    /** dgamma[j] += dy (x - mean) scale, dshift[j] += dy */
    void (*row_parameters)(double *dgamma, double *dshift, const float *dy, const float *x, double mean, double scale,
                           int64_t n);

    /** to = the largest tap; index, if not NULL, = its place. NaN wins. */
    void (*largest)(const lae_image_run *run, int32_t *index);
    /** to = sum of weight * tap. */
    void (*weighted)(const lae_image_run *run);
    /**
     * The reverse of `largest`: tap = index is its place ? from : 0, for all taps of `pixels` pixels `from`, which are
     * next to each other. Taps of pixel i begin at to + i * step + offset[tap].
     */
    void (*spread)(const lae_image_run *run, const int32_t *index);
    /** One pixel: to = sum over taps of (index + offset is place[0] ? from + offset : 0). */
    void (*chosen)(const lae_image_run *run, const int32_t *index);
} lae_image_loops;

extern const lae_image_loops lae_image_loops_plain, lae_image_loops_neon, lae_image_loops_avx2, lae_image_loops_avx512;

/** The table of an instruction set, NULL if it is not available. */
const lae_image_loops *lae_image_loops_of(lae_isa isa);

#endif
