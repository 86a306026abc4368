/**
 * @file layers.h
 * Layers without memory of their own: linear, activations, and the container that chains modules.
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
 */
LSTMAE_API lstmae_status lstmae_linear_create(lstmae_module **out, lstmae_context *context, int64_t in_features,
                                              int64_t out_features, uint32_t flags);

typedef enum lstmae_activation {
    LSTMAE_ACTIVATION_IDENTITY = 0,
    LSTMAE_ACTIVATION_RELU = 1,
    LSTMAE_ACTIVATION_TANH = 2,
    LSTMAE_ACTIVATION_SIGMOID = 3
} lstmae_activation;

/** An activation, element by element, any shape. */
LSTMAE_API lstmae_status lstmae_activation_create(lstmae_module **out, lstmae_context *context, lstmae_activation kind);

/** An empty chain; parameters of child n are named "n." + name, as torch.nn.Sequential. */
LSTMAE_API lstmae_status lstmae_sequential_create(lstmae_module **out, lstmae_context *context);

/**
 * Appends `child`, which must be of the same context and not yet part of a container.
 * On success the chain owns the caller's reference; on failure the caller keeps it.
 */
LSTMAE_API lstmae_status lstmae_sequential_append(lstmae_module *sequential, lstmae_module *child);

LSTMAE_END_DECLS

#endif
