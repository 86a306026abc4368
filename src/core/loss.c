/*
 * Losses. With l the loss of an element, m its mask (1 without one), n the number of elements and B the batch size:
 *
 *   SUM         sum(m l)
 *   MEAN        sum(m l) / n, with a mask sum(m l) / sum(m), or 0 where that divides by 0
 *   BATCH_MEAN  sum(m l) / B
 *
 * The factor before the sum multiplies the gradient too, so that one pass of the backend makes both.
 */
#include "loss_internal.h"

#include "buffer.h"
#include "ops.h"
#include "options.h"

#include <math.h>

/* Device memory of a loss. The constants are viewed with strides of 0, to sum a mask in double: see loss_mask_sum(). */
typedef struct loss_device {
    double value, mask_sum;
    double zero, one;
    float zero_f32, one_f32;
} loss_device;

struct lstmae_loss {
    atomic_int references;
    lstmae_context *context;
    lstmae_loss_options options;
    lae_buffer device; /* one loss_device */
    lstmae_tensor *grad;
};

static const int loss_ops[] = { LSTMAE_LOSS_OP_MSE, LSTMAE_LOSS_OP_MAE, LSTMAE_LOSS_OP_HUBER,
                                LSTMAE_LOSS_OP_BCE_LOGITS };

/* ---- lifetime ---- */

static lstmae_status loss_check_options(const lstmae_loss_options *options)
{
    if (options->kind < LSTMAE_LOSS_MSE || options->kind > LSTMAE_LOSS_BCE_LOGITS)
        return LAE_FAIL(ERR_INVALID_ARG, "loss: expected kind in [0,3], got %d", options->kind);
    if (options->reduction < LSTMAE_REDUCTION_MEAN || options->reduction > LSTMAE_REDUCTION_BATCH_MEAN)
        return LAE_FAIL(ERR_INVALID_ARG, "loss: expected reduction in [0,2], got %d", options->reduction);
    if (options->batch_axis < 0 || options->batch_axis >= LSTMAE_MAX_DIMS)
        return LAE_FAIL(ERR_INVALID_ARG, "loss: expected batch_axis in [0,%d], got %d", LSTMAE_MAX_DIMS - 1,
                        options->batch_axis);
    if (!(options->delta > 0.0) || !isfinite(options->delta))
        return LAE_FAIL(ERR_INVALID_ARG, "loss: expected delta above 0, got %g", options->delta);
    return LSTMAE_OK;
}

static lstmae_status loss_init_device(lstmae_loss *loss)
{
    loss_device content = { .zero = 0.0, .one = 1.0, .zero_f32 = 0.0f, .one_f32 = 1.0f };
    LAE_TRY(lae_buffer_reserve(&loss->device, loss->context, 1, sizeof content));
    return lae_op_upload(loss->context, loss->device.data, &content, sizeof content);
}

lstmae_status lstmae_loss_create(lstmae_loss **out, lstmae_context *context, const lstmae_loss_options *options)
{
    static const lstmae_loss_options defaults = LSTMAE_LOSS_OPTIONS_INIT;
    lstmae_loss_options read;
    LAE_CHECK_ARG(out != NULL, "loss_create");
    *out = NULL;
    LAE_CHECK_ARG(context != NULL, "loss_create");
    LAE_TRY(lae_options_read(&read, &defaults, sizeof read, options, sizeof read, "loss options"));
    LAE_TRY(loss_check_options(&read));

    lstmae_loss *loss = lae_calloc(&context->memory, 1, sizeof *loss);
    if (!loss) return LAE_FAIL(ERR_NO_MEMORY, "loss: no memory for %zu bytes", sizeof *loss);
    atomic_init(&loss->references, 1);
    loss->context = lae_context_retain(context);
    loss->options = read;
    lstmae_status status = loss_init_device(loss);
    if (status < 0) {
        lstmae_loss_destroy(loss);
        return status;
    }
    *out = loss;
    return LSTMAE_OK;
}

lstmae_loss *lae_loss_retain(lstmae_loss *loss)
{
    atomic_fetch_add_explicit(&loss->references, 1, memory_order_relaxed);
    return loss;
}

