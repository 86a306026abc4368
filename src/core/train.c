/*
 * The training loop. One update:
 *
 *   1. take up to `accumulate` batches of one epoch, add their gradients divided by their number
 *   2. the schedule's rate for update number `iteration`, optimizer step, iteration + 1
 *   3. where one is due, a validation
 *
 * An update whose loss or gradient is not finite is left out: weights, buffers, moments, counters and random numbers
 * are as if its batches had not been there. An update that fails or is cut short by an error gives its batches back. So
 * between two updates the state, the loader's position and the objects agree, and a training that is resumed from there
 * takes the same way. A validation that is due but was not finished is made up for when the training goes on.
 */
#include "fit_enqueued.h"
#include "fit_state.h"
#include "options.h"

#include <math.h>
#include <time.h>

typedef struct fit_run {
    lstmae_objective objective;
    lstmae_fit_options options;
    lstmae_loader *loader;
    lstmae_optimizer *optimizer;
    lstmae_fit_state *state;
    lstmae_context *context;
    lae_fit_enqueued enqueued;
    double started; /* seconds of a clock that never jumps */
    double loss;    /* of the last update's batches */
} fit_run;

/* ---- evaluation ---- */

/* The next batch, over the end of an epoch too. */
static lstmae_status fit_next_batch(lstmae_loader *loader, lstmae_batch *batch)
{
    int got = lstmae_loader_next(loader, batch);
    if (got == 0) got = lstmae_loader_next(loader, batch);
    if (got == 0) return LAE_FAIL(ERR_STATE, "fit: expected a loader with batches, got an empty epoch");
    return got < 0 ? got : LSTMAE_OK;
}

static lstmae_status fit_mean_loss(const lstmae_objective *objective, lstmae_loader *loader, int64_t batches,
                                   const lstmae_context *watched, double *mean)
{
    double sum = 0.0, items = 0.0;
    for (int64_t i = 0; i < batches; i++) {
        lstmae_batch batch = LSTMAE_BATCH_INIT;
        double loss = NAN;
        if (lstmae_context_stop_requested(watched))
            return LAE_FAIL(ERR_CANCELLED, "fit: stopped on request during a validation");
        LAE_TRY(fit_next_batch(loader, &batch));
        LAE_TRY(objective->step(&batch, 0, 1.0, &loss, objective->payload));
        sum += loss * (double)batch.count;
        items += (double)batch.count;
    }
    *mean = sum / items;
    return LSTMAE_OK;
}

/* From the loader's first batch; mode and position are as before afterwards. */
static lstmae_status fit_evaluate(const lstmae_objective *objective, lstmae_loader *loader, int64_t batches,
                                  const lstmae_context *watched, double *mean)
{
    int training = lstmae_module_training(objective->module);
    int64_t epoch, batch;
    if (batches == 0) batches = lstmae_loader_batches(loader);
    if (batches == 0) return LAE_FAIL(ERR_STATE, "evaluate: expected a loader with batches, got an empty epoch");
    LAE_TRY(lstmae_loader_position(loader, &epoch, &batch));
    if (epoch != 0 || batch != 0) LAE_TRY(lstmae_loader_seek(loader, 0, 0));
    lstmae_status status = lstmae_module_set_training(objective->module, 0);
    if (status == LSTMAE_OK) status = fit_mean_loss(objective, loader, batches, watched, mean);
    lstmae_status mode = lstmae_module_set_training(objective->module, training);
    lstmae_status place = lstmae_loader_seek(loader, epoch, batch);
    if (status == LSTMAE_OK) status = mode;
    return status == LSTMAE_OK ? place : status;
}

static lstmae_status fit_read_objective(lstmae_objective *read, const lstmae_objective *objective, const char *function)
{
    static const lstmae_objective defaults = LSTMAE_OBJECTIVE_INIT;
    LAE_CHECK_ARG(objective != NULL, function);
    LAE_TRY(lae_options_read(read, &defaults, sizeof *read, objective, sizeof *read, "objective"));
    LAE_CHECK_ARG(read->module != NULL, function);
    LAE_CHECK_ARG(read->step != NULL, function);
    return LSTMAE_OK;
}

lstmae_status lstmae_evaluate(const lstmae_objective *objective, lstmae_loader *loader, int64_t batches, double *loss)
{
    lstmae_objective read;
    LAE_TRY(fit_read_objective(&read, objective, "evaluate"));
    LAE_CHECK_ARG(loader != NULL, "evaluate");
    LAE_CHECK_ARG(batches >= 0, "evaluate");
    LAE_CHECK_ARG(loss != NULL, "evaluate");
    return fit_evaluate(&read, loader, batches, NULL, loss);
}

