/* What lstmae_fit() knows of an objective that the library made. */
#ifndef LAE_TASK_INTERNAL_H
#define LAE_TASK_INTERNAL_H

#include <lstmae/train.h>

/** The task that the objective belongs to; NULL for a user's. */
lstmae_task *lae_task_of(const lstmae_objective *objective);

/**
 * Whether the loss is finite exactly where its parts are, so that a device can tell: true of float32, whose losses are
 * far from the largest double, with weights that are so too.
 */
int lae_task_parts_tell(const lstmae_task *task);

/** Numbers that the loss is made of. */
int64_t lae_task_part_count(const lstmae_task *task);

/** The step of a batch in training, without waiting for it. *parts receives where they will be, in device memory. */
lstmae_status lae_task_enqueue(lstmae_task *task, const lstmae_batch *batch, double scale, const double **parts);

/** The loss of the last step from its parts. */
double lae_task_loss(const lstmae_task *task, const double *parts);

#endif
