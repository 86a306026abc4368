/*
 * 3x3 convolutions of stride 1 with 16 multiplications for 2x2 outputs instead of 36: F(2x2, 3x3) of Winograd
 * (Arithmetic Complexity of Computations, 1980) as Lavin and Gray (arXiv 1509.09308) use it. With the patch d of 4x4
 * inputs under a tile y of 2x2 outputs, and the taps g, for every pair of channels
 *
 *   y  = A^T [ (G g G^T) * (B^T d B) ] A                 summed over channels before A is applied
 *   dg = G^T [ (B^T d B) * (A dy A^T) ] G                summed over tiles before G is applied
 *
 *         | 1  0 -1  0 |        |  1    0    0  |         | 1  1  1  0 |
 *   B^T = | 0  1  1  0 |    G = | 1/2  1/2  1/2 |   A^T = | 0  1 -1 -1 |
 *         | 0 -1  1  0 |        | 1/2 -1/2  1/2 |
 *         | 0  1  0 -1 |        |  0    0    1  |
 *
 * where * multiplies elements. So each of the 16 elements, a plane, is a product of matrices of its own. Pixels outside
 * of the image are zeros; tiles that reach over the end of `out` are computed in part for nothing.
 *
 * What differs from the direct sums is rounding (chains are shorter, see docs/numerics.md) and numbers that are not
 * finite: an infinity in the image may give NaN where the direct sum is infinite, at the same pixels. Weights that are
 * not finite are left to the direct sums.
 */
#ifndef LAE_CPU_CONV_WINOGRAD_H
#define LAE_CPU_CONV_WINOGRAD_H

#include "conv.h"

/** Where the tiles of one image are. */
typedef struct lae_winograd {
    int64_t rows, columns;           /* of tiles */
    int64_t row_shift, column_shift; /* from a position of out to that of in under its first tap */
} lae_winograd;

/** Pairs of channels from which the products outweigh the transforms: of images, and of the weight gradient. */
#define LAE_WINOGRAD_DATA_PAIRS 1024
#define LAE_WINOGRAD_WEIGHT_PAIRS 512

/** 1 where this is the faster way, by the size of an image and the pairs; the batch does not matter. */
int lae_winograd_fits(const lae_conv_shape *shape, int64_t pairs);

lae_winograd lae_winograd_of(const lae_conv_shape *shape);

/** The same convolution with a plane for each tap: the panels of transformed weights have its form. */
lae_conv_shape lae_winograd_planes(const lae_conv_shape *shape);

/** Floats from tile to tile of a plane, and from plane to plane where there are `tiles`. */
int64_t lae_winograd_pitch(const lae_conv_kernels *kernels, int64_t channels);
int64_t lae_winograd_plane(int64_t pitch, int64_t tiles);

/** Tiles that are worked on at once, so that their planes stay in the second-level cache. */
int64_t lae_winograd_chunk(int64_t channels, int64_t most);

/** The patches of tiles [t0, t1) of all images as planes: tile t at (t - t0) pitch. zeros: at least `channels`. */
void lae_winograd_patches(const lae_winograd *tiles, const lae_conv_kernels *kernels, const lae_conv_shape *shape,
                          const lae_conv_image *in, const float *zeros, int64_t t0, int64_t t1, float *planes,
                          int64_t pitch, int64_t plane);

/**
 * ahead: as k-th thing, what `count` tiles from `tile` on read of an image, about, in `calls` bits. Nothing where
 * images do not lie one after the other.
 */
void lae_winograd_ahead(lae_conv_ahead *ahead, int k, const lae_winograd *tiles, const lae_conv_image *image,
                        int64_t rows, int64_t batch, int64_t tile, int64_t count, int64_t calls);

/** Where the tile's pixels are in `out`, from channel c on; NULL for those beyond its end. */
void lae_winograd_pixels(const lae_winograd *tiles, const lae_conv_shape *shape, const lae_conv_image *out,
                         int64_t tile, int64_t c, float *pixels[LAE_WINOGRAD_TILE * LAE_WINOGRAD_TILE]);

/** G g G^T of 3x3 taps, and G^T s G of 4x4 sums. */
void lae_winograd_weights(float planes[LAE_WINOGRAD_PLANES], const float taps[9]);
void lae_winograd_taps(double taps[9], const double sums[LAE_WINOGRAD_PLANES]);

/** What lae_conv_wide_run() computes, from panels of transformed weights. */
lstmae_status lae_winograd_run(lstmae_queue *queue, const lae_conv_call *call);

/** The weight gradient of this shape. */
lstmae_status lae_winograd_weight_gradient(lstmae_queue *queue, const lstmae_conv_args *args, const lae_conv_image *x,
                                           const lae_conv_image *y);

#endif
