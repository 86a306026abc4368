/* The training loop's accounting: epochs, validation, stopping, best weights, schedules, evaluation, memory, misuse. */
#include "fit_rig.h"

#include "train_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* ---- a scripted objective: one weight that every update lowers by lr, and losses from a list ---- */

typedef struct script {
    lstmae_context *context;
    lstmae_module *module; /* linear [1,1] without bias */
    lstmae_optimizer *optimizer;
    lstmae_loader *loader, *validation;
    lstmae_fit_state *state;
    lstmae_objective objective;
    const double *validations;
    int trained, validated, validation_count;
    int modes_wrong;
    double train_loss;
} script;

static lstmae_status script_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    script *s = payload;
    float one = (float)scale, sum;
    s->modes_wrong += lstmae_module_training(s->module) != train;
    if (!train) {
        *loss = batch->index == 0 ? s->validations[s->validated++ % s->validation_count] : 0.0;
        return LSTMAE_OK;
    }
    lstmae_tensor *grad = lstmae_module_param_grad(s->module, 0);
    assert_ok(lstmae_tensor_read(grad, &sum, sizeof sum));
    sum += one;
    assert_ok(lstmae_tensor_write(grad, &sum, sizeof sum));
    s->trained++;
    *loss = s->train_loss;
    return LSTMAE_OK;
}

/* Five batches of training data, the last of two items; one of validation. */
static void script_open(script *s, const double *validations, int count)
{
    static float data[RIG_ITEMS * RIG_ITEM];
    lstmae_optimizer_options sgd = LSTMAE_SGD_OPTIONS_INIT;
    static const lstmae_objective objective = LSTMAE_OBJECTIVE_INIT;
    memset(s, 0, sizeof *s);
    sgd.lr = 1.0;
    s->validations = validations;
    s->validation_count = count;
    s->train_loss = 2.5;
    s->context = test_context("cpu", LSTMAE_F32);
    s->loader = rig_loader(s->context, data, 18, RIG_BATCH, 0);
    s->validation = rig_loader(s->context, data, 4, RIG_BATCH, 0);
    assert_ok(lstmae_linear_create(&s->module, s->context, 1, 1, LSTMAE_LINEAR_NO_BIAS));
    assert_ok(lstmae_tensor_fill(lstmae_module_param(s->module, 0), 0.0));
    assert_ok(lstmae_optimizer_create(&s->optimizer, s->module, &sgd));
    assert_ok(lstmae_fit_state_create(&s->state, s->context));
    s->objective = objective;
    s->objective.module = s->module;
    s->objective.step = script_step;
    s->objective.payload = s;
}

static void script_close(script *s)
{
    assert_int_equal(s->modes_wrong, 0);
    lstmae_fit_state_destroy(s->state);
    lstmae_loader_destroy(s->loader);
    lstmae_loader_destroy(s->validation);
    lstmae_optimizer_destroy(s->optimizer);
    lstmae_module_destroy(s->module);
    lstmae_context_destroy(s->context);
}

static lstmae_status script_fit(script *s, const lstmae_fit_options *options)
{
    return lstmae_fit(&s->objective, s->loader, s->optimizer, options, s->state);
}

static float script_weight(const script *s)
{
    float weight;
    assert_ok(lstmae_tensor_read(lstmae_module_param(s->module, 0), &weight, sizeof weight));
    return weight;
}

/* ---- events ---- */

#define MOST_EVENTS 64

typedef struct recorder {
    lstmae_fit_event events[MOST_EVENTS];
    int count;
    int stop_after;          /* return 1 at this event; 0: never */
    lstmae_context *request; /* request a stop of this context instead */
} recorder;

static int record(const lstmae_fit_event *event, void *payload)
{
    recorder *r = payload;
    assert_true(r->count < MOST_EVENTS);
    assert_int_equal(event->struct_size, sizeof *event);
    r->events[r->count++] = *event;
    if (r->count != r->stop_after) return 0;
    if (!r->request) return 1;
    lstmae_context_request_stop(r->request);
    return 0;
}

static lstmae_fit_options recorded(recorder *r)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    memset(r, 0, sizeof *r);
    options.callback = record;
    options.payload = r;
    return options;
}

/* ---- where it ends ---- */

