/**
 * @file conv.h
 * Convolutions and transposed convolutions of images [B,C,H,W] and of signals [B,C,L], as torch.nn has them.
 */
#ifndef LSTMAE_CONV_H
#define LSTMAE_CONV_H

#include <lstmae/module.h>

LSTMAE_BEGIN_DECLS

#define LSTMAE_CONV_NO_BIAS 1u

/** Pairs are height and width; of signals the first of each pair counts, and the second is not looked at. */
typedef struct lstmae_conv_options {
    uint32_t struct_size;
    uint32_t flags;            /**< LSTMAE_CONV_… */
    int64_t kernel[2];         /**< 1 to 65536, as stride and dilation */
    int64_t stride[2];
    int64_t padding[2];        /**< zeros on both sides, 0 to 65536 */
    int64_t output_padding[2]; /**< transposed: rows and columns more; below stride or dilation */
    int64_t dilation[2];
    int64_t groups;            /**< divides the channels on both sides */
} lstmae_conv_options;

#define LSTMAE_CONV_OPTIONS_INIT                                                                   \
    { sizeof(lstmae_conv_options), 0, { 3, 3 }, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }, 1 }

/**
 * [B,in,H,W] to [B,out,P,Q], P = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1, and Q likewise.
 *
 * Parameters "weight" [out,in/groups,kernel] and "bias" [out], uniform in +-1/sqrt(in/groups * kernel size).
 *
 * @param options NULL for defaults: kernel 3x3, stride 1, no padding, one group, a bias
 * @return OK; ERR_INVALID_ARG, also for output padding; ERR_UNSUPPORTED for unknown flags; ERR_SHAPE if the weight is
 *         too large; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_conv2d_create(lstmae_module **out, lstmae_context *context, int64_t in_channels,
                                              int64_t out_channels, const lstmae_conv_options *options);

/**
 * [B,in,H,W] to [B,out,P,Q], P = (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
 *
 * Parameters "weight" [in,out/groups,kernel] and "bias" [out], uniform in +-1/sqrt(out/groups * kernel size).
 *
 * @return as lstmae_conv2d_create()
 */
LSTMAE_API lstmae_status lstmae_conv_transpose2d_create(lstmae_module **out, lstmae_context *context,
                                                        int64_t in_channels, int64_t out_channels,
                                                        const lstmae_conv_options *options);

/** The same for signals: [B,in,L] to [B,out,M]; the weight is [out,in/groups,kernel], or [in,out/groups,kernel]. */
LSTMAE_API lstmae_status lstmae_conv1d_create(lstmae_module **out, lstmae_context *context, int64_t in_channels,
                                              int64_t out_channels, const lstmae_conv_options *options);
LSTMAE_API lstmae_status lstmae_conv_transpose1d_create(lstmae_module **out, lstmae_context *context,
                                                        int64_t in_channels, int64_t out_channels,
                                                        const lstmae_conv_options *options);

LSTMAE_END_DECLS

#endif
