/**
 * @file norm.h
 * Batch and layer normalisation: y = (x - mean) / sqrt(variance + eps) * weight + bias, as torch.nn has them.
 */
#ifndef LSTMAE_NORM_H
#define LSTMAE_NORM_H

#include <lstmae/module.h>

LSTMAE_BEGIN_DECLS

#define LSTMAE_BATCH_NORM_NO_AFFINE 1u  /**< without weight and bias */
#define LSTMAE_BATCH_NORM_NO_RUNNING 2u /**< without running statistics: inference uses the batch's too */
#define LSTMAE_BATCH_NORM_CUMULATIVE 4u /**< running statistics are the mean over all batches; momentum is not used */

typedef struct lstmae_batch_norm_options {
    uint32_t struct_size;
    uint32_t flags;  /**< LSTMAE_BATCH_NORM_… */
    double eps;      /**< above 0 */
    double momentum; /**< 0 to 1, the share of the newest batch in the running statistics */
} lstmae_batch_norm_options;

#define LSTMAE_BATCH_NORM_OPTIONS_INIT { sizeof(lstmae_batch_norm_options), 0, 1e-5, 0.1 }

/**
 * Batch norm of [B,C], [B,C,L] or [B,C,H,W]: a channel has one mean and variance, taken over everything else.
 *
 * In training these are the batch's own, with the variance divided by the number n of its values, and the running
 * statistics become (1 - momentum) running + momentum batch, with the variance divided by n - 1. In inference the
 * running statistics are used. A batch needs n of 2 or more in training (else ERR_SHAPE).
 *
 * Parameters "weight" (ones) and "bias" (zeros), buffers "running_mean" (zeros), "running_var" (ones), all [C], and
 * "num_batches_tracked", an I64 without axes.
 *
 * @param options NULL for defaults
 * @return OK; ERR_INVALID_ARG; ERR_UNSUPPORTED for unknown flags; ERR_SHAPE for too many channels; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_batch_norm_create(lstmae_module **out, lstmae_context *context, int64_t channels,
                                                  const lstmae_batch_norm_options *options);

#define LSTMAE_LAYER_NORM_NO_AFFINE 1u /**< without weight and bias */
#define LSTMAE_LAYER_NORM_NO_BIAS 2u

typedef struct lstmae_layer_norm_options {
    uint32_t struct_size;
    uint32_t flags; /**< LSTMAE_LAYER_NORM_… */
    double eps;     /**< above 0 */
} lstmae_layer_norm_options;

#define LSTMAE_LAYER_NORM_OPTIONS_INIT { sizeof(lstmae_layer_norm_options), 0, 1e-5 }

/**
 * Layer norm over the last `ndim` axes, whose sizes are `dims`: every sample, or step of a sample, has its own mean and
 * variance (divided by the number of values). Parameters "weight" (ones) and "bias" (zeros), shaped `dims`.
 *
 * @return as lstmae_batch_norm_create()
 */
LSTMAE_API lstmae_status lstmae_layer_norm_create(lstmae_module **out, lstmae_context *context, int ndim,
                                                  const int64_t *dims, const lstmae_layer_norm_options *options);

LSTMAE_END_DECLS

#endif