static void one_epoch_by_default(void **state)
{
    (void)state;
    script s;
    script_open(&s, NULL, 0);
    assert_ok(script_fit(&s, NULL));
    assert_int_equal(s.trained, 5);
    assert_int_equal(lstmae_fit_state_iteration(s.state), 5);
    assert_true(isnan(lstmae_fit_state_best(s.state)));
    assert_true(script_weight(&s) == -5.0f);
    assert_ok(script_fit(&s, NULL)); /* one epoch in all: there is nothing left */
    assert_int_equal(s.trained, 5);
    assert_ok(lstmae_fit(&s.objective, s.loader, s.optimizer, NULL, NULL)); /* a training of its own */
    assert_int_equal(s.trained, 10);
    script_close(&s);
}

static void ends_at_whatever_comes_first(void **state)
{
    (void)state;
    const struct {
        int64_t iterations, epochs, accumulate;
        int updates, batches;
    } cases[] = { { 7, 0, 1, 7, 7 },  { 7, 3, 1, 7, 7 },        { 7, 1, 1, 5, 5 }, { 0, 3, 1, 15, 15 },
                  { 0, 2, 2, 6, 10 }, { 0, 2, 3, 4, 10 },       { 4, 0, 2, 4, 7 }, { 0, 1, 5, 1, 5 },
                  { 0, 1, 9, 1, 5 },  { 1, 0, INT64_MAX, 1, 5 } };
    for (int i = 0; i < COUNT(cases); i++) {
        script s;
        recorder r;
        lstmae_fit_options options = recorded(&r);
        options.iterations = cases[i].iterations;
        options.epochs = cases[i].epochs;
        options.accumulate = cases[i].accumulate;
        script_open(&s, NULL, 0);
        assert_ok(script_fit(&s, &options));
        assert_int_equal(s.trained, cases[i].batches);
        assert_int_equal(r.count, cases[i].updates);
        /* every update has the gradient's mean over its batches, here 1 */
        assert_true(fabsf(script_weight(&s) + (float)cases[i].updates) < 1e-5f);
        for (int k = 0; k < r.count; k++) {
            assert_int_equal(r.events[k].stage, LSTMAE_FIT_ITERATION);
            assert_int_equal(r.events[k].iteration, k + 1);
            assert_int_equal(r.events[k].iterations, cases[i].updates);
            assert_true(fabs(r.events[k].loss - 2.5) < 1e-12);
        }
        script_close(&s);
    }
}

static void counts_epochs_from_where_it_begins(void **state)
{
    (void)state;
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    const int epochs[] = { 0, 0, 1, 1, 1, 1, 1, 2 };
    options.epochs = 2;
    script_open(&s, NULL, 0);
    assert_ok(lstmae_loader_seek(s.loader, 4, 2));
    assert_ok(script_fit(&s, &options));
    assert_int_equal(r.count, COUNT(epochs));
    for (int i = 0; i < r.count; i++) {
        assert_int_equal(r.events[i].epoch, epochs[i]);
        assert_int_equal(r.events[i].iterations, COUNT(epochs));
        assert_true(isnan(r.events[i].validation) && isnan(r.events[i].best));
        assert_true(r.events[i].seconds >= 0.0 && r.events[i].seconds < 60.0);
    }
    script_close(&s);
}

static void huge_numbers_of_epochs_do_not_overflow(void **state)
{
    (void)state;
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    options.epochs = INT64_MAX;
    r.stop_after = 1;
    script_open(&s, NULL, 0);
    assert_fails(script_fit(&s, &options), ERR_CANCELLED);
    assert_int_equal(r.events[0].iterations, INT64_MAX);
    script_close(&s);
}

/* ---- validation ---- */

static void validates_when_due(void **state)
{
    (void)state;
    const double losses[] = { 4.0, 3.0, 5.0, 2.0 };
    const int by_count[] = { 3, 6, 9, 12 }, by_epoch[] = { 5, 10 };
    for (int every = 0; every <= 3; every += 3) {
        script s;
        recorder r;
        lstmae_fit_options options = recorded(&r);
        options.epochs = 2;
        options.iterations = every ? 12 : 0;
        options.epochs = every ? 0 : 2;
        options.validate_every = every;
        script_open(&s, losses, COUNT(losses));
        options.validation = s.validation;
        assert_ok(script_fit(&s, &options));
        int seen = 0;
        double best = INFINITY;
        for (int i = 0; i < r.count; i++) {
            const lstmae_fit_event *event = &r.events[i];
            if (event->stage != LSTMAE_FIT_VALIDATION) continue;
            assert_int_equal(event->iteration, every ? by_count[seen] : by_epoch[seen]);
            assert_int_equal(r.events[i - 1].iteration, event->iteration);
            assert_true(event->validation == losses[seen]);
            best = fmin(best, losses[seen]);
            assert_true(event->best == best);
            assert_true(event->loss == 2.5);
            seen++;
        }
        assert_int_equal(seen, every ? 4 : 2);
        assert_true(lstmae_fit_state_best(s.state) == best);
        script_close(&s);
    }
}

