/**
 * @file loss.h
 * Losses: value and gradient in one pass.
 */
#ifndef LSTMAE_LOSS_H
#define LSTMAE_LOSS_H

#include <lstmae/tensor.h>

LSTMAE_BEGIN_DECLS

typedef enum lstmae_loss_kind {
    LSTMAE_LOSS_MSE = 0,       /**< (p - t)^2 */
    LSTMAE_LOSS_MAE = 1,       /**< |p - t|; gradient 0 where equal */
    LSTMAE_LOSS_HUBER = 2,     /**< as torch.nn.HuberLoss, with `delta` */
    LSTMAE_LOSS_BCE_LOGITS = 3 /**< cross-entropy of sigmoid(p) against t in [0,1], natural logarithm */
} lstmae_loss_kind;

typedef enum lstmae_reduction {
    LSTMAE_REDUCTION_MEAN = 0,      /**< over elements; with a mask, divided by the mask's sum (0 where that is 0) */
    LSTMAE_REDUCTION_SUM = 1,
    LSTMAE_REDUCTION_BATCH_MEAN = 2 /**< sum over elements, mean over the batch axis */
} lstmae_reduction;

typedef struct lstmae_loss_options {
    uint32_t struct_size;
    int32_t kind;       /**< lstmae_loss_kind */
    int32_t reduction;  /**< lstmae_reduction */
    int32_t batch_axis; /**< which axis BATCH_MEAN divides by: 1 for sequences [T,B,F], 0 for images [B,C,H,W] */
    double delta;       /**< Huber's, above 0 */
} lstmae_loss_options;

#define LSTMAE_LOSS_OPTIONS_INIT { sizeof(lstmae_loss_options), LSTMAE_LOSS_MSE, LSTMAE_REDUCTION_MEAN, 1, 1.0 }

/**
 * @param context its elements may be f32 or f64, whatever the context's own type
 * @param options NULL for defaults
 * @return OK; ERR_INVALID_ARG naming the option out of range; ERR_NO_MEMORY, ERR_DEVICE_MEMORY
 */
LSTMAE_API lstmae_status lstmae_loss_create(lstmae_loss **out, lstmae_context *context,
                                            const lstmae_loss_options *options);

/** Gives up one reference. NULL is fine. */
LSTMAE_API void lstmae_loss_destroy(lstmae_loss *loss);

/**
 * Computes the loss, its gradient, or both.
 *
 * @param pred, target  same shape and element type, any strides
 * @param mask   weight of each element, 0 leaves it out whatever it holds: each axis as pred's, or 1 where it repeats;
 *               NULL: all 1
 * @param value  if not NULL receives the loss, after waiting for the device
 * @param grad   if not NULL receives dvalue/dpred, borrowed until the next call
 * @return OK; ERR_INVALID_ARG; ERR_SHAPE; ERR_DTYPE; ERR_NO_MEMORY, ERR_DEVICE_MEMORY; ERR_DEVICE
 *
 * Asynchronous without `value`, except for the mean over a mask, whose sum is read. After the first call with a shape
 * nothing is allocated. The value may be NaN or infinite where its inputs lead there; that is no error.
 */
LSTMAE_API lstmae_status lstmae_loss_compute(lstmae_loss *loss, const lstmae_tensor *pred, const lstmae_tensor *target,
                                             const lstmae_tensor *mask, double *value, const lstmae_tensor **grad);

LSTMAE_END_DECLS

#endif
