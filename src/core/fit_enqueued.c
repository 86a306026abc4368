#include "fit_enqueued.h"

#include "ops.h"
#include "optim_internal.h"
#include "task_internal.h"

#include <math.h>

static size_t enqueued_bytes(const lstmae_task *task)
{
    return (1 + (size_t)lae_task_part_count(task)) * sizeof(double);
}

lstmae_status lae_fit_enqueued_open(lae_fit_enqueued *enqueued, const lstmae_objective *objective,
                                    lstmae_optimizer *optimizer)
{
    lstmae_context *context = objective->module->context;
    lstmae_task *task = lae_task_of(objective);
    if (!task || !lae_op_captures(context)) return LSTMAE_OK;
    LAE_TRY(lae_buffer_reserve(&enqueued->results, context, enqueued_bytes(task), 1));
    if (!lae_staging_init(&enqueued->received, context, enqueued_bytes(task)))
        return LAE_FAIL(ERR_NO_MEMORY, "fit: no memory for %zu bytes of results", enqueued_bytes(task));
    LAE_TRY(lae_replay_create(&enqueued->replay, context));
    enqueued->task = task;
    enqueued->optimizer = optimizer;
    return LSTMAE_OK;
}

void lae_fit_enqueued_close(lae_fit_enqueued *enqueued)
{
    lae_replay_destroy(enqueued->replay);
    lae_staging_release(&enqueued->received);
    lae_buffer_release(&enqueued->results);
}

int lae_fit_enqueues(const lae_fit_enqueued *enqueued)
{
    const lstmae_task *task = enqueued->task;
    return task && lae_task_parts_tell(task) && enqueued_bytes(task) == enqueued->received.bytes;
}

/* All of the update, and its results side by side. */
static lstmae_status enqueued_calls(const lae_fit_enqueued *enqueued, lae_fit_update *update)
{
    const lstmae_objective *objective = update->objective;
    const int64_t count = lae_task_part_count(enqueued->task);
    double *results = enqueued->results.data;
    const double *parts;
    LAE_TRY(lae_fit_state_begin_update(update->state, objective->module));
    update->begun = 1;
    if (objective->update) objective->update(lstmae_fit_state_iteration(update->state), objective->payload);
    LAE_TRY(lstmae_module_zero_grad(objective->module));
    LAE_TRY(lae_task_enqueue(enqueued->task, update->batch, 1.0, &parts));
    LAE_TRY(lae_optimizer_enqueue(enqueued->optimizer, update->guarded ? parts : NULL, count, results));
    lstmae_view from = lae_view_of((void *)(uintptr_t)parts, LSTMAE_F64, 1, &count);
    lstmae_view to = lae_view_of(results + 1, LSTMAE_F64, 1, &count);
    return lae_op_copy(objective->module->context, &to, &from);
}

/* What was to be prepared of the weights may not have been. */
static void enqueued_forget(lstmae_module *module)
{
    for (size_t i = 0; i < module->params.count; i++) lae_tensor_touch(lae_module_param_at(module, i)->value);
}

lstmae_status lae_fit_enqueued_update(lae_fit_enqueued *enqueued, lae_fit_update *update, double *loss, int *finite)
{
    const double *received = enqueued->received.data;
    lae_replay_begin(enqueued->replay);
    lstmae_status status = lae_replay_end(enqueued->replay, enqueued_calls(enqueued, update));
    if (status < 0) enqueued_forget(update->objective->module);
    LAE_TRY(status);
    LAE_TRY(lae_op_download(update->objective->module->context, enqueued->received.data, enqueued->results.data,
                            enqueued->received.bytes));
    *loss = lae_task_loss(enqueued->task, received + 1);
    *finite = !update->guarded || (isfinite(*loss) && isfinite(received[0]));
    if (*finite) lae_optimizer_count_step(enqueued->optimizer);
    return LSTMAE_OK;
}
