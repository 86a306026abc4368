/*
 * The inner loops of convolutions, one table per instruction set. Images are floats with adjacent channels; weights are
 * in panels:
 *
 *   panel  [taps][depth][width]: up to four vectors of the channels that are computed, side by side, for every tap and
 *          every channel that is summed over. width is a multiple of VL; channels beyond the last one are 0.
 */
#ifndef LAE_CPU_CONV_KERNELS_H
#define LAE_CPU_CONV_KERNELS_H

#include "isa.h"

#include <stdint.h>

/** Pixels, or channels in the weight gradient, whose sums are kept in registers beside each other. */
#define LAE_CONV_TILE 6

/** Vectors of a panel. */
#define LAE_CONV_VECTORS 4

/** Two things that will be read after this call: with each tile, `floats` more of each are fetched. */
typedef struct lae_conv_ahead {
    const float *from[2];
    int64_t floats[2]; /* 0: nothing; else whole cache lines */
} lae_conv_ahead;

/**
 * The channels of one panel for some pixels that have the same taps: `rows` by `columns` runs of weights, each over
 * `run` adjacent floats of x. A run is the depth of one tap, or of a whole row of taps that are adjacent in x and in
 * the panel.
 *
 *   y[y_at[i] + n] = bias[n] + sum over row, column, j of x[x_at[i] + row x_row + column x_column + j]
 *                                                       * w[row w_row + column w_column + j width + n]
 */
typedef struct lae_conv_sweep {
    const float *x, *w;
    const float *bias; /* of the panel's channels; NULL: 0 */
    float *y;
    const int64_t *x_at, *y_at;
    int64_t pixels;
    int64_t rows, x_row, w_row;
    int64_t columns, x_column, w_column;
    int64_t run;
    int64_t vectors; /* of the panel: 1 to LAE_CONV_VECTORS */
    int64_t last;    /* floats stored of the last vector, 1 to VL */
    lae_conv_ahead ahead;
} lae_conv_sweep;

/**
 * The gradient of one tap's weights between a tile of channels of x and some vectors of channels of y, over a box of
 * pixels of y, each with the pixel of x under that tap:
 *
 *   sum[c sum_row + n] = (add ? sum[c sum_row + n] : 0) + sum over pixels of x[pixel][c] y[pixel][n]
 */
typedef struct lae_conv_gradient {
    const float *x, *y; /* the first pixel's */
    float *sum;
    int add;
    int64_t images, x_image, y_image;
    int64_t rows, x_row, y_row;
    int64_t columns, x_column, y_column;
    int64_t channels; /* of x: 1 to LAE_CONV_TILE */
    int64_t sum_row;
    int64_t vectors;  /* of y: 1 to what gradient_vectors says; all of them are read whole */
    int64_t last;     /* gradient_diagonal alone: floats read of the last vector, of any number of them */
    lae_conv_ahead ahead;
} lae_conv_gradient;

/** How `count` things of one kind are cut into tiles that are as even as can be. */
typedef struct lae_conv_cut {
    int64_t tiles, low, larger; /* the first `larger` tiles have low + 1, the others low */
} lae_conv_cut;

static inline lae_conv_cut lae_conv_cut_of(int64_t count)
{
    const int64_t tiles = (count + LAE_CONV_TILE - 1) / LAE_CONV_TILE, low = tiles ? count / tiles : 0;
    return (lae_conv_cut){ tiles, low, count - low * tiles };
}

/**
 * The channels of a run of pixels, dealt to groups of `width` each, and a last one of `rest` if that is not 0, with
 * zeros after them; width is a multiple of VL.
 *
 *   to[k group + i width + n] = from[i pixel + k width + n]
 */
typedef struct lae_conv_deal {
    const float *from;
    float *to;
    int64_t pixels, pixel, width, group;
    int64_t groups, rest;
} lae_conv_deal;

/** Channels of an image whose pixels are the lanes of the vectors: what lae_conv_planes computes at most. */
#define LAE_CONV_NARROW 4

/**
 * Few channels for vectors of adjacent pixels, from planes of one channel each, where a tap is one distance for all
 * pixels. w is at a panel of one vector.
 *
 *   y[n y_plane + i] = sum over t, d of x[d x_plane + x_at[t] + i] * w[w_at[t] + d VL + n]   for i < vectors VL
 */
typedef struct lae_conv_planes {
    const float *x, *w;
    float *y;
    const int64_t *x_at, *w_at;
    int64_t taps, depth, x_plane;
    int64_t features, y_plane; /* features: 1 to LAE_CONV_NARROW */
    int64_t vectors;
} lae_conv_planes;

/** Pixels along a side of what a Winograd tile computes, and of the patch that it reads; see conv_winograd.h. */
#define LAE_WINOGRAD_TILE 2
#define LAE_WINOGRAD_PATCH 4
#define LAE_WINOGRAD_PLANES (LAE_WINOGRAD_PATCH * LAE_WINOGRAD_PATCH)

typedef struct lae_conv_kernels {
    lae_isa isa;
    int64_t lanes; /* VL */
    void (*sweep)(const lae_conv_sweep *sweep);
    void (*gradient)(const lae_conv_gradient *gradient);
    int64_t gradient_vectors[LAE_CONV_TILE]; /* most vectors of y beside 1, 2, ... channels of x */
    void (*deal)(const lae_conv_deal *deal);
    /* The same where channel n is made of channel n alone: x[.. + n] for x[.. + j], with run and channels 1. */
    void (*sweep_diagonal)(const lae_conv_sweep *sweep);
    void (*gradient_diagonal)(const lae_conv_gradient *gradient);
    void (*planes)(const lae_conv_planes *planes);
    /* The transforms of one Winograd tile, for adjacent channels. Value v of a tile is at [v plane], v row by row.
     * Planes are written in whole vectors: channels beyond the last one are 0. */
    void (*patch)(float *to, int64_t plane, const float *const pixels[LAE_WINOGRAD_PLANES], int64_t channels);
    /** bias NULL: 0; pixels that are NULL are not wanted. */
    void (*tile)(float *const pixels[LAE_WINOGRAD_TILE * LAE_WINOGRAD_TILE], const float *from, int64_t plane,
                 const float *bias, int64_t channels);
    /** The transposed of `tile`: what the gradient of its pixels is for its planes. */
    void (*tile_gradient)(float *to, int64_t plane,
                          const float *const pixels[LAE_WINOGRAD_TILE * LAE_WINOGRAD_TILE], int64_t channels);
    /** to[i] = from[i] past the caches, where `to` begins with a cache line. */
    void (*stream)(float *to, const float *from, int64_t n);
    /** planes[c plane + i] = x[i pixel + c] for c < channels, i < pixels. */
    void (*split)(float *planes, int64_t plane, const float *x, int64_t pixel, int64_t channels, int64_t pixels);
} lae_conv_kernels;

extern const lae_conv_kernels lae_conv_kernels_plain, lae_conv_kernels_neon, lae_conv_kernels_avx2,
    lae_conv_kernels_avx512;

/** The table of an instruction set, NULL if it is not available. */
const lae_conv_kernels *lae_conv_kernels_of(lae_isa isa);

#endif