static void validation_reads_the_same_batches_every_time(void **state)
{
    (void)state;
    const double losses[] = { 1.0 };
    static float data[RIG_ITEMS * RIG_ITEM];
    int64_t epoch, batch;
    script s;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    script_open(&s, losses, 1);
    lstmae_loader *several = rig_loader(s.context, data, 12, RIG_BATCH, LSTMAE_LOADER_SHUFFLE);
    assert_ok(lstmae_loader_seek(several, 2, 1));
    options.validation = several;
    options.validation_batches = 2;
    options.epochs = 3;
    assert_ok(script_fit(&s, &options));
    assert_int_equal(s.validated, 3); /* batch 0 once in each */
    assert_ok(lstmae_loader_position(several, &epoch, &batch));
    assert_int_equal(epoch, 2);
    assert_int_equal(batch, 1);
    lstmae_loader_destroy(several);
    script_close(&s);
}

static void stops_early(void **state)
{
    (void)state;
    const double losses[] = { 5.0, 4.0, 4.5, 3.99, 3.98, 3.97, 1.0 };
    const struct {
        int64_t patience;
        double min_delta;
        int validations;
    } cases[] = { { 1, 0.0, 3 }, { 2, 0.0, 7 }, { 3, 0.1, 5 }, { 0, 0.0, 7 }, { 4, 0.1, 6 }, { 5, 0.1, 7 } };
    for (int i = 0; i < COUNT(cases); i++) {
        script s;
        lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
        script_open(&s, losses, COUNT(losses));
        options.validation = s.validation;
        options.validate_every = 1;
        options.iterations = 7;
        options.patience = cases[i].patience;
        options.min_delta = cases[i].min_delta;
        assert_ok(script_fit(&s, &options));
        assert_int_equal(s.validated, cases[i].validations);
        assert_int_equal(s.trained, cases[i].validations);
        assert_ok(script_fit(&s, &options)); /* over is over */
        assert_int_equal(s.trained, cases[i].validations);
        script_close(&s);
    }
}

static void a_validation_that_is_nan_is_no_improvement(void **state)
{
    (void)state;
    const double losses[] = { NAN, 2.0, NAN, INFINITY };
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    script_open(&s, losses, COUNT(losses));
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.validation = s.validation;
    options.validate_every = 1;
    options.iterations = 9;
    options.patience = 2;
    assert_ok(script_fit(&s, &options));
    assert_int_equal(s.validated, 4);
    assert_true(isnan(r.events[1].best) && isnan(r.events[1].validation));
    assert_true(lstmae_fit_state_best(s.state) == 2.0);
    assert_true(script_weight(&s) == -2.0f);
    script_close(&s);
}

/* ---- best weights ---- */

static void keeps_the_best_weights(void **state)
{
    (void)state;
    const double losses[] = { 4.0, 2.0, 3.0, 2.0 };
    script s;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    for (int keep = 0; keep <= 1; keep++) {
        script_open(&s, losses, COUNT(losses));
        options.flags = keep ? LSTMAE_FIT_KEEP_BEST : 0;
        options.validation = s.validation;
        options.validate_every = 1;
        options.iterations = 4;
        assert_ok(script_fit(&s, &options));
        assert_true(script_weight(&s) == (keep ? -2.0f : -4.0f));
        assert_int_equal(lae_fit_state_best_count(s.state), keep);
        script_close(&s);
    }
}

/* A better model that was not kept makes what was kept worthless. */
static void forgets_weights_that_are_no_longer_the_best(void **state)
{
    (void)state;
    const double losses[] = { 4.0, 3.0, 5.0 };
    script s;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    script_open(&s, losses, COUNT(losses));
    options.validation = s.validation;
    options.validate_every = 1;
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.iterations = 1;
    assert_ok(script_fit(&s, &options));
    options.flags = 0;
    options.iterations = 2;
    assert_ok(script_fit(&s, &options));
    assert_int_equal(lae_fit_state_best_count(s.state), 0);
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.iterations = 3;
    assert_ok(script_fit(&s, &options));
    assert_true(script_weight(&s) == -3.0f);
    script_close(&s);
}

