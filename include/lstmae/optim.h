/**
 * @file optim.h
 * Optimizers over the parameters of one module. docs/numerics.md states the equations.
 */
#ifndef LSTMAE_OPTIM_H
#define LSTMAE_OPTIM_H

#include <lstmae/module.h>

LSTMAE_BEGIN_DECLS

typedef enum lstmae_optimizer_kind {
    LSTMAE_SGD = 0,
    LSTMAE_ADAM = 1,
    LSTMAE_ADAMW = 2,
    LSTMAE_RMSPROP = 3,    /**< as torch.optim.RMSprop */
    LSTMAE_RMSPROP_TF1 = 4 /**< as tf.train.RMSPropOptimizer: epsilon inside the root, mean square starts at 1 */
} lstmae_optimizer_kind;

#define LSTMAE_OPTIMIZER_NESTEROV 1u           /**< SGD with momentum only */
#define LSTMAE_OPTIMIZER_CENTERED 2u           /**< RMSProp only */
#define LSTMAE_OPTIMIZER_DECAY_MATRICES_ONLY 4u /**< weight decay spares parameters with fewer than two axes */

/** What a kind does not use is ignored; all is 0 or more, and finite. */
typedef struct lstmae_optimizer_options {
    uint32_t struct_size;
    int32_t kind; /**< lstmae_optimizer_kind */
    uint32_t flags;
    uint32_t reserved;
    double lr;
    double momentum;      /**< SGD, RMSProp; below 1 */
    double beta1, beta2;  /**< Adam; below 1 */
    double rho;           /**< RMSProp's decay of the mean square; below 1 */
    double eps;           /**< Adam, RMSProp; above 0 */
    double weight_decay;  /**< L2 added to the gradient; decoupled for ADAMW */
    double clip_norm;     /**< clip the gradient to this global norm; 0: off */
    double clip_value;    /**< then clip each element; 0: off */
    double clip_velocity; /**< SGD with momentum: clip each element of the momentum buffer; 0: off */
} lstmae_optimizer_options;

/** PyTorch's defaults of each kind (TensorFlow's for RMSPROP_TF1). */
#define LSTMAE_SGD_OPTIONS_INIT                                                                    \
    { sizeof(lstmae_optimizer_options), LSTMAE_SGD, 0, 0, 1e-3, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
#define LSTMAE_ADAM_OPTIONS_INIT                                                                   \
    { sizeof(lstmae_optimizer_options), LSTMAE_ADAM, 0, 0, 1e-3, 0, 0.9, 0.999, 0, 1e-8, 0, 0, 0, 0 }
#define LSTMAE_ADAMW_OPTIONS_INIT                                                                  \
    { sizeof(lstmae_optimizer_options), LSTMAE_ADAMW, 0, 0, 1e-3, 0, 0.9, 0.999, 0, 1e-8, 1e-2, 0, 0, 0 }
#define LSTMAE_RMSPROP_OPTIONS_INIT                                                                \
    { sizeof(lstmae_optimizer_options), LSTMAE_RMSPROP, 0, 0, 1e-2, 0, 0, 0, 0.99, 1e-8, 0, 0, 0, 0 }
#define LSTMAE_RMSPROP_TF1_OPTIONS_INIT                                                            \
    { sizeof(lstmae_optimizer_options), LSTMAE_RMSPROP_TF1, 0, 0, 1e-3, 0, 0, 0, 0.9, 1e-10, 0, 0, 0, 0 }

/**
 * Makes an optimizer and allocates its moments.
 *
 * @param module  kept alive by a reference; its parameters are those at creation
 * @param options NULL: Adam with its defaults
 * @return OK; ERR_INVALID_ARG naming the option out of range, or for a module without parameters; ERR_NO_MEMORY,
 *         ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_optimizer_create(lstmae_optimizer **out, lstmae_module *module,
                                                 const lstmae_optimizer_options *options);

/** NULL is fine. */
LSTMAE_API void lstmae_optimizer_destroy(lstmae_optimizer *optimizer);

/**
 * Clips as set, updates every parameter, counts one step. Gradients are left as they were before clipping; one that was
 * not written since lstmae_module_zero_grad() is 0. A parameter that no backward has ever reached is left alone, decay
 * included, as PyTorch leaves one whose gradient is None. Asynchronous; after the first call nothing is allocated.
 */
LSTMAE_API lstmae_status lstmae_optimizer_step(lstmae_optimizer *optimizer);

/**
 * As lstmae_optimizer_step(), but where the gradient's global norm is not finite nothing changes, parameters, moments
 * and count included, and ERR_NUMERIC is returned. Waits for the device.
 */
LSTMAE_API lstmae_status lstmae_optimizer_step_guarded(lstmae_optimizer *optimizer);

/** Global norm of the module's gradients now, before clipping; NaN or infinite where they are. Waits for the device. */
LSTMAE_API lstmae_status lstmae_optimizer_grad_norm(lstmae_optimizer *optimizer, double *norm);

/** Sets the rate of the following steps; 0 or more. */
LSTMAE_API lstmae_status lstmae_optimizer_set_lr(lstmae_optimizer *optimizer, double lr);
LSTMAE_API double lstmae_optimizer_lr(const lstmae_optimizer *optimizer);     /**< 0 for NULL */
LSTMAE_API int64_t lstmae_optimizer_steps(const lstmae_optimizer *optimizer); /**< updates made; 0 for NULL */

LSTMAE_END_DECLS

#endif
