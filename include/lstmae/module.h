/**
 * @file module.h
 * Anything with parameters, a forward and a backward pass.
 */
#ifndef LSTMAE_MODULE_H
#define LSTMAE_MODULE_H

#include <lstmae/tensor.h>

LSTMAE_BEGIN_DECLS

/** Gives up one reference. NULL is fine. */
LSTMAE_API void lstmae_module_destroy(lstmae_module *module);

/**
 * Runs the module.
 *
 * @param input  same device and element type as the module; read again by backward, so it must not change until then
 * @param output if not NULL receives the result, borrowed until the module's next forward or its destruction
 * @return OK; ERR_SHAPE, ERR_DTYPE; ERR_NO_MEMORY or ERR_DEVICE_MEMORY; ERR_DEVICE
 *
 * Asynchronous. After the first call with a shape nothing is allocated.
 */
LSTMAE_API lstmae_status lstmae_module_forward(lstmae_module *module, const lstmae_tensor *input,
                                               const lstmae_tensor **output);

/**
 * Adds the parameters' gradients of sum(output * grad_output) to what they hold.
 *
 * @param grad_output shaped as the last output, which must have been computed in training mode
 * @param grad_input  if not NULL receives the gradient of the input, borrowed as the output is; NULL skips its work
 * @return OK; ERR_STATE without such a forward, or a second time after one; else as forward
 */
LSTMAE_API lstmae_status lstmae_module_backward(lstmae_module *module, const lstmae_tensor *grad_output,
                                                const lstmae_tensor **grad_input);

/**
 * Shape of the output for an input of shape `dims`, without running anything.
 *
 * @param out_dims room for LSTMAE_MAX_DIMS sizes
 * @return OK; ERR_SHAPE as forward would; ERR_INVALID_ARG; ERR_STATE for a seq2seq, whose outputs are several
 */
LSTMAE_API lstmae_status lstmae_module_output_shape(const lstmae_module *module, int ndim, const int64_t *dims,
                                                    int *out_ndim, int64_t *out_dims);

/**
 * A table of the layers that an input of shape `dims` passes through: what each is, the shape that leaves it, its
 * parameters; then all parameters, and the memory that they and the outputs take. Nothing is run. Lines end with "\n".
 *
 * @param text   room for `size` bytes: the text is cut to fit, and ends with a 0; NULL where size is 0
 * @param length if not NULL receives the length of the whole text, without the 0
 * @return OK, also where the text was cut; else as lstmae_module_output_shape()
 */
LSTMAE_API lstmae_status lstmae_module_summary(const lstmae_module *module, int ndim, const int64_t *dims, char *text,
                                               size_t size, size_t *length);

/** Training mode (1, the default) applies dropout and keeps what backward needs; inference mode (0) does neither. */
LSTMAE_API lstmae_status lstmae_module_set_training(lstmae_module *module, int training);
LSTMAE_API int lstmae_module_training(const lstmae_module *module);

/** Number of parameters, in the order of PyTorch's state_dict(). */
LSTMAE_API size_t lstmae_module_param_count(const lstmae_module *module);

/** Name of parameter `index`, "weight_ih_l0"; valid as long as the module; NULL out of range. */
LSTMAE_API const char *lstmae_module_param_name(const lstmae_module *module, size_t index);

/** Parameter by index, or its gradient (zeros before the first backward); borrowed; NULL out of range. */
LSTMAE_API lstmae_tensor *lstmae_module_param(lstmae_module *module, size_t index);
LSTMAE_API lstmae_tensor *lstmae_module_param_grad(lstmae_module *module, size_t index);

/** Index of the parameter called `name`, or ERR_NOT_FOUND. */
LSTMAE_API lstmae_status lstmae_module_param_index(const lstmae_module *module, const char *name, size_t *index);

/**
 * Buffers: state that is not learned, such as the running statistics of batch norm, in the order of PyTorch's
 * state_dict(). Checkpoints hold them beside the parameters, optimizers leave them alone. Names are valid as long as
 * the module, tensors are borrowed; NULL out of range.
 */
LSTMAE_API size_t lstmae_module_buffer_count(const lstmae_module *module);
LSTMAE_API const char *lstmae_module_buffer_name(const lstmae_module *module, size_t index);
LSTMAE_API lstmae_tensor *lstmae_module_buffer(lstmae_module *module, size_t index);

/** Sets all gradients to zero: the next backward overwrites them instead of adding. */
LSTMAE_API lstmae_status lstmae_module_zero_grad(lstmae_module *module);

/** Elements in all parameters together. */
LSTMAE_API int64_t lstmae_module_param_elements(const lstmae_module *module);

LSTMAE_API lstmae_context *lstmae_module_context(const lstmae_module *module); /**< borrowed */

LSTMAE_END_DECLS

#endif