static void a_cancelled_training_keeps_its_current_weights(void **state)
{
    (void)state;
    const double losses[] = { 1.0, 2.0, 3.0 };
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    r.stop_after = 4;
    script_open(&s, losses, COUNT(losses));
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.validation = s.validation;
    options.validate_every = 1;
    options.iterations = 3;
    assert_fails(script_fit(&s, &options), ERR_CANCELLED);
    assert_true(script_weight(&s) == -2.0f);
    assert_ok(script_fit(&s, &options));
    assert_true(script_weight(&s) == -1.0f);
    script_close(&s);
}

/* ---- stopping ---- */

static void a_stop_request_ends_after_the_update(void **state)
{
    (void)state;
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    script_open(&s, NULL, 0);
    r.stop_after = 3;
    r.request = s.context;
    assert_fails(script_fit(&s, &options), ERR_CANCELLED);
    assert_int_equal(s.trained, 3);
    assert_int_equal(lstmae_fit_state_iteration(s.state), 3);
    assert_int_equal(lstmae_context_stop_requested(s.context), 1);
    assert_ok(script_fit(&s, &options)); /* the request of before is forgotten */
    assert_int_equal(s.trained, 5);
    script_close(&s);
}

static lstmae_status stopping_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    script *s = payload;
    if (!train && batch->index == 1 && s->validated == 1) lstmae_context_request_stop(s->context);
    return script_step(batch, train, scale, loss, payload);
}

/* A validation that was interrupted is made up for, and counts once. */
static void a_stop_request_ends_a_validation(void **state)
{
    (void)state;
    const double losses[] = { 1.0, 2.0 };
    static float data[RIG_ITEMS * RIG_ITEM];
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    script_open(&s, losses, COUNT(losses));
    lstmae_loader *several = rig_loader(s.context, data, 12, RIG_BATCH, 0);
    s.objective.step = stopping_step;
    options.validation = several;
    assert_fails(script_fit(&s, &options), ERR_CANCELLED);
    assert_int_equal(s.trained, 5);
    assert_int_equal(r.count, 5);
    assert_int_equal(lstmae_module_training(s.module), 1);
    assert_ok(script_fit(&s, &options));
    assert_int_equal(s.trained, 5);
    assert_int_equal(r.count, 6);
    assert_int_equal(r.events[5].stage, LSTMAE_FIT_VALIDATION);
    assert_ok(script_fit(&s, &options));
    assert_int_equal(r.count, 6);
    lstmae_loader_destroy(several);
    script_close(&s);
}

static void leaves_the_mode_as_it_was(void **state)
{
    (void)state;
    script s;
    script_open(&s, NULL, 0);
    assert_ok(lstmae_module_set_training(s.module, 0));
    assert_ok(script_fit(&s, NULL));
    assert_int_equal(lstmae_module_training(s.module), 0);
    script_close(&s);
}

/* ---- updates left out ---- */

static void skips_are_counted_in_a_row(void **state)
{
    (void)state;
    const double losses[] = { 1.0 };
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    script_open(&s, losses, 1);
    s.train_loss = INFINITY;
    options.max_skips = 2;
    options.epochs = 3;
    options.validation = s.validation;
    assert_fails(script_fit(&s, &options), ERR_NUMERIC);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.events[1].stage, LSTMAE_FIT_SKIPPED);
    assert_true(isinf(r.events[1].loss));
    assert_int_equal(r.events[1].iteration, 0);
    assert_fails(script_fit(&s, &options), ERR_NUMERIC); /* counted anew */
    assert_int_equal(r.count, 4);
    r.stop_after = 5;
    assert_fails(script_fit(&s, &options), ERR_CANCELLED);
    assert_int_equal(r.count, 5);
    assert_int_equal(s.validated, 0); /* an epoch without an update has nothing to validate */
    assert_true(script_weight(&s) == 0.0f);
    script_close(&s);
}

/* ---- schedules ---- */

static void sets_the_rate_before_each_update(void **state)
{
    (void)state;
    const double losses[] = { 1.0 };
    script s;
    recorder r;
    lstmae_fit_options options = recorded(&r);
    lstmae_schedule_options step = LSTMAE_SCHEDULE_OPTIONS_INIT;
    step.kind = LSTMAE_SCHEDULE_PLATEAU;
    step.lr = 0.5;
    step.factor = 0.5;
    step.patience = 1;
    step.warmup = 2;
    script_open(&s, losses, 1);
    assert_ok(lstmae_schedule_create(&options.schedule, &step));
    options.iterations = 8;
    options.validation = s.validation;
    options.validate_every = 1;
    assert_ok(script_fit(&s, &options));
    /* the first report is the best, the third and fifth reduce */
    const double want[] = { 0.25, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625 };
    float sum = 0.0f;
    for (int i = 0; i < 16; i++) {
        assert_true(r.events[i].lr == want[i / 2]);
        if (i % 2 == 0) sum -= (float)want[i / 2];
    }
    assert_true(script_weight(&s) == sum);
    assert_true(lstmae_optimizer_lr(s.optimizer) == 0.0625);
    lstmae_schedule_destroy(options.schedule);
    script_close(&s);
}

