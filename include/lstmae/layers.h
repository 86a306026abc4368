/**
 * @file layers.h
 * Layers without memory of their own: linear, activations, dropout, reshaping, and the container that chains modules.
 */
#ifndef LSTMAE_LAYERS_H
#define LSTMAE_LAYERS_H

#include <lstmae/module.h>

LSTMAE_BEGIN_DECLS

#define LSTMAE_LINEAR_NO_BIAS 1u

/**
 * y = x W^T + b over the last axis: [..,in] to [..,out], as torch.nn.Linear.
 * Parameters "weight" [out,in] and "bias" [out], uniform in +-1/sqrt(in).
 *
 * @param flags 0 or LSTMAE_LINEAR_NO_BIAS
 * @return OK; ERR_INVALID_ARG; ERR_UNSUPPORTED for unknown flags; ERR_SHAPE if the weight is too large; ERR_NO_MEMORY,
 *         ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_linear_create(lstmae_module **out, lstmae_context *context, int64_t in_features,
                                              int64_t out_features, uint32_t flags);

typedef enum lstmae_activation {
    LSTMAE_ACTIVATION_IDENTITY = 0,
    LSTMAE_ACTIVATION_RELU = 1,
    LSTMAE_ACTIVATION_TANH = 2,
    LSTMAE_ACTIVATION_SIGMOID = 3,
    LSTMAE_ACTIVATION_LEAKY_RELU = 4, /**< x > 0 ? x : slope x; slope 0.01 */
    LSTMAE_ACTIVATION_ELU = 5,        /**< x > 0 ? x : alpha (e^x - 1); alpha 1 */
    LSTMAE_ACTIVATION_SILU = 6,       /**< x sigmoid(x) */
    LSTMAE_ACTIVATION_GELU = 7,       /**< x (1 + erf(x / sqrt 2)) / 2 */
    LSTMAE_ACTIVATION_GELU_TANH = 8,  /**< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 */
    LSTMAE_ACTIVATION_SOFTPLUS = 9    /**< log(1 + e^(beta x)) / beta, x where beta x > 20; beta 1 */
} lstmae_activation;

/** An activation, element by element, any shape. OK; ERR_INVALID_ARG for an unknown kind; ERR_NO_MEMORY. */
LSTMAE_API lstmae_status lstmae_activation_create(lstmae_module **out, lstmae_context *context, lstmae_activation kind);

/**
 * The same with another slope of LEAKY_RELU, alpha of ELU or beta of SOFTPLUS than the one above.
 * @return OK; ERR_INVALID_ARG for a kind that has none of these, or a value that is not finite, or beta of 0 or less
 */
LSTMAE_API lstmae_status lstmae_activation_create_param(lstmae_module **out, lstmae_context *context,
                                                        lstmae_activation kind, double param);

/**
 * Puts the axes of its input in another order, as torch.permute: axis i of the output is axis axes[i] of the input.
 * Between batches of windows [B,T,F] and the signals [B,F,T] of convolutions that is 0, 2, 1, both ways.
 *
 * @param axes each number from 0 to ndim - 1 once; ndim 1 to LSTMAE_MAX_DIMS
 * @return OK; ERR_INVALID_ARG; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_permute_create(lstmae_module **out, lstmae_context *context, int ndim, const int *axes);

/**
 * Dropout: in training an element is 0 with probability p, else multiplied by 1 / (1 - p); in inference all pass.
 * @return OK; ERR_INVALID_ARG unless p is in [0,1); ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_dropout_create(lstmae_module **out, lstmae_context *context, double p);

/**
 * Makes axes first_axis to last_axis one, in row-major order: 1 and -1 turn [B,C,H,W] into [B,C H W], as
 * torch.nn.Flatten. Negative numbers count from the end. Row-major arrays are not copied: the output is then the
 * input's memory.
 *
 * @return OK; ERR_INVALID_ARG for an axis that no tensor has; ERR_NO_MEMORY. Forward returns ERR_SHAPE for an input
 *         without these axes
 */
LSTMAE_API lstmae_status lstmae_flatten_create(lstmae_module **out, lstmae_context *context, int first_axis,
                                               int last_axis);

/**
 * Makes one axis `ndim` axes of these sizes, whose product it must have, as torch.nn.Unflatten. Not copied either.
 *
 * @param sizes at least 1 each
 * @return as lstmae_flatten_create(); ERR_SHAPE if the product overflows
 */
LSTMAE_API lstmae_status lstmae_unflatten_create(lstmae_module **out, lstmae_context *context, int axis, int ndim,
                                                 const int64_t *sizes);

/** An empty chain; parameters of child n are named "n." + name, as torch.nn.Sequential. OK; ERR_INVALID_ARG;
 *  ERR_NO_MEMORY. */
LSTMAE_API lstmae_status lstmae_sequential_create(lstmae_module **out, lstmae_context *context);

/**
 * Appends `child`, which must be of the same context and not yet part of a container.
 * On success the chain owns the caller's reference; on failure the caller keeps it.
 * @return OK; ERR_STATE for a child that is part of a container; ERR_INVALID_ARG for one of another context, or where
 *         `sequential` is no chain; ERR_NO_MEMORY
 */
LSTMAE_API lstmae_status lstmae_sequential_append(lstmae_module *sequential, lstmae_module *child);

LSTMAE_END_DECLS

#endif
