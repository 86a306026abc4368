/**
 * @file measure.h
 * How alike images are: mean squared error, peak signal-to-noise ratio, structural similarity; per image and on
 * average. Computed in double, in a fixed order; device tensors are copied to the host.
 *
 * All take two tensors of equal shape, float32 or float64, whose first axis numbers the images (one at least), the peak
 * `range` of the values (1 for [0,1], 2 for [-1,1], 255 for bytes) where it matters, room for one number per image
 * in `each` or NULL, and `mean`, which receives their average, or NULL. They return OK; ERR_SHAPE; ERR_DTYPE;
 * ERR_INVALID_ARG; ERR_NO_MEMORY. NaN among the values of an image gives NaN for it.
 */
#ifndef LSTMAE_MEASURE_H
#define LSTMAE_MEASURE_H

#include <lstmae/tensor.h>

LSTMAE_BEGIN_DECLS

/** Mean over an image's elements of (y - target)^2. Tensors [B,...]. */
LSTMAE_API lstmae_status lstmae_measure_mse(const lstmae_tensor *y, const lstmae_tensor *target, double *each,
                                            double *mean);

/** 10 log10(range^2 / mse) in decibels; infinite for equal images, and so is then the mean. Tensors [B,...]. */
LSTMAE_API lstmae_status lstmae_measure_psnr(const lstmae_tensor *y, const lstmae_tensor *target, double range,
                                             double *each, double *mean);

/** Side of the window of lstmae_measure_ssim(). */
#define LSTMAE_SSIM_WINDOW 11

/**
 * Structural similarity (Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment", IEEE TIP 2004): Gaussian window
 * of 11 x 11 with sigma 1.5, K1 = 0.01, K2 = 0.03, weighted variances divided by the sum of weights, averaged over the
 * places where the window lies inside of the image, then over channels. Tensors [B,C,H,W] with H and W of 11 or more.
 */
LSTMAE_API lstmae_status lstmae_measure_ssim(const lstmae_tensor *y, const lstmae_tensor *target, double range,
                                             double *each, double *mean);

LSTMAE_END_DECLS

#endif