/* ---- accumulation ---- */

/* Two batches of four accumulated are one of eight, up to the order of sums in float32. */
static void accumulation_equals_a_larger_batch(void **state)
{
    (void)state;
    static float data[16 * RIG_ITEM], first[RIG_MOST_WEIGHTS], second[RIG_MOST_WEIGHTS];
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    size_t n = 0;
    rig_data(data, 16);
    for (int large = 0; large <= 1; large++) {
        rig r;
        lstmae_module *linear, *tanh, *chain;
        lstmae_loss *loss;
        lstmae_task *task;
        lstmae_optimizer *optimizer;
        rig_open(&r, NULL, 0, 0);
        lstmae_loader *loader = rig_loader(r.context, data, 16, large ? 8 : 4, 0);
        assert_ok(lstmae_sequential_create(&chain, r.context));
        assert_ok(lstmae_linear_create(&linear, r.context, RIG_FEATURES, RIG_FEATURES, 0));
        assert_ok(lstmae_activation_create(&tanh, r.context, LSTMAE_ACTIVATION_TANH));
        assert_ok(lstmae_sequential_append(chain, linear));
        assert_ok(lstmae_sequential_append(chain, tanh));
        assert_ok(lstmae_loss_create(&loss, r.context, NULL));
        assert_ok(lstmae_task_autoencoder(&task, chain, loss));
        assert_ok(lstmae_optimizer_create(&optimizer, chain, NULL));
        options.iterations = 12;
        options.accumulate = large ? 1 : 2;
        assert_ok(lstmae_fit(lstmae_task_objective(task), loader, optimizer, &options, NULL));
        n = rig_weights(chain, large ? second : first);
        lstmae_loader_destroy(loader);
        lstmae_module_destroy(chain);
        lstmae_loss_destroy(loss);
        lstmae_task_destroy(task);
        lstmae_optimizer_destroy(optimizer);
        rig_close(&r);
    }
    assert_close("weights", first, second, n, 1e-6, 1e-5);
}

/* ---- memory ---- */

typedef struct counter {
    lstmae_context *context;
    int validations; /* until they are counted */
    uint64_t allocations;
    int events;
} counter;

static int count_allocations(const lstmae_fit_event *event, void *payload)
{
    counter *c = payload;
    lstmae_memory_info info = LSTMAE_MEMORY_INFO_INIT;
    assert_ok(lstmae_context_memory(c->context, &info));
    if (c->validations == 0) {
        assert_int_equal(info.allocations, c->allocations);
        c->events++;
    } else if (event->stage == LSTMAE_FIT_VALIDATION) {
        c->validations--;
        c->allocations = info.allocations;
    }
    return 0;
}

/*
 * A GPU records an update when it comes for the second time: that of the last batch, which is smaller, in the second
 * epoch, and later those that find weights as an evaluation has left them.
 */
static void allocates_nothing_after_the_first_epochs(void **state)
{
    (void)state;
    rig r;
    const char *device = getenv("LSTMAE_TEST_DEVICE");
    const int first = device && strncmp(device, "cuda", 4) == 0 ? 4 : 1;
    counter c = { .validations = first };
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    rig_open(&r, NULL, 0, LSTMAE_LOADER_SHUFFLE);
    c.context = r.context;
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.validation = r.validation;
    options.epochs = 5;
    options.callback = count_allocations;
    options.payload = &c;
    assert_ok(rig_fit(&r, &options));
    assert_int_equal(c.events, (5 - first) * (RIG_BATCHES + 1));
    rig_close(&r);
}

/* ---- evaluation ---- */

static lstmae_status index_step(const lstmae_batch *batch, int train, double scale, double *loss, void *payload)
{
    const script *s = payload;
    (void)scale;
    assert_int_equal(train, 0);
    assert_int_equal(lstmae_module_training(s->module), 0);
    *loss = (double)(batch->index + 1);
    return LSTMAE_OK;
}

