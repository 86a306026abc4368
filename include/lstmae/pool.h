/**
 * @file pool.h
 * Pooling and upsampling of images [B,C,H,W] and of signals [B,C,L], as torch.nn has them.
 */
#ifndef LSTMAE_POOL_H
#define LSTMAE_POOL_H

#include <lstmae/module.h>

LSTMAE_BEGIN_DECLS

#define LSTMAE_POOL_CEIL 1u            /**< a last window that begins inside the image and leaves it counts too */
#define LSTMAE_POOL_EXCLUDE_PADDING 2u /**< average: divide by the values inside the image, not by the window's size */

/** Pairs are height and width; of signals the first of each pair counts, and the second is not looked at. */
typedef struct lstmae_pool_options {
    uint32_t struct_size;
    uint32_t flags;      /**< LSTMAE_POOL_… */
    int64_t kernel[2];   /**< 1 to 65536 */
    int64_t stride[2];   /**< 0: as the kernel */
    int64_t padding[2];  /**< on both sides, at most half of the kernel */
    int64_t dilation[2]; /**< 1 or more; 1 for averages */
} lstmae_pool_options;

#define LSTMAE_POOL_OPTIONS_INIT { sizeof(lstmae_pool_options), 0, { 2, 2 }, { 0, 0 }, { 0, 0 }, { 1, 1 } }

/**
 * Largest value of each window: [B,C,H,W] to [B,C,P,Q], P = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride)
 * + 1, and Q likewise; with CEIL the quotient is rounded up, as long as the window begins inside the image or its
 * padding before it. Padding is never the largest; the first of equal values takes the gradient, and a NaN is larger
 * than all.
 *
 * @param options NULL for defaults: windows of 2x2 side by side
 * @return OK; ERR_INVALID_ARG; ERR_UNSUPPORTED for unknown flags; ERR_NO_MEMORY. Forward returns ERR_SHAPE for images
 *         of more than 2^31 - 1 pixels
 */
LSTMAE_API lstmae_status lstmae_max_pool2d_create(lstmae_module **out, lstmae_context *context,
                                                  const lstmae_pool_options *options);

/** Mean of each window. Padding counts as zeros, in the divisor too unless EXCLUDE_PADDING; what CEIL adds does not. */
LSTMAE_API lstmae_status lstmae_avg_pool2d_create(lstmae_module **out, lstmae_context *context,
                                                  const lstmae_pool_options *options);

/** The same for signals: [B,C,L] to [B,C,M]. */
LSTMAE_API lstmae_status lstmae_max_pool1d_create(lstmae_module **out, lstmae_context *context,
                                                  const lstmae_pool_options *options);
LSTMAE_API lstmae_status lstmae_avg_pool1d_create(lstmae_module **out, lstmae_context *context,
                                                  const lstmae_pool_options *options);

typedef enum lstmae_interpolation {
    LSTMAE_INTERPOLATE_NEAREST = 0, /**< y[p] = x[floor(p H / P)] */
    LSTMAE_INTERPOLATE_LINEAR = 1   /**< at (p + 1/2) H / P - 1/2, not below 0: torch's align_corners=False */
} lstmae_interpolation;

/** Pairs are height and width; of signals the first of each pair counts, and the second is not looked at. */
typedef struct lstmae_upsample_options {
    uint32_t struct_size;
    int32_t mode;      /**< lstmae_interpolation */
    int64_t factor[2]; /**< 1 to 65536; P = factor H */
    int64_t size[2];   /**< the output's; 0: by factor */
} lstmae_upsample_options;

#define LSTMAE_UPSAMPLE_OPTIONS_INIT { sizeof(lstmae_upsample_options), LSTMAE_INTERPOLATE_NEAREST, { 2, 2 }, { 0, 0 } }

/**
 * [B,C,H,W] to [B,C,P,Q]; P and Q may also be smaller than H and W.
 *
 * @param options NULL for defaults: twice the size, nearest
 * @return OK; ERR_INVALID_ARG; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_upsample2d_create(lstmae_module **out, lstmae_context *context,
                                                  const lstmae_upsample_options *options);

/** The same for signals: [B,C,L] to [B,C,M]. */
LSTMAE_API lstmae_status lstmae_upsample1d_create(lstmae_module **out, lstmae_context *context,
                                                  const lstmae_upsample_options *options);

LSTMAE_END_DECLS

#endif
