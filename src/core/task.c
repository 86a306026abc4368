/* Objectives that come with the library: a sequence model on (x, target), an autoencoding module on x. */
#include "loss_internal.h"
#include "module_internal.h"
#include "ops.h"
#include "seq2seq_internal.h"

#include <lstmae/train.h>

struct lstmae_task {
    lstmae_context *context;
    lstmae_objective objective;
    lstmae_seq2seq *model; /* a reference; NULL in an autoencoder's task */
    lstmae_module *module; /* a reference; NULL in a sequence model's task */
    lstmae_loss *loss;     /* a reference */
    lstmae_tensor *grad;   /* of the module's output */
    lae_buffer value;      /* one double */
};

/* ---- the steps ---- */

static lstmae_status task_seq2seq_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    const lstmae_task *task = payload;
    (void)train; /* the module's mode says the same */
    return lstmae_seq2seq_step(task->model, task->loss, batch->x, batch->target, scale, loss);
}

static lstmae_status task_autoencoder_backward(lstmae_task *task, lae_loss_use *use, double scale)
{
    LAE_TRY(
        lae_tensor_ensure(&task->grad, task->context, (lstmae_dtype)use->pred->dtype, use->pred->ndim, use->pred->dim));
    use->grad = &task->grad->view;
    use->weight = scale;
    LAE_TRY(lae_loss_apply(task->loss, use));
    lae_tensor_touch(task->grad);
    return lstmae_module_backward(task->module, task->grad, NULL);
}

static lstmae_status task_autoencoder_step(const lstmae_batch *batch, int train, double scale, double *loss,
                                           void *payload)
{
    lstmae_task *task = payload;
    const lstmae_tensor *y;
    LAE_TRY(lstmae_module_forward(task->module, batch->x, &y));
    lae_loss_use use = { .pred = &y->view, .target = &batch->x->view, .mask_sum = -1.0, .value = task->value.data };
    LAE_TRY(lae_op_zero(task->context, task->value.data, LSTMAE_F64, 1));
    if (train)
        LAE_TRY(task_autoencoder_backward(task, &use, scale));
    else
        LAE_TRY(lae_loss_apply(task->loss, &use));
    return lae_op_download(task->context, loss, task->value.data, sizeof *loss);
}

/* ---- lifetime ---- */

static lstmae_status task_new(lstmae_task **out, lstmae_module *module, lstmae_loss *loss, lstmae_step_fn step)
{
    static const lstmae_objective objective = LSTMAE_OBJECTIVE_INIT;
    lstmae_context *context = module->context;
    if (lae_loss_context(loss) != context)
        return LAE_FAIL(ERR_INVALID_ARG, "task: expected model and loss of one context, got two");
    lstmae_task *task = lae_calloc(&context->memory, 1, sizeof *task);
    if (!task) return LAE_FAIL(ERR_NO_MEMORY, "task: no memory for %zu bytes", sizeof *task);
    task->context = lae_context_retain(context);
    task->loss = lae_loss_retain(loss);
    task->objective = objective;
    task->objective.module = module;
    task->objective.step = step;
    task->objective.payload = task;
    lstmae_status status = lae_buffer_reserve(&task->value, context, 1, sizeof(double));
    if (status < 0) {
        lstmae_task_destroy(task);
        return status;
    }
    *out = task;
    return LSTMAE_OK;
}

lstmae_status lstmae_task_seq2seq(lstmae_task **out, lstmae_seq2seq *model, lstmae_loss *loss)
{
    LAE_CHECK_ARG(out != NULL, "task_seq2seq");
    *out = NULL;
    LAE_CHECK_ARG(model != NULL, "task_seq2seq");
    LAE_CHECK_ARG(loss != NULL, "task_seq2seq");
    LAE_TRY(task_new(out, lstmae_seq2seq_module(model), loss, task_seq2seq_step));
    (*out)->model = lae_seq2seq_retain(model);
    return LSTMAE_OK;
}

lstmae_status lstmae_task_autoencoder(lstmae_task **out, lstmae_module *module, lstmae_loss *loss)
{
    LAE_CHECK_ARG(out != NULL, "task_autoencoder");
    *out = NULL;
    LAE_CHECK_ARG(module != NULL, "task_autoencoder");
    LAE_CHECK_ARG(loss != NULL, "task_autoencoder");
    LAE_TRY(task_new(out, module, loss, task_autoencoder_step));
    (*out)->module = lae_module_retain(module);
    return LSTMAE_OK;
}

const lstmae_objective *lstmae_task_objective(const lstmae_task *task)
{
    return task ? &task->objective : NULL;
}

void lstmae_task_destroy(lstmae_task *task)
{
    if (!task) return;
    lstmae_context *context = task->context;
    lstmae_seq2seq_destroy(task->model);
    lstmae_module_destroy(task->module);
    lstmae_loss_destroy(task->loss);
    lstmae_tensor_destroy(task->grad);
    lae_buffer_release(&task->value);
    lae_free(&context->memory, task, sizeof *task);
    lae_context_release(context);
}