static void evaluates_the_mean_over_items(void **state)
{
    (void)state;
    script s;
    double loss;
    int64_t epoch, batch;
    script_open(&s, NULL, 0);
    s.objective.step = index_step;
    assert_ok(lstmae_loader_seek(s.loader, 3, 2));
    for (int i = 0; i < 2; i++) {
        assert_ok(lstmae_evaluate(&s.objective, s.loader, 0, &loss)); /* batches of 4, 4, 4, 4, 2 */
        assert_true(fabs(loss - (4 * (1 + 2 + 3 + 4) + 2 * 5) / 18.0) < 1e-12);
        assert_ok(lstmae_evaluate(&s.objective, s.loader, 2, &loss));
        assert_true(loss == 1.5);
        assert_ok(lstmae_evaluate(&s.objective, s.loader, 6, &loss)); /* on into the next epoch */
        assert_true(fabs(loss - (4 * (1 + 2 + 3 + 4) + 2 * 5 + 4 * 1) / 22.0) < 1e-12);
        assert_int_equal(lstmae_module_training(s.module), 1);
        assert_ok(lstmae_loader_position(s.loader, &epoch, &batch));
        assert_int_equal(epoch, 3);
        assert_int_equal(batch, 2);
    }
    script_close(&s);
}

/* ---- tasks ---- */

static void tasks_keep_their_parts_alive(void **state)
{
    (void)state;
    rig r;
    double before, after;
    rig_open(&r, NULL, 0, 0);
    const lstmae_objective *objective = lstmae_task_objective(r.task);
    assert_ptr_equal(objective->module, lstmae_seq2seq_module(r.model));
    lstmae_seq2seq_destroy(r.model);
    lstmae_loss_destroy(r.loss);
    r.model = NULL;
    r.loss = NULL;
    assert_ok(lstmae_evaluate(objective, r.loader, 0, &before));
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.epochs = 20;
    assert_ok(rig_fit(&r, &options));
    assert_ok(lstmae_evaluate(objective, r.loader, 0, &after));
    assert_true(after < before);
    rig_close(&r);
}

/* The autoencoder's step is loss(module(x), x): value and gradient as by hand. */
static void autoencoder_equals_the_parts(void **state)
{
    (void)state;
    script s;
    lstmae_loss *loss;
    lstmae_module *linear;
    lstmae_task *task;
    lstmae_batch batch = LSTMAE_BATCH_INIT;
    const lstmae_tensor *y, *grad;
    float data[6 * RIG_ITEM], by_hand[RIG_FEATURES * RIG_FEATURES], by_task[RIG_FEATURES * RIG_FEATURES];
    double value, want;
    rig_data(data, 6);
    script_open(&s, NULL, 0);
    lstmae_loader *loader = rig_loader(s.context, data, 6, RIG_BATCH, 0);
    assert_int_equal(lstmae_loader_next(loader, &batch), 1);
    assert_ok(lstmae_linear_create(&linear, s.context, RIG_FEATURES, RIG_FEATURES, 0));
    assert_ok(lstmae_loss_create(&loss, s.context, NULL));
    assert_ok(lstmae_task_autoencoder(&task, linear, loss));

    assert_ok(lstmae_module_forward(linear, batch.x, &y));
    assert_ok(lstmae_loss_compute(loss, y, batch.x, NULL, &want, &grad));
    assert_ok(lstmae_module_backward(linear, grad, NULL));
    assert_ok(lstmae_tensor_read(lstmae_module_param_grad(linear, 0), by_hand, sizeof by_hand));
    assert_ok(lstmae_module_zero_grad(linear));

    const lstmae_objective *objective = lstmae_task_objective(task);
    assert_ok(objective->step(&batch, 1, 0.5, &value, objective->payload));
    assert_ok(objective->step(&batch, 1, 0.5, &value, objective->payload));
    assert_ok(lstmae_tensor_read(lstmae_module_param_grad(linear, 0), by_task, sizeof by_task));
    assert_true(value == want);
    assert_close("gradient", by_task, by_hand, RIG_FEATURES * RIG_FEATURES, 1e-8, 1e-6);
    assert_ok(lstmae_module_set_training(linear, 0));
    lstmae_module_destroy(linear);
    lstmae_loss_destroy(loss);
    assert_ok(objective->step(&batch, 0, 1.0, &value, objective->payload));
    assert_true(value == want);
    lstmae_task_destroy(task);
    lstmae_loader_destroy(loader);
    script_close(&s);
}

/* ---- the state's numbers ---- */