void lstmae_loss_destroy(lstmae_loss *loss)
{
    if (!loss || atomic_fetch_sub_explicit(&loss->references, 1, memory_order_acq_rel) != 1) return;
    lstmae_context *context = loss->context;
    lstmae_tensor_destroy(loss->grad);
    lae_buffer_release(&loss->device);
    lae_free(&context->memory, loss, sizeof *loss);
    lae_context_release(context);
}

lstmae_context *lae_loss_context(const lstmae_loss *loss)
{
    return loss->context;
}

/* ---- use ---- */

static lstmae_status loss_check_views(const lstmae_loss *loss, const lae_loss_use *use)
{
    char got[LAE_SHAPE_TEXT], wanted[LAE_SHAPE_TEXT];
    const lstmae_view *pred = use->pred, *target = use->target, *mask = use->mask;
    lae_shape_text(wanted, sizeof wanted, pred);
    if (pred->dtype != LSTMAE_F32 && pred->dtype != LSTMAE_F64)
        return LAE_FAIL(ERR_DTYPE, "loss: expected pred of f32 or f64, got %s", lae_dtype_name(pred->dtype));
    if (target->dtype != pred->dtype || (mask && mask->dtype != pred->dtype))
        return LAE_FAIL(ERR_DTYPE, "loss: expected target and mask of pred's %s, got %s and %s",
                        lae_dtype_name(pred->dtype), lae_dtype_name(target->dtype),
                        mask ? lae_dtype_name(mask->dtype) : "none");
    if (!lae_view_same_shape(pred, target))
        return LAE_FAIL(ERR_SHAPE, "loss: expected target of pred's shape %s, got %s", wanted,
                        lae_shape_text(got, sizeof got, target));
    int fits = !mask || mask->ndim == pred->ndim;
    for (int i = 0; fits && mask && i < pred->ndim; i++) fits = mask->dim[i] == pred->dim[i] || mask->dim[i] == 1;
    if (!fits)
        return LAE_FAIL(ERR_SHAPE, "loss: expected mask of pred's shape %s, or 1 where it repeats, got %s", wanted,
                        lae_shape_text(got, sizeof got, mask));
    if (loss->options.reduction == LSTMAE_REDUCTION_BATCH_MEAN && loss->options.batch_axis >= pred->ndim)
        return LAE_FAIL(ERR_SHAPE, "loss: expected an axis %d to take the batch's mean over, got %s",
                        loss->options.batch_axis, wanted);
    return LSTMAE_OK;
}

static lstmae_view loss_repeat_mask(const lstmae_view *mask, const lstmae_view *pred)
{
    lstmae_view repeated = *mask;
    for (int i = 0; i < pred->ndim; i++) {
        if (mask->dim[i] == pred->dim[i]) continue;
        repeated.dim[i] = pred->dim[i];
        repeated.stride[i] = 0;
    }
    return repeated;
}

static double *loss_slot(const lstmae_loss *loss, size_t offset)
{
    return (double *)(void *)((char *)loss->device.data + offset);
}

static lstmae_view loss_constant(const lstmae_loss *loss, const lstmae_view *shape, size_t offset)
{
    lstmae_view view = *shape;
    view.data = (char *)loss->device.data + offset;
    for (int i = 0; i < view.ndim; i++) view.stride[i] = 0;
    return view;
}

/* sum(m) = sum(m |1 - 0|): the backend's loss adds in double and in a fixed order, which its reductions need not. */
static lstmae_status loss_mask_sum(const lstmae_loss *loss, const lstmae_view *mask, double *sum)
{
    int wide = mask->dtype == LSTMAE_F64;
    lstmae_loss_args args = { .struct_size = sizeof args, .op = LSTMAE_LOSS_OP_MAE };
    args.pred = loss_constant(loss, mask, wide ? offsetof(loss_device, one) : offsetof(loss_device, one_f32));
    args.target = loss_constant(loss, mask, wide ? offsetof(loss_device, zero) : offsetof(loss_device, zero_f32));
    args.mask = mask;
    args.delta = 1.0;
    args.scale = 1.0;
    args.value = loss_slot(loss, offsetof(loss_device, mask_sum));
    LAE_TRY(lae_op_zero(loss->context, args.value, LSTMAE_F64, 1));
    LAE_TRY(lae_op_loss(loss->context, &args));
    return lae_op_download(loss->context, sum, args.value, sizeof *sum);
}

