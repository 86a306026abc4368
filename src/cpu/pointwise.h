/*
 * The inner loops of everything that is neither a matrix product nor an LSTM cell, one table per instruction set. All
 * arrays are contiguous floats; outputs may be inputs, element for element. NULL optional arrays as stated.
 */
#ifndef LAE_CPU_POINTWISE_H
#define LAE_CPU_POINTWISE_H

#include "isa.h"

#include <lstmae/backend.h>

/**
 * Sums are kept in this many doubles: element i of a stretch adds to lane i mod LAE_LANES, and the lanes are added in
 * pairs at the end. So a sum's bits depend on neither the instruction set nor the number of threads.
 */
#define LAE_LANES 32

typedef struct lae_lanes {
    double lane[LAE_LANES];
} lae_lanes;

/** Sum of the lanes, in pairs: i and i + 16, then i and i + 8, ... */
double lae_lanes_sum(const lae_lanes *lanes);

/** A stretch of a loss: adds mask * loss to the lanes, writes the gradient. */
typedef struct lae_loss_stretch {
    const float *pred, *target;
    const float *mask; /* NULL: all 1. Where it is 0 the element does not count, whatever it holds */
    float *grad;       /* NULL: not wanted */
    float delta, grad_scale;
    int op;
} lae_loss_stretch;

/** A stretch of a parameter under an optimizer, see lstmae_update_args; numbers worked out once per call. */
typedef struct lae_update_stretch {
    float *param;
    const float *grad;
    float *m, *v, *a;
    int kind;
    uint32_t flags;
    float clip_factor; /* of the gradient, from the global norm */
    float value_clip, velocity_clip; /* Inf: none */
    float decay;  /* added to the gradient */
    float shrink; /* the parameter is multiplied by this before: decoupled decay */
    float lr;     /* Adam: lr / bias1 */
    float momentum, beta1, rest1, beta2, rest2, rho, rest_rho, eps;
    float root_bias2; /* Adam: sqrt(bias2) */
} lae_update_stretch;

typedef struct lae_pointwise {
    lae_isa isa;
    void (*map)(int kind, float param, float *y, const float *x, int64_t n);
    /** `from` is x or y, as lae_map_reads_input() says of the kind. */
    void (*map_backward)(int kind, float param, float *dx, const float *dy, const float *from, int64_t n);
    void (*axpby)(float *y, float alpha, const float *x, float beta, int64_t n);
    void (*multiply)(float *y, const float *a, const float *b, float beta, int64_t n);
    void (*select)(float *y, const float *mask, const float *a, const float *b, int64_t n);
    void (*sum)(lae_lanes *lanes, const float *x, int64_t n);
    void (*sum_squares)(lae_lanes *lanes, const float *x, int64_t n);
    /** sums[j] += x[r stride + j] for all rows r, in order. */
    void (*add_rows)(double *sums, const float *x, int64_t stride, int64_t rows, int64_t n);
    void (*loss)(lae_lanes *lanes, const lae_loss_stretch *stretch, int64_t n);
    void (*update)(const lae_update_stretch *stretch, int64_t n);
    /** words[4 i .. 4 i + 3] = the Philox block `first + i`. */
    void (*random_words)(uint32_t *words, uint64_t seed, uint64_t stream, uint64_t first, int64_t blocks);
    void (*uniform)(float *y, const uint32_t *words, double low, double high, int64_t n);
    /** Both numbers of each pair of words. */
    void (*normal)(float *y, const uint32_t *words, double mean, double deviation, int64_t pairs);
    /** y = words >> 8 < threshold ? 1 : 0 */
    void (*bernoulli)(float *y, const uint32_t *words, uint32_t threshold, int64_t n);
    /** y = words >> 8 < threshold ? 0 : scale * x */
    void (*dropout)(float *y, const float *x, const uint32_t *words, uint32_t threshold, float scale, int64_t n);
} lae_pointwise;

extern const lae_pointwise lae_pointwise_plain, lae_pointwise_neon, lae_pointwise_avx2, lae_pointwise_avx512;

/** The table of an instruction set, NULL if it is not available. */
const lae_pointwise *lae_pointwise_of(lae_isa isa);

#endif