static void state_refuses_impossible_counters(void **state)
{
    (void)state;
    const double good[LAE_FIT_COUNTERS] = { 10, 0, 8, 2, 1, NAN, INFINITY, 3.0 };
    const struct {
        int index;
        double value;
    } wrong[] = { { 0, -1 }, { 0, 0.5 }, { 0, NAN }, { 0, 1e300 }, { 1, -2 },  { 1, 0.5 }, { 2, -2 },
                  { 2, 11 }, { 3, -1 },  { 3, NAN }, { 4, -1 },    { 4, 1.5 }, { 6, NAN }, { 7, NAN } };
    double counters[LAE_FIT_COUNTERS];
    lstmae_context *context = test_context("cpu", LSTMAE_F32);
    lstmae_fit_state *s;
    assert_ok(lstmae_fit_state_create(&s, context));
    for (int i = 0; i < COUNT(wrong); i++) {
        memcpy(counters, good, sizeof good);
        counters[wrong[i].index] = wrong[i].value;
        assert_fails(lae_fit_state_set(s, counters, 1), ERR_FORMAT);
        assert_int_equal(lstmae_fit_state_iteration(s), 0);
    }
    assert_ok(lae_fit_state_set(s, good, 0));
    assert_int_equal(lstmae_fit_state_iteration(s), 0);
    assert_ok(lae_fit_state_set(s, good, 1));
    assert_int_equal(lstmae_fit_state_iteration(s), 10);
    assert_true(isnan(lstmae_fit_state_best(s)));
    lae_fit_state_get(s, counters);
    assert_memory_equal(counters, good, 5 * sizeof *good);
    assert_true(isnan(counters[5]) && counters[6] == INFINITY && counters[7] == 3.0);
    lstmae_fit_state_destroy(s);
    lstmae_context_destroy(context);
}

static void best_slots_have_names(void **state)
{
    (void)state;
    script s;
    char name[32];
    lstmae_tensor *slot;
    lstmae_module *other;
    script_open(&s, NULL, 0);
    assert_ok(lstmae_linear_create(&other, s.context, 1, 1, 0));
    assert_int_equal(lae_fit_state_best_count(s.state), 0);
    assert_ok(lae_fit_state_best_slot(s.state, s.module, 0, name, sizeof name, &slot));
    assert_string_equal(name, "best.weight");
    assert_int_equal(lstmae_tensor_numel(slot), 1);
    assert_int_equal(lae_fit_state_best_count(s.state), 1);
    assert_fails(lae_fit_state_best_slot(s.state, s.module, 0, name, 11, &slot), ERR_INTERNAL);
    assert_fails(lae_fit_state_best_slot(s.state, s.module, 1, NULL, 0, &slot), ERR_INTERNAL);
    assert_fails(lae_fit_state_best_slot(s.state, other, 1, NULL, 0, &slot), ERR_STATE);
    lae_fit_state_drop_best(s.state);
    assert_int_equal(lae_fit_state_best_count(s.state), 0);
    lstmae_module_destroy(other);
    script_close(&s);
}

/* ---- misuse ---- */

#define REFUSE(member, wrong)                                    \
    do {                                                         \
        lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;    \
        options.member = (wrong);                                \
        assert_fails(script_fit(&s, &options), ERR_INVALID_ARG); \
    } while (0)

