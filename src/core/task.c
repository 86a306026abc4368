/* Objectives that come with the library: a sequence model on (x, target), an autoencoder or one of its layers on x. */
#include "autoencoder_internal.h"
#include "loss_internal.h"
#include "ops.h"
#include "seq2seq_internal.h"
#include "task_internal.h"

struct lstmae_task {
    lstmae_context *context;
    lstmae_objective objective;
    lstmae_module *module;           /* a reference */
    lstmae_seq2seq *model;           /* what `module` is, borrowed; else NULL */
    lstmae_autoencoder *autoencoder; /* what `module` is, borrowed; else NULL */
    size_t layer;                    /* of the autoencoder, in a layer's task */
    lstmae_loss *loss;               /* a reference */
    lae_autoencoding memory;         /* of the steps of other modules */
};

/* ---- the steps ---- */

static lstmae_status task_seq2seq_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    const lstmae_task *task = payload;
    (void)train; /* the module's mode says the same */
    return lae_seq2seq_step(task->model, task->loss, batch->x, batch->target, batch->index, scale, loss);
}

static void task_seq2seq_update(int64_t update, void *payload)
{
    lae_latent_warm_up(((const lstmae_task *)payload)->model->latent, update);
}

static lstmae_status task_module_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    lstmae_task *task = payload;
    (void)train;
    LAE_TRY(lae_autoencode(&task->memory, task->module, task->loss, batch->x, scale));
    return lae_op_download(task->context, loss, task->memory.values.data, sizeof *loss);
}

static lstmae_status task_autoencoder_step(const lstmae_batch *batch, int train, double scale, double *loss,
                                           void *payload)
{
    const lstmae_task *task = payload;
    (void)train;
    return lae_autoencoder_step(task->autoencoder, task->loss, batch->x, batch->index, scale, loss);
}

static void task_autoencoder_update(int64_t update, void *payload)
{
    lae_latent_warm_up(((const lstmae_task *)payload)->autoencoder->latent, update);
}

static lstmae_status task_layer_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    const lstmae_task *task = payload;
    (void)train;
    return lae_autoencoder_layer_step(task->autoencoder, task->layer, task->loss, batch->x, batch->index, scale, loss);
}

/* ---- steps without waiting ---- */

/* Weights of parts that cannot take a sum of float32 losses beyond the largest double. */
#define TASK_MOST_WEIGHT 1e100

lstmae_task *lae_task_of(const lstmae_objective *objective)
{
    const lstmae_step_fn step = objective->step;
    if (step != task_seq2seq_step && step != task_module_step && step != task_autoencoder_step &&
        step != task_layer_step)
        return NULL;
    lstmae_task *task = objective->payload;
    return task->module == objective->module ? task : NULL;
}

/* The autoencoder whose step it is; NULL for other modules. */
static lstmae_autoencoder *task_stepped(const lstmae_task *task)
{
    if (task->objective.step != task_layer_step) return task->autoencoder;
    return task->autoencoder->layers[task->layer];
}

static int task_latent_tells(const lae_latent *latent)
{
    return !latent || (latent->weight <= TASK_MOST_WEIGHT && latent->options.beta <= TASK_MOST_WEIGHT);
}

int lae_task_parts_tell(const lstmae_task *task)
{
    if (task->context->dtype != LSTMAE_F32) return 0;
    if (!task->model) return !task->autoencoder || task_latent_tells(task_stepped(task)->latent);
    for (int i = 0; i < task->model->count; i++)
        if (!(task->model->decoders[i].options.weight <= TASK_MOST_WEIGHT)) return 0;
    return task_latent_tells(task->model->latent);
}

int64_t lae_task_part_count(const lstmae_task *task)
{
    return task->model ? task->model->count + 1 : 2;
}

lstmae_status lae_task_enqueue(lstmae_task *task, const lstmae_batch *batch, double scale, const double **parts)
{
    const lae_autoencoding *step = &task->memory;
    if (task->model || task->autoencoder) LAE_TRY(task->objective.step(batch, 1, scale, NULL, task));
    else LAE_TRY(lae_autoencode(&task->memory, task->module, task->loss, batch->x, scale));
    if (task->autoencoder) step = &task_stepped(task)->step;
    *parts = task->model ? task->model->losses->view.data : step->values.data;
    return LSTMAE_OK;
}

double lae_task_loss(const lstmae_task *task, const double *parts)
{
    if (task->model) return lae_seq2seq_loss(task->model, parts);
    return task->autoencoder ? lae_autoencoder_loss(task_stepped(task), parts) : parts[0];
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
    task->module = lae_module_retain(module);
    task->loss = lae_loss_retain(loss);
    task->objective = objective;
    task->objective.module = module;
    task->objective.step = step;
    task->objective.payload = task;
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
    (*out)->model = model;
    (*out)->objective.update = task_seq2seq_update;
    return LSTMAE_OK;
}

lstmae_status lstmae_task_autoencoder(lstmae_task **out, lstmae_module *module, lstmae_loss *loss)
{
    LAE_CHECK_ARG(out != NULL, "task_autoencoder");
    *out = NULL;
    LAE_CHECK_ARG(module != NULL, "task_autoencoder");
    LAE_CHECK_ARG(loss != NULL, "task_autoencoder");
    lstmae_autoencoder *autoencoder = lae_autoencoder_of(module);
    LAE_TRY(task_new(out, module, loss, autoencoder ? task_autoencoder_step : task_module_step));
    (*out)->autoencoder = autoencoder;
    if (autoencoder) (*out)->objective.update = task_autoencoder_update;
    return LSTMAE_OK;
}

lstmae_status lstmae_task_autoencoder_layer(lstmae_task **out, lstmae_autoencoder *autoencoder, size_t layer,
                                            lstmae_loss *loss)
{
    LAE_CHECK_ARG(out != NULL, "task_autoencoder_layer");
    *out = NULL;
    LAE_CHECK_ARG(autoencoder != NULL, "task_autoencoder_layer");
    LAE_CHECK_ARG(loss != NULL, "task_autoencoder_layer");
    if (layer >= autoencoder->layer_count)
        return LAE_FAIL(ERR_INVALID_ARG, "task_autoencoder_layer: expected a layer below %zu, got %zu",
                        autoencoder->layer_count, layer);
    LAE_TRY(task_new(out, &autoencoder->base, loss, task_layer_step));
    (*out)->autoencoder = autoencoder;
    (*out)->layer = layer;
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
    lstmae_module_destroy(task->module);
    lstmae_loss_destroy(task->loss);
    lae_autoencoding_release(&task->memory);
    lae_free(&context->memory, task, sizeof *task);
    lae_context_release(context);
}
