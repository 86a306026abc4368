/* Trainings around lstmae_fit(): the layers of a stacked autoencoder, and the parts of an autoencoder's objective. */
#include "autoencoder_internal.h"
#include "loss_internal.h"
#include "options.h"

#include <lstmae/train.h>

/* ---- layer after layer ---- */

typedef struct pretrain_run {
    lstmae_autoencoder *autoencoder;
    lstmae_loss *loss;
    lstmae_loader *loader;
    lstmae_pretrain_options options;
    lstmae_fit_options fit;
    size_t layer;
} pretrain_run;

static int pretrain_event(const lstmae_fit_event *event, void *payload)
{
    const pretrain_run *run = payload;
    return run->options.callback(run->layer, event, run->options.payload);
}

static lstmae_status pretrain_layer(pretrain_run *run)
{
    lstmae_module *layer = lstmae_autoencoder_module(run->autoencoder->layers[run->layer]);
    lstmae_optimizer *optimizer = NULL;
    lstmae_schedule *schedule = NULL;
    lstmae_task *task = NULL;
    lstmae_status status;
    LAE_TRY_DONE(lstmae_task_autoencoder_layer(&task, run->autoencoder, run->layer, run->loss));
    LAE_TRY_DONE(lstmae_optimizer_create(&optimizer, layer, run->options.optimizer));
    if (run->options.schedule) LAE_TRY_DONE(lstmae_schedule_create(&schedule, run->options.schedule));
    run->fit.schedule = schedule;
    status = lstmae_fit(lstmae_task_objective(task), run->loader, optimizer, &run->fit, NULL);
done:
    lstmae_task_destroy(task);
    lstmae_schedule_destroy(schedule);
    lstmae_optimizer_destroy(optimizer);
    return status;
}

static lstmae_status pretrain_read_options(pretrain_run *run, const lstmae_pretrain_options *options)
{
    static const lstmae_pretrain_options defaults = LSTMAE_PRETRAIN_OPTIONS_INIT;
    static const lstmae_fit_options fit = LSTMAE_FIT_OPTIONS_INIT;
    lstmae_pretrain_options *o = &run->options;
    LAE_TRY(lae_options_read(o, &defaults, sizeof *o, options, sizeof *o, "pretrain options"));
    LAE_TRY(lae_options_read(&run->fit, &fit, sizeof run->fit, o->fit, sizeof run->fit, "fit options"));
    if (o->flags) return LAE_FAIL(ERR_UNSUPPORTED, "pretrain options: unknown flags 0x%x", o->flags);
    if (run->fit.schedule || run->fit.callback)
        return LAE_FAIL(ERR_INVALID_ARG, "pretrain options: expected fit without schedule and callback, got one");
    if (o->first < 0 || (uint64_t)o->first >= run->autoencoder->layer_count)
        return LAE_FAIL(ERR_INVALID_ARG, "pretrain options: expected first in [0,%zu), got %lld",
                        run->autoencoder->layer_count, (long long)o->first);
    run->fit.callback = o->callback ? pretrain_event : NULL;
    run->fit.payload = run;
    return LSTMAE_OK;
}

lstmae_status lstmae_pretrain(lstmae_autoencoder *autoencoder, lstmae_loss *loss, lstmae_loader *train,
                              const lstmae_pretrain_options *options)
{
    pretrain_run run = { .autoencoder = autoencoder, .loss = loss, .loader = train };
    LAE_CHECK_ARG(autoencoder != NULL, "pretrain");
    LAE_CHECK_ARG(loss != NULL, "pretrain");
    LAE_CHECK_ARG(train != NULL, "pretrain");
    if (autoencoder->layer_count == 0) return LAE_FAIL(ERR_STATE, "pretrain: the autoencoder is not stacked");
    LAE_TRY(pretrain_read_options(&run, options));
    for (run.layer = (size_t)run.options.first; run.layer < autoencoder->layer_count; run.layer++)
        LAE_TRY(pretrain_layer(&run));
    return LSTMAE_OK;
}

/* ---- parts of the objective ---- */

typedef struct evaluate_run {
    lstmae_autoencoder *autoencoder;
    lstmae_loss *loss;
    double reconstruction, kl, items; /* sums over the items so far */
} evaluate_run;

static lstmae_status evaluate_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    evaluate_run *run = payload;
    double reconstruction, kl;
    (void)train;
    LAE_TRY(lae_autoencoder_step(run->autoencoder, run->loss, batch->x, batch->index, scale, loss));
    LAE_TRY(lstmae_autoencoder_parts(run->autoencoder, &reconstruction, &kl));
    run->reconstruction += reconstruction * (double)batch->count;
    run->kl += kl * (double)batch->count;
    run->items += (double)batch->count;
    return LSTMAE_OK;
}

lstmae_status lstmae_autoencoder_evaluate(lstmae_autoencoder *autoencoder, lstmae_loss *loss, lstmae_loader *loader,
                                          int64_t batches, double *reconstruction, double *kl)
{
    evaluate_run run = { autoencoder, loss, 0.0, 0.0, 0.0 };
    lstmae_objective objective = LSTMAE_OBJECTIVE_INIT;
    double value;
    LAE_CHECK_ARG(autoencoder != NULL, "autoencoder_evaluate");
    LAE_CHECK_ARG(loss != NULL, "autoencoder_evaluate");
    if (lae_loss_context(loss) != autoencoder->base.context)
        return LAE_FAIL(ERR_INVALID_ARG, "autoencoder_evaluate: the loss belongs to another context");
    objective.module = &autoencoder->base;
    objective.step = evaluate_step;
    objective.payload = &run;
    LAE_TRY(lstmae_evaluate(&objective, loader, batches, &value));
    if (reconstruction) *reconstruction = run.reconstruction / run.items;
    if (kl) *kl = run.kl / run.items;
    return LSTMAE_OK;
}
