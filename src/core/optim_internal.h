/* What a training and a checkpoint need of an optimizer beyond optim.h. */
#ifndef LAE_OPTIM_INTERNAL_H
#define LAE_OPTIM_INTERNAL_H

#include <lstmae/optim.h>

/**
 * lstmae_optimizer_step_guarded() without waiting: *norm_sq, in device memory, receives the sum of the gradients'
 * squares, and nothing is updated unless that and `count` numbers at `guard`, there too, are finite. Once that is known
 * lae_optimizer_count_step() counts the step. guard NULL: lstmae_optimizer_step(); *norm_sq is undefined.
 */
lstmae_status lae_optimizer_enqueue(lstmae_optimizer *optimizer, const double *guard, int64_t count, double *norm_sq);
void lae_optimizer_count_step(lstmae_optimizer *optimizer);

/** Number of moment tensors: those a kind uses times the parameters. May be 0. */
size_t lae_optimizer_slot_count(const lstmae_optimizer *optimizer);

/**
 * Moment tensor i in [0, count).
 *
 * @param name   receives "optimizer.exp_avg.<parameter>" and such, PyTorch's names of the moments; ERR_INTERNAL where
 *               `name_size` is too small. NULL: not wanted
 * @param tensor receives the tensor, borrowed, shaped as its parameter. NULL: not wanted
 */
lstmae_status lae_optimizer_slot(lstmae_optimizer *optimizer, size_t i, char *name, size_t name_size,
                                 lstmae_tensor **tensor);

/** Sets the number of updates made; 0 or more. */
void lae_optimizer_set_steps(lstmae_optimizer *optimizer, int64_t steps);

/** "sgd", "adam", "adamw", "rmsprop" or "rmsprop_tf1"; static. */
const char *lae_optimizer_kind_name(const lstmae_optimizer *optimizer);

#endif