static void fit_refuses_misuse(void **state)
{
    (void)state;
    script s;
    script_open(&s, NULL, 0);
    lstmae_context *other = test_context("cpu", LSTMAE_F32);
    lstmae_fit_state *foreign;
    lstmae_objective wrong = s.objective;
    assert_ok(lstmae_fit_state_create(&foreign, other));
    assert_fails(lstmae_fit(NULL, s.loader, s.optimizer, NULL, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_fit(&s.objective, NULL, s.optimizer, NULL, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_fit(&s.objective, s.loader, NULL, NULL, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_fit(&s.objective, s.loader, s.optimizer, NULL, foreign), ERR_INVALID_ARG);
    wrong.struct_size = 0;
    assert_fails(lstmae_fit(&wrong, s.loader, s.optimizer, NULL, NULL), ERR_INVALID_ARG);
    wrong = s.objective;
    wrong.module = NULL;
    assert_fails(lstmae_fit(&wrong, s.loader, s.optimizer, NULL, NULL), ERR_INVALID_ARG);
    wrong = s.objective;
    wrong.step = NULL;
    assert_fails(lstmae_fit(&wrong, s.loader, s.optimizer, NULL, NULL), ERR_INVALID_ARG);
    REFUSE(struct_size, 0);
    REFUSE(struct_size, sizeof(lstmae_fit_options) - 1);
    REFUSE(flags, 4u);
    REFUSE(iterations, -1);
    REFUSE(epochs, -1);
    REFUSE(accumulate, 0);
    REFUSE(validate_every, -1);
    REFUSE(validation_batches, -1);
    REFUSE(patience, -1);
    REFUSE(min_delta, -1.0);
    REFUSE(min_delta, (double)NAN);
    REFUSE(max_skips, 0);
    REFUSE(validation, s.loader);
    assert_int_equal(s.trained, 0);
    assert_int_equal(lstmae_fit_state_iteration(s.state), 0);
    lstmae_fit_state_destroy(foreign);
    lstmae_context_destroy(other);
    script_close(&s);
}

static void others_refuse_misuse(void **state)
{
    (void)state;
    script s;
    double loss;
    lstmae_loss *good, *foreign;
    lstmae_seq2seq *model;
    lstmae_task *task;
    lstmae_fit_state *made;
    lstmae_context *other = test_context("cpu", LSTMAE_F32);
    script_open(&s, NULL, 0);
    assert_fails(lstmae_evaluate(NULL, s.loader, 0, &loss), ERR_INVALID_ARG);
    assert_fails(lstmae_evaluate(&s.objective, NULL, 0, &loss), ERR_INVALID_ARG);
    assert_fails(lstmae_evaluate(&s.objective, s.loader, -1, &loss), ERR_INVALID_ARG);
    assert_fails(lstmae_evaluate(&s.objective, s.loader, 0, NULL), ERR_INVALID_ARG);

    assert_ok(lstmae_loss_create(&good, s.context, NULL));
    assert_ok(lstmae_loss_create(&foreign, other, NULL));
    assert_ok(lstmae_seq2seq_create(&model, s.context, 3, 4, NULL));
    assert_fails(lstmae_task_seq2seq(NULL, model, good), ERR_INVALID_ARG);
    assert_fails(lstmae_task_seq2seq(&task, NULL, good), ERR_INVALID_ARG);
    assert_fails(lstmae_task_seq2seq(&task, model, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_task_seq2seq(&task, model, foreign), ERR_INVALID_ARG);
    assert_null(task);
    assert_fails(lstmae_task_autoencoder(NULL, s.module, good), ERR_INVALID_ARG);
    assert_fails(lstmae_task_autoencoder(&task, NULL, good), ERR_INVALID_ARG);
    assert_fails(lstmae_task_autoencoder(&task, s.module, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_task_autoencoder(&task, s.module, foreign), ERR_INVALID_ARG);
    assert_null(task);
    assert_null(lstmae_task_objective(NULL));
    lstmae_task_destroy(NULL);

    assert_fails(lstmae_fit_state_create(NULL, s.context), ERR_INVALID_ARG);
    assert_fails(lstmae_fit_state_create(&made, NULL), ERR_INVALID_ARG);
    assert_null(made);
    assert_int_equal(lstmae_fit_state_iteration(NULL), 0);
    assert_true(isnan(lstmae_fit_state_best(NULL)));
    lstmae_fit_state_destroy(NULL);
    lstmae_loss_destroy(good);
    lstmae_loss_destroy(foreign);
    lstmae_seq2seq_destroy(model);
    lstmae_context_destroy(other);
    script_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_epoch_by_default),
        cmocka_unit_test(ends_at_whatever_comes_first),
        cmocka_unit_test(counts_epochs_from_where_it_begins),
        cmocka_unit_test(huge_numbers_of_epochs_do_not_overflow),
        cmocka_unit_test(validates_when_due),
        cmocka_unit_test(validation_reads_the_same_batches_every_time),
        cmocka_unit_test(stops_early),
        cmocka_unit_test(a_validation_that_is_nan_is_no_improvement),
        cmocka_unit_test(keeps_the_best_weights),
        cmocka_unit_test(forgets_weights_that_are_no_longer_the_best),
        cmocka_unit_test(a_cancelled_training_keeps_its_current_weights),
        cmocka_unit_test(a_stop_request_ends_after_the_update),
        cmocka_unit_test(a_stop_request_ends_a_validation),
        cmocka_unit_test(leaves_the_mode_as_it_was),
        cmocka_unit_test(skips_are_counted_in_a_row),
        cmocka_unit_test(sets_the_rate_before_each_update),
        cmocka_unit_test(accumulation_equals_a_larger_batch),
        cmocka_unit_test(allocates_nothing_after_the_first_epochs),
        cmocka_unit_test(evaluates_the_mean_over_items),
        cmocka_unit_test(tasks_keep_their_parts_alive),
        cmocka_unit_test(autoencoder_equals_the_parts),
        cmocka_unit_test(state_refuses_impossible_counters),
        cmocka_unit_test(best_slots_have_names),
        cmocka_unit_test(fit_refuses_misuse),
        cmocka_unit_test(others_refuse_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