/* ---- where the training stands ---- */

static double fit_clock(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 0.0;
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Epoch and number of the next batch, an ended epoch counted as the next one's beginning. */
static void fit_position(const fit_run *run, int64_t *epoch, int64_t *batch)
{
    (void)lstmae_loader_position(run->loader, epoch, batch);
    if (*batch < lstmae_loader_batches(run->loader)) return;
    *epoch += 1;
    *batch = 0;
}

static int64_t fit_epochs(const fit_run *run)
{
    int64_t epoch, batch;
    fit_position(run, &epoch, &batch);
    return epoch - run->state->first_epoch;
}

/* Updates in the rest of an epoch with `batches` batches left, at least one. */
static int64_t fit_updates(const fit_run *run, int64_t batches)
{
    return (batches - 1) / run->options.accumulate + 1;
}

/* Number of updates at which the training ends, if none is left out. */
static int64_t fit_planned(const fit_run *run)
{
    const lstmae_fit_options *options = &run->options;
    int64_t end = options->iterations > 0 ? options->iterations : INT64_MAX, epoch, batch;
    if (options->epochs == 0) return end;
    fit_position(run, &epoch, &batch);
    int64_t left = options->epochs - (epoch - run->state->first_epoch), more = 0;
    if (left > 0) {
        int64_t per_epoch = fit_updates(run, lstmae_loader_batches(run->loader));
        if (left - 1 > INT64_MAX / 4 / per_epoch) return end;
        more = fit_updates(run, lstmae_loader_batches(run->loader) - batch) + (left - 1) * per_epoch;
    }
    return end - run->state->iteration > more ? run->state->iteration + more : end;
}

static int fit_done(const fit_run *run)
{
    const lstmae_fit_options *options = &run->options;
    const lstmae_fit_state *state = run->state;
    if (options->iterations > 0 && state->iteration >= options->iterations) return 1;
    if (options->epochs > 0 && fit_epochs(run) >= options->epochs) return 1;
    return options->patience > 0 && state->stale >= options->patience;
}

static int fit_validation_due(const fit_run *run)
{
    const lstmae_fit_state *state = run->state;
    int64_t epoch, batch;
    if (!run->options.validation || state->iteration == 0 || state->validated_at == state->iteration) return 0;
    if (run->options.validate_every > 0) return state->iteration % run->options.validate_every == 0;
    fit_position(run, &epoch, &batch);
    return batch == 0;
}

static lstmae_status fit_report(const fit_run *run, lstmae_fit_stage stage, double loss)
{
    const lstmae_fit_state *state = run->state;
    lstmae_fit_event event = { .struct_size = sizeof event, .stage = (int32_t)stage };
    if (!run->options.callback) return LSTMAE_OK;
    event.iteration = state->iteration;
    event.iterations = fit_planned(run);
    event.epoch = fit_epochs(run);
    event.loss = loss;
    event.validation = state->validation;
    event.best = lstmae_fit_state_best(state);
    event.lr = lstmae_optimizer_lr(run->optimizer);
    event.seconds = fit_clock() - run->started;
    if (run->options.callback(&event, run->options.payload) == 0) return LSTMAE_OK;
    return LAE_FAIL(ERR_CANCELLED, "fit: stopped by its callback after %lld updates", (long long)state->iteration);
}

/* ---- one update ---- */

/* Step 1. *finite receives 0 when a loss was not, and no further batch is taken then. */
static lstmae_status fit_accumulate(fit_run *run, double *loss, int *finite)
{
    int64_t epoch, first, left;
    fit_position(run, &epoch, &first);
    left = lstmae_loader_batches(run->loader) - first;
    if (left > run->options.accumulate) left = run->options.accumulate;
    double scale = 1.0 / (double)left, sum = 0.0;
    LAE_TRY(lstmae_module_zero_grad(run->objective.module));
    for (int64_t i = 0; i < left; i++) {
        lstmae_batch batch = LSTMAE_BATCH_INIT;
        double value = NAN;
        LAE_TRY(fit_next_batch(run->loader, &batch));
        LAE_TRY(run->objective.step(&batch, 1, scale, &value, run->objective.payload));
        sum += value;
        *finite = isfinite(value) || run->options.flags & LSTMAE_FIT_NO_NAN_GUARD;
        if (!*finite) break;
    }
    *loss = sum * scale;
    return LSTMAE_OK;
}

static lstmae_status fit_set_rate(fit_run *run)
{
    if (!run->options.schedule) return LSTMAE_OK;
    return lstmae_optimizer_set_lr(run->optimizer, lstmae_schedule_lr(run->options.schedule, run->state->iteration));
}

/* Step 2. *finite receives 0 when the gradient was not. */
static lstmae_status fit_step(fit_run *run, int *finite)
{
    LAE_TRY(fit_set_rate(run));
    if (run->options.flags & LSTMAE_FIT_NO_NAN_GUARD) return lstmae_optimizer_step(run->optimizer);
    lstmae_status status = lstmae_optimizer_step_guarded(run->optimizer);
    *finite = status != LSTMAE_ERR_NUMERIC;
    return *finite ? status : LSTMAE_OK;
}

static lstmae_status fit_skip(fit_run *run, double loss)
{
    lstmae_fit_state *state = run->state;
    state->skips++;
    lae_log(LSTMAE_LOG_WARNING, "fit: update %lld left out, its loss or gradient is not finite",
            (long long)state->iteration);
    LAE_TRY(fit_report(run, LSTMAE_FIT_SKIPPED, loss));
    if (state->skips < run->options.max_skips) return LSTMAE_OK;
    state->skips = 0;
    return LAE_FAIL(ERR_NUMERIC, "fit: expected a finite loss and gradient, got %lld updates in a row without",
                    (long long)run->options.max_skips);
}

/* Steps 1 and 2 one after the other. *begun receives 1 when the state can undo the update. */
static lstmae_status fit_update_by_steps(fit_run *run, int *begun, double *loss, int *finite)
{
    LAE_TRY(lae_fit_state_begin_update(run->state, run->objective.module));
    *begun = 1;
    if (run->objective.update) run->objective.update(run->state->iteration, run->objective.payload);
    LAE_TRY(fit_accumulate(run, loss, finite));
    return *finite ? fit_step(run, finite) : LSTMAE_OK;
}

/* The same of one batch, enqueued as a whole. Where the loss is not finite there is no step, and no rate for it. */
static lstmae_status fit_update_enqueued(fit_run *run, int *begun, double *loss, int *finite)
{
    const double lr = lstmae_optimizer_lr(run->optimizer);
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    lae_fit_update update = { .objective = &run->objective, .state = run->state, .batch = &batch };
    update.guarded = !(run->options.flags & LSTMAE_FIT_NO_NAN_GUARD);
    LAE_TRY(fit_next_batch(run->loader, &batch));
    LAE_TRY(fit_set_rate(run));
    lstmae_status status = lae_fit_enqueued_update(&run->enqueued, &update, loss, finite);
    *begun = update.begun;
    LAE_TRY(status);
    return *finite || isfinite(*loss) ? LSTMAE_OK : lstmae_optimizer_set_lr(run->optimizer, lr);
}

static lstmae_status fit_update(fit_run *run)
{
    uint64_t draws = lae_context_draws(run->context);
    int64_t epoch, batch;
    double loss = NAN;
    int finite = 1, begun = 0;
    lstmae_status status, undone = LSTMAE_OK;
    LAE_TRY(lstmae_loader_position(run->loader, &epoch, &batch));
    LAE_TRY(lstmae_module_set_training(run->objective.module, 1));
    if (run->options.accumulate == 1 && lae_fit_enqueues(&run->enqueued))
        status = fit_update_enqueued(run, &begun, &loss, &finite);
    else
        status = fit_update_by_steps(run, &begun, &loss, &finite);
    if (status < 0 || !finite) {
        lae_context_set_draws(run->context, draws);
        if (begun) undone = lae_fit_state_undo_update(run->state, run->objective.module);
    }
    if (status < 0) {
        (void)lstmae_loader_seek(run->loader, epoch, batch);
        return status;
    }
    LAE_TRY(undone);
    if (!finite) return fit_skip(run, loss);
    run->state->iteration++;
    run->state->skips = 0;
    run->loss = loss;
    return fit_report(run, LSTMAE_FIT_ITERATION, loss);
}

/* ---- step 3 ---- */

static lstmae_status fit_validate(fit_run *run)
{
    const lstmae_fit_options *options = &run->options;
    lstmae_fit_state *state = run->state;
    double value;
    LAE_TRY(fit_evaluate(&run->objective, options->validation, options->validation_batches, run->context, &value));
    if (value < state->best) {
        if (options->flags & LSTMAE_FIT_KEEP_BEST)
            LAE_TRY(lae_fit_state_keep_best(state, run->objective.module));
        else
            lae_fit_state_drop_best(state);
        state->best = value;
    }
    if (value < state->reference - options->min_delta) {
        state->reference = value;
        state->stale = 0;
    } else {
        state->stale++;
    }
    state->validation = value;
    state->validated_at = state->iteration;
    if (options->schedule) LAE_TRY(lstmae_schedule_report(options->schedule, value));
    return fit_report(run, LSTMAE_FIT_VALIDATION, run->loss);
}

/* ---- the loop ---- */

static lstmae_status fit_loop(fit_run *run)
{
    if (fit_validation_due(run)) LAE_TRY(fit_validate(run));
    while (!fit_done(run)) {
        if (lstmae_context_stop_requested(run->context))
            return LAE_FAIL(ERR_CANCELLED, "fit: stopped on request after %lld updates",
                            (long long)run->state->iteration);
        LAE_TRY(fit_update(run));
        if (fit_validation_due(run)) LAE_TRY(fit_validate(run));
    }
    if (run->options.flags & LSTMAE_FIT_KEEP_BEST)
        LAE_TRY(lae_fit_state_restore_best(run->state, run->objective.module));
    return LSTMAE_OK;
}

static lstmae_status fit_check_at_least(const char *name, int64_t value, int64_t least)
{
    if (value >= least) return LSTMAE_OK;
    return LAE_FAIL(ERR_INVALID_ARG, "fit: expected %s of %lld or more, got %lld", name, (long long)least,
                    (long long)value);
}

static lstmae_status fit_check_options(const lstmae_fit_options *options, const lstmae_loader *train)
{
    if (options->flags & ~(LSTMAE_FIT_KEEP_BEST | LSTMAE_FIT_NO_NAN_GUARD))
        return LAE_FAIL(ERR_INVALID_ARG, "fit: expected known flags, got 0x%x", options->flags);
    LAE_TRY(fit_check_at_least("iterations", options->iterations, 0));
    LAE_TRY(fit_check_at_least("epochs", options->epochs, 0));
    LAE_TRY(fit_check_at_least("accumulate", options->accumulate, 1));
    LAE_TRY(fit_check_at_least("validate_every", options->validate_every, 0));
    LAE_TRY(fit_check_at_least("validation_batches", options->validation_batches, 0));
    LAE_TRY(fit_check_at_least("patience", options->patience, 0));
    LAE_TRY(fit_check_at_least("max_skips", options->max_skips, 1));
    if (!(options->min_delta >= 0.0) || !isfinite(options->min_delta))
        return LAE_FAIL(ERR_INVALID_ARG, "fit: expected min_delta of 0 or more, got %g", options->min_delta);
    if (options->validation == train)
        return LAE_FAIL(ERR_INVALID_ARG, "fit: expected a loader of its own for validation, got the training's");
    if (lstmae_loader_batches(train) < 1)
        return LAE_FAIL(ERR_INVALID_ARG, "fit: expected a loader with batches, got an empty epoch");
    return LSTMAE_OK;
}

/* Ties a fresh state to the loader's epoch and runs the loop; the module's mode is as before afterwards. */
static lstmae_status fit_run_in_state(fit_run *run)
{
    int training = lstmae_module_training(run->objective.module);
    if (run->state->first_epoch < 0) {
        run->state->first_epoch = 0;
        run->state->first_epoch = fit_epochs(run);
    }
    lstmae_context_clear_stop(run->context);
    run->started = fit_clock();
    run->loss = NAN;
    lstmae_status status = fit_loop(run);
    lstmae_status mode = lstmae_module_set_training(run->objective.module, training);
    return status == LSTMAE_OK ? mode : status;
}

lstmae_status lstmae_fit(const lstmae_objective *objective, lstmae_loader *train, lstmae_optimizer *optimizer,
                         const lstmae_fit_options *options, lstmae_fit_state *state)
{
    static const lstmae_fit_options defaults = LSTMAE_FIT_OPTIONS_INIT;
    fit_run run = { .loader = train, .optimizer = optimizer, .state = state };
    LAE_TRY(fit_read_objective(&run.objective, objective, "fit"));
    LAE_CHECK_ARG(train != NULL, "fit");
    LAE_CHECK_ARG(optimizer != NULL, "fit");
    LAE_TRY(lae_options_read(&run.options, &defaults, sizeof run.options, options, sizeof run.options, "fit options"));
    LAE_TRY(fit_check_options(&run.options, train));
    if (run.options.iterations == 0 && run.options.epochs == 0) run.options.epochs = 1;
    run.context = run.objective.module->context;
    if (state && state->context != run.context)
        return LAE_FAIL(ERR_INVALID_ARG, "fit: expected a state of the module's context, got another's");
    if (!state) LAE_TRY(lstmae_fit_state_create(&run.state, run.context));
    lstmae_status status = lae_fit_enqueued_open(&run.enqueued, &run.objective, optimizer);
    if (status == LSTMAE_OK) status = fit_run_in_state(&run);
    lae_fit_enqueued_close(&run.enqueued);
    if (!state) lstmae_fit_state_destroy(run.state);
    return status;
}