/* The factor before the sum. */
static lstmae_status loss_factor(const lstmae_loss *loss, const lae_loss_use *use, const lstmae_view *mask,
                                 double *factor)
{
    double divisor = 1.0;
    if (loss->options.reduction == LSTMAE_REDUCTION_BATCH_MEAN) {
        divisor = (double)use->pred->dim[loss->options.batch_axis];
    } else if (loss->options.reduction == LSTMAE_REDUCTION_MEAN && !mask) {
        divisor = (double)lae_view_numel(use->pred);
    } else if (loss->options.reduction == LSTMAE_REDUCTION_MEAN) {
        divisor = use->mask_sum;
        if (divisor < 0.0) LAE_TRY(loss_mask_sum(loss, mask, &divisor));
    }
    *factor = divisor == 0.0 ? 0.0 : 1.0 / divisor;
    return LSTMAE_OK;
}

lstmae_status lae_loss_apply(lstmae_loss *loss, const lae_loss_use *use)
{
    LAE_TRY(loss_check_views(loss, use));
    lstmae_view mask;
    lstmae_loss_args args = { .struct_size = sizeof args, .op = loss_ops[loss->options.kind] };
    if (use->mask) {
        mask = loss_repeat_mask(use->mask, use->pred);
        args.mask = &mask;
    }
    args.pred = *use->pred;
    args.target = *use->target;
    args.grad = use->grad;
    args.delta = loss->options.delta;
    LAE_TRY(loss_factor(loss, use, args.mask, &args.scale));
    args.grad_scale = use->weight * args.scale;
    args.value = use->value;
    return lae_op_loss(loss->context, &args);
}

static lstmae_status loss_check_contexts(const lstmae_loss *loss, const lstmae_tensor *pred,
                                         const lstmae_tensor *target, const lstmae_tensor *mask)
{
    const lstmae_context *context = loss->context;
    if (pred->storage->context != context || target->storage->context != context ||
        (mask && mask->storage->context != context))
        return LAE_FAIL(ERR_INVALID_ARG, "loss_compute: expected tensors of the loss's context, got another's");
    return LSTMAE_OK;
}

lstmae_status lstmae_loss_compute(lstmae_loss *loss, const lstmae_tensor *pred, const lstmae_tensor *target,
                                  const lstmae_tensor *mask, double *value, const lstmae_tensor **grad)
{
    LAE_CHECK_ARG(loss != NULL, "loss_compute");
    LAE_CHECK_ARG(pred != NULL, "loss_compute");
    LAE_CHECK_ARG(target != NULL, "loss_compute");
    LAE_TRY(loss_check_contexts(loss, pred, target, mask));
    lae_loss_use use = { .pred = &pred->view, .target = &target->view, .weight = 1.0, .mask_sum = -1.0 };
    if (mask) use.mask = &mask->view;
    LAE_TRY(loss_check_views(loss, &use));
    if (grad) {
        LAE_TRY(lae_tensor_ensure(&loss->grad, loss->context, (lstmae_dtype)pred->view.dtype, pred->view.ndim,
                                  pred->view.dim));
        use.grad = &loss->grad->view;
    }
    use.value = loss_slot(loss, offsetof(loss_device, value));
    LAE_TRY(lae_op_zero(loss->context, use.value, LSTMAE_F64, 1));
    LAE_TRY(lae_loss_apply(loss, &use));
    if (value) LAE_TRY(lae_op_download(loss->context, value, use.value, sizeof *value));
    if (grad) {
        lae_tensor_touch(loss->grad);
        *grad = loss->grad;
    }
    return LSTMAE_OK;
}
